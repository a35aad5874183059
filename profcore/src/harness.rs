//! For tests of what exists once in a process: each runs in a process of its own, in a session of its own,
//! and drains the rings itself.

use crate::event::{self, Event, flag};
use crate::ring::registry::{self, Owner};
use crate::ring::spsc::Popped;
use crate::session::{
    BYTES, Count, LOSSES, Loss, LostKind, MAGIC, SLOTS, Session, area, control, slot_word, word,
};
use crate::sync::Ordering;
use crate::sys::sigset::Masked;
use crate::sys::{mapping, syscall};
use crate::{cpython, process, signal, thread};
use std::alloc::{GlobalAlloc, Layout, System};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Output};
use std::sync::atomic::AtomicBool;

/// Allocates, but not while a hook's slow path or the handler runs on the thread (rule R1).
struct Fenced;

static FENCE: AtomicBool = AtomicBool::new(false);

#[global_allocator]
static ALLOCATOR: Fenced = Fenced;

fn check_fence() {
    if FENCE.load(Ordering::Relaxed) && thread::is_busy() {
        let text = "allocation inside the handler or a hook\n";
        // SAFETY: writes a constant and ends the process.
        unsafe {
            libc::write(2, text.as_ptr().cast(), text.len());
            libc::abort();
        }
    }
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Fenced {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check_fence();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        check_fence();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        check_fence();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }
}

const ALONE: &str = "PROF_TEST_ALONE";

/// Runs the calling test's `body` in a process of its own, where it is the only test, and gives that
/// process's end; `None` there.
pub(crate) fn end_of<F: FnOnce()>(body: F) -> Option<Output> {
    if std::env::var_os(ALONE).is_some() {
        FENCE.store(true, Ordering::Relaxed);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: reads one rlimit. Tests that crash on purpose leave no core file.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
        body();
        return None;
    }
    // `profcore::signal::tests::name::{{closure}}`
    let path = std::any::type_name::<F>();
    let name = path.trim_end_matches("::{{closure}}").split_once("::").expect("has a module").1;
    let program = std::env::current_exe().expect("the test binary is there");
    let arguments = ["--exact", "--nocapture", "--test-threads=1", "-q"];
    let output = Command::new(program).arg(name).args(arguments).env(ALONE, "1").output();
    Some(output.expect("the test binary runs"))
}

/// As [`end_of`]; the process must end well.
pub(crate) fn alone<F: FnOnce()>(body: F) {
    if let Some(output) = end_of(body) {
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(output.status.success() && text.contains("1 passed"), "{}\n{text}", output.status);
    }
}

/// A session's memory as the collector makes it.
pub(crate) fn memory(interval_ns: u64) -> (OwnedFd, Session) {
    // SAFETY: a constant name; the result is checked.
    let fd = unsafe { libc::memfd_create(c"prof-test".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0);
    // SAFETY: just made, and nobody else's.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { libc::ftruncate(fd.as_raw_fd(), BYTES as i64) }, 0);
    let words = mapping::map_shared(fd.as_raw_fd(), area::END).expect("there is memory");
    let session = Session::new(words).expect("has a session's length");
    session.word(word::MAGIC).store(MAGIC, Ordering::Relaxed);
    session.word(word::CPU_INTERVAL_NS).store(interval_ns, Ordering::Relaxed);
    session.word(word::CONTROL).store(control::CPU | control::NATIVE, Ordering::Relaxed);
    (fd, session)
}

/// Joins this process to a new session without a collector. CPU samples every 2 ms of CPU time, or as often
/// as the kernel can.
pub(crate) fn join() -> Session {
    let (_, session) = memory(2_000_000);
    assert!(process::activate(session.area(0, area::END), &cpython::Found::None));
    session
}

/// Uses CPU time of the calling thread until `done` says so; fails after a minute of it.
pub(crate) fn burn_until(mut done: impl FnMut() -> bool) {
    let begin = syscall::thread_cpu();
    while !done() {
        assert!(syscall::thread_cpu() - begin < 60_000_000_000, "did not happen");
        for number in 0..20_000_u64 {
            std::hint::black_box(number.wrapping_mul(number));
        }
    }
}

/// Uses that many nanoseconds of the calling thread's CPU time.
pub(crate) fn burn(nanos: u64) {
    let end = syscall::thread_cpu() + nanos;
    burn_until(|| syscall::thread_cpu() >= end);
}

/// A TICK event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) weight_ns: u64,
    pub(crate) pc: u64,
    pub(crate) flags: u8,
    pub(crate) overruns: u32,
}

impl Tick {
    pub(crate) fn is_rest(&self) -> bool {
        self.flags & flag::REST != 0
    }
}

/// What one owner of a slot told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) ticks: Vec<Tick>,
    /// The clock at its THREAD_END.
    pub(crate) end: Option<u64>,
    pub(crate) exits: usize,
}

impl Told {
    pub(crate) fn weight(&self) -> u64 {
        self.ticks.iter().map(|tick| tick.weight_ns).sum()
    }
}

/// Takes all events out of a slot, and gives the slot back if its owner has retired.
pub(crate) fn drain(session: Session, number: usize) -> (Owner, Told) {
    let slot = session.slot(number);
    let owner = registry::owner(slot.word(slot_word::STATE));
    let mut told = Told::default();
    let mut words = Vec::new();
    loop {
        match slot.ring().pop(&mut words) {
            Popped::Empty => break,
            Popped::Corrupt => panic!("slot {number}: no event"),
            Popped::Event => {}
        }
        match event::decode(&words).expect("an event of ours") {
            Event::Tick { weight_ns, pc, flags, overruns, .. } => {
                told.ticks.push(Tick { weight_ns, pc, flags, overruns });
            }
            Event::ThreadEnd { cpu_ns, .. } => assert_eq!(told.end.replace(cpu_ns), None),
            Event::Exit { .. } => told.exits += 1,
            other => panic!("nobody told {other:?}"),
        }
    }
    thread::reclaim(session, number, owner);
    (owner, told)
}

/// A counter, summed over all slots.
pub(crate) fn total(session: Session, count: Count) -> u64 {
    let of = |number| session.slot(number).word(slot_word::COUNTERS + count as usize);
    (0..SLOTS).map(|number| of(number).load(Ordering::Relaxed)).sum()
}

/// Ticks lost for a reason, summed over all slots.
pub(crate) fn lost(session: Session, why: Loss) -> u64 {
    let index = slot_word::LOST + LostKind::Tick as usize * LOSSES + why as usize;
    (0..SLOTS).map(|number| session.slot(number).word(index).load(Ordering::Relaxed)).sum()
}

/// Rule R8, exactly. Other threads than the calling one do not tick meanwhile.
pub(crate) fn check_books(session: Session) {
    let _quiet = Masked::block(signal::mask());
    let losses: u64 = Loss::ALL.iter().map(|&(why, _)| lost(session, why)).sum();
    assert_eq!(total(session, Count::Ticks), total(session, Count::Samples) + losses);
}
