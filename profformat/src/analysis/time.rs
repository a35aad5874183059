//! Time by thread, stack and class.

use hashbrown::HashMap;

use super::within;
use crate::analysis::TimeSum;
use crate::ids::{StackId, ThreadId};
use crate::record::{Class, Sample};

#[derive(Debug, Default)]
struct Sum {
    weight_ns: u64,
    samples: u64,
    weight_squares: u128,
}

/// Adds up samples.
#[derive(Debug, Default)]
pub(super) struct Time {
    sums: HashMap<(ThreadId, Option<StackId>, Class), Sum>,
    /// Samples that count without their stack.
    pub(super) crowded_out: u64,
}

impl Time {
    pub(super) fn sample(&mut self, sample: &Sample) {
        let Sample { thread, stack, class, .. } = *sample;
        let key = within(
            &self.sums,
            (thread, stack, class),
            (thread, None, class),
            &mut self.crowded_out,
        );
        let sum = self.sums.entry(key).or_default();
        let weight = sample.weight_ns;
        sum.weight_ns = sum.weight_ns.saturating_add(weight);
        sum.samples += 1;
        sum.weight_squares = sum.weight_squares.saturating_add(u128::from(weight).pow(2));
    }

    /// The sums by thread, stack and class, in that order.
    pub(super) fn finish(self) -> Vec<TimeSum> {
        let mut sums: Vec<TimeSum> = self
            .sums
            .into_iter()
            .map(|((thread, stack, class), sum)| TimeSum {
                thread,
                stack,
                class,
                weight_ns: sum.weight_ns,
                samples: sum.samples,
                weight_squares: sum.weight_squares,
            })
            .collect();
        sums.sort_unstable_by_key(|s| (s.thread, s.stack, s.class));
        sums
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
        let mut time = Time::default();
        let samples = SUMS as u32 + 5;
        for stack in (0..samples).map(StackId::new) {
            let (time_of, thread) = (Timestamp::ZERO, ThreadId::new(0));
            let (stack, class) = (Some(stack), Class::Python);
            time.sample(&Sample { time: time_of, thread, stack, weight_ns: 2, class });
        }
        assert_eq!(time.crowded_out, 5);
        let sums = time.finish();
        assert_eq!(sums.len(), SUMS + 1);
        assert_eq!(sums.iter().map(|sum| sum.weight_ns).sum::<u64>(), 2 * u64::from(samples));
        assert_eq!((sums[0].stack, sums[0].samples), (None, 5));
    }
}
