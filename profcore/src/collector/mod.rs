//! The collector: another process than the profiled ones. It listens for them, drains their rings and
//! writes the trace.
//!
//! ```text
//!   listen -> Arrival -> tree (who is who) -> drain (rings) -> recorder (events to records) -> trace
//!              policy                          books (exact figures)
//! ```

pub(crate) mod binaries;
mod books;
mod classes;
mod code_lines;
mod copiers;
mod drain;
mod ends;
#[expect(
    unsafe_code,
    reason = "runs before Rust's runtime and before exec; each block names why it may"
)]
pub mod inheritance;
mod intake;
mod interleave;
mod late;
#[expect(unsafe_code, reason = "signals and the start of the program; each block names its rule")]
pub mod launch;
mod listen;
mod natives;
mod off_cpu;
#[expect(unsafe_code, reason = "perf events; each block names its rule")]
mod perf;
mod perf_map;
mod policy;
mod procfs;
mod recent;
mod recorder;
#[expect(unsafe_code, reason = "the mapping of a session; each block names its rule")]
mod region;
mod remote;
mod resident;
mod stacks;
#[cfg(test)]
mod station_tests;
#[expect(unsafe_code, reason = "signals of a terminal; each block names why it may")]
pub mod terminal;
mod thread_states;
mod trace;
mod trace_file;
mod tree;
mod unloads;

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use profformat::record::Header;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::time::ClockId;

use self::launch::{Program, Signals};
use self::listen::{Arrival, Listener};
use self::perf::Events;
use self::policy::Policy;
pub use self::trace::Output;
use self::trace::Trace;
pub use self::trace_file::TraceFile;
use self::tree::Tree;
use crate::config::Config;
use crate::pace;
use crate::redact;

/// Drains that are the start: half a second, in which programs allocate most, and have no native frames before their code
/// was looked at.
const START: u64 = 100;
/// Drains between two flushes at the start, or fewer: short programs leave something, too, and a disk that is soon full has
/// something of each kind.
const FLUSH: u64 = 8;
/// Time between two flushes later: what is older than half a second survives our own death.
const UNFLUSHED: Duration = Duration::from_millis(400);

/// Why a collector could not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket for the handshake.
    #[error("cannot listen for the program: {0}")]
    Listen(#[source] io::Error),
    /// The first bytes of the trace.
    #[error("cannot write the trace: {0}")]
    Write(#[source] io::Error),
}

/// What a run is about.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What to sample, and how often.
    pub config: Config,
    /// The command as the user gave it.
    pub command: Vec<Vec<u8>>,
    /// What writes the trace, for example `prof 0.1.0`.
    pub tool: String,
    /// The interpreter that a `#!` line of the command names, links resolved: it is not what the user
    /// asked for, what it starts may be.
    pub script_interpreter: Option<PathBuf>,
    /// Of command lines, the program is recorded and nothing else.
    pub program_only: bool,
    /// Remarks to write at the beginning.
    pub remarks: Vec<String>,
}

/// A run's collector.
#[derive(Debug)]
pub struct Collector {
    listener: Listener,
    arrivals: Receiver<Arrival>,
    trace: Trace,
    tree: Tree,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit status of the program.
    pub status: ExitStatus,
    /// The program announced itself: the shim was in it.
    pub arrived: bool,
    /// Processes that were profiled.
    pub profiled: usize,
    /// Why the first process that was to be profiled was not.
    pub obstacle: Option<String>,
    /// Processes whose CPU time was to be sampled, and was not: no signal was free for it.
    pub unsampled: usize,
    /// The first write error: the trace ends there.
    pub failure: Option<io::Error>,
}

impl Collector {
    /// Begins a trace and listens for processes.
    ///
    /// # Errors
    /// The header could not be written, or the socket not be made. Nothing was started then.
    pub fn begin(settings: Settings, out: Output) -> Result<Self, Error> {
        let config = settings.config;
        let recorded = if settings.program_only { redact::program_only } else { redact::redact };
        let mut trace_id = [0; 16];
        let random = rustix::rand::getrandom(&mut trace_id, rustix::rand::GetRandomFlags::empty());
        random.map_err(|error| Error::Listen(error.into()))?;
        let header = Header {
            trace_id,
            start_unix_ns: nanos(ClockId::Realtime),
            start_monotonic_ns: now(),
            cpu_interval_ns: config.cpu_interval_ns,
            memory_interval: config.memory_interval,
            copy_interval: config.copy_interval,
            command: recorded(&settings.command),
            tool: settings.tool,
        };
        let mut trace = Trace::begin(out, &header).map_err(Error::Write)?;
        for remark in &settings.remarks {
            trace.remark(remark);
        }
        let (sender, arrivals) = mpsc::channel();
        let policy = Policy::new(config.children, settings.script_interpreter);
        let events = Events::default();
        let listener =
            Listener::start(config, policy, events.clone(), sender).map_err(Error::Listen)?;
        Ok(Self { listener, arrivals, trace, tree: Tree::new(events, recorded) })
    }

    /// Name of the socket, for [`crate::config::SESSION_VARIABLE`].
    pub fn session_name(&self) -> &str {
        self.listener.name()
    }

    /// Follows the program and its children until it ends, and finishes the trace.
    ///
    /// # Errors
    /// The program could not be waited for: somebody else reaped it.
    pub fn follow(mut self, mut program: Program, signals: &Signals) -> io::Result<Ended> {
        let root = program.pid();
        self.listener.set_root(root);
        let mut drains = 0_u64;
        let mut next = now();
        let mut flush_by = next;
        let status = loop {
            let ended = wait(&program, signals, next.saturating_sub(now()));
            signals.forward(&program);
            // Before it is reaped: its clock is gone with it.
            let cpu_ns = launch::cpu_ns(root);
            if (ended || program.end().is_none())
                && let Some(status) = program.try_wait()?
            {
                self.tree.set_root_end(status, cpu_ns);
                break status;
            }
            if now() < next {
                continue;
            }
            drains += 1;
            let is_early =
                drains < START && (drains.is_multiple_of(FLUSH) || drains.is_power_of_two());
            let is_due = is_early || now() >= flush_by;
            if is_due {
                flush_by = now() + UNFLUSHED.as_nanos() as u64;
            }
            let pause = self.drain(root, is_due);
            next = now() + if drains < START { pace::SHORTEST } else { pause };
        };
        self.meet();
        let arrived = self.tree.knows(root);
        self.tree.finish(root, now(), &mut self.trace);
        let profiled = self.tree.profiled();
        let obstacle = self.tree.obstacle().map(str::to_owned);
        let end = self.trace.time(now());
        let unsampled = self.tree.unsampled();
        let failure = self.trace.finish(end);
        Ok(Ended { status, arrived, profiled, obstacle, unsampled, failure })
    }

    fn meet(&mut self) {
        for arrival in self.arrivals.try_iter() {
            self.tree.arrive(arrival, &mut self.trace);
        }
    }

    /// Returns after how many nanoseconds it should be done again.
    fn drain(&mut self, root: u32, flush: bool) -> u64 {
        self.meet();
        let now = now();
        let pause = self.tree.drain(root, now, &mut self.trace);
        if flush {
            self.tree.write_counters(now, &mut self.trace);
            self.trace.flush();
        }
        pause
    }
}

/// Waits until the program ends, a signal comes or the time is over. True if it may have ended.
fn wait(program: &Program, signals: &Signals, nanos: u64) -> bool {
    let timeout = Timespec {
        tv_sec: (nanos / 1_000_000_000) as i64,
        tv_nsec: (nanos % 1_000_000_000) as i64,
    };
    let signals = signals.as_fd();
    let mut polled = vec![PollFd::new(&signals, PollFlags::IN)];
    let end = program.end();
    if let Some(end) = &end {
        polled.push(PollFd::new(end, PollFlags::IN));
    }
    // An interrupted wait is a short one.
    let _ = rustix::event::poll(&mut polled, Some(&timeout));
    polled.get(1).is_some_and(|fd| !fd.revents().is_empty())
}

/// CLOCK_MONOTONIC in nanoseconds.
fn now() -> u64 {
    nanos(ClockId::Monotonic)
}

fn nanos(clock: ClockId) -> u64 {
    let time = rustix::time::clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Why the kernel gives no perf events to us, for [`Config::perf`]; `None`: it does.
pub fn perf_refusal() -> Option<io::Error> {
    Events::refusal()
}

/// Ticks of the kernel per second: CPU clocks are not looked at more often.
pub fn kernel_tick_hz() -> f64 {
    let tick = rustix::time::clock_getres(ClockId::MonotonicCoarse);
    1e9 / (tick.tv_sec as f64 * 1e9 + tick.tv_nsec as f64).max(1.0)
}

/// `3.11.7` from `Py_Version`'s form; empty for 0.
fn version_text(hex: u64) -> String {
    if hex == 0 {
        return String::new();
    }
    let [.., major, minor, micro, level] = hex.to_be_bytes();
    let stage = match level >> 4 {
        0xa => "a",
        0xb => "b",
        0xc => "rc",
        _ => return format!("{major}.{minor}.{micro}"),
    };
    format!("{major}.{minor}.{micro}{stage}{}", level & 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_python_writes_them() {
        assert_eq!(version_text(0x030b07f0), "3.11.7");
        assert_eq!(version_text(0x030e00a5), "3.14.0a5");
        assert_eq!(version_text(0), "");
    }

    #[test]
    fn the_kernel_ticks_at_a_sane_rate() {
        assert!((50.0..=10_000.0).contains(&kernel_tick_hz()));
    }
}
