//! Chunks on their way out: compressed, framed, each by one write, noted for the index.

use std::io::{self, ErrorKind, Write};

use crate::chunk::{self, ChunkHeader};
use crate::codec;
use crate::compress::Compressor;
use crate::payload::{IndexV1, Kind};
use crate::wire::columns::Column;

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
    index: IndexColumns,
}

#[derive(Debug, Default)]
struct IndexColumns {
    count: u32,
    last_offset: u64,
    offsets: Column,
    kinds: Column,
    records: Column,
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
            index: IndexColumns::default(),
        };
        out.write_all(header)?;
        Ok(out)
    }

    /// Writes a chunk. After an error its rest goes out with the next one; a chunk that comes while there
    /// still is such a rest is lost, which its missing sequence number tells.
    pub(crate) fn chunk(&mut self, kind: Kind, payload: &[u8], records: u32) -> io::Result<()> {
        let compressed = match &mut self.compressor {
            Some(compressor) => compressor.compress(payload)?,
            None => None,
        };
        let stored = compressed.unwrap_or(payload);
        let header = ChunkHeader {
            kind: kind as u16,
            version: 1,
            flags: if compressed.is_some() { chunk::ZSTD } else { 0 },
            sequence: self.sequence,
            stored: stored.len() as u32,
            raw: payload.len() as u32,
            crc: crc32fast::hash(stored),
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.extend_from_slice(&header.encode());
        buffer.extend_from_slice(stored);
        buffer.resize(header.length(), 0);
        self.sequence += 1;
        let written = self.write_tail().and_then(|()| {
            self.index.add(self.offset, kind, records);
            self.write_all(&buffer)
        });
        self.buffer = buffer;
        written
    }

    /// Writes the index and the end record. Gives the output back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let index = std::mem::take(&mut self.index);
        let payload = IndexV1 {
            count: index.count,
            offsets: index.offsets.bytes(),
            kinds: index.kinds.bytes(),
            records: index.records.bytes(),
        };
        let mut bytes = Vec::new();
        codec::encode(&payload, &mut bytes)?;
        // An index beyond the limit is left out: a reader that misses it reads from the front.
        let begin = self.offset;
        let fits = bytes.len() <= crate::limit::PAYLOAD_BYTES as usize;
        if fits {
            self.chunk(Kind::Index, &bytes, 0)?;
        }
        let record = chunk::end_record(if fits { begin } else { 0 }, self.sequence);
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
        let tail = std::mem::take(&mut self.tail);
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

impl IndexColumns {
    fn add(&mut self, offset: u64, kind: Kind, records: u32) {
        self.count += 1;
        self.offsets.put_delta(&mut self.last_offset, offset / 8);
        self.kinds.put(kind as u64);
        self.records.put(records.into());
    }
}
