//! How often allocations and copies are sampled: as asked for, or less often while a process does so many that samples
//! would cost it more than they tell.
//!
//! A sample's weight is the stretch of bytes that it stands for, so an interval can change at any time and no figure is
//! wrong for it. Losing samples because a ring is full would be.

use crate::session::Session;
use crate::sync::Ordering;

/// Samples per second that are enough.
const ENOUGH: u64 = 5_000;
/// Nanoseconds between two looks: a burst is no habit.
const LOOK: u64 = 200_000_000;
/// So many samples are one, before that: twice as many as are enough.
const HABIT: u64 = 2 * ENOUGH * LOOK / 1_000_000_000;
/// How many times the asked interval it becomes at most.
const LONGEST: u64 = 1 << 10;

/// The budget of one kind of samples of a process.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Session word of the interval in force.
    word: usize,
    /// The interval that the user asked for; 0 before the first look, and where nothing is sampled.
    asked: u64,
    /// The longest interval there was.
    longest: u64,
    samples: u64,
    since: u64,
}

impl Budget {
    pub(crate) fn of(word: usize) -> Self {
        Self { word, asked: 0, longest: 0, samples: 0, since: 0 }
    }

    /// A sample was taken.
    pub(crate) fn count(&mut self) {
        self.samples += 1;
    }

    /// Changes the interval if it is time to.
    pub(crate) fn look(&mut self, session: Session, now: u64) {
        let cell = session.word(self.word);
        let interval = cell.load(Ordering::Relaxed);
        if self.since == 0 {
            (self.asked, self.since, self.samples) = (interval, now, 0);
            return;
        }
        let passed = now.saturating_sub(self.since);
        if self.asked == 0 || passed == 0 || (passed < LOOK && self.samples < HABIT) {
            return;
        }
        let rate = u128::from(self.samples) * 1_000_000_000 / u128::from(passed);
        (self.samples, self.since) = (0, now);
        let next = next(interval, self.asked, u64::try_from(rate).unwrap_or(u64::MAX));
        if next != interval {
            cell.store(next, Ordering::Relaxed);
            self.longest = self.longest.max(next);
        }
    }

    /// The longest interval there was, if one was longer than asked for.
    pub(crate) fn stretched(&self) -> Option<u64> {
        (self.longest > self.asked).then_some(self.longest)
    }
}

/// The interval after one that gave so many samples per second.
fn next(interval: u64, asked: u64, rate: u64) -> u64 {
    let longest = asked.saturating_mul(LONGEST);
    if rate > ENOUGH {
        let times = rate.div_ceil(ENOUGH).checked_next_power_of_two().unwrap_or(LONGEST);
        interval.saturating_mul(times).min(longest)
    } else if rate < ENOUGH / 4 {
        (interval / 2).max(asked)
    } else {
        interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::word;
    use crate::stack::image;

    const ASKED: u64 = 1 << 17;

    /// Runs a process that would take so many samples per second at the asked interval, for so many looks.
    fn after(budget: &mut Budget, session: Session, wanted: u64, looks: u64) -> u64 {
        let cell = session.word(word::MEMORY_INTERVAL);
        for _ in 0..looks {
            let now = budget.since.max(1) + LOOK;
            let rate = wanted * ASKED / cell.load(Ordering::Relaxed);
            (0..rate * LOOK / 1_000_000_000).for_each(|_| budget.count());
            budget.look(session, now);
        }
        cell.load(Ordering::Relaxed)
    }

    #[test]
    fn much_is_sampled_less_often_and_little_as_asked_again() {
        let session = image::session();
        session.word(word::MEMORY_INTERVAL).store(ASKED, Ordering::Relaxed);
        let mut budget = Budget::of(word::MEMORY_INTERVAL);
        assert_eq!(after(&mut budget, session, 4_900, 10), ASKED);
        assert_eq!(budget.stretched(), None);
        assert_eq!(after(&mut budget, session, 16_000, 2), 4 * ASKED, "at once");
        assert_eq!(after(&mut budget, session, 16_000, 10), 4 * ASKED, "and stays there");
        assert_eq!(after(&mut budget, session, 1_000_000_000, 3), LONGEST * ASKED);
        assert_eq!(after(&mut budget, session, 0, 20), ASKED);
        assert_eq!(budget.stretched(), Some(LONGEST * ASKED));
    }

    #[test]
    fn a_flood_is_not_waited_for() {
        let session = image::session();
        let cell = session.word(word::MEMORY_INTERVAL);
        cell.store(ASKED, Ordering::Relaxed);
        let mut budget = Budget::of(word::MEMORY_INTERVAL);
        budget.look(session, 1);
        let mut drain = |samples: u64, now: u64| {
            (0..samples).for_each(|_| budget.count());
            budget.look(session, now);
            cell.load(Ordering::Relaxed) / ASKED
        };
        assert_eq!(drain(HABIT - 1, LOOK / 40), 1, "a burst");
        assert_eq!(drain(1, LOOK / 20), 64, "2,000 in 10 ms are 200,000 a second");
    }

    #[test]
    fn what_is_not_sampled_stays_so() {
        let session = image::session();
        let mut budget = Budget::of(word::MEMORY_INTERVAL);
        for now in 1..100 {
            (0..100_000).for_each(|_| budget.count());
            budget.look(session, now * LOOK);
        }
        assert_eq!(session.word(word::MEMORY_INTERVAL).load(Ordering::Relaxed), 0);
        assert_eq!(next(u64::MAX, u64::MAX, u64::MAX), u64::MAX);
    }
}
