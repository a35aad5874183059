//! How many calls the weights of byte-sampled events stand for.

/// Fraction bits: sums of fractions stay exact in any order, unlike floating point.
const FRACTION: u32 = 16;

/// An estimated number of calls, summed as `weight / size`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls(u128);

impl Calls {
    /// The calls of the sum at a place, which is one of these or the next.
    pub(super) fn of(all: &mut Vec<Self>, at: usize) -> &mut Self {
        if at >= all.len() {
            all.resize(at + 1, Self::default());
        }
        &mut all[at]
    }

    /// Counts a sample of `weight` bytes that hit a call of `size` bytes.
    pub(super) fn add(&mut self, weight: u64, size: u64) {
        // Division by 128 bits takes several times as long, and no real weight needs it.
        let calls = if weight >> (u64::BITS - FRACTION) == 0 {
            u128::from((weight << FRACTION) / size.max(1))
        } else {
            (u128::from(weight) << FRACTION) / u128::from(size.max(1))
        };
        self.0 = self.0.saturating_add(calls);
    }

    /// The nearest whole number.
    pub(super) fn round(self) -> u64 {
        let half = 1 << (FRACTION - 1);
        u64::try_from(self.0.saturating_add(half) >> FRACTION).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::Calls;

    #[test]
    fn fractions_add_up_before_rounding() {
        let mut calls = Calls::default();
        for _ in 0..4 {
            calls.add(1, 4);
        }
        assert_eq!(calls.round(), 1);
        calls.add(1000, 10);
        assert_eq!(calls.round(), 101);
    }

    #[test]
    fn a_size_of_zero_and_the_largest_weight_are_survived() {
        let mut calls = Calls::default();
        calls.add(u64::MAX, 0);
        calls.add(u64::MAX, 0);
        assert_eq!(calls.round(), u64::MAX);
    }
}
