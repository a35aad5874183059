//! Time by thread, stack and class.

use super::SUMS;
use super::activity::Parts;
use super::sums::{Key, Sum, Sums};
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

    pub(super) fn sample(&mut self, sample: &Sample) {
        let at = self.sums.place((sample.thread, sample.stack, sample.class.code().into()));
        let sum = &mut self.sums.all[at];
        let weight = sample.weight_ns;
        sum.weight_ns = sum.weight_ns.saturating_add(weight);
        sum.samples += 1;
        sum.weight_squares = sum.weight_squares.saturating_add(u128::from(weight).pow(2));
        if let Some(parts) = &mut self.parts {
            parts.add(at, sample.time, weight);
        }
    }

    /// The sums by thread, stack and class, in that order, and when they came about.
    pub(super) fn finish(self) -> (Vec<TimeSum>, Option<Activity>) {
        let key = |s: &TimeSum| (s.thread, s.stack, s.class);
        let mut sums = self.sums.all;
        let Some(parts) = self.parts else {
            sums.sort_unstable_by_key(key);
            return (sums, None);
        };
        let mut order: Vec<u32> = (0..sums.len() as u32).collect();
        order.sort_unstable_by_key(|&at| key(&sums[at as usize]));
        let mut sorted = vec![0; sums.len()];
        for (place, &at) in order.iter().enumerate() {
            sorted[at as usize] = place as u32;
        }
        let sums = order.iter().map(|&at| sums[at as usize]).collect();
        (sums, Some(parts.finish(&sorted)))
    }
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
            time.sample(&Sample { time: time_of, thread, stack, weight_ns: 2, class });
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
            time.sample(&Sample { time: Timestamp::ZERO, thread, stack, weight_ns: 2, class });
        }
        assert_eq!(time.sums.crowded_out, 100_000);
        let (sums, _) = time.finish();
        assert!(sums.len() < SUMS + 70_000);
        assert_eq!(sums.iter().map(|sum| sum.weight_ns).sum::<u64>(), 2 * u64::from(samples));
    }
}
