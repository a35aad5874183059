//! How soon a process is to be drained again: before its rings fill up.

use crate::ring::spsc::Ring;

/// The longest pause between two drains, nanoseconds, where events come slowly.
pub(crate) const LONGEST: u64 = 50_000_000;
/// The shortest one.
pub(crate) const SHORTEST: u64 = 5_000_000;
/// Nanoseconds for which the pause stays short after a ring was filling up: who allocates much does so again.
const CROWDED: u64 = 300_000_000;

/// What one process's rings looked like.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the last drain began.
    before: u64,
    /// Nanoseconds in which the fastest ring fills by a quarter.
    quarter: u64,
    crowded_until: u64,
}

impl Pace {
    /// A drain begins.
    pub(crate) fn begin(&mut self) {
        self.quarter = u64::MAX;
    }

    /// A ring as the drain finds it.
    pub(crate) fn ring(&mut self, ring: Ring<'_>, now: u64) {
        let (used, passed) = (ring.used(), now.saturating_sub(self.before));
        if ring.is_crowded() {
            self.crowded(now);
        }
        if used > 0 && self.before > 0 {
            let quarter = ring.words.len() as u64 / 4 * passed / used;
            self.quarter = self.quarter.min(quarter);
        }
    }

    /// A ring was filling up.
    pub(crate) fn crowded(&mut self, now: u64) {
        self.crowded_until = now.saturating_add(CROWDED);
    }

    /// The drain that began `now` is over: how long to wait before the next one.
    pub(crate) fn pause(&mut self, now: u64) -> u64 {
        self.before = now;
        if now < self.crowded_until { SHORTEST } else { self.quarter.clamp(SHORTEST, LONGEST) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{AtomicU64, Ordering};

    const MS: u64 = 1_000_000;

    /// The pauses, in milliseconds, of drains of a ring of 800 words that gets so many words a millisecond from each
    /// drain to the next.
    fn pauses(rates: &[u64]) -> Vec<u64> {
        let words: Vec<AtomicU64> = (0..800).map(|_| AtomicU64::new(0)).collect();
        let (head, tail) = (AtomicU64::new(0), AtomicU64::new(0));
        let ring = Ring { head: &head, tail: &tail, words: &words };
        let (mut pace, mut now, mut pause) = (Pace::default(), 1_000 * MS, LONGEST);
        let pauses = rates.iter().map(|rate| {
            let used = rate * pause / MS;
            head.fetch_add(used, Ordering::Relaxed);
            pace.begin();
            pace.ring(ring, now);
            tail.fetch_add(used, Ordering::Relaxed);
            pause = pace.pause(now);
            now += pause;
            pause / MS
        });
        pauses.collect()
    }

    #[test]
    fn a_ring_is_drained_before_a_quarter_of_it_is_full() {
        assert_eq!(pauses(&[0, 0, 1, 2, 3, 4, 4]), [50; 7]);
        let mut rates = vec![0];
        rates.extend([10; 70]);
        let pauses = pauses(&rates);
        assert_eq!(pauses[1..61], [5; 60], "it was crowded once, and may be so again for 300 ms");
        assert_eq!(pauses[61..], [20; 10]);
    }

    #[test]
    fn the_pause_is_never_too_short() {
        assert_eq!(pauses(&[0, 16, 100_000, 100_000, 0]), [50, 5, 5, 5, 5]);
    }
}
