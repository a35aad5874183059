//! From payloads to records. [`crate::encode`] has the same files and functions in the same order.

pub(crate) mod dictionary;
pub(crate) mod events;
pub(crate) mod facts;

use std::collections::VecDeque;

use crate::ids::ThreadId;
use crate::known::Known;
use crate::limit;
use crate::record::{Record, Sample};
use crate::units::Timestamp;
use crate::wire::cursor::{Cursor, What};

/// What decoding needs and makes.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) known: Known,
    /// Nanoseconds in a unit of time.
    pub(crate) unit: u64,
    /// The records of the chunk decoded last, unless it is a block of samples.
    pub(crate) records: VecDeque<Record>,
    /// The samples of the chunk decoded last. There are most of them, and they are half as long as a record.
    pub(crate) samples: Vec<Sample>,
    /// How many of them were handed out.
    pub(crate) taken: usize,
    threads: Vec<Last>,
}

/// Previous values of a thread in a block.
#[derive(Clone, Copy, Debug)]
struct Last {
    id: ThreadId,
    time: u64,
    stack: u64,
    weight: u64,
}

impl Decoder {
    pub(crate) fn new(unit: u32) -> Self {
        Self {
            known: Known::new(),
            unit: unit.into(),
            records: VecDeque::new(),
            samples: Vec::new(),
            taken: 0,
            threads: Vec::new(),
        }
    }

    /// The next record of the chunk decoded last.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Record> {
        if let Some(sample) = self.samples.get(self.taken) {
            self.taken += 1;
            return Some(Record::Sample(*sample));
        }
        self.records.pop_front()
    }

    /// Forgets the records of a chunk that turned out to be malformed.
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.records.clear();
    }

    #[inline]
    fn time(&self, units: u64) -> Timestamp {
        Timestamp::from_nanos(units.saturating_mul(self.unit))
    }

    /// Reads the threads of a block.
    fn local_threads(&mut self, ids: &[u8], base_time: u64) -> Result<(), What> {
        self.threads.clear();
        let mut ids = Cursor::open(ids);
        while !ids.is_empty() {
            let id = self.known.thread(ids.next()?)?;
            self.threads.push(Last { id, time: base_time, stack: 0, weight: 0 });
        }
        Ok(())
    }
}

/// A number of entries that a chunk may have.
fn count(count: u32) -> Result<u32, What> {
    if count <= limit::ENTRIES { Ok(count) } else { Err("it has too many entries") }
}

/// Succeeds when every column was read to its end.
fn ended(columns: &[Cursor<'_>]) -> Result<(), What> {
    columns.iter().try_for_each(Cursor::end)
}
