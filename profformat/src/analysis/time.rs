//! Time by thread, stack and class.

use hashbrown::HashMap;

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
}

impl Time {
    pub(super) fn sample(&mut self, sample: &Sample) {
        let sum = self.sums.entry((sample.thread, sample.stack, sample.class)).or_default();
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
