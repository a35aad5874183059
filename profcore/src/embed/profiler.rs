//! The handle of a running profiler: snapshots, pauses, its stop.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::current::{CURRENT, Current};
use super::run::{Run, lock};
use super::snapshot::Snapshot;
use super::stats::Stats;
use super::{alloc, call, ignore, threads};
use crate::sync::Ordering;
use crate::sys::syscall;

/// A handle of the running profiler. It goes on when handles are dropped; [`Profiler::stop`] ends it, and a handle of one
/// that has ended does nothing.
#[derive(Clone, Debug)]
pub struct Profiler {
    pub(super) run: Option<Arc<Run>>,
}

impl Profiler {
    /// A profiler that does nothing.
    pub(super) fn disabled() -> Self {
        Self { run: None }
    }

    /// The one that runs in this process.
    pub fn current() -> Option<Self> {
        let run = CURRENT.lock().run.clone()?;
        Some(Self { run: Some(run) })
    }

    /// Whether it takes samples: not when it could not start, is paused or was stopped.
    pub fn is_running(&self) -> bool {
        self.run().is_some_and(|run| !run.is_paused.load(Ordering::Relaxed))
    }

    fn run(&self) -> Option<&Run> {
        let is_on = |run: &&Run| run.is_mine() && !run.is_over.load(Ordering::Relaxed);
        self.run.as_deref().filter(is_on)
    }

    /// The samples of the last `last`, as far as they are kept. Samplers go on meanwhile, and wait for nothing.
    ///
    /// Empty for a profiler that has stopped.
    pub fn snapshot(&self, last: Duration) -> Snapshot {
        let Some(run) = self.run() else { return Snapshot::of_nothing() };
        let _ignored = ignore::Ignored::begin();
        let mut guard = lock(&run.work);
        let work = &mut *guard;
        let last = u64::try_from(last.min(run.config.keep).as_nanos()).unwrap_or(u64::MAX);
        let from = syscall::monotonic().saturating_sub(last).max(work.began);
        work.tend(run, Some(from));
        work.drain.empty_pool(&mut work.history);
        let mut snapshot = work.history.since(from);
        snapshot.length = Duration::from_nanos(syscall::monotonic().saturating_sub(from));
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        snapshot.began = wall.saturating_sub(snapshot.length);
        snapshot.cpu_interval_ns = run.config.cpu.as_nanos() as u64;
        snapshot.alloc_interval = run.config.alloc.0;
        drop(guard);
        snapshot
    }

    /// Takes no samples until [`Profiler::resume`]: no signal is sent meanwhile. What was sampled stays.
    pub fn pause(&self) {
        if let Some(run) = self.run() {
            let _ignored = ignore::Ignored::begin();
            let mut work = lock(&run.work);
            work.tell_ends(run);
            if !run.is_paused.swap(true, Ordering::Relaxed) {
                // Blocks that are held may end meanwhile: hooks go on being told of that.
                run.switch_off();
            }
        }
    }

    /// Goes on after [`Profiler::pause`].
    pub fn resume(&self) {
        if let Some(run) = self.run() {
            let _ignored = ignore::Ignored::begin();
            let mut work = lock(&run.work);
            if run.is_paused.swap(false, Ordering::Relaxed) {
                work.drain.go_on();
                run.switch_on(run.helper());
            }
        }
    }

    /// Ends the profiler. What was not taken by a snapshot is gone; figures of the whole run come back.
    pub fn stop(self) -> Stats {
        let Some(run) = self.run.as_deref().filter(|run| run.is_mine()) else {
            return Stats::default();
        };
        let _ignored = ignore::Ignored::begin();
        let mut current = CURRENT.lock();
        if !run.is_over.load(Ordering::SeqCst) {
            lock(&run.work).tell_ends(run);
            run.is_over.store(true, Ordering::SeqCst);
            alloc::forget_profiler();
            run.switch_off();
            call::call(run.session);
            let helper = lock(&run.helper).take();
            if let Some(helper) = helper {
                let _ = helper.join();
            }
            let mut work = lock(&run.work);
            work.tend(run, None);
            // A timer that was made while others were taken away.
            threads::end(run.session);
            let code = Some(std::mem::take(&mut work.code));
            *current = Current { run: None, code, last_helper: run.helper() };
        }
        run.stats()
    }

    /// Figures since the start.
    pub fn stats(&self) -> Stats {
        let Some(run) = self.run() else { return Stats::default() };
        let _ignored = ignore::Ignored::begin();
        run.stats()
    }
}
