//! From records to payloads. [`crate::decode`] has the same files and functions in the same order.

pub(crate) mod dictionary;
pub(crate) mod events;
pub(crate) mod facts;

use alloc::vec::Vec;
use core::mem;

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
#[derive(Debug, Default)]
struct LocalThreads {
    /// By id: the number of the block it was seen in, and its index there.
    seen: Vec<(u64, u32)>,
    block: u64,
    last: Vec<Last>,
    ids: Column,
    extent: Extent,
}

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
        self.last.clear();
        self.ids.clear();
    }

    /// The index of the thread of an event, and its previous values.
    #[inline]
    fn find(&mut self, id: u32, base_time: u64) -> (u64, &mut Last) {
        let index = id as usize;
        if self.seen.get(index).is_none_or(|seen| seen.0 != self.block) {
            self.add(id, base_time);
        }
        let index = self.seen[index].1;
        (u64::from(index), &mut self.last[index as usize])
    }

    #[cold]
    fn add(&mut self, id: u32, base_time: u64) {
        let index = id as usize;
        if index >= self.seen.len() {
            self.seen.resize(index + 1, (0, 0));
        }
        self.seen[index] = (self.block, self.last.len() as u32);
        self.last.push(Last { time: base_time, stack: 0, weight: 0 });
        self.ids.put(id.into());
        self.extent.thread(id);
    }
}
