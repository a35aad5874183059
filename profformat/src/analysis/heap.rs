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
//!   thread may still come, are remembered for a while, see [`Blocks`].
//!
//! Nearly all of the time goes into waiting for memory: the next block and the next stack can be any. So what a
//! batch of events will need is looked at beforehand, all of it at once; then one event follows the other.
//!
//! Memory: one entry for each stack, each live followed block (at most [`BLOCKS`] of at most [`PARTS`], their parts
//! beyond the first together no more either; others only count as allocated) and each remembered block. Several samples
//! of one block in one stack are one part of it. A block keeps its last shrinking only: two shrinkings by two threads
//! within one drain, with a growth between, may so be taken for one.

mod blocks;
mod lives;
mod sums;
mod table;

use self::blocks::{Blocks, Key, More, Place, Shrink};
use self::lives::Lives;
use self::sums::Sums;
use crate::analysis::leaks::Births;
use crate::analysis::{Curves, MemorySum};
use crate::ids::{ProcessId, StackId, ThreadId};
use crate::record::{Alloc, Free, MemoryEvent, Resize};
use crate::units::Timestamp;

/// How long after the peak its own allocation can be recorded, nanoseconds.
const MOMENT: u64 = 1_000_000;

/// How soon a block is freed that counts as churn, nanoseconds.
const CHURN: u64 = 10_000_000;

/// How many parts a block has at most: stacks that made it grow. Every one is looked at when it changes.
const PARTS: usize = 16;
/// How many live blocks are followed at most.
pub(super) const BLOCKS: usize = 7 << 15;
/// Events of a batch: many for memory to be waited for once, few for all they need to stay in the cache.
const BATCH: usize = 64;

/// Bytes of one block that one stack asked for.
#[derive(Clone, Copy, Debug)]
struct Part {
    sum: u32,
    time: Timestamp,
    live: u64,
    at_peak: u64,
}

/// An allocation with its time, its sum and its weight.
type Timed = (Timestamp, u32, u64);

/// Pairs allocations with their ends.
#[derive(Debug)]
pub(super) struct Heap {
    peak: Option<Timestamp>,
    /// The peak is a moment that somebody asked for: no allocation made it.
    is_asked: bool,
    /// The first allocation that is not older than the peak.
    maker: Option<Timed>,
    sums: Sums,
    blocks: Blocks,
    lives: Lives,
    /// Parts of all blocks, without the first of each.
    parts: usize,
    /// Blocks and parts that were not followed, for there were [`BLOCKS`] or [`PARTS`] already.
    unfollowed: u64,
}

impl Heap {
    /// `peak`: the moment of the footprint's peak, if there is one; or one that was asked for.
    pub(super) fn new(peak: Option<Timestamp>, is_asked: bool) -> Self {
        let (sums, blocks, lives) = (Sums::new(), Blocks::new(), Lives::new());
        Self { peak, is_asked, maker: None, sums, blocks, lives, parts: 0, unfollowed: 0 }
    }

    /// The next events. `process_of` tells the process of a thread, `None` when the thread is not in the trace.
    pub(super) fn events(
        &mut self,
        events: &[MemoryEvent],
        process_of: impl Fn(ThreadId) -> Option<ProcessId>,
    ) {
        let mut thread = None;
        for batch in events.chunks(BATCH) {
            let mut keys = [Key::default(); BATCH];
            let (mut hashes, mut sums) = ([0; BATCH], [0; BATCH]);
            let mut allocs = 0;
            for ((event, key), hash) in batch.iter().zip(&mut keys).zip(&mut hashes) {
                // Events of a thread stand together.
                let (_, process) = match thread {
                    Some(known @ (id, _)) if id == event.thread() => known,
                    _ => *thread.insert((event.thread(), process_of(event.thread()))),
                };
                let block = match event {
                    MemoryEvent::Alloc(alloc) => {
                        sums[allocs] = self.sums.hash(alloc);
                        allocs += 1;
                        alloc.block
                    }
                    MemoryEvent::Free(Free { block, .. })
                    | MemoryEvent::Resize(Resize { block, .. }) => *block,
                };
                *key = (process, block);
                *hash = self.blocks.hash(*key);
            }
            self.sums.touch(&sums[..allocs]);
            self.sums.touch_held(self.blocks.touch(&hashes[..batch.len()]));

            let mut hashes_of_sums = sums.iter();
            for ((event, key), hash) in batch.iter().zip(keys).zip(hashes) {
                match event {
                    MemoryEvent::Alloc(alloc) => {
                        let sum = self.sums.alloc(alloc, *hashes_of_sums.next().unwrap_or(&0));
                        self.alloc(key, hash, sum, alloc);
                    }
                    MemoryEvent::Free(free) => self.free(key, hash, free),
                    MemoryEvent::Resize(resize) => self.resize(key, hash, resize),
                }
            }
        }
    }

    /// An allocation.
    fn alloc(&mut self, key: Key, hash: u32, sum: u32, alloc: &Alloc) {
        if alloc.block == 0 {
            return;
        }
        self.may_make_peak((alloc.time, sum, alloc.weight));
        let found = self.blocks.find(key, hash);
        let (freed, shrink) = match found {
            None => (None, None),
            Some((_, Place::Live(at))) => {
                (None, self.blocks.live(at).more.as_ref().and_then(|more| more.shrink))
            }
            Some((_, Place::Ended(number))) => {
                let ended = self.blocks.ended(number);
                (ended.freed, ended.shrink.as_deref().copied())
            }
        };
        let mut part = Part {
            sum,
            time: alloc.time,
            live: alloc.weight,
            at_peak: if self.by_peak(alloc.time) { alloc.weight } else { 0 },
        };
        if let Some(shrink) = shrink.filter(|s| s.time > alloc.time) {
            part.live = shrink.scale(part.live);
            self.lives.lived(sum, part.time, Some(shrink.time), alloc.weight - part.live);
            if self.by_peak(shrink.time) {
                part.at_peak = shrink.scale(part.at_peak);
            }
        }
        if let Some(freed) = freed {
            self.sums.add_churn(sum, churned(&part, freed));
            self.lives.lived(sum, part.time, Some(freed), part.live);
            if !self.by_peak(freed) {
                self.sums.set_peak(sum, 0, part.at_peak);
            }
            return;
        }

        let remembered = match found {
            Some((_, Place::Live(at))) => return self.grow(at, part),
            Some((slot, Place::Ended(number))) => Some((slot, number)),
            None => None,
        };
        if self.blocks.live_count() >= BLOCKS {
            self.unfollowed += 1;
            return;
        }
        self.sums.set_live(sum, 0, part.live);
        self.sums.set_peak(sum, 0, part.at_peak);
        self.blocks.add(key, hash, part, remembered);
    }

    /// Another part of a live block, or more of one.
    fn grow(&mut self, at: u32, part: Part) {
        let sum = part.sum;
        let block = self.blocks.live(at);
        let others = block.more.as_mut().map(|more| &mut more.parts[..]).unwrap_or_default();
        let is_full = others.len() + 1 >= PARTS || self.parts >= BLOCKS;
        let mut all = std::iter::once(&mut block.part).chain(others);
        match all.find(|p| p.sum == sum) {
            Some(old) => {
                let live = old.live.saturating_add(part.live);
                let at_peak = old.at_peak.saturating_add(part.at_peak);
                self.sums.set_live(sum, old.live, live);
                self.sums.set_peak(sum, old.at_peak, at_peak);
                // Together from now on; what was there before has lived until now.
                let time = old.time.max(part.time);
                let first = if old.time <= part.time { &*old } else { &part };
                self.lives.lived(sum, first.time, Some(time), first.live);
                *old = Part { sum, time, live, at_peak };
            }
            None if is_full => self.unfollowed += 1,
            None => {
                self.sums.set_live(sum, 0, part.live);
                self.sums.set_peak(sum, 0, part.at_peak);
                block.more.get_or_insert_default().parts.push(part);
                self.parts += 1;
            }
        }
    }

    /// The end of a block.
    fn free(&mut self, key: Key, hash: u32, free: &Free) {
        self.blocks.forget(free.time);
        match self.blocks.find(key, hash) {
            Some((slot, Place::Live(at))) => {
                let by_peak = self.by_peak(free.time);
                let (part, others) = self.blocks.end(slot, at, hash, free.time);
                self.parts -= others.len();
                for part in std::iter::once(part).chain(others) {
                    self.sums.add_churn(part.sum, churned(&part, free.time));
                    self.lives.lived(part.sum, part.time, Some(free.time), part.live);
                    self.sums.set_live(part.sum, part.live, 0);
                    if by_peak {
                        self.sums.set_peak(part.sum, part.at_peak, 0);
                    }
                }
            }
            Some((_, Place::Ended(number))) => self.blocks.ended(number).freed = Some(free.time),
            None => {
                self.blocks.remember(key, hash, free.time, Some(free.time), None);
            }
        }
    }

    /// Another size of a block. Only a smaller one matters: growth is an `Alloc` of its own.
    fn resize(&mut self, key: Key, hash: u32, resize: &Resize) {
        if resize.new_size >= resize.old_size {
            return;
        }
        let shrink = Shrink { time: resize.time, old: resize.old_size, new: resize.new_size };
        if let Some((_, Place::Live(at))) = self.blocks.find(key, hash) {
            return self.shrink(at, shrink);
        }
        self.blocks.forget(resize.time);
        match self.blocks.find(key, hash) {
            Some((_, Place::Ended(number))) => {
                self.blocks.ended(number).shrink = Some(Box::new(shrink));
            }
            _ => self.blocks.remember(key, hash, resize.time, None, Some(shrink)),
        }
    }

    fn shrink(&mut self, at: u32, shrink: Shrink) {
        let by_peak = self.by_peak(shrink.time);
        let block = self.blocks.live(at);
        let More { parts, shrink: last, .. } = &mut **block.more.get_or_insert_default();
        let all = std::iter::once(&mut block.part).chain(parts);
        for part in all.filter(|p| p.time <= shrink.time) {
            let live = shrink.scale(part.live);
            self.sums.set_live(part.sum, part.live, live);
            self.lives.lived(part.sum, part.time, Some(shrink.time), part.live - live);
            part.live = live;
            if by_peak {
                let at_peak = shrink.scale(part.at_peak);
                self.sums.set_peak(part.sum, part.at_peak, at_peak);
                part.at_peak = at_peak;
            }
        }
        *last = Some(shrink);
    }

    /// Thread and stack of allocations, with the bytes of them that are live by what was seen so far.
    pub(super) fn live(&self) -> impl Iterator<Item = (ThreadId, Option<StackId>, u64)> {
        self.sums.live()
    }

    /// How many blocks could not be followed.
    pub(super) fn unfollowed(&self) -> u64 {
        self.unfollowed
    }

    /// How many allocations count without their stack.
    pub(super) fn crowded_out(&self) -> u64 {
        self.sums.crowded_out
    }

    /// Births of the blocks that are live now, by thread, stack and part, in that order. `life` tells when a process
    /// began, and for how many nanoseconds it lived.
    pub(super) fn births(
        &self,
        life: impl Fn(Option<ProcessId>) -> (Timestamp, u64),
    ) -> Vec<Births> {
        let mut births = Vec::with_capacity(self.blocks.live_count() + self.parts);
        for block in self.blocks.all_live() {
            let life = life(block.process());
            let parts = block.parts().filter(|part| part.live > 0);
            births.extend(
                parts.map(|part| Births::one(self.sums.key(part.sum), part.live, part.time, life)),
            );
        }
        Births::add_up(&mut births);
        births
    }

    /// What was held over time, by thread and stack. To be asked for once.
    pub(super) fn curves(&mut self) -> Curves {
        let mut lives = std::mem::replace(&mut self.lives, Lives::new());
        for part in self.blocks.all_live().flat_map(|block| block.parts()) {
            lives.lived(part.sum, part.time, None, part.live);
        }
        lives.finish(|sum| self.sums.key(sum))
    }

    /// The sums by thread and stack, in that order. `gone` tells threads whose process had ended before
    /// the peak: what it never freed was not live then.
    pub(super) fn finish(mut self, gone: impl Fn(ThreadId) -> bool) -> Vec<MemorySum> {
        // One of the peak's own time is there already.
        if let Some((_, sum, weight)) = self.maker.filter(|maker| !self.by_peak(maker.0)) {
            self.sums.set_peak(sum, 0, weight);
        }
        // What is large and of no more use makes room.
        let Self { sums, blocks, lives, .. } = self;
        drop((blocks, lives));
        sums.finish(gone)
    }

    /// True for what had happened when the footprint was highest.
    fn by_peak(&self, time: Timestamp) -> bool {
        self.peak.is_some_and(|peak| time <= peak)
    }

    fn may_make_peak(&mut self, alloc: Timed) {
        let Some(peak) = self.peak.map(Timestamp::as_nanos) else { return };
        let near =
            !self.is_asked && (peak..=peak.saturating_add(MOMENT)).contains(&alloc.0.as_nanos());
        if near && self.maker.is_none_or(|first| alloc.0 < first.0) {
            self.maker = Some(alloc);
        }
    }
}

/// What of a part is churn when its block ends: all of it, if it did not grow for longer than [`CHURN`].
fn churned(part: &Part, freed: Timestamp) -> u64 {
    let age = freed.as_nanos().saturating_sub(part.time.as_nanos());
    if age <= CHURN { part.live } else { 0 }
}
