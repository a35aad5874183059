//! Which lines leak: what stays of their allocations was born all along, up to the end.
//!
//! Sums over a run cannot tell a table that was built once from a list that never stops growing. The moments can at
//! which the blocks that stayed were born. The life of a process is cut into [`PARTS`] equal parts. A line leaks if
//! there is a window that reaches to the end, at least half the life long, with most of the line's surviving blocks
//! spread over all of it:
//!
//! ```text
//!   table built and kept    ▇▇▇▇············   a window over it has an empty quarter
//!   bounded cache, queue    ············▁▃▇▇   so has this: old ones were dropped
//!   leak                    ·▃▂▃▃▂▃▃▃▂▃▃▂▃▃▂   no quarter is empty
//! ```
//!
//! A line that only begins to grow in the second half is not judged: it may as well be building its result.

use crate::ids::{StackId, ThreadId};
use crate::record::Function;
use crate::tables::Tables;
use crate::units::Timestamp;

/// Parts that a life is cut into.
pub const PARTS: usize = 16;
/// A window is at least so long.
const LEAST_WINDOW: usize = PARTS / 2;
/// Fewer surviving sampled blocks are no leak.
const LEAST_BLOCKS: u64 = 5;
/// Fewer bytes are no leak.
const LEAST_BYTES: u64 = 1 << 20;
/// From so many blocks on every quarter of a window must have some: a quarter of them on average, a sixteenth at least;
/// from so many more an eighth.
const SOME: u64 = 16;
const MANY: u64 = 64;

/// Sampled blocks that one thread allocated in one stack, in one part of its process's life, and that were never freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Births {
    /// The thread.
    pub thread: ThreadId,
    /// The stack.
    pub stack: Option<StackId>,
    /// The part, below [`PARTS`].
    pub part: u8,
    /// Blocks.
    pub blocks: u32,
    /// Bytes that they stand for.
    pub bytes: u64,
    /// When the first of them was born.
    pub oldest: Timestamp,
    /// Length of a part, nanoseconds.
    pub part_ns: u64,
}

impl Births {
    /// A block of so many bytes, born at `time` in a process that lived from `begin` for `length` nanoseconds.
    pub(super) fn one(
        (thread, stack): (ThreadId, Option<StackId>),
        bytes: u64,
        time: Timestamp,
        (begin, length): (Timestamp, u64),
    ) -> Self {
        let part_ns = (length / PARTS as u64).max(1);
        let age = time.as_nanos().saturating_sub(begin.as_nanos());
        let part = (age / part_ns).min(PARTS as u64 - 1) as u8;
        Self { thread, stack, part, blocks: 1, bytes, oldest: time, part_ns }
    }

    /// Makes one of those of the same thread, stack and part, in that order.
    pub(super) fn add_up(all: &mut Vec<Self>) {
        let key = |births: &Self| (births.thread, births.stack, births.part);
        all.sort_unstable_by_key(key);
        all.dedup_by(|next, kept| {
            let same = key(next) == key(kept);
            if same {
                kept.blocks = kept.blocks.saturating_add(next.blocks);
                kept.bytes = kept.bytes.saturating_add(next.bytes);
                kept.oldest = kept.oldest.min(next.oldest);
                kept.part_ns = kept.part_ns.max(next.part_ns);
            }
            same
        });
    }
}

/// Births of the blocks of one line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    oldest: Timestamp,
    /// Stack that the oldest was allocated in.
    stack: Option<StackId>,
    part_ns: u64,
    blocks: [u64; PARTS],
    bytes: [u64; PARTS],
}

impl Spread {
    pub(super) fn of<'a>(all: impl IntoIterator<Item = &'a Births>) -> Self {
        let oldest = Timestamp::from_nanos(u64::MAX);
        let (blocks, bytes) = ([0; PARTS], [0; PARTS]);
        let mut spread = Self { oldest, stack: None, part_ns: 0, blocks, bytes };
        for births in all {
            let part = usize::from(births.part).min(PARTS - 1);
            spread.blocks[part] = spread.blocks[part].saturating_add(births.blocks.into());
            spread.bytes[part] = spread.bytes[part].saturating_add(births.bytes);
            spread.part_ns = spread.part_ns.max(births.part_ns);
            if births.oldest < spread.oldest {
                (spread.oldest, spread.stack) = (births.oldest, births.stack);
            }
        }
        spread
    }
}

/// Memory that a line loses all along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Growth, bytes per second.
    pub bytes_per_s: u64,
    /// Lower end of a 95 % interval of it, from the number of sampled blocks.
    pub low: u64,
    /// Upper end.
    pub high: u64,
    /// Surviving sampled blocks that it was found by.
    pub blocks: u64,
    /// Birth of the oldest.
    pub oldest: Timestamp,
    /// Stack that the oldest was allocated in.
    pub stack: Option<StackId>,
}

impl Leak {
    /// The frames of [`stack`](Self::stack), innermost first, each with its line.
    pub fn frames<'a>(&self, tables: &'a Tables) -> impl Iterator<Item = (Function, u32)> + 'a {
        let frames = tables.walk(self.stack).filter_map(|id| tables.frame(id));
        frames.filter_map(|frame| Some((tables.function(frame.function)?, frame.line)))
    }
}

/// Judges a line by the births of what stayed of its allocations, `kept` bytes of `allocated`.
pub(super) fn judge(spread: &Spread, kept: u64, allocated: u64) -> Option<Leak> {
    let all: u64 = sum(&spread.blocks);
    if all < LEAST_BLOCKS || sum(&spread.bytes) < LEAST_BYTES {
        return None;
    }
    let first = (0..=PARTS - LEAST_WINDOW).find(|&first| {
        let window = &spread.blocks[first..];
        let blocks = sum(window);
        blocks >= LEAST_BLOCKS && blocks >= all / 2 && is_even(window, blocks, kept, allocated)
    })?;
    let blocks = sum(&spread.blocks[first..]);
    let nanos = spread.part_ns.saturating_mul((PARTS - first) as u64).max(1);
    let per_second = sum(&spread.bytes[first..]) as f64 * 1e9 / nanos as f64;
    let around = 1.96 / (blocks as f64).sqrt();
    Some(Leak {
        bytes_per_s: per_second as u64,
        low: (per_second * (1.0 - around)).max(0.0) as u64,
        high: (per_second * (1.0 + around)) as u64,
        blocks,
        oldest: spread.oldest,
        stack: spread.stack,
    })
}

/// Whether blocks are spread over the whole window. Of few blocks chance alone can leave a quarter empty: they must be
/// in both halves, and nearly all that the line allocated must have stayed.
fn is_even(window: &[u64], blocks: u64, kept: u64, allocated: u64) -> bool {
    let all_of = |pieces: usize, least: u64| {
        let piece = |n: usize| &window[window.len() * n / pieces..window.len() * (n + 1) / pieces];
        (0..pieces).all(|n| sum(piece(n)) >= least)
    };
    match blocks {
        MANY.. => all_of(4, blocks / 8),
        SOME.. => all_of(4, blocks.div_ceil(16)),
        _ => {
            let nearly_all = kept.saturating_mul(5) >= allocated.saturating_mul(4);
            nearly_all && all_of(2, (blocks / 4).max(1))
        }
    }
}

fn sum(all: &[u64]) -> u64 {
    all.iter().fold(0, |sum, one| sum.saturating_add(*one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;
    const BLOCK: u64 = 1 << 18;

    /// Blocks born at these moments, in seconds, of a life of 16 s.
    fn born(moments: impl IntoIterator<Item = f64>) -> Spread {
        let nanos = moments.into_iter().map(|moment| (moment * SECOND as f64) as u64);
        spread(nanos.map(|nanos| (nanos, BLOCK)), (Timestamp::ZERO, 16 * SECOND))
    }

    fn spread(births: impl Iterator<Item = (u64, u64)>, life: (Timestamp, u64)) -> Spread {
        let thread = ThreadId::new(0);
        let one =
            |(time, bytes)| Births::one((thread, None), bytes, Timestamp::from_nanos(time), life);
        let mut all: Vec<Births> = births.map(one).collect();
        Births::add_up(&mut all);
        assert!(all.len() <= PARTS && all.is_sorted_by_key(|births| births.part));
        Spread::of(&all)
    }

    fn leak(spread: &Spread, part_kept: f64) -> Option<Leak> {
        let kept = sum(&spread.bytes);
        judge(spread, kept, (kept as f64 / part_kept) as u64)
    }

    fn evenly(from: f64, to: f64, blocks: u32) -> impl Iterator<Item = f64> {
        (0..blocks).map(move |n| from + (to - from) * (f64::from(n) + 0.5) / f64::from(blocks))
    }

    #[test]
    fn what_grows_up_to_the_end_leaks() {
        for (from, blocks) in [(0.0, 1000), (0.3, 100), (1.5, 20), (7.0, 64)] {
            let spread = born(evenly(from, 16.0, blocks));
            let found = leak(&spread, 0.01).unwrap_or_else(|| panic!("{from} {blocks}"));
            let truth = f64::from(blocks) * BLOCK as f64 / (16.0 - from);
            let error = (found.bytes_per_s as f64 - truth).abs() / truth;
            assert!(error < 0.1, "{from}: {found:?}, in truth {truth}");
            assert!(found.low < found.bytes_per_s && found.bytes_per_s < found.high);
            assert_eq!(found.oldest, spread.oldest);
        }
        assert!(leak(&born(evenly(0.0, 16.0, 8)), 0.9).is_some(), "few large ones");
        let early = born(evenly(0.0, 0.1, 30).chain(evenly(4.0, 16.0, 90)));
        assert!(leak(&early, 0.5).is_some(), "a table, and a leak that begins later");
    }

    #[test]
    fn what_was_built_or_is_bounded_does_not() {
        for (name, spread) in [
            ("table at the start", born(evenly(0.0, 1.0, 500))),
            ("table, for long", born(evenly(0.0, 11.0, 500))),
            ("table in the middle", born(evenly(6.0, 9.0, 500))),
            ("result at the end", born(evenly(12.0, 16.0, 500))),
            ("cache of the last seconds", born(evenly(10.0, 16.0, 500))),
            ("table and cache", born(evenly(0.0, 1.0, 200).chain(evenly(13.0, 16.0, 200)))),
            ("few", born(evenly(0.0, 16.0, 4))),
            ("nothing", born([])),
        ] {
            assert_eq!(leak(&spread, 1.0), None, "{name}");
        }
        assert_eq!(leak(&born(evenly(0.0, 16.0, 8)), 0.1), None, "few, of much");
        let births = (0..100).map(|n| (n * SECOND / 10, 1000));
        let small = spread(births, (Timestamp::ZERO, 10 * SECOND));
        assert_eq!(judge(&small, 100_000, 100_000), None, "next to nothing");
    }

    proptest! {
        #[test]
        fn any_births_are_survived(
            births in prop::collection::vec((any::<u64>(), any::<u64>()), 0..200),
            begin: u64, length: u64, kept: u64, allocated: u64,
        ) {
            let spread = spread(births.into_iter(), (Timestamp::from_nanos(begin), length));
            let _ = judge(&spread, kept, allocated);
        }
    }
}
