//! From when until when bytes were held, by sum and part of the run.
//!
//! What is added up are changes: a life adds its bytes to the part in which it begins, and takes them from the one in
//! which it ends. One that ends where it began leaves no trace. So it does not matter in which order lives become
//! known, and sums of short lives cost nothing.

use hashbrown::HashMap;

use crate::analysis::{Change, Curves, MEMORY_SUMS};
use crate::ids::{StackId, ThreadId};
use crate::units::Timestamp;

/// Parts of a run at most.
const PARTS: u64 = 128;
/// Changes that are kept at most; where there are more, two parts become one. There can be a change for each sum at
/// least.
const CHANGES: usize = 2 * MEMORY_SUMS;
/// Nanoseconds of a part at first, as a power of two: one millisecond.
const SHIFT: u32 = 20;

#[derive(Debug)]
pub(super) struct Lives {
    /// By sum and part, see [`key`].
    changes: HashMap<u64, i64>,
    /// A part is this power of two of nanoseconds long.
    shift: u32,
}

impl Lives {
    pub(super) fn new() -> Self {
        Self { changes: HashMap::new(), shift: SHIFT }
    }

    /// A sum held so many bytes, until the end of the run if nothing else is said.
    #[inline]
    pub(super) fn lived(
        &mut self,
        sum: u32,
        from: Timestamp,
        until: Option<Timestamp>,
        bytes: u64,
    ) {
        let last = until.unwrap_or(from).max(from);
        while self.part(last) >= PARTS {
            self.coarsen();
        }
        let (born, died) = (self.part(from), until.map(|_| self.part(last)));
        if bytes == 0 || Some(born) == died {
            return;
        }
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.change(key(sum, born), bytes);
        if let Some(died) = died {
            self.change(key(sum, died), -bytes);
        }
    }

    /// The curves. `stack` tells the thread and the stack of a sum.
    pub(super) fn finish(self, stack: impl Fn(u32) -> (ThreadId, Option<StackId>)) -> Curves {
        let changes = self.changes.into_iter().filter(|(_, bytes)| *bytes != 0);
        let mut changes: Vec<Change> = changes
            .map(|(key, bytes)| {
                let (thread, stack) = stack((key / PARTS) as u32);
                Change { thread, stack, part: (key % PARTS) as u32, bytes }
            })
            .collect();
        changes.sort_unstable_by_key(|change| (change.thread, change.stack, change.part));
        Curves { part_ns: 1 << self.shift, changes }
    }

    fn part(&self, time: Timestamp) -> u64 {
        time.as_nanos() >> self.shift
    }

    #[inline]
    fn change(&mut self, key: u64, bytes: i64) {
        let change = self.changes.entry(key).or_default();
        *change = change.saturating_add(bytes);
        if self.changes.len() > CHANGES {
            self.coarsen();
        }
    }

    #[cold]
    fn coarsen(&mut self) {
        self.shift += 1;
        let mut coarse: HashMap<u64, i64> = HashMap::with_capacity(self.changes.len() / 2);
        for (key, bytes) in self.changes.drain() {
            let change = coarse.entry(key / PARTS * PARTS + key % PARTS / 2).or_default();
            *change = change.saturating_add(bytes);
        }
        // What was allocated and freed within the new parts.
        coarse.retain(|_, bytes| *bytes != 0);
        self.changes = coarse;
    }
}

fn key(sum: u32, part: u64) -> u64 {
    u64::from(sum) * PARTS + part
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1 << SHIFT;

    fn at(time: u64) -> Timestamp {
        Timestamp::from_nanos(time)
    }

    fn told(lives: Lives) -> (u64, Vec<(u32, u32, i64)>) {
        let curves = lives.finish(|sum| (ThreadId::new(sum), None));
        let changes = curves.changes.iter();
        (curves.part_ns, changes.map(|c| (c.thread.number(), c.part, c.bytes)).collect())
    }

    #[test]
    fn a_life_is_two_changes_and_a_short_one_none() {
        let mut lives = Lives::new();
        lives.lived(7, at(3 * MS), Some(at(5 * MS)), 10);
        lives.lived(7, at(4 * MS), Some(at(5 * MS)), 20);
        lives.lived(7, at(3 * MS), Some(at(3 * MS + 1)), 1_000);
        lives.lived(2, at(9 * MS), None, 5);
        lives.lived(2, at(9 * MS), Some(at(8 * MS)), 5);
        assert_eq!(told(lives), (MS, vec![(2, 9, 5), (7, 3, 10), (7, 4, 20), (7, 5, -30)]));
    }

    #[test]
    fn parts_grow_with_the_run() {
        let mut lives = Lives::new();
        lives.lived(1, at(3 * MS), Some(at(100 * MS)), 10);
        lives.lived(1, at(2 * MS), Some(at(3 * MS)), 10);
        lives.lived(1, at(700 * MS), None, 5);
        assert_eq!(told(lives), (8 * MS, vec![(1, 0, 10), (1, 12, -10), (1, 87, 5)]));
        let mut lives = Lives::new();
        lives.lived(1, at(u64::MAX), None, u64::MAX);
        lives.lived(1, at(u64::MAX), None, u64::MAX);
        lives.lived(1, at(0), Some(at(u64::MAX)), u64::MAX);
        assert!(told(lives).1.len() <= 2, "the largest values are survived");
    }

    #[test]
    fn many_changes_are_kept_coarsely() {
        let mut lives = Lives::new();
        for sum in 0..MEMORY_SUMS as u32 {
            for part in 0..4 {
                lives.lived(sum, at(part * 9 * MS), Some(at((part * 9 + 8) * MS)), 1);
            }
        }
        assert!(lives.changes.len() <= CHANGES);
        assert!(lives.shift > SHIFT);
    }
}
