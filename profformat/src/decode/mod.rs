//! From payloads to records. [`crate::encode`] has the same files and functions in the same order.

pub(crate) mod dictionary;
pub(crate) mod events;
pub(crate) mod facts;

use std::collections::VecDeque;

use crate::ids::ThreadId;
use crate::known::Known;
use crate::limit;
use crate::record::Record;
use crate::units::Timestamp;
use crate::wire::cursor::{Cursor, What};

/// What decoding needs and makes.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) known: Known,
    /// Nanoseconds in a unit of time.
    pub(crate) unit: u64,
    /// The records of the chunk decoded last.
    pub(crate) records: VecDeque<Record>,
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
            threads: Vec::new(),
        }
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
