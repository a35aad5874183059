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

/// Variance of a sum of bytes scaled up from samples, by sampling alone (bytes squared).
///
/// `size`: mean size of the calls; `interval`: bytes between two samples. A small block is sampled or not, with its share
/// of an interval as probability; a large one is always sampled, and its weight is off by less than an interval.
pub(crate) fn bytes_variance(bytes: u64, size: f64, interval: f64) -> f64 {
    let (size, interval) = (size.max(1.0), interval.max(1.0));
    let blocks = bytes as f64 / size;
    interval.powi(2) * blocks * (size / interval).min(0.25)
}

/// The interval that [`bytes_variance`] takes: that of the run, unless mean weights far above it tell that sampling was
/// thinned out. Then a small block's sample takes over what was left out before it: on average its weight, and as often
/// less as more, which makes twice the variance.
pub(crate) fn interval_in_force(bytes: u64, samples: u64, size: f64, interval: u64) -> f64 {
    let weight = bytes as f64 / samples.max(1) as f64;
    let is_thinned = weight > 1.5 * interval as f64 && size < weight / 2.0;
    if is_thinned { 2.0 * weight } else { interval as f64 }
}

#[cfg(test)]
mod tests {
    use super::{Calls, bytes_variance, interval_in_force};

    #[test]
    fn bytes_are_as_sure_as_their_samples() {
        const MANY: u64 = 100 << 20;
        let deviation = |samples, size| {
            let interval = interval_in_force(MANY, samples, size, 128 << 10);
            bytes_variance(MANY, size, interval).sqrt()
        };
        // One in the square root of 800.
        let small = deviation(800, 64.0) / MANY as f64;
        assert!((small - 0.035).abs() < 0.001, "{small}");
        assert_eq!(deviation(1, MANY as f64), 65_536.0);
        let thinned = deviation(100, 64.0) / MANY as f64;
        assert!((thinned - 0.141).abs() < 0.001, "{thinned}");
        assert!(bytes_variance(u64::MAX, 0.0, u64::MAX as f64).is_finite());
    }

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
