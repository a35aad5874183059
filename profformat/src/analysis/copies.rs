//! Copies by thread and stack.

use super::COPY_SUMS;
use super::estimate::Calls;
use super::sums::{Key, Sum, Sums};
use crate::analysis::{COPY_SIZES, CopySum};
use crate::record::Copied;

impl Sum for CopySum {
    fn new((thread, stack, _): Key) -> Self {
        let copy_sizes = [0; COPY_SIZES.len() + 1];
        Self { thread, stack, samples: 0, copy_bytes: 0, copy_count: 0, copy_sizes }
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
        Self { sums: Sums::new(COPY_SUMS), calls: Vec::new() }
    }

    pub(super) fn copied(&mut self, copied: &Copied) {
        let at = self.sums.place((copied.thread, copied.stack, 0));
        let sum = &mut self.sums.all[at];
        sum.samples += 1;
        sum.copy_bytes = sum.copy_bytes.saturating_add(copied.weight);
        let class = COPY_SIZES.partition_point(|&most| most < copied.size);
        sum.copy_sizes[class] = sum.copy_sizes[class].saturating_add(copied.weight);
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
    use crate::ids::ThreadId;
    use crate::units::Timestamp;

    #[test]
    fn every_byte_stands_in_the_class_of_its_copys_size() {
        let mut copies = Copies::new();
        let time = Timestamp::from_nanos(1);
        for (size, weight) in [(1, 7), (64, 5), (65, 11), (4 << 20, 13), (u64::MAX, 17)] {
            copies.copied(&Copied { time, thread: ThreadId::new(0), stack: None, size, weight });
        }
        let sums = copies.finish();
        assert_eq!(sums[0].copy_sizes, [12, 11, 0, 0, 13, 17]);
        assert_eq!(sums[0].copy_sizes.iter().sum::<u64>(), sums[0].copy_bytes);
    }
}
