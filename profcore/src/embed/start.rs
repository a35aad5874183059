//! The start of the profiler: settings that hold, a run, its thread.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::config::Config;
use super::current::{CURRENT, session};
use super::profiler::Profiler;
use super::run::{Run, lock};
use super::{alloc, ignore};
use crate::session::word;
use crate::sync::Ordering;
use crate::sys::syscall;

/// The longest interval between two samples of CPU time, and the shortest.
const LONGEST: Duration = Duration::from_secs(3600);
const SHORTEST: Duration = Duration::from_micros(100);

/// Why a profiler could not start. Nothing runs then.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// There is one in this process already.
    AlreadyRunning,
    /// All real-time signals have handlers.
    NoSignal,
    /// The system refused memory or a thread.
    System(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyRunning => f.write_str("a profiler runs in this process already"),
            Self::NoSignal => f.write_str("no real-time signal is free for the profiler"),
            Self::System(error) => write!(f, "the profiler cannot start: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

/// See [`Config::start`].
pub(super) fn start(config: Config) -> Result<Profiler, StartError> {
    let _ignored = ignore::Ignored::begin();
    let mut current = CURRENT.lock();
    if current.run.is_some() {
        return Err(StartError::AlreadyRunning);
    }
    let session = session()?;
    if session.word(word::SIGNAL).load(Ordering::Relaxed) == 0 {
        return Err(StartError::NoSignal);
    }
    let set = |at, value| session.word(at).store(value, Ordering::Relaxed);
    let cpu = if config.cpu.is_zero() { config.cpu } else { config.cpu.clamp(SHORTEST, LONGEST) };
    set(word::CPU_INTERVAL_NS, cpu.as_nanos() as u64);
    set(word::MEMORY_INTERVAL, config.alloc.0);
    set(word::TIMER_ROOM, 0);
    set(word::KERNEL_TICK_NS, syscall::resolution(libc::CLOCK_MONOTONIC_COARSE));
    let config = Config { cpu, ..config };
    let code = current.code.take().unwrap_or_default();
    let run = Arc::new(Run::new(session, config, code));
    // The helper comes last: it is not among the threads that are there.
    run.switch_on(current.last_helper);
    let helped = run.clone();
    let builder = std::thread::Builder::new().name("prof-collect".into()).stack_size(512 << 10);
    match builder.spawn(move || helped.help()) {
        Ok(helper) => *lock(&run.helper) = Some(helper),
        Err(error) => {
            alloc::forget_profiler();
            run.switch_off();
            current.code = Some(std::mem::take(&mut lock(&run.work).code));
            return Err(StartError::System(error));
        }
    }
    current.run = Some(run.clone());
    Ok(Profiler { run: Some(run) })
}
