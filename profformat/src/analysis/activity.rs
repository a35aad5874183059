//! When time was spent: the weights of samples by part of the run, beside their sums over all of it.
//!
//! A part is a power of two of nanoseconds long. When there are too many parts or weights, two parts become one, so
//! that memory follows the number of different stacks, however long the run is.

use std::hint::black_box;

use super::{Activity, PartWeight};
use crate::units::Timestamp;

/// Parts of the run at most: more than a screen has columns.
const PARTS: u64 = 1 << 11;
/// Weights that are kept at most; two more for every sum.
const WEIGHTS: usize = 1 << 19;
/// Nanoseconds of the shortest part, as a power of two: about a millisecond.
const SHORTEST: u32 = 20;
/// Weights of a part that are sorted with a buffer beside them.
const MERGED: usize = 1 << 16;
/// Stands for the place of a weight that there is not yet.
const NONE: u32 = u32::MAX;

/// Adds up weights by part, and by place of the sum that each counts for.
#[derive(Debug)]
pub(super) struct Parts {
    shift: u32,
    most: usize,
    weights: Vec<PartWeight>,
    /// By place of the sum: where its newest weight stands.
    newest: Vec<u32>,
}

impl Parts {
    pub(super) fn new() -> Self {
        Self::with_room(WEIGHTS)
    }

    fn with_room(most: usize) -> Self {
        Self { shift: SHORTEST, most, weights: Vec::new(), newest: Vec::new() }
    }

    /// Looks at what samples of these sums look at, to have it in the cache.
    pub(super) fn touch(&self, places: &[usize]) {
        let newest = places.iter().filter_map(|at| self.newest.get(*at));
        let weights = newest.filter_map(|at| self.weights.get(*at as usize));
        black_box(weights.fold(0, |all, weight| all ^ weight.part));
    }

    /// Adds a sample's weight to the sum at this place.
    pub(super) fn add(&mut self, at: usize, time: Timestamp, weight_ns: u64) {
        if weight_ns == 0 {
            return;
        }
        let longer = self.shift;
        while time.as_nanos().checked_shr(self.shift).unwrap_or(0) >= PARTS {
            self.shift += 1;
        }
        if self.shift > longer {
            self.lengthen(self.shift - longer);
        }
        let part = time.as_nanos().checked_shr(self.shift).unwrap_or(0) as u32;
        if at >= self.newest.len() {
            self.newest.resize(at + 1, NONE);
        }
        match self.weights.get_mut(self.newest[at] as usize) {
            Some(newest) if newest.part == part => {
                newest.weight_ns = newest.weight_ns.saturating_add(weight_ns);
            }
            _ => {
                self.newest[at] = self.weights.len() as u32;
                self.weights.push(PartWeight { part, sum: at as u32, weight_ns });
                self.tidy();
            }
        }
    }

    /// Makes room where there is none left.
    fn tidy(&mut self) {
        let most = self.most + 2 * self.newest.len();
        if self.weights.len() < most {
            return;
        }
        // Samples can come out of order: then a part has several weights of one sum.
        self.lengthen(0);
        while self.weights.len() > most / 2 && self.shift < u64::BITS {
            self.shift += 1;
            self.lengthen(1);
        }
    }

    /// Makes one part of every 2 to the power of `by`.
    fn lengthen(&mut self, by: u32) {
        for weight in &mut self.weights {
            weight.part = weight.part.checked_shr(by).unwrap_or(0);
        }
        add_up(&mut self.weights);
        for (at, weight) in self.weights.iter().enumerate() {
            self.newest[weight.sum as usize] = at as u32;
        }
    }

    /// The weights, with the places that sums have after they were sorted: `sorted` by the place that they had.
    pub(super) fn finish(mut self, sorted: &[u32]) -> Activity {
        for weight in &mut self.weights {
            weight.sum = sorted[weight.sum as usize];
        }
        add_up(&mut self.weights);
        let part_ns = 1_u64.checked_shl(self.shift).unwrap_or(u64::MAX);
        Activity { part_ns, weights: self.weights }
    }
}

/// Sorts by part, in linear time: there are at most [`PARTS`]. Each exchange brings one to where its part stands.
fn by_part(weights: &mut [PartWeight]) {
    let count = weights.iter().map(|weight| weight.part as usize + 1).max().unwrap_or(0);
    let mut ends = vec![0; count];
    weights.iter().for_each(|weight| ends[weight.part as usize] += 1);
    let mut next = vec![0; count];
    let mut before = 0;
    for (next, end) in next.iter_mut().zip(&mut ends) {
        *next = before;
        before += *end;
        *end = before;
    }
    for part in 0..count {
        while next[part] < ends[part] {
            let at = next[part];
            let home = weights[at].part as usize;
            weights.swap(at, next[home]);
            next[home] += 1;
        }
    }
}

/// Makes one of the weights of the same part and sum, in that order.
fn add_up(weights: &mut Vec<PartWeight>) {
    by_part(weights);
    for part in weights.chunk_by_mut(|a, b| a.part == b.part) {
        // Two sorted parts that have become one are merged by the one, which takes memory, but not by the other.
        if part.len() <= MERGED {
            part.sort_by_key(|weight| weight.sum);
        } else {
            part.sort_unstable_by_key(|weight| weight.sum);
        }
    }
    weights.dedup_by(|next, kept| {
        let same = (next.part, next.sum) == (kept.part, kept.sum);
        if same {
            kept.weight_ns = kept.weight_ns.saturating_add(next.weight_ns);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    /// Samples as place, time and weight: at random, or of runs of any length.
    fn samples() -> impl Strategy<Value = Vec<(usize, u64, u64)>> {
        let time = prop_oneof![0..1_u64 << 24, 0..1_u64 << 40, any::<u64>()];
        let weight = prop_oneof![4 => 0..100_u64, 1 => any::<u64>()];
        prop::collection::vec((0..6_usize, time, weight), 0..300)
    }

    proptest! {
        #[test]
        fn parts_are_what_adding_up_by_hand_gives(samples in samples(), most in 1..200_usize) {
            let mut parts = Parts::with_room(most);
            for &(place, time, weight) in &samples {
                parts.add(place, at(time), weight);
                prop_assert!(parts.weights.len() <= most + 2 * parts.newest.len());
            }
            // Any other order of the sums will do.
            let activity = parts.finish(&[5, 4, 3, 2, 1, 0]);
            let mut expected: BTreeMap<(u32, u32), u64> = BTreeMap::new();
            for &(place, time, weight) in samples.iter().filter(|sample| sample.2 > 0) {
                let part = u32::try_from(time / activity.part_ns).unwrap();
                let sum = expected.entry((part, 5 - place as u32)).or_default();
                *sum = sum.saturating_add(weight);
            }
            let found = activity.weights.iter().map(|w| ((w.part, w.sum), w.weight_ns));
            prop_assert_eq!(found.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_long_run_has_longer_parts_and_no_more_of_them() {
        let mut parts = Parts::with_room(1 << 12);
        for n in 0..2_000_000_u64 {
            parts.add((n % 7) as usize, at(n * 10_000_000), 10_000_000);
        }
        let activity = parts.finish(&[0, 1, 2, 3, 4, 5, 6]);
        let count = activity.weights.last().unwrap().part + 1;
        assert!((256..=2048).contains(&count), "{count} parts");
        let sum: u64 = activity.weights.iter().map(|weight| weight.weight_ns).sum();
        assert_eq!(sum, 2_000_000 * 10_000_000);
    }

    #[test]
    fn a_stack_for_every_sample_is_survived() {
        let mut parts = Parts::with_room(64);
        for n in 0..10_000_u64 {
            parts.add(n as usize, at(n << 50), u64::MAX);
        }
        let sorted: Vec<u32> = (0..10_000).collect();
        let activity = parts.finish(&sorted);
        assert_eq!(activity.weights.len(), 10_000);
    }
}
