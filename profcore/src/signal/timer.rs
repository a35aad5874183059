//! A thread's timer: on its own CPU clock, so that it never interrupts a thread that waits.

use super::{context, expiry, handler, number};
use crate::session::{Session, Slot, slot_word, word};
use crate::sync::Ordering;
use crate::sys::syscall;
use crate::thread;

/// Arms a timer for the calling thread, whose id is `tid`, if CPU time is sampled. A kernel that gives none
/// (its quota of pending signals is used up) is counted; the thread's time is then told at its end only. The
/// slot's samples account for the thread's clock up to now.
pub(crate) fn arm(session: Session, slot: Slot, tid: u32) {
    // Ticks may be a perf event's, now or later.
    expiry::doubt(slot);
    let interval = slot.word(slot_word::INTERVAL).load(Ordering::Relaxed);
    if number() == 0 || interval == 0 || !handler::is_on(session) {
        return;
    }
    // A random first expiry: threads born together do not tick together, and short ones are not missed in
    // a pattern.
    let random = thread::mix(slot.word(slot_word::RANDOM).load(Ordering::Relaxed));
    let first = 1 + random % interval;
    let now = slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
    expiry::expect(slot, now.saturating_add(first));
    let armed = syscall::timer_create(number(), context::value(), tid).and_then(|id| {
        slot.word(slot_word::TIMER).store(id as u64 + 1, Ordering::Relaxed);
        syscall::timer_settime(id, first, interval)
    });
    if armed.is_err() {
        session.word(word::TIMER_FAILED).fetch_add(1, Ordering::Relaxed);
    }
}

/// Deletes the timer that the slot names.
pub(crate) fn disarm(slot: Slot) {
    let id = slot.word(slot_word::TIMER).swap(0, Ordering::Relaxed);
    if id != 0 {
        syscall::timer_delete(id as i32 - 1);
    }
}

/// Lets the timer that the slot names tick at the slot's interval from now on.
pub(super) fn follow_interval(slot: Slot) {
    let id = slot.word(slot_word::TIMER).load(Ordering::Relaxed);
    let interval = slot.word(slot_word::INTERVAL).load(Ordering::Relaxed);
    // A timer that cannot be changed goes on as before.
    if id != 0 && syscall::timer_settime(id as i32 - 1, interval, interval).is_ok() {
        expiry::expect(slot, syscall::thread_cpu().saturating_add(interval));
    }
}
