//! Copies by thread, stack and copier.

use super::COPY_SUMS;
use super::estimate::Calls;
use super::sums::{Key, Sum, Sums};
use crate::analysis::{COPY_SIZES, CopySum};
use crate::ids::StringId;
use crate::record::Copied;

impl Sum for CopySum {
    fn new((thread, stack, copier): Key) -> Self {
        let (copier, copy_sizes) = (StringId::new(copier), [0; COPY_SIZES.len() + 1]);
        Self { thread, stack, copier, samples: 0, copy_bytes: 0, copy_count: 0, copy_sizes }
    }

    fn key(&self) -> Key {
        (self.thread, self.stack, self.copier.number())
    }

    /// A trace made on purpose could have a copier for every event.
    fn without_stack((thread, _, _): Key) -> Key {
        (thread, None, 0)
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
        Self { sums: Sums::new(COPY_SUMS), calls: Vec::new() }
    }

    pub(super) fn copied(&mut self, copied: &Copied) {
        let at = self.sums.place((copied.thread, copied.stack, copied.copier.number()));
        let sum = &mut self.sums.all[at];
        sum.samples += 1;
        sum.copy_bytes = sum.copy_bytes.saturating_add(copied.weight);
        let class = COPY_SIZES.partition_point(|&most| most < copied.size);
        sum.copy_sizes[class] = sum.copy_sizes[class].saturating_add(copied.weight);
        Calls::of(&mut self.calls, at).add(copied.weight, copied.size);
    }

    /// The sums by thread, stack and copier, in that order.
    pub(super) fn finish(self) -> Vec<CopySum> {
        let mut sums = self.sums.all;
        for (sum, calls) in sums.iter_mut().zip(self.calls) {
            sum.copy_count = calls.round();
        }
        sums.sort_unstable_by_key(|s| (s.thread, s.stack, s.copier));
        sums
    }
}

/// Adds bytes of copies, class by class.
pub(crate) fn add_sizes(
    sums: &mut [u64; COPY_SIZES.len() + 1],
    sizes: &[u64; COPY_SIZES.len() + 1],
) {
    for (sum, bytes) in sums.iter_mut().zip(sizes) {
        *sum = sum.saturating_add(*bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{StackId, ThreadId};
    use crate::units::Timestamp;

    fn copied(stack: Option<StackId>, copier: u32, size: u64, weight: u64) -> Copied {
        let (time, thread) = (Timestamp::from_nanos(1), ThreadId::new(0));
        Copied { time, thread, stack, size, weight, copier: StringId::new(copier) }
    }

    #[test]
    fn every_byte_stands_in_the_class_of_its_copys_size() {
        let mut copies = Copies::new();
        for (size, weight) in [(1, 7), (64, 5), (65, 11), (4 << 20, 13), (u64::MAX, 17)] {
            copies.copied(&copied(None, 0, size, weight));
        }
        let sums = copies.finish();
        assert_eq!(sums[0].copy_sizes, [12, 11, 0, 0, 13, 17]);
        assert_eq!(sums[0].copy_sizes.iter().sum::<u64>(), sums[0].copy_bytes);
    }

    #[test]
    fn copiers_in_one_stack_are_told_apart() {
        let mut copies = Copies::new();
        let stack = Some(StackId::new(3));
        for (copier, weight) in [(5, 10), (2, 7), (5, 30)] {
            copies.copied(&copied(stack, copier, 1, weight));
        }
        let sums = copies.finish().into_iter();
        let sums: Vec<_> = sums.map(|sum| (sum.copier.number(), sum.copy_bytes)).collect();
        assert_eq!(sums, [(2, 7), (5, 40)]);
    }

    #[test]
    fn a_copier_for_every_event_costs_no_byte_and_no_more_memory() {
        let mut copies = Copies::new();
        let events = COPY_SUMS as u32 + 100_000;
        for copier in 0..events {
            copies.copied(&copied(Some(StackId::new(0)), copier, 1, 2));
        }
        assert_eq!(copies.sums.crowded_out, 100_000);
        let sums = copies.finish();
        assert_eq!(sums.len(), COPY_SUMS + 1);
        assert_eq!(sums.iter().map(|sum| sum.copy_bytes).sum::<u64>(), 2 * u64::from(events));
    }
}
