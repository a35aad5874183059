//! A thread's timer: on its own CPU clock, so that it never interrupts a thread that waits.

use super::{alternate, context, expiry, handler, number};
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
    let interval = slot.word(slot_word::INTERVAL).load(Ordering::Relaxed);
    // A random first expiry: threads born together do not tick together, and short ones are not missed in
    // a pattern.
    let random = thread::mix(slot.word(slot_word::RANDOM).load(Ordering::Relaxed));
    let kernel_tick = session.word(word::KERNEL_TICK_NS).load(Ordering::Relaxed);
    arm_with(session, slot, tid, first_expiry(random, interval, kernel_tick));
}

/// The same for another thread, which moves in at its first tick: that comes as soon as it can.
#[cfg(feature = "embed")]
pub(crate) fn arm_soon(session: Session, slot: Slot, tid: u32) {
    arm_with(session, slot, tid, 1);
}

/// CPU nanoseconds to a thread's first expiry, at random, so that its first tick is as likely in one moment of its first
/// interval as in another.
///
/// The kernel looks at these timers when its own clock ticks, which is at any moment of a thread. So a whole number of such
/// ticks, or none, comes out as any moment: after any other time, threads that are shorter than a tick would hardly be met.
fn first_expiry(random: u64, interval: u64, kernel_tick: u64) -> u64 {
    let at = random % interval.max(1);
    match at.checked_rem(kernel_tick) {
        Some(rest) => (at - rest).max(1),
        None => at + 1,
    }
}

fn arm_with(session: Session, slot: Slot, tid: u32, first: u64) {
    // Ticks may be a perf event's, now or later.
    expiry::doubt(slot);
    let interval = slot.word(slot_word::INTERVAL).load(Ordering::Relaxed);
    if number() == 0 || interval == 0 || !handler::is_on(session) || alternate::is_low(slot) {
        return;
    }
    let now = slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
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

/// Whether the slot names this timer.
pub(super) fn is_of(slot: Slot, timer: i32) -> bool {
    slot.word(slot_word::TIMER).load(Ordering::Relaxed) == timer as u64 + 1
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{alone, burn, check_books, drain, join};
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    /// How often one of `count` threads that live for `length` is met by a first tick, where kernel ticks come at any moment.
    fn met(count: u64, length: u64, interval: u64, kernel_tick: u64) -> u64 {
        let is_met = |number: &u64| {
            let phase = thread::mix(!number) % kernel_tick;
            let first = first_expiry(thread::mix(*number), interval, kernel_tick);
            // The first kernel tick at or after the expiry.
            (first.saturating_sub(phase).div_ceil(kernel_tick) * kernel_tick + phase) <= length
        };
        (1..=count).filter(is_met).count() as u64
    }

    /// A thread that two slots were claimed for has two timers: what each of them counts is not to be added.
    #[test]
    fn a_second_timer_tells_nothing_twice() {
        alone(|| {
            let session = join();
            let slot = thread::existing().expect("the main thread has a slot");
            let value = context::value();
            let other = syscall::timer_create(number(), value, syscall::gettid()).expect("is made");
            syscall::timer_settime(other, MS, 2 * MS).expect("is set");
            let since = slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
            burn(300 * MS);
            syscall::timer_delete(other);
            disarm(session, slot);
            let clock = syscall::thread_cpu() - since;
            check_books(session);
            let told = drain(session, 1).1.weight();
            println!("told {told} of {clock}");
            assert!(told <= clock, "{told} of {clock}");
        });
    }

    proptest! {
        /// A thread's chance of a tick is its share of an interval, also where it is shorter than a kernel tick.
        #[test]
        fn short_threads_are_met_as_often_as_is_due(
            length in 1..10 * MS,
            interval in prop::sample::select(vec![12 * MS, 40 * MS]),
            kernel_tick in prop::sample::select(vec![MS, 4 * MS]),
        ) {
            const COUNT: u64 = 40_000;
            let met = met(COUNT, length, interval, kernel_tick) as f64;
            let due = COUNT as f64 * length as f64 / interval as f64;
            // Five deviations: one run in a million fails.
            prop_assert!((met - due).abs() < 5.0 * due.sqrt() + 5.0, "{met} of {due}");
        }

        #[test]
        fn a_first_expiry_is_in_the_first_interval(random: u64, interval in 0..=u64::MAX / 2, kernel_tick: u64) {
            let first = first_expiry(random, interval, kernel_tick);
            prop_assert!((1..=interval.max(1)).contains(&first));
        }
    }
}
