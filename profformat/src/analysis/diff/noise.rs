//! Is a difference more than noise?
//!
//! Of one run each, the noise is that of sampling alone: a sum of weights has the variance Σw² (time), or what the
//! sampling interval makes of it (bytes). Runs that were repeated tell how much they differ anyway, and
//! [Welch's test](https://doi.org/10.1093/biomet/34.1-2.28) takes that; it is never taken for less than the noise of
//! sampling, for three runs can agree by chance.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Change;

/// Lines with fewer samples on both sides together are not tested.
pub const ENOUGH: u64 = 10;
/// Share of lines called changed that may be false alarms.
pub const RATE: f64 = 0.05;
/// Width of intervals: 95 %.
const INTERVAL: f64 = 0.975;

/// Half of such an interval of a normal distribution, in standard deviations.
pub(super) const HALF: f64 = 1.96;

/// A figure of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figure {
    /// Nanoseconds or bytes.
    pub(super) value: f64,
    /// What sampling does to it.
    pub(super) variance: f64,
    pub(super) samples: u64,
}

impl Figure {
    pub(super) fn add(&mut self, other: &Self) {
        self.value += other.value;
        self.variance += other.variance;
        self.samples = self.samples.saturating_add(other.samples);
    }
}

/// A figure of every run of a side, each divided by `work`.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    pub(super) runs: Vec<Figure>,
    /// Units of work of a run.
    pub(super) work: f64,
}

impl Figures {
    pub(super) fn samples(&self) -> u64 {
        self.runs.iter().fold(0, |sum, figure| sum.saturating_add(figure.samples))
    }

    fn count(&self) -> f64 {
        self.runs.len().max(1) as f64
    }

    fn mean(&self) -> f64 {
        self.runs.iter().map(|figure| figure.value).sum::<f64>() / self.count() / self.work
    }

    /// Variance of a run by sampling alone.
    fn sampling(&self) -> f64 {
        let sum: f64 = self.runs.iter().map(|figure| figure.variance).sum();
        sum / self.count() / self.work.powi(2)
    }

    /// Variance of a run as the runs show it; `None` of a single one.
    fn between(&self) -> Option<f64> {
        if self.runs.len() < 2 {
            return None;
        }
        let mean = self.mean();
        let squares = self.runs.iter().map(|figure| (figure.value / self.work - mean).powi(2));
        Some(squares.sum::<f64>() / (self.count() - 1.0))
    }
}

/// A difference of two means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    before: f64,
    after: f64,
    /// Its standard error.
    error: f64,
    /// Degrees of freedom of that error; infinite where only sampling is known.
    freedom: f64,
}

impl Difference {
    pub(super) fn of(before: &Figures, after: &Figures) -> Self {
        let between = (before.between(), after.between());
        // A side that ran once is taken to be as noisy as the other.
        let (old, new) = match between {
            (Some(old), Some(new)) => (Some(old), Some(new)),
            (Some(only), None) | (None, Some(only)) => (Some(only), Some(only)),
            (None, None) => (None, None),
        };
        let of_mean = |side: &Figures, between: Option<f64>| {
            between.unwrap_or(0.0).max(side.sampling()) / side.count()
        };
        let (old, new) = (of_mean(before, old), of_mean(after, new));
        let (old_free, new_free) = (before.count() - 1.0, after.count() - 1.0);
        let freedom = match between {
            (None, None) => f64::INFINITY,
            (Some(_), None) => old_free,
            (None, Some(_)) => new_free,
            (Some(_), Some(_)) if old + new > 0.0 => {
                (old + new).powi(2) / (old.powi(2) / old_free + new.powi(2) / new_free)
            }
            (Some(_), Some(_)) => old_free + new_free,
        };
        Self { before: before.mean(), after: after.mean(), error: (old + new).sqrt(), freedom }
    }

    pub(super) fn change(&self) -> Change {
        let quantile = match self.freedom {
            freedom if freedom.is_finite() => {
                distribution(freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(INTERVAL))
            }
            _ => HALF,
        };
        // No error of infinite width is not a number.
        let half_width = if self.error == 0.0 { 0.0 } else { quantile * self.error };
        Change { before: self.before, after: self.after, half_width }
    }

    /// Chance of a difference as large or larger when there is none (two-sided).
    pub(super) fn chance(&self) -> f64 {
        let size = (self.after - self.before).abs();
        let ratio = size / self.error;
        match distribution(self.freedom) {
            _ if size == 0.0 => 1.0,
            // No noise at all.
            _ if self.error == 0.0 => 0.0,
            Some(t) if ratio.is_finite() => (2.0 * t.sf(ratio)).min(1.0),
            // Beyond what numbers can tell.
            _ => 1.0,
        }
    }
}

/// Student's distribution; the normal one when `freedom` is infinite.
fn distribution(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}

/// For each chance the least false discovery rate at which it counts as a discovery: `q_i = min over j >= i of
/// p_j * m / j`, chances in order of size. `None` stays: it was not tested.
pub(super) fn discovery_rates(chances: &[Option<f64>]) -> Vec<Option<f64>> {
    let tested = chances.iter().enumerate().filter_map(|(at, chance)| Some((at, (*chance)?)));
    let mut order: Vec<(usize, f64)> = tested.collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut rates = vec![None; chances.len()];
    let mut least = 1.0f64;
    for (position, (at, chance)) in order.iter().enumerate().rev() {
        least = least.min(chance * order.len() as f64 / (position + 1) as f64);
        rates[*at] = Some(least);
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(values: &[f64], variance: f64, work: f64) -> Figures {
        let figure = |value: &f64| Figure { value: *value, variance, samples: 10 };
        Figures { runs: values.iter().map(figure).collect(), work }
    }

    #[track_caller]
    fn assert_near(value: f64, expected: f64) {
        assert!((value / expected - 1.0).abs() < 1e-3, "{value}, not {expected}");
    }

    #[test]
    fn repeated_runs_are_tested_as_welch_does() {
        // t = 6.3246 with 4.655 degrees of freedom; the chance by numerical integration.
        let (before, after) = ([10.0, 12.0, 14.0], [20.0, 21.0, 25.0, 22.0]);
        let difference = Difference::of(&side(&before, 0.0, 1.0), &side(&after, 0.0, 1.0));
        assert_near(difference.freedom, 4.65517);
        assert_near(difference.chance(), 0.0018872);
        assert_near(difference.change().half_width, 4.15669);
        let per_two = Difference::of(&side(&before, 0.0, 2.0), &side(&after, 0.0, 2.0));
        assert_near(per_two.chance(), 0.0018872);
        assert_near(per_two.change().half_width, 4.15669 / 2.0);
    }

    #[test]
    fn runs_that_agree_by_chance_are_as_noisy_as_their_samples() {
        let (before, after) = (side(&[10.0; 3], 9.0, 1.0), side(&[11.0; 3], 9.0, 1.0));
        let difference = Difference::of(&before, &after);
        assert_near(difference.error, 6f64.sqrt());
        assert!(difference.chance() > 0.5);
    }

    #[test]
    fn one_run_each_has_the_noise_of_sampling() {
        // 100 and 130 samples of a tick each: z = 30 / sqrt(230).
        let difference = Difference::of(&side(&[100.0], 100.0, 1.0), &side(&[130.0], 130.0, 1.0));
        assert_near(difference.chance(), 0.047903);
        assert_near(difference.change().half_width, 1.96 * 230f64.sqrt());
        // Against runs that were repeated, it is taken to be as noisy as they are.
        let repeated = side(&[100.0, 140.0, 120.0], 1.0, 1.0);
        let difference = Difference::of(&side(&[130.0], 1.0, 1.0), &repeated);
        assert_near(difference.error, (400.0f64 + 400.0 / 3.0).sqrt());
        assert_near(difference.freedom, 2.0);
    }

    #[test]
    fn nothing_and_the_largest_numbers_are_survived() {
        for value in [0.0, 1.0, 1e38, f64::MAX] {
            for variance in [0.0, 1e76, f64::MAX] {
                let sides = [side(&[value, 0.0], variance, 1e-9), side(&[value], variance, 1e18)];
                let difference = Difference::of(&sides[0], &sides[1]);
                assert!((0.0..=1.0).contains(&difference.chance()), "{value} {variance}");
                assert!(!difference.change().half_width.is_nan(), "{value} {variance}");
            }
        }
        assert_eq!(Difference::of(&side(&[], 0.0, 1.0), &side(&[], 0.0, 1.0)).chance(), 1.0);
    }

    #[test]
    fn discovery_rates_are_those_of_benjamini_and_hochberg() {
        let chances = [Some(0.01), Some(0.04), None, Some(0.03), Some(0.005), Some(0.9)];
        let rates = discovery_rates(&chances);
        let expected = [Some(0.025), Some(0.05), None, Some(0.05), Some(0.025), Some(0.9)];
        for (rate, expected) in rates.iter().zip(expected) {
            assert_eq!(rate.is_some(), expected.is_some());
            assert!((rate.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-12, "{rates:?}");
        }
        assert_eq!(discovery_rates(&[]), []);
    }
}
