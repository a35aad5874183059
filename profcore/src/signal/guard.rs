//! Against livelock: a thread that spends too much of its time in our handler is ticked half as often.
//!
//! What a tick takes is CPU time, by the thread's clock: on a busy machine the handler may lose the CPU midway. Reading
//! that clock is a system call, so that one tick in many is measured and stands for the others. A sample's weight is
//! the CPU time since the last one: a change of the rate biases nothing.

use super::timer;
use crate::session::{Count, Session, Slot, slot_word, word};
use crate::sync::Ordering;
use crate::sys::syscall;

/// One tick in this many is measured.
const MEASURED: u64 = 32;
/// Ticks between two looks.
const WINDOW: u64 = 256;
/// The first tick that is measured, and the first that looks: a thread of few ticks has a figure too, and what its very
/// first one has to set up stands for no other.
const FIRST: u64 = 8;
/// Part of a thread's time that ticks may take: one in this many.
const SHARE: u64 = 20;
/// Looks in a row that must find too much.
const STRIKES: u64 = 2;
/// Longest interval: a sample in a second tells little, but hurts nobody.
const LONGEST: u64 = 1_000_000_000;

/// The measurement of one tick.
pub(super) struct Measure {
    began: u64,
    /// Nanoseconds that one reading of the clock takes.
    reading: u64,
}

impl Measure {
    /// At the begin of a tick, which has been counted: begins to measure, if it is this one's turn.
    pub(super) fn begin(slot: Slot) -> Option<Self> {
        (ticks(slot) % MEASURED == FIRST).then(|| {
            let before = syscall::thread_cpu();
            let began = syscall::thread_cpu();
            Self { began, reading: began.saturating_sub(before) }
        })
    }

    /// What the thread's clock said when it began.
    pub(super) fn clock(&self) -> u64 {
        self.began
    }

    /// At the end of the tick: adds what it and those that it stands for took. They do not read the clock.
    pub(super) fn end(&self, slot: Slot) {
        let took = syscall::thread_cpu().saturating_sub(self.began);
        let body = took.saturating_sub(self.reading);
        let took = body.saturating_mul(MEASURED).saturating_add(self.reading.saturating_mul(3));
        slot.add(Count::SelfNanos, took);
        let own = slot.word(slot_word::GUARD_OWN);
        own.store(own.load(Ordering::Relaxed).saturating_add(took), Ordering::Relaxed);
    }
}

fn ticks(slot: Slot) -> u64 {
    slot.word(slot_word::COUNTERS + Count::Ticks as usize).load(Ordering::Relaxed)
}

/// Looks, if it is time for it, how much of the thread's time (its clock says `clock` now) went into ticks. After every
/// measured one.
/// By the slot's owner, which holds its busy flag.
pub(super) fn look(session: Session, slot: Slot, clock: u64) {
    let load = |index: usize| slot.word(index).load(Ordering::Relaxed);
    let store = |index: usize, value| slot.word(index).store(value, Ordering::Relaxed);
    if ticks(slot) % WINDOW != FIRST {
        return;
    }
    let (last_clock, own) = (load(slot_word::GUARD_CPU), load(slot_word::GUARD_OWN));
    store(slot_word::GUARD_CPU, clock);
    store(slot_word::GUARD_OWN, 0);
    if last_clock == 0 {
        return;
    }
    let spent = clock.saturating_sub(last_clock);
    let interval = load(slot_word::INTERVAL);
    // A perf event is the collector's, which may be late to follow: until it has, there is nothing new to judge.
    let has_followed = spent >= interval.saturating_mul(WINDOW) / 4 * 3;
    let too_much = has_followed && own.saturating_mul(SHARE) > spent;
    let strikes = if too_much { load(slot_word::GUARD_STRIKES) + 1 } else { 0 };
    store(slot_word::GUARD_STRIKES, strikes % STRIKES);
    if strikes < STRIKES || interval == 0 || interval >= LONGEST {
        return;
    }
    store(slot_word::INTERVAL, (interval * 2).min(LONGEST));
    session.word(word::RATE_HALVED).fetch_add(1, Ordering::Relaxed);
    // A perf event is the collector's: it sees the new interval at its next drain.
    timer::follow_interval(slot);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::stack::image;

    const INTERVAL: u64 = 100_000;

    /// Looks so often, each time after a window in which a thread was ticked every `real` nanoseconds and a tenth of
    /// its time went into ticks; how often its rate was halved.
    fn halved(looks: u64, real: impl Fn(u64) -> u64) -> u64 {
        let session = image::session();
        let slot = session.slot(1);
        let word = |index: usize| slot.word(index);
        word(slot_word::INTERVAL).store(INTERVAL, Ordering::Relaxed);
        slot.add(Count::Ticks, FIRST);
        let mut clock = 1;
        word(slot_word::GUARD_CPU).store(clock, Ordering::Relaxed);
        for _ in 0..looks {
            let spent = WINDOW * real(word(slot_word::INTERVAL).load(Ordering::Relaxed));
            clock += spent;
            word(slot_word::GUARD_OWN).store(spent / 10, Ordering::Relaxed);
            look(session, slot, clock);
        }
        session.word(word::RATE_HALVED).load(Ordering::Relaxed)
    }

    #[test]
    fn a_rate_that_takes_too_much_is_halved_again_and_again() {
        assert_eq!(halved(1, |interval| interval), 0, "once is chance");
        assert_eq!(halved(8, |interval| interval), 4);
        assert_eq!(halved(8, |interval| 4 * interval), 4, "ticked by the kernel's tick");
    }

    #[test]
    fn it_is_not_halved_before_the_ticks_have_followed() {
        assert_eq!(halved(100, |_| INTERVAL), 1);
    }
}
