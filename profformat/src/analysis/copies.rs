//! Copies by thread and stack.

use super::MEMORY_SUMS;
use super::estimate::Calls;
use super::sums::{Key, Sum, Sums};
use crate::analysis::CopySum;
use crate::record::Copied;

impl Sum for CopySum {
    fn new((thread, stack, _): Key) -> Self {
        Self { thread, stack, samples: 0, copy_bytes: 0, copy_count: 0 }
    }

    fn key(&self) -> Key {
        (self.thread, self.stack, 0)
    }
}

/// Adds up sampled copies.
#[derive(Debug)]
pub(super) struct Copies {
    pub(super) sums: Sums<CopySum>,
    /// By place of the sum.
    calls: Vec<Calls>,
}

impl Copies {
    pub(super) fn new() -> Self {
        Self { sums: Sums::new(MEMORY_SUMS), calls: Vec::new() }
    }

    pub(super) fn copied(&mut self, copied: &Copied) {
        let at = self.sums.place((copied.thread, copied.stack, 0));
        let sum = &mut self.sums.all[at];
        sum.samples += 1;
        sum.copy_bytes = sum.copy_bytes.saturating_add(copied.weight);
        Calls::of(&mut self.calls, at).add(copied.weight, copied.size);
    }

    /// The sums by thread and stack, in that order.
    pub(super) fn finish(self) -> Vec<CopySum> {
        let mut sums = self.sums.all;
        for (sum, calls) in sums.iter_mut().zip(self.calls) {
            sum.copy_count = calls.round();
        }
        sums.sort_unstable_by_key(|s| (s.thread, s.stack));
        sums
    }
}
