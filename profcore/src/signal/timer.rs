//! A thread's timer: on its own CPU clock, so that it never interrupts a thread that waits.

use super::{alternate, context, expiry, handler, number};
use crate::process;
use crate::session::{Session, Slot, slot_word, word};
use crate::sync::Ordering;
use crate::sys::syscall;
use crate::thread;
use core::sync::atomic::fence;

/// Arms a timer for the calling thread, whose id is `tid`, if CPU time is sampled and its alternate stack has room for
/// ticks. Where there is none for it (each takes one of the signals that the user may have queued, and the program may
/// want some) that is counted; the thread's time is then told at its end only. The slot's samples account for the
/// thread's clock up to now.
pub(crate) fn arm(session: Session, slot: Slot, tid: u32) {
    // Ticks may be a perf event's, now or later.
    expiry::doubt(slot);
    let interval = slot.word(slot_word::INTERVAL).load(Ordering::Relaxed);
    if number() == 0 || interval == 0 || !handler::is_on(session) || alternate::is_low(slot) {
        return;
    }
    // A random first expiry: threads born together do not tick together, and short ones are not missed in
    // a pattern.
    let random = thread::mix(slot.word(slot_word::RANDOM).load(Ordering::Relaxed));
    let now = slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
    // Where short threads' time goes to those of them that a tick meets, as many as can be should meet one.
    let is_new = process::is_embedded() && now == 0;
    let first = if is_new { 1 } else { 1 + random % interval };
    expiry::expect(slot, now.saturating_add(first));
    let armed = create(session, slot, tid)
        .is_some_and(|id| syscall::timer_settime(id, first, interval).is_ok());
    if !armed {
        session.word(word::TIMER_FAILED).fetch_add(1, Ordering::Relaxed);
    }
    // Whoever switches sampling off does that first and then deletes timers: one of the two sees what the other has done.
    fence(Ordering::SeqCst);
    if !handler::is_on(session) {
        disarm(session, slot);
    }
}

/// Makes a timer and names it in the slot, if one more may be had.
fn create(session: Session, slot: Slot, tid: u32) -> Option<i32> {
    let timers = session.word(word::TIMERS);
    let room = session.word(word::TIMER_ROOM).load(Ordering::Relaxed);
    let is_room = timers.fetch_add(1, Ordering::Relaxed) < room.wrapping_sub(1);
    let made = is_room.then(|| syscall::timer_create(number(), context::value(), tid));
    let Some(Ok(id)) = made else {
        timers.fetch_sub(1, Ordering::Relaxed);
        return None;
    };
    slot.word(slot_word::TIMER).store(id as u64 + 1, Ordering::Relaxed);
    Some(id)
}

/// Deletes the timer that the slot names.
pub(crate) fn disarm(session: Session, slot: Slot) {
    let id = slot.word(slot_word::TIMER).swap(0, Ordering::Relaxed);
    if id != 0 {
        syscall::timer_delete(id as i32 - 1);
        session.word(word::TIMERS).fetch_sub(1, Ordering::Relaxed);
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
