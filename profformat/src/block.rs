//! Records as chunks hold them: many of one kind, lent for as long as the reader stands still.

use crate::record::{Copied, MemoryEvent, Record, Sample};

/// The records of one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Block<'r> {
    /// Observations of time.
    Samples(&'r [Sample]),
    /// Allocations, frees and resizes.
    Memory(&'r [MemoryEvent]),
    /// Copies.
    Copies(&'r [Copied]),
    /// Everything that is rare: processes, threads, their ends, footprints, counters, notes, the end.
    Records(&'r [Record]),
}

impl<'r> Block<'r> {
    /// How many records it has.
    pub fn len(&self) -> usize {
        match self {
            Block::Samples(samples) => samples.len(),
            Block::Memory(events) => events.len(),
            Block::Copies(copies) => copies.len(),
            Block::Records(records) => records.len(),
        }
    }

    /// True when it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record at a position.
    #[inline]
    pub fn get(&self, position: usize) -> Option<Record> {
        match self {
            Block::Samples(samples) => samples.get(position).map(|s| Record::Sample(*s)),
            Block::Memory(events) => events.get(position).map(|e| Record::from(*e)),
            Block::Copies(copies) => copies.get(position).map(|c| Record::Copied(*c)),
            Block::Records(records) => records.get(position).cloned(),
        }
    }

    /// The records one by one.
    pub fn records(self) -> impl Iterator<Item = Record> + use<'r> {
        (0..self.len()).filter_map(move |position| self.get(position))
    }

    /// The records from a position on.
    pub(crate) fn from(self, position: usize) -> Self {
        match self {
            Block::Samples(samples) => Block::Samples(samples.get(position..).unwrap_or_default()),
            Block::Memory(events) => Block::Memory(events.get(position..).unwrap_or_default()),
            Block::Copies(copies) => Block::Copies(copies.get(position..).unwrap_or_default()),
            Block::Records(records) => Block::Records(records.get(position..).unwrap_or_default()),
        }
    }
}
