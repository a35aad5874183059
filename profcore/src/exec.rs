//! Before an exec: no tick of ours may be on its way to the new program, which it would kill.
//!
//! The kernel gives a new image default dispositions but leaves the pending signals of the thread that called, and
//! an exec in place takes long enough for a tick. So the thread's clock is stopped, its rest written, and what
//! is pending already is taken away. Other threads end without a word, and their signals with them. What the program
//! ignores stays ignored, as without us.

use crate::handshake;
use crate::process;
use crate::session::{PERF_REFUSED, Session, Slot, slot_word};
use crate::signal::{self, alternate, dispositions, timer};
use crate::sync::Ordering;
use crate::sys::sigset::{self, Masked};
use crate::sys::syscall;
use crate::thread;

/// What is to be undone when an exec has failed or a spawn has returned.
#[derive(Debug)]
#[must_use]
pub struct Prepared {
    own: bool,
    passed_on: bool,
}

/// To be called on a thread that is about to call exec. Async-signal-safe; errno is kept.
pub fn prepare() -> Prepared {
    if let Some((session, slot)) = here() {
        stop_clock(session, slot);
    }
    before_spawn()
}

/// To be called when that exec failed: the thread is ticked again. errno is kept.
pub fn failed(prepared: &Prepared) {
    spawned(prepared);
    if let Some((session, slot)) = here()
        && !alternate::is_low(slot)
    {
        start_clock(session, slot);
    }
}

/// To be called before a spawn, whose child execs: it inherits what is ignored. [`spawned`] undoes it.
pub fn before_spawn() -> Prepared {
    let own = process::is_own();
    Prepared { own, passed_on: dispositions::pass_on(own) }
}

/// To be called when a spawn has returned.
pub fn spawned(prepared: &Prepared) {
    if prepared.passed_on {
        dispositions::take_back(prepared.own);
    }
}

/// Stops the calling thread's clock: its rest is told, and no tick arrives after this.
pub(crate) fn stop_clock(session: Session, slot: Slot) {
    let _quiet = Masked::block(signal::mask());
    timer::disarm(session, slot);
    let event = slot.word(slot_word::PERF).swap(PERF_REFUSED, Ordering::AcqRel);
    if event != 0 && event != PERF_REFUSED {
        // A collector that does not answer is stopped or gone; its descriptor may still be open, but a stopped one pays
        // no more ticks.
        process::with_name(handshake::end_perf_event);
    }
    thread::write_rest(session, slot);
    sigset::discard(signal::mask());
}

/// Lets it go on.
pub(crate) fn start_clock(session: Session, slot: Slot) {
    slot.word(slot_word::PERF).store(0, Ordering::Release);
    timer::arm(session, slot, syscall::gettid());
}

/// The calling thread's slot, unless it runs in a vfork child on its parent's memory.
pub(crate) fn here() -> Option<(Session, Slot)> {
    let found = (process::session()?, thread::existing()?);
    process::is_own().then_some(found)
}
