//! Ticks against samples and losses.

use std::collections::BTreeMap;

use crate::analysis::Profile;
use crate::record::counter;

/// What became of the timer's ticks, all processes together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Ticks that reached the handler.
    pub ticks: u64,
    /// Ticks that became samples.
    pub samples: u64,
    /// Lost ticks by reason.
    pub lost: BTreeMap<String, u64>,
}

impl Books {
    /// True if every tick is a sample or was counted as lost.
    pub fn balanced(&self) -> bool {
        let lost = self.lost.values().fold(0u64, |sum, n| sum.saturating_add(*n));
        self.ticks == self.samples.saturating_add(lost)
    }
}

/// The books of a profile, as its counters have them. A trace without the counters (its end was lost
/// before the first was written) has the samples that are in it, and no loss that could be known.
pub fn books(profile: &Profile) -> Books {
    let lost: BTreeMap<String, u64> = profile
        .counters
        .iter()
        .filter(|(_, value)| **value > 0)
        .filter_map(|(name, value)| Some((name.strip_prefix(counter::LOST)?.to_owned(), *value)))
        .collect();
    let value = |name| profile.counters.get(name).copied();
    match (value(counter::TICKS), value(counter::SAMPLES)) {
        (Some(ticks), Some(samples)) => Books { ticks, samples, lost },
        _ => {
            let samples = profile.time.iter().filter(|t| t.class.on_cpu()).map(|t| t.samples).sum();
            let ticks = lost.values().fold(samples, |sum: u64, n| sum.saturating_add(*n));
            Books { ticks, samples, lost }
        }
    }
}
