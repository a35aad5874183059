//! Time by stack, all threads and classes together, so that every stack is walked once.

use crate::analysis::TimeSum;
use crate::ids::StackId;
use crate::record::Class;

/// What was spent in a stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct StackTime {
    pub(super) stack: Option<StackId>,
    /// Nanoseconds by [`Class::code`].
    pub(super) ns: [u64; Class::ALL.len()],
    /// Number of on-CPU samples.
    pub(super) samples: u64,
    /// Sum of their squared weights.
    pub(super) squares: u128,
}

impl StackTime {
    fn of(stack: Option<StackId>) -> Self {
        Self { stack, ns: [0; Class::ALL.len()], samples: 0, squares: 0 }
    }

    fn add(&mut self, sum: &TimeSum) {
        let ns = &mut self.ns[sum.class.code() as usize];
        *ns = ns.saturating_add(sum.weight_ns);
        if sum.class.on_cpu() {
            self.samples = self.samples.saturating_add(sum.samples);
            self.squares = self.squares.saturating_add(sum.weight_squares);
        }
    }
}

/// The times of all stacks, in order of the stack.
pub(super) fn by_stack(time: &[TimeSum]) -> impl Iterator<Item = StackTime> {
    let mut order: Vec<(Option<StackId>, u32)> =
        time.iter().map(|sum| sum.stack).zip(0..).collect();
    // Each thread's sums are in order already: a stable sort merges them.
    order.sort_by_key(|(stack, _)| *stack);
    let mut next = 0;
    std::iter::from_fn(move || {
        let &(stack, _) = order.get(next)?;
        let mut all = StackTime::of(stack);
        while let Some(&(_, at)) = order.get(next).filter(|(other, _)| *other == stack) {
            all.add(&time[at as usize]);
            next += 1;
        }
        Some(all)
    })
}
