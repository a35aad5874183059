//! From records to payloads. [`crate::decode`] has the same files and functions in the same order.

pub(crate) mod dictionary;
pub(crate) mod events;
pub(crate) mod facts;

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
    /// A moment in units, rounded down.
    #[inline]
    fn time(self, time: Timestamp) -> u64 {
        time.as_nanos() / self.0
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

    /// The index of a thread and its previous values.
    #[inline]
    fn find(&mut self, id: u32, base_time: u64) -> (u64, &mut Last) {
        let id = id as usize;
        if id >= self.seen.len() {
            self.seen.resize(id + 1, (0, 0));
        }
        let (block, index) = &mut self.seen[id];
        if *block != self.block {
            *block = self.block;
            *index = self.last.len() as u32;
            self.last.push(Last { time: base_time, stack: 0, weight: 0 });
            self.ids.put(id as u64);
        }
        (u64::from(*index), &mut self.last[*index as usize])
    }
}
