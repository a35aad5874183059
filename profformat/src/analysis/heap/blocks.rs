//! Followed blocks: the live ones, and for a while those that ended, or shrank, before their allocation was seen.

use std::collections::VecDeque;

use super::Part;
use super::table::{Slot, Table};
use crate::ids::ProcessId;
use crate::units::Timestamp;

/// How long the end of a block is remembered, nanoseconds.
const LATENESS: u64 = 10_000_000_000;
/// How many ended blocks are remembered at most.
const REMEMBERED: usize = 1 << 18;
/// Marks the position of a remembered block; the rest of it counts them, and begins anew after [`COUNTED`].
const ENDED: u32 = 1 << 31;
const COUNTED: u32 = (1 << 30) - 1;

/// A block: its process and its number there.
pub(super) type Key = (Option<ProcessId>, u64);

#[derive(Clone, Copy, Debug)]
pub(super) struct Shrink {
    pub(super) time: Timestamp,
    pub(super) old: u64,
    pub(super) new: u64,
}

impl Shrink {
    pub(super) fn scale(self, weight: u64) -> u64 {
        let scaled = u128::from(weight) * u128::from(self.new) / u128::from(self.old.max(1));
        u64::try_from(scaled).unwrap_or(weight).min(weight)
    }
}

/// A live block, in one cache line. Nearly every block has one part and never shrinks.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Live {
    key: Key,
    pub(super) part: Part,
    pub(super) more: Option<Box<More>>,
}

impl Live {
    /// The process that it is a block of.
    pub(super) fn process(&self) -> Option<ProcessId> {
        self.key.0
    }

    /// All its parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        let others = self.more.as_ref().map_or(&[][..], |more| &more.parts);
        std::iter::once(&self.part).chain(others)
    }
}

/// What few blocks have.
#[derive(Debug, Default)]
pub(super) struct More {
    pub(super) parts: Vec<Part>,
    pub(super) shrink: Option<Shrink>,
    /// The place where it is remembered, too, for it shrank before its allocation was seen.
    ended: Option<u32>,
}

/// What came before the block's `Alloc`, or ended it.
#[derive(Debug)]
pub(super) struct Ended {
    key: Key,
    hash: u32,
    /// Since when it is remembered.
    age: Timestamp,
    pub(super) freed: Option<Timestamp>,
    pub(super) shrink: Option<Box<Shrink>>,
}

/// Where a block stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Live(u32),
    Ended(u32),
}

impl Place {
    #[inline]
    fn of(at: u32) -> Self {
        if at < ENDED { Self::Live(at) } else { Self::Ended(at - ENDED) }
    }
}

/// The blocks by key.
#[derive(Debug)]
pub(super) struct Blocks {
    index: Table,
    live: Vec<Live>,
    /// Places in `live` that are free.
    unused: Vec<u32>,
    /// In the order of their ages; the first one has the number `first`.
    ended: VecDeque<Ended>,
    first: u32,
    newest: Timestamp,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self {
            index: Table::new(),
            live: Vec::new(),
            unused: Vec::new(),
            ended: VecDeque::new(),
            first: 0,
            newest: Timestamp::ZERO,
        }
    }

    /// The hash of a key, as the other functions want it.
    #[inline]
    pub(super) fn hash(&self, key: Key) -> u32 {
        self.index.hash(key)
    }

    /// Brings closer what [`Self::find`] looks at for these hashes, and what forgetting as many does. Gives the sums of
    /// those that are most likely live.
    pub(super) fn touch<'h>(&'h self, hashes: &'h [u32]) -> impl Iterator<Item = u32> + 'h {
        let oldest = self.ended.iter().take(hashes.len()).map(|old| old.hash);
        self.index.touch(hashes.iter().copied().chain(oldest));
        let found = hashes.iter().filter_map(|hash| self.index.guess(*hash));
        found.filter_map(|at| match Place::of(at) {
            Place::Live(at) => Some(self.live[at as usize].part.sum),
            Place::Ended(_) => None,
        })
    }

    #[inline]
    pub(super) fn find(&self, key: Key, hash: u32) -> Option<(Slot, Place)> {
        let is = |at| match Place::of(at) {
            Place::Live(at) => self.live[at as usize].key == key,
            Place::Ended(number) => self.ended[self.position(number)].key == key,
        };
        self.index.find(hash, is).map(|(slot, at)| (slot, Place::of(at)))
    }

    /// How many blocks are live.
    pub(super) fn live_count(&self) -> usize {
        self.live.len() - self.unused.len()
    }

    /// All live blocks.
    pub(super) fn all_live(&self) -> impl Iterator<Item = &Live> {
        let mut is_used = vec![true; self.live.len()];
        self.unused.iter().for_each(|&at| is_used[at as usize] = false);
        self.live.iter().zip(is_used).filter_map(|(live, is_used)| is_used.then_some(live))
    }

    pub(super) fn live(&mut self, at: u32) -> &mut Live {
        &mut self.live[at as usize]
    }

    pub(super) fn ended(&mut self, number: u32) -> &mut Ended {
        let at = self.position(number);
        &mut self.ended[at]
    }

    /// A block comes to life. `found` is where it is remembered, if it is.
    #[inline]
    pub(super) fn add(&mut self, key: Key, hash: u32, part: Part, found: Option<(Slot, u32)>) {
        let more = found.map(|(_, number)| {
            let shrink = self.ended(number).shrink.as_deref().copied();
            Box::new(More { parts: Vec::new(), shrink, ended: Some(number) })
        });
        let live = Live { key, part, more };
        let at = match self.unused.pop() {
            Some(at) => {
                self.live[at as usize] = live;
                at
            }
            None => {
                self.live.push(live);
                self.live.len() as u32 - 1
            }
        };
        match found {
            Some((slot, _)) => self.index.replace(slot, at),
            None => self.index.insert(hash, at),
        }
    }

    /// The end of a live block. Gives back what it had.
    #[inline]
    pub(super) fn end(
        &mut self,
        slot: Slot,
        at: u32,
        hash: u32,
        time: Timestamp,
    ) -> (Part, Vec<Part>) {
        let live = &mut self.live[at as usize];
        let (key, part) = (live.key, live.part);
        let More { parts, shrink, ended } =
            live.more.take().map_or_else(More::default, |more| *more);
        self.unused.push(at);
        let number = match ended {
            Some(number) => {
                let ended = self.ended(number);
                ended.freed = Some(time);
                number
            }
            None => self.push(Ended { key, hash, age: time, freed: Some(time), shrink: None }),
        };
        if let Some(shrink) = shrink {
            self.ended(number).shrink = Some(Box::new(shrink));
        }
        self.index.replace(slot, number | ENDED);
        (part, parts)
    }

    /// Remembers a block that is not there.
    pub(super) fn remember(
        &mut self,
        key: Key,
        hash: u32,
        time: Timestamp,
        freed: Option<Timestamp>,
        shrink: Option<Shrink>,
    ) {
        let number = self.push(Ended { key, hash, age: time, freed, shrink: shrink.map(Box::new) });
        self.index.insert(hash, number | ENDED);
    }

    /// Forgets blocks that are too old at `time`, or too many: to be called before another one is remembered, and
    /// before it is looked for.
    #[inline]
    pub(super) fn forget(&mut self, time: Timestamp) {
        self.newest = self.newest.max(time);
        let limit = self.newest.as_nanos().saturating_sub(LATENESS);
        while let Some(oldest) = self.ended.front() {
            if self.ended.len() < REMEMBERED && oldest.age.as_nanos() >= limit {
                break;
            }
            match self.find(oldest.key, oldest.hash) {
                Some((_, Place::Live(at))) => {
                    if let Some(more) = &mut self.live[at as usize].more {
                        more.ended = None;
                    }
                }
                Some((slot, Place::Ended(_))) => self.index.remove(slot),
                None => {}
            }
            self.ended.pop_front();
            self.first = (self.first + 1) & COUNTED;
        }
    }

    fn push(&mut self, ended: Ended) -> u32 {
        self.ended.push_back(ended);
        (self.first + self.ended.len() as u32 - 1) & COUNTED
    }

    #[inline]
    fn position(&self, number: u32) -> usize {
        (number.wrapping_sub(self.first) & COUNTED) as usize
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_live_block_has_one_cache_line() {
        assert_eq!(size_of::<super::Live>(), 64);
    }
}
