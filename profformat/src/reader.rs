//! Reads a trace.

use crate::error::Error;
use crate::record::{Header, Record};
use crate::tables::Tables;

/// What could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Chunks that were found but could not be read.
    pub chunks: u64,
    /// Bytes that are in no readable chunk.
    pub bytes: u64,
    /// Chunks of types or versions that this reader does not know. They are no damage.
    pub unknown: u64,
    /// Chunks compressed in a way that this build cannot read. They are no damage, but they are lost.
    pub unsupported: u64,
    /// Sequence numbers that no chunk had.
    pub missing: u64,
    /// True once the end record was read.
    pub complete: bool,
}

/// Reads the records of a trace in the order of the file.
#[derive(Debug)]
pub struct TraceReader<'a> {
    bytes: &'a [u8],
}

impl<'a> TraceReader<'a> {
    /// Reads the file header. Errors when these bytes are no trace that this version can read.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { bytes })
    }

    /// Makes damage an error instead of skipping and counting it.
    pub fn strict(self) -> Self {
        self
    }

    /// Facts of the run.
    pub fn header(&self) -> &Header {
        todo!()
    }

    /// Dictionaries, as far as read. Everything a record refers to is in them when the record is handed out.
    pub fn tables(&self) -> &Tables {
        todo!()
    }

    /// What could not be read, as far as read.
    pub fn damage(&self) -> &Damage {
        todo!()
    }

    /// The next record; `None` at the end. Never an error unless [`strict`](Self::strict).
    pub fn next_record(&mut self) -> Option<Result<Record, Error>> {
        let _ = self.bytes;
        todo!()
    }

    /// The rest of the records.
    pub fn records(&mut self) -> impl Iterator<Item = Result<Record, Error>> + use<'_, 'a> {
        std::iter::from_fn(|| self.next_record())
    }

    /// The dictionaries.
    pub fn into_tables(self) -> Tables {
        todo!()
    }
}
