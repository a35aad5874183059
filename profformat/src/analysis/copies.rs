//! Copies by thread and stack.

use hashbrown::HashMap;

use super::estimate::Calls;
use super::within;
use crate::analysis::CopySum;
use crate::ids::{StackId, ThreadId};
use crate::record::Copied;

#[derive(Debug, Default)]
struct Sum {
    samples: u64,
    bytes: u64,
    calls: Calls,
}

/// Adds up sampled copies.
#[derive(Debug, Default)]
pub(super) struct Copies {
    sums: HashMap<(ThreadId, Option<StackId>), Sum>,
    /// Samples that count without their stack.
    pub(super) crowded_out: u64,
}

impl Copies {
    pub(super) fn copied(&mut self, copied: &Copied) {
        let Copied { thread, stack, .. } = *copied;
        let key = within(&self.sums, (thread, stack), (thread, None), &mut self.crowded_out);
        let sum = self.sums.entry(key).or_default();
        sum.samples += 1;
        sum.bytes = sum.bytes.saturating_add(copied.weight);
        sum.calls.add(copied.weight, copied.size);
    }

    /// The sums by thread and stack, in that order.
    pub(super) fn finish(self) -> Vec<CopySum> {
        let mut sums: Vec<CopySum> = self
            .sums
            .into_iter()
            .map(|((thread, stack), sum)| CopySum {
                thread,
                stack,
                samples: sum.samples,
                copy_bytes: sum.bytes,
                copy_count: sum.calls.round(),
            })
            .collect();
        sums.sort_unstable_by_key(|s| (s.thread, s.stack));
        sums
    }
}
