//! Chunks on their way out: compressed, framed, each by one write, noted for the index.

use alloc::vec::Vec;
use core::mem;

use crate::chunk::{self, ChunkHeader};
use crate::compress::Compressor;
use crate::index::{Extent, Listing};
use crate::io::{self, ErrorKind, Write};
use crate::kind::Kind;

/// The output of a writer.
#[derive(Debug)]
pub(crate) struct Out<W> {
    inner: W,
    /// What an earlier write could not place. It goes out before anything else, so that a chunk is never
    /// torn by a disk that was full for a while.
    tail: Vec<u8>,
    /// Length of the file once the tail is written.
    offset: u64,
    sequence: u64,
    compressor: Option<Compressor>,
    buffer: Vec<u8>,
    listing: Listing,
}

impl<W: Write> Out<W> {
    /// An output that begins with the file header.
    pub(crate) fn new(inner: W, header: &[u8], compress: bool) -> io::Result<Self> {
        let compressor = if compress { Some(Compressor::new()?) } else { None };
        let mut out = Self {
            inner,
            tail: Vec::new(),
            offset: 0,
            sequence: 0,
            compressor,
            buffer: Vec::new(),
            listing: Listing::default(),
        };
        out.write_all(header)?;
        Ok(out)
    }

    /// Writes a chunk. After an error its rest goes out with the next one; a chunk that comes while there
    /// still is such a rest is lost, which its missing sequence number tells.
    pub(crate) fn chunk(
        &mut self,
        kind: Kind,
        payload: &[u8],
        records: u32,
        extent: &Extent,
    ) -> io::Result<()> {
        let header = self.frame(kind, payload)?;
        self.place(|listing, offset| listing.add(offset, header.kind, records, extent))?;
        if self.listing.is_full() { self.index() } else { Ok(()) }
    }

    /// Writes an Index chunk of what was written since the one before.
    fn index(&mut self) -> io::Result<()> {
        let mut payload = Vec::new();
        self.listing.encode(&mut payload);
        self.frame(Kind::Index, &payload)?;
        self.place(|listing, offset| *listing = Listing::behind(offset))
    }

    /// Makes a chunk in the buffer.
    fn frame(&mut self, kind: Kind, payload: &[u8]) -> io::Result<ChunkHeader> {
        let compressed = match &mut self.compressor {
            Some(compressor) => compressor.compress(payload)?,
            None => None,
        };
        let stored = compressed.unwrap_or(payload);
        let codec = if compressed.is_some() { chunk::ZSTD } else { 0 };
        let append_only = if kind.is_append_only() { chunk::APPEND_ONLY } else { 0 };
        let header = ChunkHeader {
            kind: kind.code(),
            version: kind.version(),
            flags: codec | append_only,
            sequence: self.sequence,
            stored: stored.len() as u32,
            raw: payload.len() as u32,
            crc: crc32fast::hash(stored),
        };
        self.sequence += 1;
        self.buffer.clear();
        self.buffer.extend_from_slice(&header.encode());
        self.buffer.extend_from_slice(stored);
        self.buffer.resize(header.length(), 0);
        Ok(header)
    }

    /// Writes the chunk in the buffer; `list` notes where it is, once that is sure.
    fn place(&mut self, list: impl FnOnce(&mut Listing, u64)) -> io::Result<()> {
        self.write_tail()?;
        self.listing.bytes += self.buffer.len() as u64;
        list(&mut self.listing, self.offset);
        let buffer = mem::take(&mut self.buffer);
        let written = self.write_all(&buffer);
        self.buffer = buffer;
        written
    }

    /// Writes the index and the end record. Gives the output back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.index()?;
        let record = chunk::end_record(self.listing.previous, self.sequence);
        self.write_tail()?;
        self.write_all(&record)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// Passes on what is written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    /// Writes what earlier writes could not place.
    fn write_tail(&mut self) -> io::Result<()> {
        if self.tail.is_empty() {
            return Ok(());
        }
        let tail = mem::take(&mut self.tail);
        self.offset -= tail.len() as u64;
        self.write_all(&tail)
    }

    /// Writes all of `bytes`, or keeps the rest as the tail.
    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.offset += bytes.len() as u64;
        while !bytes.is_empty() {
            let error = match self.inner.write(bytes) {
                Ok(0) => ErrorKind::WriteZero.into(),
                Ok(n) => {
                    bytes = &bytes[n..];
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            self.tail = bytes.to_vec();
            return Err(error);
        }
        Ok(())
    }
}
