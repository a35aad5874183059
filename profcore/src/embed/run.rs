//! One run of the profiler, and what its thread, the helper, does: it empties the rings, and sees to threads and tables.

use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::config::Config;
use super::drain::Drain;
use super::history::{Clocks, History};
use super::stats::{Counters, Stats};
use super::tables::Code;
use super::threads::{self, Looks};
use super::{alloc, call, ignore};
use crate::session::{Loss, Session, control, word};
use crate::sync::Ordering;
use crate::sys::syscall;
use crate::thread;

/// Nanoseconds for which the helper sleeps if nobody calls it. Threads that it alone finds are found as late as that.
pub(super) const SLEEP: u64 = 100_000_000;
/// The same where a thread makes itself known by what it allocates, so that few are left to be found.
const LONG_SLEEP: u64 = 2 * SLEEP;

/// One run of the profiler, from a start to its stop.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) session: Session,
    pub(super) config: Config,
    /// The process that it runs in.
    pid: u32,
    pub(super) work: Mutex<Work>,
    pub(super) is_over: AtomicBool,
    pub(super) is_paused: AtomicBool,
    pub(super) helper: Mutex<Option<JoinHandle<()>>>,
    helper_tid: AtomicU32,
    /// Counters at the start.
    before: Counters,
}

/// What is done with the rings.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) drain: Drain,
    pub(super) history: History,
    pub(super) code: Code,
    threads: Looks,
    /// When the run began.
    pub(super) began: u64,
    /// The helper's CPU time.
    own_ns: u64,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn clocks(time_ns: u64, own_ns: u64) -> Clocks {
    Clocks { time_ns, process_ns: syscall::clock(libc::CLOCK_PROCESS_CPUTIME_ID), own_ns }
}

impl Run {
    /// One that begins now, with settings that hold and the unwind tables of the run before.
    pub(super) fn new(session: Session, config: Config, code: Code) -> Self {
        let now = syscall::monotonic();
        let keep = u64::try_from(config.keep.as_nanos()).unwrap_or(u64::MAX);
        let mut work = Work {
            drain: Drain::new(),
            history: History::new(keep, config.memory.0),
            code,
            threads: Looks::begin(now),
            began: now,
            own_ns: 0,
        };
        // What the run before left behind.
        let mut nobody = History::new(0, 0);
        Drain::new().drain(session, now, &mut nobody);
        work.history.settle(clocks(now, 0));
        Self {
            session,
            config,
            pid: syscall::getpid(),
            work: Mutex::new(work),
            is_over: AtomicBool::new(false),
            is_paused: AtomicBool::new(false),
            helper: Mutex::new(None),
            helper_tid: AtomicU32::new(0),
            before: Counters::of(session),
        }
    }

    pub(super) fn is_mine(&self) -> bool {
        self.pid == syscall::getpid()
    }

    fn control(&self) -> u64 {
        let of = |on: bool, bit: u64| if on { bit } else { 0 };
        control::NATIVE
            | of(!self.config.cpu.is_zero(), control::CPU)
            | of(self.config.alloc.0 != 0, control::MEMORY)
    }

    /// The helper's id; 0 until it has begun.
    pub(super) fn helper(&self) -> u32 {
        self.helper_tid.load(Ordering::Relaxed)
    }

    /// Samples all threads but the helper.
    pub(super) fn switch_on(&self, helper: u32) {
        self.session.word(word::CONTROL).store(self.control(), Ordering::SeqCst);
        threads::begin(self.session, helper);
        let samples_allocations = self.config.alloc.0 != 0;
        alloc::set_active(samples_allocations);
        alloc::set_watching_threads(!samples_allocations);
    }

    pub(super) fn switch_off(&self) {
        self.session.word(word::CONTROL).store(0, Ordering::SeqCst);
        threads::end(self.session);
    }

    /// What the helper does until the run is over.
    pub(super) fn help(&self) {
        let _ignored = ignore::Ignored::begin();
        // What it has allocated to get here has made it known, if the program's allocator is ours.
        let sleep = if thread::is_nobodys() { LONG_SLEEP } else { SLEEP };
        self.helper_tid.store(syscall::gettid(), Ordering::Relaxed);
        lock(&self.work).code.tend(self.session, syscall::monotonic());
        loop {
            call::wait(self.session, sleep);
            if self.is_over.load(Ordering::SeqCst) {
                break;
            }
            let mut work = lock(&self.work);
            work.tend(self, None);
            work.own_ns = syscall::thread_cpu();
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let work = lock(&self.work);
        let now = Counters::of(self.session);
        let since = |at: fn(&Counters) -> u64| at(&now).saturating_sub(at(&self.before));
        let lost = now.lost.iter().zip(&self.before.lost).zip(Loss::ALL).filter_map(
            |((now, before), (_, name))| {
                Some((name, now.saturating_sub(*before))).filter(|lost| lost.1 > 0)
            },
        );
        let mut lost: Vec<_> = lost.collect();
        let unreadable = work.drain.unreadable;
        lost.extend((unreadable > 0).then_some(("unreadable", unreadable)));
        let refused = since(|counters| counters.timers_refused);
        lost.extend((refused > 0).then_some(("timer_refused", refused)));
        let live_refused = work.history.live_refused;
        lost.extend((live_refused > 0).then_some(("live_refused", live_refused)));
        let clocks = work.history.passed();
        Stats {
            samples: work.drain.samples,
            lost,
            cpu_sampled: Duration::from_nanos(work.drain.sampled_ns),
            cpu_total: Duration::from_nanos(clocks.process_ns),
            cpu_own: Duration::from_nanos(clocks.own_ns),
            cpu_ended: Duration::from_nanos(work.drain.ended_ns),
            allocated: since(|counters| counters.allocated),
            allocations: since(|counters| counters.allocations),
            alloc_interval: self.session.word(word::MEMORY_INTERVAL).load(Ordering::Relaxed),
            forgotten: work.history.forgotten,
            memory: work.history.bytes(),
        }
    }
}

impl Work {
    /// Empties the rings, and sees to threads and tables. `asked`: somebody wants figures since that moment.
    pub(super) fn tend(&mut self, run: &Run, asked: Option<u64>) {
        let now = syscall::monotonic();
        self.drain.drain(run.session, now, &mut self.history);
        self.history.settle(clocks(now, self.own_ns));
        self.code.tend(run.session, now);
        let is_on = !run.is_paused.load(Ordering::Relaxed) && !run.is_over.load(Ordering::Relaxed);
        let helper = run.helper();
        if is_on && helper != 0 && !run.config.cpu.is_zero() {
            // Nobody waits for that: a thread that is found now has no samples yet.
            let listed = match asked {
                Some(_) => None,
                None => self.threads.look(run.session, helper, now),
            };
            let asked = asked.map(|since| self.history.cpu_since(since));
            self.drain.look_at_ends(run.session, helper, now, asked, listed, &mut self.history);
        }
    }

    /// Before sampling stops: what the ends of threads took up to now. While the helper is there, for its clock is not among
    /// those of threads any more when it is gone.
    pub(super) fn tell_ends(&mut self, run: &Run) {
        let now = syscall::monotonic();
        self.drain.drain(run.session, now, &mut self.history);
        let helper = run.helper();
        if !run.is_paused.load(Ordering::Relaxed) && helper != 0 {
            self.drain.look_at_ends(run.session, helper, now, Some(0), None, &mut self.history);
        }
    }
}
