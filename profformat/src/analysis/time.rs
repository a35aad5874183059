//! Time by thread, stack and class.

use super::SUMS;
use super::activity::Parts;
use super::sums::{BATCH, Key, Sum, Sums};
use crate::analysis::{Activity, TimeSum};
use crate::record::{Class, Sample};

impl Sum for TimeSum {
    fn new((thread, stack, class): Key) -> Self {
        let class = Class::ALL[class as usize % Class::ALL.len()];
        Self { thread, stack, class, weight_ns: 0, samples: 0, weight_squares: 0 }
    }

    fn key(&self) -> Key {
        (self.thread, self.stack, self.class.code().into())
    }

    /// It can stand in two cache lines.
    fn look(&self) -> u64 {
        u64::from(self.class.code()) ^ self.weight_squares as u64 ^ self.weight_ns
    }
}

/// Adds up samples.
#[derive(Debug)]
pub(super) struct Time {
    pub(super) sums: Sums<TimeSum>,
    /// The same weights by part of the run, if they are wanted.
    pub(super) parts: Option<Parts>,
}

impl Time {
    pub(super) fn new() -> Self {
        Self { sums: Sums::new(SUMS), parts: None }
    }

    pub(super) fn samples(&mut self, samples: &[Sample]) {
        let key = |s: &Sample| (s.thread, s.stack, s.class.code().into());
        for batch in samples.chunks(BATCH) {
            let (mut hashes, mut places) = ([0; BATCH], [0; BATCH]);
            for (hash, sample) in hashes.iter_mut().zip(batch) {
                *hash = self.sums.hash(key(sample));
            }
            self.sums.touch(&hashes[..batch.len()]);
            for ((place, sample), hash) in places.iter_mut().zip(batch).zip(hashes) {
                *place = self.sums.place_of(key(sample), hash);
                let (sum, weight) = (&mut self.sums.all[*place], sample.weight_ns);
                sum.weight_ns = sum.weight_ns.saturating_add(weight);
                sum.samples += 1;
                sum.weight_squares = sum.weight_squares.saturating_add(u128::from(weight).pow(2));
            }
            if let Some(parts) = &mut self.parts {
                parts.touch(&places[..batch.len()]);
                for (sample, place) in batch.iter().zip(places) {
                    parts.add(place, sample.time, sample.weight_ns);
                }
            }
        }
    }

    /// The sums by thread, stack and class, in that order, and when they came about.
    pub(super) fn finish(self) -> (Vec<TimeSum>, Option<Activity>) {
        let Self { sums: Sums { all: mut sums, .. }, parts } = self;
        let Some(parts) = parts else {
            sums.sort_unstable_by_key(order);
            return (sums, None);
        };
        // Each with its place in the same word: a look at the sums for every comparison would be slow.
        let places = sums.iter().zip(0_u32..);
        let mut all: Vec<u128> =
            places.map(|(sum, at)| order(sum) << 32 | u128::from(at)).collect();
        all.sort_unstable();
        let mut sorted = vec![0; sums.len()];
        for (&word, place) in all.iter().zip(0..) {
            sorted[word as u32 as usize] = place;
        }
        drop(all);
        let activity = parts.finish(&sorted);
        // Where each stands is where it goes to when no other is there any more.
        for at in 0..sums.len() {
            while sorted[at] as usize != at {
                let to = sorted[at] as usize;
                sums.swap(at, to);
                sorted.swap(at, to);
            }
        }
        (sums, Some(activity))
    }
}

/// Thread, stack and class as one number, in that order: it is compared without a branch.
fn order(sum: &TimeSum) -> u128 {
    let stack = sum.stack.map_or(0, |stack| u128::from(stack.number()) + 1);
    u128::from(sum.thread.number()) << 40 | stack << 4 | u128::from(sum.class.code())
}

#[cfg(test)]
mod tests {
    use super::Time;
    use crate::analysis::SUMS;
    use crate::ids::{StackId, ThreadId};
    use crate::record::{Class, Sample};
    use crate::units::Timestamp;

    #[test]
    fn a_stack_for_every_sample_costs_no_weight_and_no_more_memory() {
        let mut time = Time::new();
        let samples = SUMS as u32 + 5;
        for stack in (0..samples).map(StackId::new) {
            let (time_of, thread) = (Timestamp::ZERO, ThreadId::new(0));
            let (stack, class) = (Some(stack), Class::Python);
            time.samples(&[Sample { time: time_of, thread, stack, weight_ns: 2, class }]);
        }
        assert_eq!(time.sums.crowded_out, 5);
        let (sums, _) = time.finish();
        assert_eq!(sums.len(), SUMS + 1);
        assert_eq!(sums.iter().map(|sum| sum.weight_ns).sum::<u64>(), 2 * u64::from(samples));
        assert_eq!((sums[0].stack, sums[0].samples), (None, 5));
    }

    #[test]
    fn a_thread_for_every_sample_costs_no_weight_and_no_more_memory() {
        let mut time = Time::new();
        let samples = SUMS as u32 + 100_000;
        for thread in (0..samples).map(ThreadId::new) {
            let (stack, class) = (Some(StackId::new(0)), Class::Python);
            time.samples(&[Sample { time: Timestamp::ZERO, thread, stack, weight_ns: 2, class }]);
        }
        assert_eq!(time.sums.crowded_out, 100_000);
        let (sums, _) = time.finish();
        assert!(sums.len() < SUMS + 70_000);
        assert_eq!(sums.iter().map(|sum| sum.weight_ns).sum::<u64>(), 2 * u64::from(samples));
    }
}
