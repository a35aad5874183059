//! Four ways of sampling by bytes: what an allocation weighs in the account, 0 for no sample.

use profcore::bench::SamplerBench;

use crate::random::Random;

/// A sampler of one thread.
pub trait Estimator {
    /// Passes an allocation of `size` bytes and returns its weight.
    fn take(&mut self, size: u64) -> f64;
}

type Make = fn(interval: u64, seed: u64) -> Box<dyn Estimator>;

/// Name and maker of each: the one that we ship first.
pub const ALL: [(&str, Make); 4] = [
    ("strata", |interval, seed| Box::new(Strata { sampler: SamplerBench::new(seed), interval })),
    ("exponential", |interval, seed| Box::new(Exponential::new(interval, seed))),
    ("jittered", |interval, seed| Box::new(SinceLast::new(interval, interval / 2, seed))),
    ("fixed step", |interval, seed| Box::new(SinceLast::new(interval, 0, seed))),
];

/// A point at a random byte of each stratum; weight: the strata whose points are met. Ours.
struct Strata {
    sampler: SamplerBench,
    interval: u64,
}

impl Estimator for Strata {
    fn take(&mut self, size: u64) -> f64 {
        self.sampler.take(size, self.interval) as f64
    }
}

/// Points of a Poisson process; weight: the size over the chance of being met, unbiased by theory.
struct Exponential {
    mean: f64,
    left: f64,
    random: Random,
}

impl Exponential {
    fn new(interval: u64, seed: u64) -> Self {
        let mut new = Self { mean: interval as f64, left: 0.0, random: Random::new(seed) };
        new.left = new.step();
        new
    }

    fn step(&mut self) -> f64 {
        const STEPS: u64 = 1 << 31;
        let uniform = (self.random.below(STEPS) + 1) as f64 / STEPS as f64;
        -self.mean * uniform.ln()
    }
}

impl Estimator for Exponential {
    fn take(&mut self, size: u64) -> f64 {
        let size = size as f64;
        if size < self.left {
            self.left -= size;
            return 0.0;
        }
        // The process has no memory: it begins anew behind the block.
        self.left = self.step();
        size / -(-size / self.mean).exp_m1()
    }
}

/// A sample as soon as so many bytes have passed, give or take the jitter; weight: the bytes since the last sample.
struct SinceLast {
    interval: u64,
    jitter: u64,
    since: u64,
    threshold: u64,
    random: Random,
}

impl SinceLast {
    fn new(interval: u64, jitter: u64, seed: u64) -> Self {
        let mut new = Self { interval, jitter, since: 0, threshold: 0, random: Random::new(seed) };
        // The first sample at any byte of the first interval, or all runs would be the same.
        new.threshold = 1 + new.random.below(interval);
        new
    }
}

impl Estimator for SinceLast {
    fn take(&mut self, size: u64) -> f64 {
        self.since += size;
        if self.since < self.threshold {
            return 0.0;
        }
        let weight = std::mem::take(&mut self.since);
        self.threshold = self.interval - self.jitter + self.random.below(2 * self.jitter + 1);
        weight as f64
    }
}
