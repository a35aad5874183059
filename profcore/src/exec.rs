//! Before an exec: no tick of ours may be on its way to the new program, which it would kill.
//!
//! The kernel gives a new image default dispositions but leaves the pending signals of the thread that called, and
//! an exec in place takes long enough for a tick. So the thread's clock is stopped, its rest written, and what
//! is pending already is taken away. Other threads end without a word, and their signals with them.

use crate::handshake;
use crate::process;
use crate::session::{PERF_REFUSED, Session, Slot, slot_word};
use crate::signal::{self, timer};
use crate::sync::Ordering;
use crate::sys::sigset::{self, Masked};
use crate::sys::syscall;
use crate::thread;

/// To be called on a thread that is about to call exec. Async-signal-safe; errno is kept.
pub fn prepare() {
    let Some((session, slot)) = here() else { return };
    let _quiet = Masked::block(signal::mask());
    timer::disarm(slot);
    let event = slot.word(slot_word::PERF).swap(PERF_REFUSED, Ordering::AcqRel);
    if event != 0 && event != PERF_REFUSED {
        // A collector that does not answer is stopped or gone; its descriptor may still be open, but a stopped one pays
        // no more ticks.
        process::with_name(handshake::end_perf_event);
    }
    thread::write_rest(session, slot);
    sigset::discard(signal::mask());
}

/// To be called when that exec failed: the thread is ticked again. errno is kept.
pub fn failed() {
    let Some((session, slot)) = here() else { return };
    slot.word(slot_word::PERF).store(0, Ordering::Release);
    timer::arm(session, slot, syscall::gettid());
}

/// The calling thread's slot, unless it runs in a vfork child on its parent's memory.
fn here() -> Option<(Session, Slot)> {
    let found = (process::session()?, thread::existing()?);
    process::is_own().then_some(found)
}
