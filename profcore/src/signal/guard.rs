//! Against livelock: a thread that spends too much of its time in our handler is ticked half as often.
//!
//! Handler time is wall time, and a machine that is busy may take the CPU away in the middle of it: one look that
//! finds too much proves nothing, two in a row do. Weights are CPU time since the last sample, so a change of the rate
//! biases nothing.

use super::timer;
use crate::session::{Count, Session, Slot, slot_word, word};
use crate::sync::Ordering;

/// Samples between two looks.
const WINDOW: u64 = 64;
/// Part of a thread's time that samples may take: one in this many.
const SHARE: u64 = 20;
/// Looks in a row that must find too much.
const STRIKES: u64 = 2;
/// Longest interval: a sample in a second tells little, but hurts nobody.
const LONGEST: u64 = 1_000_000_000;

/// Looks, if it is time for it, how much of the thread's time (its clock says `clock` now) went into samples.
/// By the slot's owner, which holds its busy flag.
pub(super) fn look(session: Session, slot: Slot, clock: u64) {
    let load = |index: usize| slot.word(index).load(Ordering::Relaxed);
    let store = |index: usize, value| slot.word(index).store(value, Ordering::Relaxed);
    if !load(slot_word::COUNTERS + Count::Samples as usize).is_multiple_of(WINDOW) {
        return;
    }
    let own = load(slot_word::COUNTERS + Count::SelfNanos as usize);
    let (last_clock, last_own) = (load(slot_word::GUARD_CPU), load(slot_word::GUARD_SELF));
    store(slot_word::GUARD_CPU, clock);
    store(slot_word::GUARD_SELF, own);
    if last_clock == 0 {
        return;
    }
    let spent = clock.saturating_sub(last_clock);
    let too_much = own.wrapping_sub(last_own).saturating_mul(SHARE) > spent;
    let strikes = if too_much { load(slot_word::GUARD_STRIKES) + 1 } else { 0 };
    store(slot_word::GUARD_STRIKES, strikes % STRIKES);
    let interval = load(slot_word::INTERVAL);
    if strikes < STRIKES || interval == 0 || interval >= LONGEST {
        return;
    }
    store(slot_word::INTERVAL, (interval * 2).min(LONGEST));
    session.word(word::RATE_HALVED).fetch_add(1, Ordering::Relaxed);
    // A perf event is the collector's: it sees the new interval at its next drain.
    timer::follow_interval(slot);
}
