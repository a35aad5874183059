//! Allocations by thread and stack, and what became of them.
//!
//! A followed block has a number that is unique in its process; `Alloc`, `Free` and `Resize` records are
//! paired by (process, number). A forked child numbers its own blocks, so its parent's are not touched.
//!
//! Records of one block can stand in the trace in another order than they happened, for the rings of its
//! threads are drained one after the other. So nothing here follows the order of records:
//! - the moment of the footprint's peak is known beforehand (see [`super::Survey`]), and whether a block
//!   was live at it is a comparison of times;
//! - the allocation that makes the peak is recorded a moment after the peak, for the hook adds to the
//!   footprint before it takes a sample: the first one within [`MOMENT`] of the peak was live at it. Were it
//!   another one, the figures would be wrong by that one sample;
//! - a `Free` or `Resize` whose `Alloc` has not come, and a `Free` for which a growth sampled by another
//!   thread may still come, are remembered for [`LATENESS`], at most [`REMEMBERED`] of them.
//!
//! Memory: one entry for each stack, each live followed block (at most [`BLOCKS`] of at most [`PARTS`], their parts
//! together no more either; others only count as allocated) and each remembered block. Several samples
//! of one block in one stack are one part of it. A block keeps its last shrinking only: two shrinkings by
//! two threads within one drain, with a growth between, may so be taken for one.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::MEMORY_SUMS;
use super::estimate::Calls;
use super::sums::{Key as SumKey, Sum, Sums};
use crate::analysis::MemorySum;
use crate::ids::{ProcessId, ThreadId};
use crate::record::{Alloc, Domain, Free, Resize};
use crate::units::Timestamp;

/// How long after the peak its own allocation can be recorded, nanoseconds.
const MOMENT: u64 = 1_000_000;
/// How long the end of a block is remembered, nanoseconds.
const LATENESS: u64 = 10_000_000_000;
/// How many ended blocks are remembered at most.
const REMEMBERED: usize = 1 << 17;

/// How many parts a block has at most: stacks that made it grow. Every one is looked at when it changes.
const PARTS: usize = 16;
/// How many live blocks are followed at most.
pub(super) const BLOCKS: usize = 7 << 15;

type Key = (Option<ProcessId>, u64);

/// Bytes of one block that one stack asked for.
#[derive(Clone, Copy, Debug)]
struct Part {
    sum: u32,
    time: Timestamp,
    live: u64,
    at_peak: u64,
}

#[derive(Clone, Copy, Debug)]
struct Shrink {
    time: Timestamp,
    old: u64,
    new: u64,
}

impl Shrink {
    fn scale(self, weight: u64) -> u64 {
        let scaled = u128::from(weight) * u128::from(self.new) / u128::from(self.old.max(1));
        u64::try_from(scaled).unwrap_or(weight).min(weight)
    }
}

#[derive(Debug, Default)]
struct Block {
    parts: Vec<Part>,
    shrink: Option<Shrink>,
}

/// What came before the block's `Alloc`, or ended it.
#[derive(Clone, Copy, Debug, Default)]
struct Early {
    freed: Option<Timestamp>,
    shrink: Option<Shrink>,
}

/// An allocation with its time, its sum and its weight.
type Timed = (Timestamp, usize, u64);

impl Sum for MemorySum {
    fn new((thread, stack, _): SumKey) -> Self {
        Self {
            thread,
            stack,
            samples: 0,
            alloc_bytes: 0,
            alloc_count: 0,
            alloc_python_bytes: 0,
            live_at_peak_bytes: 0,
            live_at_peak_blocks: 0,
            live_at_end_bytes: 0,
            live_at_end_blocks: 0,
        }
    }

    fn key(&self) -> SumKey {
        (self.thread, self.stack, 0)
    }
}

/// Pairs allocations with their ends.
#[derive(Debug)]
pub(super) struct Heap {
    peak: Option<Timestamp>,
    /// The first allocation that is not older than the peak.
    maker: Option<Timed>,
    pub(super) sums: Sums<MemorySum>,
    /// By place of the sum.
    calls: Vec<Calls>,
    blocks: HashMap<Key, Block>,
    /// Parts of all blocks.
    parts: usize,
    early: HashMap<Key, Early>,
    ages: VecDeque<(Timestamp, Key)>,
    newest: Timestamp,
    /// Blocks and parts that were not followed, for there were [`BLOCKS`] or [`PARTS`] already.
    unfollowed: u64,
}

impl Heap {
    /// `peak`: the moment of the footprint's peak, if there is one.
    pub(super) fn new(peak: Option<Timestamp>) -> Self {
        Self {
            peak,
            maker: None,
            sums: Sums::new(MEMORY_SUMS),
            calls: Vec::new(),
            blocks: HashMap::new(),
            parts: 0,
            early: HashMap::new(),
            ages: VecDeque::new(),
            newest: Timestamp::ZERO,
            unfollowed: 0,
        }
    }

    /// An allocation by a thread of `process` (`None` when the thread is not in the trace).
    pub(super) fn alloc(&mut self, process: Option<ProcessId>, alloc: &Alloc) {
        let at = self.sums.place((alloc.thread, alloc.stack, 0));
        let figures = &mut self.sums.all[at];
        figures.samples += 1;
        figures.alloc_bytes = figures.alloc_bytes.saturating_add(alloc.weight);
        if alloc.domain == Domain::Python {
            figures.alloc_python_bytes = figures.alloc_python_bytes.saturating_add(alloc.weight);
        }
        Calls::of(&mut self.calls, at).add(alloc.weight, alloc.size);
        if alloc.block == 0 {
            return;
        }

        self.may_make_peak((alloc.time, at, alloc.weight));
        let key = (process, alloc.block);
        let early = self.early.get(&key).copied().unwrap_or_default();
        let mut part = Part {
            sum: at as u32,
            time: alloc.time,
            live: alloc.weight,
            at_peak: if self.by_peak(alloc.time) { alloc.weight } else { 0 },
        };
        let known = self.blocks.get(&key).and_then(|b| b.shrink).or(early.shrink);
        if let Some(shrink) = known.filter(|s| s.time > alloc.time) {
            part.live = shrink.scale(part.live);
            if self.by_peak(shrink.time) {
                part.at_peak = shrink.scale(part.at_peak);
            }
        }
        if let Some(freed) = early.freed {
            part.live = 0;
            if self.by_peak(freed) {
                part.at_peak = 0;
            }
            set_peak(&mut self.sums.all[at], 0, part.at_peak);
            return;
        }

        if self.blocks.len() >= BLOCKS && !self.blocks.contains_key(&key) {
            self.unfollowed += 1;
            return;
        }
        let figures = &mut self.sums.all[at];
        let block = self.blocks.entry(key).or_default();
        block.shrink = block.shrink.or(early.shrink);
        let is_full = block.parts.len() >= PARTS || self.parts >= BLOCKS;
        match block.parts.iter_mut().find(|p| p.sum == at as u32) {
            Some(old) => {
                let live = old.live.saturating_add(part.live);
                let at_peak = old.at_peak.saturating_add(part.at_peak);
                set_live(figures, old.live, live);
                set_peak(figures, old.at_peak, at_peak);
                *old = Part { sum: at as u32, time: old.time.max(part.time), live, at_peak };
            }
            None if is_full => self.unfollowed += 1,
            None => {
                set_live(figures, 0, part.live);
                set_peak(figures, 0, part.at_peak);
                // Most blocks have one.
                block.parts.reserve_exact(1);
                block.parts.push(part);
                self.parts += 1;
            }
        }
    }

    /// The end of a block.
    pub(super) fn free(&mut self, process: Option<ProcessId>, free: &Free) {
        let key = (process, free.block);
        let by_peak = self.by_peak(free.time);
        let mut shrink = None;
        if let Some(block) = self.blocks.remove(&key) {
            shrink = block.shrink;
            self.parts -= block.parts.len();
            for part in block.parts {
                let figures = &mut self.sums.all[part.sum as usize];
                set_live(figures, part.live, 0);
                if by_peak {
                    set_peak(figures, part.at_peak, 0);
                }
            }
        }
        let early = self.remember(key, free.time);
        early.freed = Some(free.time);
        early.shrink = shrink.or(early.shrink);
    }

    /// Another size of a block. Only a smaller one matters: growth is an `Alloc` of its own.
    pub(super) fn resize(&mut self, process: Option<ProcessId>, resize: &Resize) {
        if resize.new_size >= resize.old_size {
            return;
        }
        let key = (process, resize.block);
        let shrink = Shrink { time: resize.time, old: resize.old_size, new: resize.new_size };
        let by_peak = self.by_peak(shrink.time);
        let Some(block) = self.blocks.get_mut(&key) else {
            self.remember(key, resize.time).shrink = Some(shrink);
            return;
        };
        for part in block.parts.iter_mut().filter(|p| p.time <= shrink.time) {
            let figures = &mut self.sums.all[part.sum as usize];
            let live = shrink.scale(part.live);
            set_live(figures, part.live, live);
            part.live = live;
            if by_peak {
                let at_peak = shrink.scale(part.at_peak);
                set_peak(figures, part.at_peak, at_peak);
                part.at_peak = at_peak;
            }
        }
        block.shrink = Some(shrink);
    }

    /// How many blocks could not be followed.
    pub(super) fn unfollowed(&self) -> u64 {
        self.unfollowed
    }

    /// The sums by thread and stack, in that order. `gone` tells threads whose process had ended before
    /// the peak: what it never freed was not live then.
    pub(super) fn finish(mut self, gone: impl Fn(ThreadId) -> bool) -> Vec<MemorySum> {
        // One of the peak's own time is there already.
        if let Some((_, at, weight)) = self.maker.filter(|maker| !self.by_peak(maker.0)) {
            set_peak(&mut self.sums.all[at], 0, weight);
        }
        let mut sums = self.sums.all;
        for (figures, calls) in sums.iter_mut().zip(self.calls) {
            figures.alloc_count = calls.round();
            if gone(figures.thread) {
                figures.live_at_peak_bytes = 0;
                figures.live_at_peak_blocks = 0;
            }
        }
        sums.sort_unstable_by_key(|s| (s.thread, s.stack));
        sums
    }

    /// True for what had happened when the footprint was highest.
    fn by_peak(&self, time: Timestamp) -> bool {
        self.peak.is_some_and(|peak| time <= peak)
    }

    fn may_make_peak(&mut self, alloc: Timed) {
        let Some(peak) = self.peak.map(Timestamp::as_nanos) else { return };
        let near = (peak..=peak.saturating_add(MOMENT)).contains(&alloc.0.as_nanos());
        if near && self.maker.is_none_or(|first| alloc.0 < first.0) {
            self.maker = Some(alloc);
        }
    }

    fn remember(&mut self, key: Key, time: Timestamp) -> &mut Early {
        self.newest = self.newest.max(time);
        let limit = self.newest.as_nanos().saturating_sub(LATENESS);
        while let Some(&(age, old)) = self.ages.front() {
            if self.ages.len() < REMEMBERED && age.as_nanos() >= limit {
                break;
            }
            self.ages.pop_front();
            self.early.remove(&old);
        }
        self.early.entry(key).or_insert_with(|| {
            self.ages.push_back((time, key));
            Early::default()
        })
    }
}

fn set_live(figures: &mut MemorySum, old: u64, new: u64) {
    change(&mut figures.live_at_end_bytes, &mut figures.live_at_end_blocks, old, new);
}

fn set_peak(figures: &mut MemorySum, old: u64, new: u64) {
    change(&mut figures.live_at_peak_bytes, &mut figures.live_at_peak_blocks, old, new);
}

/// Replaces a block's bytes in a sum; a block of no bytes is no block.
fn change(bytes: &mut u64, blocks: &mut u64, old: u64, new: u64) {
    *bytes = bytes.saturating_sub(old).saturating_add(new);
    *blocks = blocks.saturating_sub(u64::from(old > 0)) + u64::from(new > 0);
}
