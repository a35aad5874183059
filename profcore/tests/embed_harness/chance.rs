//! How far a share of samples may be off by chance.

/// Standard deviations that no share is off by chance. There are more than ten shares in a run, and on a busy machine few
/// samples, whose weights differ much.
pub(crate) const SURE: f64 = 4.5;

/// Standard deviation of a share: samples differ in weight, so there are as many as would scatter as much if each had the
/// same.
pub(crate) fn sigma(weights: &[u64], share: f64) -> f64 {
    let weights = weights.iter().map(|&weight| weight as f64);
    let squares: f64 = weights.clone().map(|weight| weight * weight).sum();
    (share * (1.0 - share) * squares).sqrt() / weights.sum::<f64>()
}
