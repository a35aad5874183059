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
    /// Bytes that `inner` took.
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
            offset: 0,
            sequence: 0,
            compressor,
            buffer: Vec::new(),
            index: IndexColumns::default(),
        };
        out.write_all(header)?;
        Ok(out)
    }

    /// Writes a chunk. After an error the chunk is lost and torn, but the next one can be found again.
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
        // A torn chunk before this one leaves the file at any offset.
        let torn = (self.offset.next_multiple_of(8) - self.offset) as usize;
        buffer.resize(torn, 0);
        buffer.extend_from_slice(&header.encode());
        buffer.extend_from_slice(stored);
        buffer.resize(torn + header.length(), 0);
        self.sequence += 1;
        let begin = self.offset + torn as u64;
        let written = self.write_all(&buffer);
        self.buffer = buffer;
        written?;
        self.index.add(begin, kind, records);
        Ok(())
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
        let begin = self.offset.next_multiple_of(8);
        let fits = bytes.len() <= crate::limit::PAYLOAD_BYTES as usize;
        if fits {
            self.chunk(Kind::Index, &bytes, 0)?;
        }
        let record = chunk::end_record(if fits { begin } else { 0 }, self.sequence);
        self.write_all(&record)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// Passes on what is written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.inner.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.offset += n as u64;
                    bytes = &bytes[n..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
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
