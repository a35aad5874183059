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
        Change { before: self.before, after: self.after, half_width: quantile * self.error }
    }

    /// Chance of a difference as large or larger when there is none (two-sided).
    pub(super) fn chance(&self) -> f64 {
        let size = (self.after - self.before).abs();
        match (size / self.error, distribution(self.freedom)) {
            (ratio, Some(t)) if ratio.is_finite() => (2.0 * t.sf(ratio)).min(1.0),
            // No noise at all.
            _ => f64::from(u8::from(size == 0.0)),
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
