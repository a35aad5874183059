//! How often the view looks: as often as is wanted, as long as that costs next to nothing.

use std::time::{Duration, Instant};

use rustix::time::ClockId;

/// Share of a core that the view may take.
const BUDGET: f64 = 0.01;
/// A share at which it may look twice as often again.
const EASY: f64 = 0.003;
/// Time over which its share is taken.
const SPAN: Duration = Duration::from_secs(2);
/// Halvings at most.
const MOST: u32 = 4;

/// Measures what this thread costs, and slows it down.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    used: Duration,
    /// Share of a core, lately.
    pub(super) cost: f64,
    halvings: u32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), used: used(), cost: 0.0, halvings: 0 }
    }

    /// Looks at the clocks.
    pub(super) fn measure(&mut self) {
        let (spent, now) = (self.since.elapsed(), used());
        if spent < SPAN {
            return;
        }
        let cost = now.saturating_sub(self.used).as_secs_f64() / spent.as_secs_f64();
        (self.since, self.used) = (Instant::now(), now);
        self.judge(cost);
    }

    fn judge(&mut self, cost: f64) {
        self.cost = cost;
        if cost > BUDGET {
            self.halvings = (self.halvings + 1).min(MOST);
        } else if cost < EASY {
            self.halvings = self.halvings.saturating_sub(1);
        }
    }

    /// Time between two looks, when so many a second are wanted.
    pub(super) fn interval(&self, wanted: u32) -> Duration {
        Duration::from_secs(1) * (1 << self.halvings) / wanted.max(1)
    }

    /// Looks per second, when they are fewer than wanted.
    pub(super) fn slowed(&self, wanted: u32) -> Option<f64> {
        (self.halvings > 0).then(|| f64::from(wanted) / f64::from(1 << self.halvings))
    }
}

/// CPU time of this thread.
fn used() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_too_much_is_done_less_often() {
        let mut pace = Pace::new();
        assert_eq!((pace.interval(4), pace.slowed(4)), (Duration::from_millis(250), None));
        pace.judge(0.02);
        assert_eq!((pace.interval(4), pace.slowed(4)), (Duration::from_millis(500), Some(2.0)));
        (0..9).for_each(|_| pace.judge(0.5));
        assert_eq!(pace.interval(4), Duration::from_secs(4));
        pace.judge(0.006);
        assert_eq!(pace.interval(4), Duration::from_secs(4));
        (0..4).for_each(|_| pace.judge(0.001));
        assert_eq!(pace.slowed(4), None);
    }
}
