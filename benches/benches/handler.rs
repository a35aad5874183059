//! What a tick costs inside a profiled program: nanoseconds of the handler by depth of the Python stack, with native
//! frames unwound and without, in turns; and of one system call, which one tick in 32 makes to read the thread's clock.
//!
//! The handler measures itself (counter `self_ns`: every tick that reads the clock, for itself and 31 others), with
//! caches as cold as a real program leaves them at that rate, so this is no Criterion bench: each figure is the median
//! of several runs of a recursive Python program.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use profformat::analysis::Profile;

const DEPTHS: [usize; 3] = [1, 10, 100];
const RATES: [u32; 2] = [250, 10_000];
const ROUNDS: usize = 5;

const PROGRAM: &str = "
import sys
def down(n):
    if n > 1:
        return down(n - 1)
    x = 1
    for i in range(20_000_000):
        x = (x * 3 + i) & 255
down(int(sys.argv[1]))
";

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let prof = benches::built_prof();
    let folder = tempfile::tempdir().expect("a scratch folder");
    println!("thread clock by system call: {:.0} ns", system_call());
    println!("handler   rate  depth  samples  ns a sample  without unwinding");
    for (rate, depth) in RATES.into_iter().flat_map(|rate| DEPTHS.map(|depth| (rate, depth))) {
        let trace = folder.path().join(format!("{depth}.proftrace"));
        let mut with = Vec::new();
        let mut without = Vec::new();
        let mut samples = 0;
        for _ in 0..ROUNDS {
            let (count, nanos) = run(&prof, &trace, rate, depth, &[]);
            samples += count;
            with.push(nanos as f64 / count.max(1) as f64);
            let (count, nanos) = run(&prof, &trace, rate, depth, &["--no-native"]);
            without.push(nanos as f64 / count.max(1) as f64);
        }
        let (with, without) = (median(with), median(without));
        println!("        {rate:>6}  {depth:>5}  {samples:>7}  {with:>11.0}  {without:>17.0}");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds to read a thread's CPU clock, caches warm.
fn system_call() -> f64 {
    const TIMES: u32 = 100_000;
    let begin = Instant::now();
    for _ in 0..TIMES {
        std::hint::black_box(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime));
    }
    begin.elapsed().as_nanos() as f64 / f64::from(TIMES)
}

/// Samples of a run and the nanoseconds they took.
fn run(prof: &Path, trace: &Path, rate: u32, depth: usize, options: &[&str]) -> (u64, u64) {
    let mut command = Command::new(prof);
    command.args(["run", "--quiet", "--force", "--no-memory", "--no-copies"]);
    command.args(["--rate", &rate.to_string()]).args(options).arg("-o").arg(trace);
    command.args(["--", "python3", "-c", PROGRAM, &depth.to_string()]);
    let status = command.status().expect("prof starts");
    assert!(status.success(), "{status}");
    let bytes = profformat::map::open(trace).expect("a trace");
    let profile = Profile::from_bytes(&bytes).expect("a sound trace");
    let counter = |name: &str| profile.counters.get(name).copied().unwrap_or(0);
    (counter("ticks"), counter("self_ns"))
}
