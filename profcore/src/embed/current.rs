//! What there is once in a process: the run that is not over, and the session's memory.
//!
//! The memory, the handler and the key of thread ends are made at the first start and stay for ever: a late tick must find
//! them. What starts and stops are timers, and the one thread that empties the rings, the helper.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::alloc;
use super::run::{Run, lock};
use super::start::StartError;
use super::tables::Code;
use crate::process;
use crate::session::{Session, area};
use crate::sync::{AtomicU64, Ordering};
use crate::sys::{mapping, syscall};
use crate::thread;

pub(super) static CURRENT: OfProcess = OfProcess::new();
/// The session's memory, made at the first start, by whoever holds the lock above.
static MEMORY: OnceLock<&'static [AtomicU64]> = OnceLock::new();

/// The run that is not over, and what runs leave to the next one: the unwind tables that are in the session's memory.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) run: Option<Arc<Run>>,
    pub(super) code: Option<Code>,
    /// The last helper's id: the kernel lists a thread that was waited for a moment longer.
    pub(super) last_helper: u32,
}

/// A process's own current run. In a forked child a lock may be held by a thread that is not there any more: it has the next
/// link of the chain, which nobody has touched.
#[derive(Debug)]
pub(super) struct OfProcess {
    /// Whose this link is; 0: nobody's yet.
    pid: AtomicU32,
    current: Mutex<Current>,
    of_child: OnceLock<Box<OfProcess>>,
}

impl OfProcess {
    const fn new() -> Self {
        let current = Current { run: None, code: None, last_helper: 0 };
        Self { pid: AtomicU32::new(0), current: Mutex::new(current), of_child: OnceLock::new() }
    }

    /// The calling process's.
    fn own(&self) -> &Mutex<Current> {
        let own = syscall::getpid();
        let mut link = self;
        loop {
            let taken = link.pid.compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_ok() || taken == Err(own) {
                return &link.current;
            }
            link = link.of_child.get_or_init(|| Box::new(Self::new()));
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Current> {
        lock(self.own())
    }
}

/// The session of this process: made at the first call, and anew in a forked child.
pub(super) fn session() -> Result<Session, StartError> {
    let words = match MEMORY.get() {
        Some(words) => {
            if process::is_active() {
                let session = Session::new(words);
                return session.ok_or_else(|| StartError::System(std::io::ErrorKind::Other.into()));
            }
            mapping::zeros_over(words);
            words
        }
        None => {
            let words = mapping::map_private(area::END)
                .map_err(|error| StartError::System(std::io::Error::from_raw_os_error(error.0)))?;
            process::at_fork(alloc::forget_profiler);
            thread::tell_ends();
            MEMORY.get_or_init(|| words)
        }
    };
    // Whoever profiles this process already is not asked to make room.
    if !process::embed(words) {
        return Err(StartError::AlreadyRunning);
    }
    Session::new(words).ok_or_else(|| StartError::System(std::io::ErrorKind::Other.into()))
}
