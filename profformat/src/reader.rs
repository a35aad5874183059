//! Reads a trace.

use crate::chunk::{self, ChunkHeader, Found};
use crate::codec;
use crate::compress::Decompressor;
use crate::decode::{Decoder, facts};
use crate::error::Error;
use crate::header;
use crate::payload::Kind;
use crate::record::{Header, Record};
use crate::tables::Tables;
use crate::wire::cursor::What;

/// What could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Chunks that were found but could not be read.
    pub chunks: u64,
    /// Bytes that are in no readable chunk.
    pub bytes: u64,
    /// Chunks of types or versions that this reader does not know.
    pub unknown: u64,
    /// Chunks compressed in a way that this build cannot read.
    pub unsupported: u64,
    /// Sequence numbers that no chunk had.
    pub missing: u64,
    /// True once the end record was read.
    pub complete: bool,
}

impl Damage {
    /// True when nothing was damaged and the trace was finished. Unknown chunks of a newer writer are no
    /// damage.
    pub fn is_sound(&self) -> bool {
        self.complete && self.chunks == 0 && self.bytes == 0 && self.missing == 0
    }
}

/// Why a chunk was left out.
enum Skip {
    Unknown,
    Unsupported,
    Malformed(What),
}

/// Reads the records of a trace in the order of the file. Reads any bytes in linear time, and in memory that
/// follows the dictionaries, not the length.
#[derive(Debug)]
pub struct TraceReader<'a> {
    bytes: &'a [u8],
    /// Where the next chunk begins.
    at: usize,
    /// Its sequence number, if none is missing.
    sequence: u64,
    header: Header,
    version: (u16, u16),
    strict: bool,
    decoder: Decoder,
    decompressor: Option<Decompressor>,
    buffer: Vec<u8>,
    damage: Damage,
    first_error: Option<Error>,
}

impl<'a> TraceReader<'a> {
    /// Reads the file header. Errors when these bytes are no trace that this version can read.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let start = header::decode(bytes)?;
        let mut reader = Self {
            bytes,
            at: start.length,
            sequence: 0,
            header: start.header,
            version: start.version,
            strict: false,
            decoder: Decoder::new(start.time_unit_ns),
            decompressor: Decompressor::new(),
            buffer: Vec::new(),
            damage: Damage::default(),
            first_error: None,
        };
        // The command stands in the first chunk, which the loop passes over again.
        if reader.at < bytes.len()
            && let Found::Chunk(chunk, stored) = chunk::find(bytes, reader.at)
            && chunk.kind() == Some(Kind::About)
        {
            let _ = reader.chunk(&chunk, stored);
        }
        Ok(reader)
    }

    /// Makes damage an error instead of skipping and counting it.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Facts of the run.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Major and minor version of the file.
    pub fn version(&self) -> (u16, u16) {
        self.version
    }

    /// Nanoseconds in a unit of time of the trace: how exact its times are.
    pub fn time_unit_ns(&self) -> u64 {
        self.decoder.unit
    }

    /// Dictionaries, as far as read. Everything a record refers to is in them when the record is handed out.
    pub fn tables(&self) -> &Tables {
        &self.decoder.known.tables
    }

    /// The dictionaries.
    pub fn into_tables(self) -> Tables {
        self.decoder.known.tables
    }

    /// What could not be read, as far as read.
    pub fn damage(&self) -> &Damage {
        &self.damage
    }

    /// The first damage that was met, as far as read.
    pub fn first_error(&self) -> Option<&Error> {
        self.first_error.as_ref()
    }

    /// The next record; `None` at the end. Never an error unless [`strict`](Self::strict), and nothing
    /// after an error.
    #[inline]
    pub fn next_record(&mut self) -> Option<Result<Record, Error>> {
        loop {
            // Made-up definitions stand before the records that use them.
            if let Some(record) = self.decoder.known.made_up.pop_front() {
                return Some(Ok(record));
            }
            if let Some(record) = self.decoder.next() {
                return Some(Ok(record));
            }
            if self.at >= self.bytes.len() {
                return self.end().map(Err);
            }
            let error = self.step();
            if let Some(error) = error {
                let error = self.first_error.get_or_insert(error);
                if self.strict {
                    self.at = self.bytes.len();
                    self.decoder.clear();
                    self.decoder.known.made_up.clear();
                    return Some(Err(error.clone()));
                }
            }
        }
    }

    /// The rest of the records.
    pub fn records(&mut self) -> impl Iterator<Item = Result<Record, Error>> + use<'_, 'a> {
        std::iter::from_fn(|| self.next_record())
    }

    /// What is wrong with the end of the file, told once.
    fn end(&mut self) -> Option<Error> {
        if self.damage.complete || self.first_error.is_some() {
            return None;
        }
        let error = Error::NoEnd { offset: self.bytes.len() as u64 };
        self.first_error = Some(error.clone());
        self.strict.then_some(error)
    }

    /// Reads what stands at `at` and goes on behind it.
    #[cold]
    fn step(&mut self) -> Option<Error> {
        let offset = self.at as u64;
        let (header, length, result) = match chunk::find(self.bytes, self.at) {
            Found::EndRecord { chunks } => {
                self.at = self.bytes.len();
                self.damage.complete = true;
                return self.count_missing(chunks, offset);
            }
            Found::Gap(bytes) => {
                self.lose(bytes, 0);
                self.at += bytes;
                return Some(Error::NoChunk { offset, bytes: bytes as u64 });
            }
            Found::Cut(bytes) => {
                self.lose(bytes, 1);
                self.at += bytes;
                return Some(Error::ChunkCut { offset });
            }
            Found::Damaged(header) => (header, header.length(), None),
            Found::Chunk(header, stored) => (header, header.length(), Some(stored)),
        };
        // The zeros behind the last payload may be cut off.
        let length = length.min(self.bytes.len() - self.at);
        self.at += length;
        if header.sequence < self.sequence {
            self.lose(length, 1);
            return Some(Error::Malformed { offset, what: "its sequence number was there before" });
        }
        let missing = self.count_missing(header.sequence, offset);
        self.sequence = header.sequence.saturating_add(1);
        let Some(stored) = result else {
            self.lose(length, 1);
            return missing.or(Some(Error::ChunkDamaged { offset }));
        };
        let what = match self.chunk(&header, stored) {
            Ok(()) => return missing,
            Err(Skip::Unknown) => {
                self.damage.unknown += 1;
                self.allow_made_up();
                return missing;
            }
            Err(Skip::Unsupported) => {
                self.damage.unsupported += 1;
                self.allow_made_up();
                return missing;
            }
            Err(Skip::Malformed(what)) => what,
        };
        if !matches!(header.kind(), Some(Kind::Processes | Kind::Threads)) {
            // Half a block is worth less than the certainty that blocks are whole; definitions that later
            // chunks build on stay.
            self.decoder.clear();
        }
        self.lose(length, 1);
        missing.or(Some(Error::Malformed { offset, what }))
    }

    /// Counts the chunks between the last one and the one with number `next`.
    fn count_missing(&mut self, next: u64, offset: u64) -> Option<Error> {
        let missing = next.saturating_sub(self.sequence);
        self.damage.missing = self.damage.missing.saturating_add(missing);
        if missing == 0 {
            return None;
        }
        self.allow_made_up();
        Some(Error::Missing { offset, missing })
    }

    fn lose(&mut self, bytes: usize, chunks: u64) {
        self.damage.bytes += bytes as u64;
        self.damage.chunks += chunks;
        self.allow_made_up();
    }

    fn allow_made_up(&mut self) {
        self.decoder.known.allow_made_up(self.bytes.len() as u64);
    }

    /// Decodes a chunk whose checksum fits.
    fn chunk(&mut self, header: &ChunkHeader, stored: &[u8]) -> Result<(), Skip> {
        let kind = header.kind().ok_or(Skip::Unknown)?;
        if header.version != 1 && (header.version == 0 || header.flags & chunk::APPEND_ONLY == 0) {
            return Err(Skip::Unknown);
        }
        match header.flags & chunk::CODEC {
            0 => self.payload(kind, stored).map_err(Skip::Malformed),
            chunk::ZSTD => {
                let decompressor = self.decompressor.as_mut().ok_or(Skip::Unsupported)?;
                let mut buffer = std::mem::take(&mut self.buffer);
                let result = match decompressor.decompress(stored, header.raw, &mut buffer) {
                    Some(()) => self.payload(kind, &buffer),
                    None => Err("it cannot be decompressed"),
                };
                self.buffer = buffer;
                result.map_err(Skip::Malformed)
            }
            _ => Err(Skip::Unsupported),
        }
    }

    fn payload(&mut self, kind: Kind, payload: &[u8]) -> Result<(), What> {
        let decoder = &mut self.decoder;
        match kind {
            Kind::About => facts::about(&codec::decode(payload)?, &mut self.header),
            Kind::Strings => decoder.strings(&codec::decode(payload)?)?,
            Kind::Functions => decoder.functions(&codec::decode(payload)?)?,
            Kind::Frames => decoder.frames(&codec::decode(payload)?)?,
            Kind::Stacks => decoder.stacks(&codec::decode(payload)?)?,
            Kind::Processes => decoder.processes(&codec::decode(payload)?)?,
            Kind::Threads => decoder.threads(&codec::decode(payload)?)?,
            Kind::Samples => decoder.samples(&codec::decode(payload)?)?,
            Kind::Memory => decoder.memory(&codec::decode(payload)?)?,
            Kind::Copies => decoder.copies(&codec::decode(payload)?)?,
            Kind::Footprints => decoder.footprints(&codec::decode(payload)?)?,
            Kind::Counters => decoder.counters(&codec::decode(payload)?)?,
            Kind::ThreadEnds => decoder.thread_ends(&codec::decode(payload)?)?,
            Kind::ProcessEnds => decoder.process_ends(&codec::decode(payload)?)?,
            Kind::Notes => decoder.notes(&codec::decode(payload)?)?,
            Kind::End => {
                decoder.end(&codec::decode(payload)?);
                self.damage.complete = true;
            }
            Kind::Index => {}
        }
        Ok(())
    }
}
