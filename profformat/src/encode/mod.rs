//! From records to payloads. [`crate::decode`] has the same files and functions in the same order.

pub(crate) mod dictionary;
pub(crate) mod events;
pub(crate) mod facts;

use alloc::vec::Vec;
use core::mem;

use hashbrown::HashMap;

use crate::index::Extent;
use crate::units::Timestamp;
use crate::wire::columns::Column;

/// Memory that encoders use again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    columns: [Column; 8],
    threads: LocalThreads,
    /// The payload made last.
    pub(crate) payload: Vec<u8>,
}

impl Scratch {
    /// Takes the times and threads of the events in the payload made last: those of the next one are its own.
    pub(crate) fn take_extent(&mut self) -> Extent {
        mem::take(&mut self.threads.extent)
    }

    /// Empty columns, an empty list of threads, and the payload to fill.
    fn begin(&mut self) -> (&mut [Column; 8], &mut LocalThreads, &mut Vec<u8>) {
        for column in &mut self.columns {
            column.clear();
        }
        self.threads.clear();
        (&mut self.columns, &mut self.threads, &mut self.payload)
    }
}

/// Nanoseconds in a unit of time in the trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit(pub(crate) u64);

impl Unit {
    /// Whole units, rounded down. A division by a number that is known here is a multiplication.
    #[inline]
    pub(crate) fn of(self, nanos: u64) -> u64 {
        match self.0 {
            1 => nanos,
            1_000 => nanos / 1_000,
            unit => nanos / unit,
        }
    }

    /// A moment in units, rounded down.
    #[inline]
    fn time(self, time: Timestamp) -> u64 {
        self.of(time.as_nanos())
    }
}

/// The threads of a block, numbered in the order in which they appear, and what each did last.
///
/// A trace may have any number of threads, so nothing here grows with their ids.
#[derive(Debug, Default)]
struct LocalThreads {
    /// By id, modulo its length: who was seen there last.
    seen: Vec<Seen>,
    block: u64,
    /// Index of each thread of the block.
    indices: HashMap<u32, u32>,
    last: Vec<Last>,
    ids: Column,
    extent: Extent,
}

/// A thread's index in a block; blocks are numbered from 1.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    block: u64,
    id: u32,
    index: u32,
}

/// Length of [`LocalThreads::seen`].
const SEEN: usize = 256;

/// Previous values of a thread in a block.
#[derive(Clone, Copy, Debug)]
struct Last {
    time: u64,
    stack: u64,
    weight: u64,
}

impl LocalThreads {
    fn clear(&mut self) {
        self.block += 1;
        self.indices.clear();
        self.last.clear();
        self.ids.clear();
        self.seen.resize(SEEN, Seen::default());
    }

    /// The index of the thread of an event, and its previous values.
    #[inline]
    fn find(&mut self, id: u32, base_time: u64) -> (u64, &mut Last) {
        let seen = self.seen[id as usize % SEEN];
        let index = if (seen.block, seen.id) == (self.block, id) {
            seen.index
        } else {
            self.look_up(id, base_time)
        };
        (u64::from(index), &mut self.last[index as usize])
    }

    #[cold]
    fn look_up(&mut self, id: u32, base_time: u64) -> u32 {
        let next = self.last.len() as u32;
        let index = *self.indices.entry(id).or_insert(next);
        if index == next {
            self.last.push(Last { time: base_time, stack: 0, weight: 0 });
            self.ids.put(id.into());
            self.extent.thread(id);
        }
        self.seen[id as usize % SEEN] = Seen { block: self.block, id, index };
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_numbered_in_each_block_as_they_appear() {
        let mut threads = LocalThreads::default();
        for block in 0..3 {
            threads.clear();
            // Some of these share a place.
            let ids = [7, 263, 7, u32::MAX, 255, 263, 519, 7, u32::MAX];
            for (id, expected) in ids.into_iter().zip([0, 1, 0, 2, 3, 1, 4, 0, 2]) {
                let (index, last) = threads.find(id, block);
                assert_eq!(index, expected, "{id}");
                assert_eq!(last.time, block + u64::from(last.stack > 0));
                (last.stack, last.time) = (1, block + 1);
            }
        }
        assert_eq!(threads.seen.len(), SEEN);
    }
}
