//! What all binaries of this bench share: one workload, measured, under the profiler that the binary embeds.
//!
//! `BINARY WORKLOAD HZ|off KIB|off [SCALE]` runs the workload once and prints `name value` lines, which `run.py` reads. With
//! both `off` the profiler is linked in, its allocator wraps the other one, and nothing is started.
//!
//! `BINARY WORKLOAD HZ|off KIB|off SCALE TURNS` runs it twice in each turn, without the profiler and with it, and prints a line
//! with the CPU nanoseconds of both: what speeds a process up or slows it down by a percent or two, as its place in memory
//! does, is the same for both.

pub mod measure;
pub mod workloads;

use std::time::Instant;

use measure::{micros, process_cpu_ns};

/// What the command line asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub workload: String,
    /// CPU samples a second of CPU time.
    pub hz: Option<u32>,
    /// Mean KiB between samples of allocations.
    pub kib: Option<u64>,
    /// Of the workload's usual amount of work.
    pub scale: f64,
    /// Pairs of runs in this process.
    pub turns: Option<u32>,
}

/// What a profiler says it saw. `None`: it does not say.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Of CPU time.
    pub samples: Option<u64>,
    /// CPU nanoseconds that they stand for.
    pub weight_ns: Option<u64>,
    /// Bytes allocated, as its samples estimate them.
    pub alloc_bytes: Option<f64>,
    pub lost: Option<u64>,
    /// CPU nanoseconds of its own threads.
    pub own_ns: Option<u64>,
}

/// A profiler that runs.
pub trait Tool: Sized {
    fn start(asked: &Asked) -> Self;

    /// Its cheapest way to hand out what it has while it goes on, addresses without names. Timed. `false`: it has none.
    fn report(&mut self, _seen: &mut Seen) -> bool {
        false
    }

    /// A file or its like, as a program would keep it. Timed apart.
    fn write(&mut self, _seen: &mut Seen) -> bool {
        false
    }

    /// Timed, too.
    fn stop(self, seen: &mut Seen);

    /// Whether a process can start it twice.
    fn starts_again(_asked: &Asked) -> bool {
        true
    }

    /// Reads back what only the file says; not timed.
    fn read_back(_asked: &Asked, _seen: &mut Seen) {}
}

/// Runs what the command line asks for, without a profiler if both are `off`.
pub fn main_with<T: Tool>() {
    let asked = Asked::from_command_line();
    if let Some(turns) = asked.turns {
        return take_turns(
            &asked,
            turns,
            |asked| asked.is_on().then(|| T::start(asked)),
            |tool: Option<T>| {
                if let Some(tool) = tool {
                    tool.stop(&mut Seen::default());
                }
            },
        );
    }
    if !asked.is_on() {
        run_workload(&asked);
        say("rss_kib", measure::peak_rss_kib());
        return;
    }
    let mut seen = Seen::default();
    let began = (Instant::now(), process_cpu_ns());
    let mut tool = T::start(&asked);
    say("start_us", micros(began.0));
    say("start_cpu_us", (process_cpu_ns() - began.1) as f64 / 1e3);
    run_workload(&asked);
    timed("report_us", || tool.report(&mut seen));
    timed("write_us", || tool.write(&mut seen));
    timed("stop_us", || {
        tool.stop(&mut seen);
        true
    });
    say("rss_kib", measure::peak_rss_kib());
    T::read_back(&asked, &mut seen);
    say_if("samples", seen.samples);
    say_if("weight_ns", seen.weight_ns);
    say_if("alloc_seen", seen.alloc_bytes);
    say_if("lost", seen.lost);
    say_if("own_ns", seen.own_ns);

    // Again: what the first start did once for the process is done.
    if !T::starts_again(&asked) {
        return;
    }
    let began = Instant::now();
    let tool = T::start(&asked);
    say("again_us", micros(began));
    tool.stop(&mut Seen::default());
}

/// A binary without a profiler.
pub fn main_bare() {
    let asked = Asked::from_command_line();
    if let Some(turns) = asked.turns {
        return take_turns(&asked, turns, |_| (), |()| ());
    }
    run_workload(&asked);
    say("rss_kib", measure::peak_rss_kib());
}

/// Start and stop are not measured. Which comes first changes, so that a machine that gets slower favors none.
fn take_turns<T>(asked: &Asked, turns: u32, start: impl Fn(&Asked) -> T, stop: impl Fn(T)) {
    let without = || cpu_of(asked);
    let with = || {
        let tool = start(asked);
        let cpu = cpu_of(asked);
        stop(tool);
        cpu
    };
    without();
    for turn in 0..turns {
        let (off, on) = if turn % 2 == 0 {
            let off = without();
            (off, with())
        } else {
            let on = with();
            (without(), on)
        };
        println!("{off} {on}");
    }
}

fn cpu_of(asked: &Asked) -> u64 {
    let began = process_cpu_ns();
    workloads::run(&asked.workload, asked.scale);
    process_cpu_ns() - began
}

fn run_workload(asked: &Asked) {
    let began = (Instant::now(), process_cpu_ns());
    let allocated = workloads::run(&asked.workload, asked.scale);
    let (cpu, wall) = (process_cpu_ns() - began.1, began.0.elapsed());
    say("cpu_ns", cpu);
    say("wall_ns", wall.as_nanos());
    say("allocated", allocated);
}

fn timed(name: &str, work: impl FnOnce() -> bool) {
    let began = Instant::now();
    if work() {
        say(name, micros(began));
    }
}

fn say(name: &str, value: impl std::fmt::Display) {
    println!("{name} {value}");
}

fn say_if(name: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        say(name, value);
    }
}

impl Asked {
    fn from_command_line() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let number = |at: usize| {
            words
                .get(at)
                .filter(|word| *word != "off")
                .map(|word| word.parse().expect("a number or off"))
        };
        Self {
            workload: words.first().expect("WORKLOAD HZ|off KIB|off [SCALE]").clone(),
            hz: number(1).map(|hz: f64| hz as u32),
            kib: number(2).map(|kib: f64| kib as u64),
            scale: number(3).unwrap_or(1.0),
            turns: number(4).map(|turns: f64| turns as u32),
        }
    }

    fn is_on(&self) -> bool {
        self.hz.is_some() || self.kib.is_some()
    }
}
