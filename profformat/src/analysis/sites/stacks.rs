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
    // Stack and place in one word: sorted where they are, for there can be a million, and little memory is left then.
    let number = |sum: &TimeSum| sum.stack.map_or(0, |stack| u64::from(stack.number()) + 1);
    let mut order: Vec<u64> = (0..).zip(time).map(|(at, sum)| number(sum) << 31 | at).collect();
    order.sort_unstable();
    let place = |word: u64| (word & ((1 << 31) - 1)) as usize;
    let mut next = 0;
    std::iter::from_fn(move || {
        let stack = time[place(*order.get(next)?)].stack;
        let mut all = StackTime::of(stack);
        while let Some(&word) = order.get(next).filter(|word| time[place(**word)].stack == stack) {
            all.add(&time[place(word)]);
            next += 1;
        }
        Some(all)
    })
}
