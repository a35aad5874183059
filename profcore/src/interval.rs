//! Byte sampling: which allocations and copies become events, and what each one stands for.
//!
//! The bytes that pass through a thread are an axis, cut into strata of one interval each. Every stratum
//! has one sample point, at a random byte of it:
//!
//! ```text
//!   |------------x-----|-x----------------|-------x----------|     x: sample point
//!          ^ bytes so far
//!          |<-left->|  |<-rest->|                                  left: bytes up to and with the point
//! ```
//!
//! A piece of bytes that covers points yields one sample, which weighs the lengths of their strata. So
//! every byte is as likely as any other whatever the pattern of sizes, and the weights of a thread add up
//! to its bytes within one interval. The state is two words and fits a thread's slot.

/// Longest stratum: its length shares a word with `rest`.
const LONGEST: u64 = u32::MAX as u64;

/// Stratum length while sampling is off: how many bytes pass before the interval is looked at again.
const UNSAMPLED: u64 = 1 << 16;

/// Position on the byte axis. All zeros is a valid start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strata {
    /// Bytes up to and with the next sample point; 0: no stratum was begun yet.
    pub(crate) left: u64,
    /// Bytes from that point to the end of its stratum (low 32 bits) and the weight of the point, which is
    /// the stratum's length, or 0 if sampling was off when it was begun (high 32 bits).
    pub(crate) rest: u64,
}

impl Strata {
    /// Moves on by `size` bytes without meeting a sample point; false if there is one among them, and
    /// nothing was done.
    #[inline]
    pub(crate) fn pass(&mut self, size: u64) -> bool {
        let passes = size < self.left;
        if passes {
            self.left -= size;
        }
        passes
    }

    /// Moves on by `size` bytes and returns what they weigh as a sample: the lengths of the strata whose
    /// points are among them, 0 for no sample. New strata are `interval` bytes long (0: sampling is off).
    /// Takes the same time for any size.
    pub(crate) fn take(&mut self, size: u64, interval: u64, random: &mut u64) -> u64 {
        if self.left == 0 {
            *self = Self::begin(interval, random);
        }
        if self.pass(size) {
            return 0;
        }
        let mut weight = self.rest >> 32;
        let beyond = size - self.left;
        let rest = self.rest & LONGEST;
        *self = Self::begin(interval, random);
        if beyond < rest {
            self.left += rest - beyond;
            return weight;
        }
        // Strata that were covered from end to end, then the one in which the piece ends.
        let (length, each) = stratum(interval);
        let within = (beyond - rest) % length;
        weight = weight.saturating_add(((beyond - rest) / length).saturating_mul(each));
        if within < self.left {
            self.left -= within;
        } else {
            weight = weight.saturating_add(each);
            *self = Self::begin(interval, random);
            self.left += length - within;
        }
        weight
    }

    /// The start of a stratum with a random point.
    fn begin(interval: u64, random: &mut u64) -> Self {
        let (length, weight) = stratum(interval);
        let point = below(length, random);
        Self { left: point + 1, rest: (length - point - 1) | weight << 32 }
    }
}

/// Length of a stratum and weight of its point.
fn stratum(interval: u64) -> (u64, u64) {
    match interval {
        0 => (UNSAMPLED, 0),
        _ => (interval.min(LONGEST), interval.min(LONGEST)),
    }
}

/// Thins samples out: of the strata that are met, one in `2^halvings` is told, at random, and takes over the weight of
/// those since the last one. So no bytes are lost, and each is as likely to be told as any other: what a sample takes
/// over has nothing to do with who meets it. `weight` is that of new strata, each `interval` long.
///
/// Returns how much of the weight the sample leaves to the next one; `None` for no sample.
pub(crate) fn thin(weight: u64, interval: u64, halvings: u32, random: &mut u64) -> Option<u64> {
    if weight == 0 || halvings == 0 {
        return (weight != 0).then_some(0);
    }
    let halvings = halvings.min(MOST_HALVINGS);
    // That none of so many is told has a chance of one in 3,000.
    let strata = (weight / interval.max(1)).clamp(1, 8 << halvings);
    // The last of them to be told, counted from the end.
    let after = (0..strata).find(|_| below(1 << halvings, random) == 0)?;
    Some(after.saturating_mul(interval).min(weight))
}

/// Bounds the work of [`thin`].
const MOST_HALVINGS: u32 = 8;

/// A random number below `bound`, by SplitMix64: any state is a good one.
fn below(bound: u64, random: &mut u64) -> u64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *random;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    ((u128::from(mixed) * u128::from(bound)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `take` must equal: the axis walked byte by byte.
    struct Oracle {
        point: u64,
        at: u64,
        length: u64,
        weight: u64,
    }

    impl Oracle {
        fn begin(interval: u64, random: &mut u64) -> Self {
            let (length, weight) = stratum(interval);
            Self { point: below(length, random), at: 0, length, weight }
        }

        fn take(&mut self, size: u64) -> u64 {
            let mut weight = 0;
            for _ in 0..size {
                if self.at == self.point {
                    weight += self.weight;
                }
                self.at += 1;
                assert!(self.at <= self.length);
                if self.at == self.length {
                    // The next point is unknown here; single-stratum comparisons only.
                    return weight;
                }
            }
            weight
        }
    }

    proptest! {
        #[test]
        fn weights_add_up_to_the_bytes_within_one_interval(
            interval in 1_u64..5000,
            seed: u64,
            sizes in prop::collection::vec(0_u64..20_000, 1..200),
        ) {
            let (mut strata, mut random) = (Strata::default(), seed);
            let (mut bytes, mut weights) = (0, 0);
            for size in sizes {
                let weight = strata.take(size, interval, &mut random);
                prop_assert_eq!(weight % interval, 0);
                bytes += size;
                weights += weight;
                prop_assert!(weights.abs_diff(bytes) <= interval);
            }
        }

        #[test]
        fn within_one_stratum_exactly_the_point_is_met(
            interval in 1_u64..300,
            seed: u64,
            sizes in prop::collection::vec(0_u64..40, 1..100),
        ) {
            let (mut strata, mut random, mut same) = (Strata::default(), seed, seed);
            let mut oracle = Oracle::begin(interval, &mut same);
            let mut passed = 0;
            for size in sizes {
                passed += size;
                if passed >= interval {
                    break;
                }
                prop_assert_eq!(strata.take(size, interval, &mut random), oracle.take(size));
            }
        }

        #[test]
        fn a_huge_piece_weighs_its_size(
            interval in 1_u64..1 << 40, seed: u64, before in 0_u64..1 << 33, size in 0..u64::MAX / 4,
        ) {
            let (mut strata, mut random) = (Strata::default(), seed);
            let first = strata.take(before, interval, &mut random);
            let weight = strata.take(size, interval, &mut random);
            let bytes = u128::from(before) + u128::from(size);
            let weights = u128::from(first) + u128::from(weight);
            prop_assert!(weights.abs_diff(bytes) <= u128::from(interval.min(LONGEST)));
        }

        #[test]
        fn a_changed_interval_counts_from_the_next_stratum(
            first in 1_u64..2000, then in 1_u64..2000, seed: u64, before in 0_u64..10_000,
        ) {
            let (mut strata, mut random) = (Strata::default(), seed);
            let mut weights = strata.take(before, first, &mut random);
            // A stratum that was begun keeps its length and its weight: the sums still telescope.
            let mut bytes = before;
            for _ in 0..100 {
                weights += strata.take(97, then, &mut random);
                bytes += 97;
                prop_assert!(weights.abs_diff(bytes) <= first.max(then));
            }
            prop_assert_eq!(strata.rest >> 32, then);
        }

        #[test]
        fn any_state_is_survived(left: u64, rest: u64, size: u64, interval: u64, mut random: u64) {
            // Session memory may hold anything: the program can write there.
            let mut strata = Strata { left, rest };
            let _ = strata.take(size, interval, &mut random);
            let _ = strata.take(size, interval, &mut random);
        }
    }

    #[test]
    fn nothing_is_sampled_while_off_and_all_again_once_on() {
        let (mut strata, mut random) = (Strata::default(), 3);
        assert_eq!(strata.take(10 * UNSAMPLED, 0, &mut random), 0);
        let on: u64 = (0..1000).map(|_| strata.take(UNSAMPLED, 4096, &mut random)).sum();
        assert!(on.abs_diff(1000 * UNSAMPLED) <= 2 * UNSAMPLED);
        let off: u64 = (0..1000).map(|_| strata.take(UNSAMPLED, 0, &mut random)).sum();
        assert!(off <= 4096, "only the stratum under way is still sampled");
    }

    #[test]
    fn sites_that_take_turns_get_what_they_allocate() {
        // Period and interval have a common divisor, the case in which a fixed step always meets the
        // same site. The spread is at most that of as many independent samples; six times that is allowed.
        for (interval, sizes) in
            [(4096, [16, 16]), (4096, [2048, 2048]), (1000, [999, 1]), (4096, [4096, 64])]
        {
            let (mut strata, mut random) = (Strata::default(), 0x5eed);
            let mut weights = [0_u64; 2];
            let rounds = 200_000;
            for _ in 0..rounds {
                for (site, size) in sizes.into_iter().enumerate() {
                    weights[site] += strata.take(size, interval, &mut random);
                }
            }
            for (site, size) in sizes.into_iter().enumerate() {
                let expected = (rounds * size) as f64;
                let samples = expected / interval as f64;
                let allowed = 6.0 * expected / samples.sqrt();
                let error = (weights[site] as f64 - expected).abs();
                assert!(error <= allowed, "{interval} {sizes:?} site {site}: {error} > {allowed}");
            }
        }
    }

    proptest! {
        #[test]
        fn thinned_weights_add_up(
            interval in 1_u64..5000,
            seed: u64,
            steps in prop::collection::vec((0_u64..20_000, 0_u32..10), 1..200),
        ) {
            let (mut strata, mut random, mut carried) = (Strata::default(), seed, 0);
            let (mut met, mut told) = (0, 0);
            for (size, halvings) in steps {
                let weight = strata.take(size, interval, &mut random);
                (met, carried) = (met + weight, carried + weight);
                if let Some(left) = thin(weight, interval, halvings, &mut random) {
                    prop_assert!(left <= weight && weight > 0);
                    (told, carried) = (told + carried - left, left);
                }
                prop_assert_eq!(met, told + carried);
                prop_assert!(halvings > 0 || weight == 0 || carried == 0);
            }
        }

        #[test]
        fn any_words_are_thinned(
            weight: u64, interval: u64, halvings: u32, mut random: u64,
        ) {
            let left = thin(weight, interval, halvings, &mut random);
            prop_assert!(left.is_none_or(|left| left <= weight));
        }
    }

    #[test]
    fn sites_that_take_turns_are_thinned_alike() {
        // Also by a ring that fills and is drained in step with them.
        let (mut strata, mut random, mut carried) = (Strata::default(), 0x5eed, 0);
        for (sizes, halvings) in [
            ([4096, 4096], [4, 4]),
            ([65_536, 64], [3, 3]),
            ([1 << 20, 512], [6, 6]),
            ([3000, 9000], [0, 5]),
        ] {
            let mut weights = [0_u64; 2];
            let rounds = 200_000;
            for round in 0..rounds {
                let halvings = halvings[usize::from(round / 100 % 2 == 0)];
                for (site, size) in sizes.into_iter().enumerate() {
                    let weight = strata.take(size, 4096, &mut random);
                    carried += weight;
                    if let Some(left) = thin(weight, 4096, halvings, &mut random) {
                        weights[site] += carried - left;
                        carried = left;
                    }
                }
            }
            let halvings = halvings.into_iter().max().unwrap_or(0);
            for (site, size) in sizes.into_iter().enumerate() {
                let expected = (rounds * size) as f64;
                // As many independent samples, each of twice the weight that is usual.
                let each = f64::from(4096_u32 << (halvings + 1)).max(size as f64);
                let allowed = 6.0 * (expected * each).sqrt();
                let error = (weights[site] as f64 - expected).abs();
                assert!(error <= allowed, "{sizes:?} site {site}: {error} > {allowed}");
            }
        }
    }

    #[test]
    fn points_are_spread_evenly_over_a_stratum() {
        let (mut random, mut tenths) = (9, [0_u32; 10]);
        for _ in 0..100_000 {
            let begun = Strata::begin(1000, &mut random);
            assert!(
                (1..=1000).contains(&begun.left) && begun.left + (begun.rest & LONGEST) == 1000
            );
            tenths[(begun.left as usize - 1) / 100] += 1;
        }
        // 10,000 expected in each, standard deviation 95.
        assert!(tenths.iter().all(|n| (9400..=10_600).contains(n)), "{tenths:?}");
    }
}
