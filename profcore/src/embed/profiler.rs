//! The life of the profiler: start, snapshots, stop.
//!
//! The session's memory, the handler and the key of thread ends are made at the first start and stay for ever: a late tick
//! must find them. What starts and stops are timers, and the one thread that empties the rings, the helper.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::config::Config;
use super::drain::Drain;
use super::history::{Clocks, History};
use super::snapshot::Snapshot;
use super::stats::{Counters, Stats};
use super::tables::Code;
use super::threads::{self, Looks};
use super::{alloc, call, ignore, modules};
use crate::process;
use crate::session::{Loss, Session, area, control, word};
use crate::sync::{AtomicU64, Ordering};
use crate::sys::{mapping, syscall};
use crate::thread;

/// Nanoseconds for which the helper sleeps if nobody calls it. Threads that it alone finds are found as late as that.
const SLEEP: u64 = 100_000_000;
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

/// A handle of the running profiler. It goes on when handles are dropped; [`Profiler::stop`] ends it, and a handle of one
/// that has ended does nothing.
#[derive(Clone, Debug)]
pub struct Profiler {
    run: Option<Arc<Run>>,
}

/// One run of the profiler, from a start to its stop.
#[derive(Debug)]
struct Run {
    session: Session,
    config: Config,
    /// The process that it runs in.
    pid: u32,
    work: Mutex<Work>,
    is_over: AtomicBool,
    is_paused: AtomicBool,
    helper: Mutex<Option<JoinHandle<()>>>,
    helper_tid: AtomicU32,
    /// Counters at the start.
    before: Counters,
}

/// What is done with the rings.
#[derive(Debug)]
struct Work {
    drain: Drain,
    history: History,
    code: Code,
    threads: Looks,
    /// When the run began.
    began: u64,
    /// The helper's CPU time.
    own_ns: u64,
}

static CURRENT: OfProcess = OfProcess::new();
/// The session's memory, made at the first start, by whoever holds the lock above.
static MEMORY: OnceLock<&'static [AtomicU64]> = OnceLock::new();

/// The run that is not over, and what runs leave to the next one: the unwind tables that are in the session's memory.
#[derive(Debug)]
struct Current {
    run: Option<Arc<Run>>,
    code: Option<Code>,
    /// The last helper's id: the kernel lists a thread that was waited for a moment longer.
    last_helper: u32,
}

/// A process's own current run. In a forked child a lock may be held by a thread that is not there any more: it has the next
/// link of the chain, which nobody has touched.
#[derive(Debug)]
struct OfProcess {
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

    fn lock(&self) -> MutexGuard<'_, Current> {
        lock(self.own())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    let config = Config { cpu, ..config };
    let now = syscall::monotonic();
    let keep = u64::try_from(config.keep.as_nanos()).unwrap_or(u64::MAX);
    let mut work = Work {
        drain: Drain::new(),
        history: History::new(keep, config.memory.0),
        code: current.code.take().unwrap_or_default(),
        threads: Looks::begin(now),
        began: now,
        own_ns: 0,
    };
    // What the run before left behind.
    let mut nobody = History::new(0, 0);
    Drain::new().drain(session, now, &mut nobody);
    work.history.settle(clocks(now, 0));
    let run = Arc::new(Run {
        session,
        config,
        pid: syscall::getpid(),
        work: Mutex::new(work),
        is_over: AtomicBool::new(false),
        is_paused: AtomicBool::new(false),
        helper: Mutex::new(None),
        helper_tid: AtomicU32::new(0),
        before: Counters::of(session),
    });
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

/// The session of this process: made at the first call, and anew in a forked child.
fn session() -> Result<Session, StartError> {
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

fn clocks(time_ns: u64, own_ns: u64) -> Clocks {
    Clocks { time_ns, process_ns: syscall::clock(libc::CLOCK_PROCESS_CPUTIME_ID), own_ns }
}

impl Run {
    fn is_mine(&self) -> bool {
        self.pid == syscall::getpid()
    }

    fn control(&self) -> u64 {
        let of = |on: bool, bit: u64| if on { bit } else { 0 };
        control::NATIVE
            | of(!self.config.cpu.is_zero(), control::CPU)
            | of(self.config.alloc.0 != 0, control::MEMORY)
    }

    /// The helper's id; 0 until it has begun.
    fn helper(&self) -> u32 {
        self.helper_tid.load(Ordering::Relaxed)
    }

    /// Samples all threads but the helper.
    fn switch_on(&self, helper: u32) {
        self.session.word(word::CONTROL).store(self.control(), Ordering::SeqCst);
        threads::begin(self.session, helper);
        let samples_allocations = self.config.alloc.0 != 0;
        alloc::set_active(samples_allocations);
        alloc::set_watching_threads(!samples_allocations);
    }

    fn switch_off(&self) {
        self.session.word(word::CONTROL).store(0, Ordering::SeqCst);
        threads::end(self.session);
    }

    /// What the helper does until the run is over.
    fn help(&self) {
        let _ignored = ignore::Ignored::begin();
        thread::is_nobodys();
        self.helper_tid.store(syscall::gettid(), Ordering::Relaxed);
        loop {
            call::wait(self.session, SLEEP);
            if self.is_over.load(Ordering::SeqCst) {
                break;
            }
            let mut work = lock(&self.work);
            work.tend(self, false);
            work.own_ns = syscall::thread_cpu();
        }
    }
}

impl Work {
    /// Empties the rings, and sees to threads and tables. `is_asked`: somebody wants figures of this moment.
    fn tend(&mut self, run: &Run, is_asked: bool) {
        let now = syscall::monotonic();
        self.drain.drain(run.session, now, &mut self.history);
        self.code.tend(run.session, now);
        let is_on = !run.is_paused.load(Ordering::Relaxed) && !run.is_over.load(Ordering::Relaxed);
        let helper = run.helper();
        if is_on && helper != 0 && !run.config.cpu.is_zero() {
            self.threads.look(run.session, helper, now);
            self.drain.look_at_ends(run.session, helper, now, is_asked, &mut self.history);
        }
        self.history.settle(clocks(now, self.own_ns));
    }
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
        let Some(run) = self.run() else { return Snapshot::default() };
        let _ignored = ignore::Ignored::begin();
        let mut guard = lock(&run.work);
        guard.tend(run, true);
        let work = &mut *guard;
        work.drain.empty_pool(&mut work.history);
        let now = syscall::monotonic();
        let last = u64::try_from(last.min(run.config.keep).as_nanos()).unwrap_or(u64::MAX);
        let from = now.saturating_sub(last).max(work.began);
        let mut snapshot = work.history.since(from);
        snapshot.length = Duration::from_nanos(now - from);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        snapshot.began = wall.saturating_sub(snapshot.length);
        snapshot.cpu_interval_ns = run.config.cpu.as_nanos() as u64;
        snapshot.alloc_interval = run.config.alloc.0;
        drop(guard);
        snapshot.modules = modules::mapped();
        snapshot
    }

    /// Takes no samples until [`Profiler::resume`]: no signal is sent meanwhile. What was sampled stays.
    pub fn pause(&self) {
        if let Some(run) = self.run() {
            let _ignored = ignore::Ignored::begin();
            let mut work = lock(&run.work);
            work.tend(run, true);
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
            // While the helper is there: its clock is not among those of threads any more when it is gone.
            lock(&run.work).tend(run, true);
            run.is_over.store(true, Ordering::SeqCst);
            alloc::forget_profiler();
            run.switch_off();
            call::call(run.session);
            let helper = lock(&run.helper).take();
            if let Some(helper) = helper {
                let _ = helper.join();
            }
            let mut work = lock(&run.work);
            work.tend(run, false);
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

impl Run {
    fn stats(&self) -> Stats {
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
