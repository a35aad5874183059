//! The calling thread's stack, as the words of an event.
//!
//! A stack is walked into the one of the slot's two frame buffers that does not hold the last stack told,
//! and told as a difference to that one. Nothing here allocates, locks or fails: no interpreter, no thread
//! state or memory that makes no sense all give a stack with fewer frames, and a flag that says so.

use crate::cpython::{self, Python};
use crate::event::{stack_flag, stack_word};
use crate::ring::spsc::Reserved;
use crate::session::{
    MAX_FRAMES, MAX_NATIVE, Session, Slot, control, python_state, slot_word, word,
};
use crate::sync::{AtomicU64, Ordering};
use crate::sys::probe::Own;
use core::sync::atomic::{AtomicBool, AtomicU32};

mod native;
mod python;

#[cfg(test)]
pub(crate) mod image;

#[cfg(feature = "embed")]
pub(crate) use native::Low;
pub(crate) use native::{Reach, Registers};
pub(crate) use python::walk;

/// A walked stack, in the spare buffer of the slot it was made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capture {
    frames: &'static [AtomicU64],
    which: usize,
    depth: usize,
    common: usize,
    opcode: u8,
    flags: u8,
    native: &'static [AtomicU64],
    /// Native frames are missing that were out of reach.
    pub(crate) is_outside: bool,
    /// They are missing for want of a table, which was asked for.
    pub(crate) has_asked: bool,
}

/// Set once the accessor of the thread state has been bound, so that a handler may call it.
static WARM: AtomicBool = AtomicBool::new(false);

/// The layout is on probation until a walk has found a code object where it says.
static PROBATION: Probation = Probation::new();

/// Counts walks that found a thread state but no code object, until the first that does.
#[derive(Debug)]
struct Probation(AtomicU32);

impl Probation {
    const PASSED: u32 = u32::MAX;
    const MOST: u32 = 64;

    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn has_failed(&self) -> bool {
        let failures = self.0.load(Ordering::Relaxed);
        failures >= Self::MOST && failures != Self::PASSED
    }

    /// Takes the outcome of a walk; true if this one was the last straw.
    fn note(&self, found_code: bool) -> bool {
        let failures = self.0.load(Ordering::Relaxed);
        if failures == Self::PASSED || failures >= Self::MOST {
            return false;
        }
        if found_code {
            self.0.store(Self::PASSED, Ordering::Relaxed);
            return false;
        }
        // A pass by another thread in between must stand: only the count that was seen is raised.
        let raised =
            self.0.compare_exchange(failures, failures + 1, Ordering::Relaxed, Ordering::Relaxed);
        raised.is_ok() && failures + 1 == Self::MOST
    }
}

/// Binds what a walk calls. For the slow path of a hook, outside handlers, until it returns true; captures
/// have no frames before that.
#[inline]
pub(crate) fn warm_up() -> bool {
    WARM.load(Ordering::Relaxed) || bind()
}

/// Whether a walk has all it calls: the runtime is initialised then.
#[inline]
pub(crate) fn is_warm() -> bool {
    WARM.load(Ordering::Relaxed)
}

#[cold]
fn bind() -> bool {
    // The accessor goes all the way only once the runtime is initialised and this thread has a state.
    let bound = cpython::installed().is_none_or(|python| cpython::thread_state(python) != 0);
    if bound {
        WARM.store(true, Ordering::Relaxed);
    }
    bound
}

/// Walks the calling thread's stack into the spare frame buffer of `slot`, which must be its own, with the
/// thread's busy flag held; native frames from `registers` on, if there are any, as far as they are within reach. Safe in
/// a handler.
pub(crate) fn capture(
    session: Session,
    slot: Slot,
    registers: Option<Registers>,
    reach: Reach,
) -> Capture {
    if cpython::installed().is_none() && cpython::adopt(session) {
        // It is asked for nothing that would have to be bound.
        WARM.store(true, Ordering::Relaxed);
    }
    let mut capture = match cpython::installed() {
        Some(python) if WARM.load(Ordering::Relaxed) && !PROBATION.has_failed() => {
            let thread_state = cpython::thread_state(python);
            capture_from(session, slot, python, thread_state, &PROBATION)
        }
        _ => Capture::empty(slot),
    };
    if let Some(registers) = registers
        && session.word(word::CONTROL).load(Ordering::Relaxed) & control::NATIVE != 0
    {
        let buffer = slot.native();
        let (depth, end) = native::walk(session, registers, reach, slot.rules(), buffer);
        capture.native = &buffer[..depth.min(MAX_NATIVE)];
        capture.is_outside = end == native::End::Outside;
        capture.has_asked = end == native::End::Asked;
        if end != native::End::Outermost {
            capture.flags |= stack_flag::NATIVE_CUT;
        }
    }
    capture
}

/// The Python frames. A function of its own: its room on the stack is not for programs without Python, whose short threads
/// have hardly touched theirs.
#[inline(never)]
fn capture_from(
    session: Session,
    slot: Slot,
    python: &Python,
    thread_state: usize,
    probation: &Probation,
) -> Capture {
    let mut capture = Capture::empty(slot);
    if thread_state == 0 {
        return capture;
    }
    // For the collector, who looks at this thread when it waits.
    slot.word(slot_word::THREAD_STATE).store(thread_state as u64, Ordering::Relaxed);
    let Python { layout, code_type, .. } = python;
    let walk = walk(&Own, session, layout, *code_type, thread_state, capture.frames);
    if let Some(found_code) = walk.found_code
        && probation.note(found_code)
    {
        session.word(word::PY_STATE).store(python_state::SELF_CHECK_FAILED, Ordering::Relaxed);
    }
    capture.depth = walk.depth;
    capture.opcode = walk.opcode;
    capture.flags = walk.flags | stack_flag::PYTHON;
    if python::is_collecting(&python.layout, thread_state) {
        capture.flags |= stack_flag::COLLECTING;
    }
    let last_depth = slot.word(slot_word::LAST_DEPTH).load(Ordering::Relaxed) as usize;
    let last = &slot.buffer(1 - capture.which)[..last_depth.min(MAX_FRAMES)];
    capture.common = common_root(last, &capture.frames[..walk.depth.min(MAX_FRAMES)]);
    capture
}

/// Frames that two stacks share at the root; both are innermost first.
fn common_root(last: &[AtomicU64], new: &[AtomicU64]) -> usize {
    let same =
        |(a, b): &(&AtomicU64, &AtomicU64)| a.load(Ordering::Relaxed) == b.load(Ordering::Relaxed);
    last.iter().rev().zip(new.iter().rev()).take_while(same).count()
}

impl Capture {
    /// A stack without frames.
    fn empty(slot: Slot) -> Self {
        let which = 1 - (slot.word(slot_word::LAST_BUFFER).load(Ordering::Relaxed) & 1) as usize;
        Self {
            frames: slot.buffer(which),
            which,
            depth: 0,
            common: 0,
            opcode: 0,
            flags: 0,
            native: &[],
            is_outside: false,
            has_asked: false,
        }
    }

    /// Words that [`Capture::write`] will write.
    #[inline]
    pub(crate) fn words(&self) -> usize {
        1 + self.depth - self.common + self.native.len()
    }

    /// Writes the stack at the end of an event.
    #[inline]
    pub(crate) fn write(&self, out: &mut Reserved<'_>) {
        let new = self.depth - self.common;
        out.word(stack_word(self.common, new, self.opcode, self.flags, self.native.len()));
        for frame in self.frames.iter().take(new).chain(self.native) {
            out.word(frame.load(Ordering::Relaxed));
        }
    }

    /// Makes this the stack that the next one is told against. To be called after the ring's commit, and
    /// only then: the collector must know of it.
    #[inline]
    pub(crate) fn committed(&self, slot: Slot) {
        slot.word(slot_word::LAST_BUFFER).store(self.which as u64, Ordering::Relaxed);
        slot.word(slot_word::LAST_DEPTH).store(self.depth as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
