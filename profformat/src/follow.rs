//! Reads a trace that is still being written.
//!
//! A writer gives its output a chunk at a time, and every prefix of a trace is a good trace: whoever reads on where the
//! file has grown needs nothing from the writer, neither a lock nor a word. What is read is what
//! [`TraceReader`] makes of the file; only the part of a chunk at the end of what is there waits for the rest.

use alloc::vec::Vec;

use crate::block::Block;
use crate::chunk::{ChunkHeader, END_BYTES, END_MAGIC, HEADER_BYTES};
use crate::error::Error;
use crate::header;
use crate::reader::{Damage, TraceReader};
use crate::record::Header;
use crate::tables::Tables;

/// Bytes of a file that are neither a chunk nor the end record are passed over in such steps: chunks begin at
/// multiples of it.
const STEP: usize = 8;

/// A reader that is given the bytes of a trace as they come. It keeps the dictionaries and no more than one chunk.
#[derive(Debug, Default)]
pub struct Follower {
    /// Stands behind everything that was read.
    reader: Option<TraceReader<'static>>,
    /// The beginning of the next chunk.
    waiting: Vec<u8>,
}

impl Follower {
    /// A reader at the beginning of a trace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the bytes that stand behind those it was given before, and hands out the records of every chunk that is
    /// whole by then, with the dictionaries that they refer to. Damage is passed over and counted; what comes behind the
    /// end record is left aside.
    ///
    /// # Errors
    /// When the first bytes are not those of a trace that this version can read.
    pub fn read(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(&Block<'_>, &Tables),
    ) -> Result<(), Error> {
        if self.is_complete() {
            return Ok(());
        }
        self.waiting.extend_from_slice(bytes);
        let begin = match (&self.reader, header::decode(&self.waiting)) {
            (Some(_), _) => 0,
            (None, Ok(start)) => start.length,
            (None, Err(Error::Empty | Error::HeaderCut { .. })) => return Ok(()),
            (None, Err(error)) => return Err(error),
        };
        let end = whole(&self.waiting, begin);
        let there = &self.waiting[..end];
        let mut reader = match self.reader.take() {
            Some(reader) => reader.go_on(there),
            None => TraceReader::new(there)?,
        };
        while reader.next_block().is_some() {
            take(&reader.block(), reader.tables());
        }
        self.reader = Some(reader.go_on(&[]));
        self.waiting.drain(..end);
        Ok(())
    }

    /// Facts of the run, as far as read; `None` before the header is there.
    pub fn header(&self) -> Option<&Header> {
        self.reader.as_ref().map(TraceReader::header)
    }

    /// Dictionaries, as far as read; `None` before the header is there.
    pub fn tables(&self) -> Option<&Tables> {
        self.reader.as_ref().map(TraceReader::tables)
    }

    /// What could not be read, as far as read.
    pub fn damage(&self) -> Damage {
        self.reader.as_ref().map(|reader| *reader.damage()).unwrap_or_default()
    }

    /// True once the end record was read: nothing more will come.
    pub fn is_complete(&self) -> bool {
        self.damage().complete
    }
}

/// Up to where `bytes` can be read, from a place where a chunk begins.
fn whole(bytes: &[u8], mut at: usize) -> usize {
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= HEADER_BYTES.max(END_BYTES))
    {
        let header = ChunkHeader::decode(rest);
        if header.is_none() && rest.starts_with(&END_MAGIC) {
            return at + END_BYTES;
        }
        let length = header.map_or(STEP, |header| header.length());
        if length > rest.len() {
            break;
        }
        at += length;
    }
    at
}
