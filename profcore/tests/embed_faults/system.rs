//! What the cases ask the system.

use crate::embed_harness::work::{allocate, us};
use profcore::embed::{Bytes, Config, Profiler, Snapshot, What};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

pub(crate) const ALL: Duration = Duration::from_secs(60);

/// The highest rate of everything.
pub(crate) fn fastest() -> Config {
    Config::new().cpu(us(100)).alloc(Bytes(2_000))
}

pub(crate) fn start() -> Profiler {
    fastest().start().expect("it starts")
}

/// Lines of the kernel's list of this process's timers that name one; `None`: this kernel has no such list.
pub(crate) fn timers() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/timers").ok()?;
    Some(text.lines().filter(|line| line.starts_with("ID:")).count())
}

/// How many entries a folder has.
fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).expect("it is there").count()
}

pub(crate) fn descriptors() -> usize {
    entries("/proc/self/fd")
}

pub(crate) fn threads() -> usize {
    entries("/proc/self/task")
}

/// KiB of memory in use.
pub(crate) fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("it is there");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is told");
    let number = line.trim().trim_end_matches(" kB").trim();
    number.parse().expect("a number")
}

/// Runs `work` while two threads compute and allocate.
pub(crate) fn under_load<R>(work: impl FnOnce() -> R) -> R {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    allocate(100);
                }
            });
        }
        let _over = Over(&is_over);
        work()
    })
}

/// Ends the load, also when the work panics.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Samples of CPU time, and of allocations.
pub(crate) fn counts(snapshot: &Snapshot) -> (usize, usize) {
    let cpu = snapshot.samples().filter(|sample| matches!(sample.what(), What::Cpu { .. })).count();
    (cpu, snapshot.samples().count() - cpu)
}

/// A signal set with all signals, or one.
pub(crate) fn signals(which: Option<i32>) -> libc::sigset_t {
    // SAFETY: all zero is a set; these write it only.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        match which {
            Some(signal) => {
                libc::sigemptyset(&mut set);
                libc::sigaddset(&mut set, signal);
            }
            None => {
                libc::sigfillset(&mut set);
            }
        }
        set
    }
}
