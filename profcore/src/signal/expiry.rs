//! What a tick stands for, without asking the clock.
//!
//! Reading a thread's CPU clock is a system call, and takes longer than all else in a tick. But a tick says by itself
//! where that clock stood when it was sent: at an expiry, and expiries are an interval apart. With what a timer's
//! signal tells of the expiries that it stands for, they add up to the clock, behind it by less than an interval. Where
//! ticks get lost, are late or are a perf event's, whose phase is its own, the sum strays: now and then the clock is
//! read, and the sum put right.

use crate::session::{Slot, slot_word};
use crate::sync::Ordering;

/// A tick that comes earlier than expected by more than this part of an interval comes at another rate than the slot
/// says.
const EARLY: u64 = 4;

fn load(slot: Slot, index: usize) -> u64 {
    slot.word(index).load(Ordering::Relaxed)
}

fn store(slot: Slot, index: usize, value: u64) {
    slot.word(index).store(value, Ordering::Relaxed);
}

/// An expiry that is this part of an interval ago at most may have its tick on the way still: it has not got lost.
const PENDING: u64 = 4;

/// The thread's next tick expires when its clock says `clock`.
pub(super) fn expect(slot: Slot, clock: u64) {
    store(slot, slot_word::NEXT_EXPIRY, clock);
    store(slot, slot_word::EXPIRY_DOUBT, 0);
}

/// A tick has come that stands for `overruns` expiries beside its own: what the thread's clock said at the last of
/// them. To be called once for every tick, also for one that gets lost.
pub(super) fn arrived(slot: Slot, overruns: u32) -> u64 {
    let interval = load(slot, slot_word::INTERVAL);
    let next = load(slot, slot_word::NEXT_EXPIRY);
    let at = next.saturating_add(interval.saturating_mul(overruns.into()));
    store(slot, slot_word::NEXT_EXPIRY, at.saturating_add(interval));
    at
}

/// Expiries may have gone by unseen, or be another timer's: the next sample had better read the clock.
pub(super) fn doubt(slot: Slot) {
    store(slot, slot_word::EXPIRY_DOUBT, 1);
}

/// Whether the clock is to be read.
pub(super) fn is_in_doubt(slot: Slot) -> bool {
    load(slot, slot_word::EXPIRY_DOUBT) != 0
}

/// The clock, read in the tick that came from `at` by all that was known, says `clock`: where the last expiry really
/// was.
pub(super) fn correct(slot: Slot, at: u64, clock: u64) -> u64 {
    let interval = load(slot, slot_word::INTERVAL).max(1);
    let early = at.saturating_sub(clock);
    let late = clock.saturating_sub(at);
    let lost = late.saturating_sub(interval / PENDING) / interval;
    let was = if early > 0 { clock } else { at + lost * interval };
    store(slot, slot_word::NEXT_EXPIRY, was.saturating_add(interval));
    store(slot, slot_word::EXPIRY_DOUBT, (early > interval / EARLY).into());
    was
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::stack::image;

    const INTERVAL: u64 = 1_000;

    fn slot() -> Slot {
        let slot = image::session().slot(1);
        store(slot, slot_word::INTERVAL, INTERVAL);
        expect(slot, 300);
        slot
    }

    #[test]
    fn expiries_are_an_interval_apart() {
        let slot = slot();
        assert_eq!(arrived(slot, 0), 300);
        assert_eq!(arrived(slot, 2), 3_300, "it stands for three");
        assert_eq!(arrived(slot, 0), 4_300);
    }

    #[test]
    fn the_clock_brings_back_what_got_lost() {
        let slot = slot();
        let at = arrived(slot, 0);
        assert_eq!(correct(slot, at, 1_299), 300, "late by less than an interval is a tick's way");
        store(slot, slot_word::NEXT_EXPIRY, 300);
        let at = arrived(slot, 0);
        assert_eq!(correct(slot, at, 1_549), 300, "the next one's tick is on its way");
        assert_eq!(arrived(slot, 0), 1_300);
        let at = arrived(slot, 0);
        assert_eq!(correct(slot, at, 7_650), 7_300, "five were not seen");
        assert_eq!(arrived(slot, 0), 8_300);
        assert!(!is_in_doubt(slot));
    }

    #[test]
    fn a_sum_ahead_of_the_clock_is_taken_back_and_doubted_while_ticks_come_too_early() {
        let slot = slot();
        let at = arrived(slot, 0);
        assert_eq!(correct(slot, at, 299), 299, "a perf event is early by a little");
        assert!(!is_in_doubt(slot));
        let at = arrived(slot, 0);
        assert_eq!(correct(slot, at, 800), 800);
        assert!(is_in_doubt(slot), "another rate than the slot says");
        let at = arrived(slot, 0);
        assert_eq!(correct(slot, at, 1_790), 1_790);
        assert!(!is_in_doubt(slot), "it is the slot's now");
    }

    /// Whatever happens to ticks, what they are taken for never runs ahead of a timer's clock, and is never behind it
    /// by more than an interval and a tick's way once the clock was read.
    #[test]
    fn a_timer_whose_ticks_get_lost_is_followed() {
        let slot = slot();
        let mut random = 88_172_645_463_325_252_u64;
        let mut clock = 300;
        let mut told = 0;
        for round in 0..10_000 {
            random = crate::thread::mix(random);
            // Expiries since the tick before, a part of them told as overruns.
            let passed = 1 + random % 4;
            clock += passed * INTERVAL;
            let overruns = if random & 0x100 == 0 { passed as u32 - 1 } else { 0 };
            let delay = random >> 32 & 511;
            let mut at = arrived(slot, overruns);
            if round % 8 == 7 {
                at = correct(slot, at, clock + delay);
                assert!(clock + delay - at < INTERVAL + INTERVAL / PENDING);
            }
            assert!(at <= clock + delay && at >= told, "{at} {clock} {told}");
            told = at;
        }
    }
}
