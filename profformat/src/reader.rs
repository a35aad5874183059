//! Reads a trace.

use alloc::vec::Vec;
use core::mem;

use crate::block::Block;
use crate::chunk;
use crate::compress::Decompressor;
use crate::decode::{Decoder, facts};
use crate::error::Error;
use crate::filter::Filter;
use crate::header;
use crate::ids::ThreadId;
use crate::index::{Entry, Index};
use crate::kind::Kind;
use crate::record::{Header, Record};
pub use crate::scan::Damage;
use crate::scan::{Chunk, Scan};
use crate::tables::Tables;
use crate::wire::cursor::What;

/// Why a chunk was left out.
enum Skip {
    Unknown,
    Unsupported,
    Malformed(What),
}

/// What became of the next chunk.
enum Advance {
    /// There are records to hand out.
    Records,
    /// Nothing to hand out, but something was wrong.
    Error(Error),
    /// Nothing more.
    End,
}

/// Chunks that are to be read, when the index was asked.
#[derive(Debug)]
struct Plan {
    entries: Vec<Entry>,
    next: usize,
    /// Where to go on when they are read.
    rest: usize,
}

/// Reads the records of a trace in the order of the file. Reads any bytes in linear time, and in memory that
/// follows the dictionaries, not the length.
#[derive(Debug)]
pub struct TraceReader<'a> {
    scan: Scan<'a>,
    header: Header,
    version: (u16, u16),
    /// Bytes of the file header.
    start: usize,
    strict: bool,
    filter: Option<Filter>,
    plan: Option<Plan>,
    decoder: Decoder,
    decompressor: Option<Decompressor>,
    buffer: Vec<u8>,
    /// Records made up for lost ones stand before the records that use them.
    made_up: Vec<Record>,
    /// How many records of the block at hand were handed out.
    taken: usize,
    /// Where the block begins that was handed out last.
    begin: usize,
    first_error: Option<Error>,
}

impl<'a> TraceReader<'a> {
    /// Reads the file header. Errors when these bytes are no trace that this version can read.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let start = header::decode(bytes)?;
        let mut reader = Self {
            scan: Scan::new(bytes, start.length),
            header: start.header,
            version: start.version,
            start: start.length,
            strict: false,
            filter: None,
            plan: None,
            decoder: Decoder::new(start.time_unit_ns),
            decompressor: Decompressor::new(),
            buffer: Vec::new(),
            made_up: Vec::new(),
            taken: 0,
            begin: 0,
            first_error: None,
        };
        // The command stands in the first chunk, which the loop passes over again.
        if let Some(first) = reader.scan.peek()
            && first.header.kind() == Some(Kind::About)
        {
            let _ = reader.chunk(&first);
        }
        Ok(reader)
    }

    /// The same reader, for the bytes that stand behind those it has read. It knows no index any more.
    pub(crate) fn go_on<'b>(self, bytes: &'b [u8]) -> TraceReader<'b> {
        TraceReader {
            scan: self.scan.go_on(bytes),
            header: self.header,
            version: self.version,
            start: self.start,
            strict: self.strict,
            filter: self.filter,
            plan: None,
            decoder: self.decoder,
            decompressor: self.decompressor,
            buffer: self.buffer,
            made_up: self.made_up,
            taken: self.taken,
            begin: self.begin,
            first_error: None,
        }
    }

    /// Makes damage an error instead of skipping and counting it.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Leaves out the events that are not wanted. With an index in the file, chunks that hold none that is are
    /// not read, and damage in them is not found.
    pub fn filter(mut self, filter: Filter) -> Self {
        let (bytes, unit) = (self.scan.bytes(), self.decoder.unit.0);
        if let Some(index) = self.index().or_else(|| Index::unfinished(bytes, self.start, unit)) {
            let rest = index.rest;
            self.plan = Some(Plan { entries: index.into_entries(), next: 0, rest });
        }
        self.filter = Some(filter);
        self
    }

    /// The index of the file: where its chunks are and what is in them. `None` when the trace was not finished
    /// or the index is damaged. In traces of format 1.0 it does not know times and threads.
    pub fn index(&self) -> Option<Index> {
        Index::finished(self.scan.bytes(), self.start, self.decoder.unit.0)
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
        self.decoder.unit.0
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
        &self.scan.damage
    }

    /// The first damage that was met, as far as read.
    pub fn first_error(&self) -> Option<&Error> {
        self.first_error.as_ref()
    }

    /// How many bytes of the file are behind the reader; it does not go back.
    pub fn offset(&self) -> usize {
        self.scan.offset()
    }

    /// The next record; `None` at the end. Never an error unless [`strict`](Self::strict), and nothing
    /// after an error.
    #[inline]
    pub fn next_record(&mut self) -> Option<Result<Record, Error>> {
        loop {
            if let Some(record) = self.at_hand().get(self.taken) {
                self.taken += 1;
                return Some(Ok(record));
            }
            if let Err(error) = self.refill()? {
                return Some(Err(error));
            }
        }
    }

    /// The rest of the records.
    pub fn records(&mut self) -> impl Iterator<Item = Result<Record, Error>> + use<'_, 'a> {
        core::iter::from_fn(|| self.next_record())
    }

    /// The records of the next chunk that has any, or what is left of one; `None` at the end. Errors are those
    /// of [`next_record`](Self::next_record). This is the fast way to read: nothing is copied.
    pub fn next_block(&mut self) -> Option<Result<Block<'_>, Error>> {
        while self.taken >= self.at_hand().len() {
            if let Err(error) = self.refill()? {
                return Some(Err(error));
            }
        }
        self.begin = mem::replace(&mut self.taken, usize::MAX);
        Some(Ok(self.block()))
    }

    /// The block that [`next_block`](Self::next_block) gave last, for use beside [`tables`](Self::tables).
    pub fn block(&self) -> Block<'_> {
        self.at_hand().from(self.begin)
    }

    #[inline]
    fn at_hand(&self) -> Block<'_> {
        if self.made_up.is_empty() { self.decoder.block() } else { Block::Records(&self.made_up) }
    }

    /// Gets the next records.
    #[cold]
    fn refill(&mut self) -> Option<Result<(), Error>> {
        if self.made_up.is_empty() {
            loop {
                match self.advance() {
                    Advance::End => return self.end().map(Err),
                    Advance::Records => break,
                    Advance::Error(error) => {
                        let error = self.first_error.get_or_insert(error);
                        if self.strict {
                            let error = error.clone();
                            self.stop();
                            return Some(Err(error));
                        }
                        if !self.decoder.block().is_empty()
                            || !self.decoder.known.made_up.is_empty()
                        {
                            break;
                        }
                    }
                }
            }
            self.made_up.append(&mut self.decoder.known.made_up);
        } else {
            // What refers to them comes next.
            self.made_up.clear();
        }
        (self.taken, self.begin) = (0, 0);
        Some(Ok(()))
    }

    /// Hands out nothing more.
    fn stop(&mut self) {
        self.scan.stop();
        self.plan = None;
        self.decoder.clear();
        self.made_up.clear();
        self.decoder.known.made_up.clear();
    }

    /// What is wrong with the end of the file, told once.
    fn end(&mut self) -> Option<Error> {
        self.decoder.clear();
        if self.scan.damage.complete || self.first_error.is_some() {
            return None;
        }
        let error = Error::NoEnd { offset: self.scan.bytes().len() as u64 };
        self.first_error = Some(error.clone());
        self.strict.then_some(error)
    }

    /// Reads the next chunk.
    fn advance(&mut self) -> Advance {
        self.decoder.clear();
        self.follow_plan();
        let Some(step) = self.scan.step() else { return Advance::End };
        if self.scan.damage.is_lossy() {
            self.allow_made_up();
        }
        let Some(chunk) = step.chunk else {
            return step.error.map_or(Advance::Records, Advance::Error);
        };
        let what = match self.chunk(&chunk) {
            Ok(()) => return step.error.map_or(Advance::Records, Advance::Error),
            Err(Skip::Malformed(what)) => what,
            Err(Skip::Unknown) => {
                self.scan.damage.unknown += 1;
                self.allow_made_up();
                return step.error.map_or(Advance::Records, Advance::Error);
            }
            Err(Skip::Unsupported) => {
                self.scan.damage.unsupported += 1;
                self.allow_made_up();
                return step.error.map_or(Advance::Records, Advance::Error);
            }
        };
        if !matches!(chunk.header.kind(), Some(Kind::Processes | Kind::Threads)) {
            // Half a block is worth less than the certainty that blocks are whole; definitions that later
            // chunks build on stay.
            self.decoder.clear();
        }
        self.scan.refuse(&chunk);
        self.allow_made_up();
        let (offset, chunk) = (chunk.offset as u64, chunk.header.name());
        Advance::Error(step.error.unwrap_or(Error::Malformed { offset, chunk, what }))
    }

    /// Goes to the next chunk that the index does not rule out.
    fn follow_plan(&mut self) {
        let (Some(plan), Some(filter)) = (&mut self.plan, &self.filter) else { return };
        let processes = self.decoder.known.thread_processes();
        let process = |thread: ThreadId| processes.get(thread.index()).copied();
        let rest = plan.entries.iter().skip(plan.next);
        let passed = rest.take_while(|entry| !filter.wants(entry, process)).count();
        plan.next += passed;
        match plan.entries.get(plan.next) {
            Some(entry) => {
                self.scan.jump(entry.offset as usize);
                plan.next += 1;
            }
            None => {
                self.scan.jump(plan.rest);
                self.plan = None;
            }
        }
    }

    fn allow_made_up(&mut self) {
        self.decoder.known.allow_made_up(self.scan.length());
    }

    /// Decodes a chunk whose checksum fits.
    fn chunk(&mut self, chunk: &Chunk<'_>) -> Result<(), Skip> {
        let header = &chunk.header;
        let kind = header.kind().ok_or(Skip::Unknown)?;
        let is_newer = header.version > kind.version();
        if header.version == 0 || (is_newer && header.flags & chunk::APPEND_ONLY == 0) {
            return Err(Skip::Unknown);
        }
        if self.filter.as_ref().is_some_and(|filter| filter.rules_out(kind)) {
            return Ok(());
        }
        match header.flags & chunk::CODEC {
            0 => self.payload(kind, header.version, chunk.stored).map_err(Skip::Malformed),
            chunk::ZSTD => {
                let decompressor = self.decompressor.as_mut().ok_or(Skip::Unsupported)?;
                let mut buffer = mem::take(&mut self.buffer);
                let result = match decompressor.decompress(chunk.stored, header.raw, &mut buffer) {
                    Some(()) => self.payload(kind, header.version, &buffer),
                    None => Err("it cannot be decompressed"),
                };
                self.buffer = buffer;
                result.map_err(Skip::Malformed)
            }
            _ => Err(Skip::Unsupported),
        }
    }

    fn payload(&mut self, kind: Kind, version: u8, payload: &[u8]) -> Result<(), What> {
        match kind {
            Kind::About => facts::about(payload, &mut self.header)?,
            Kind::Index => {}
            _ => self.decoder.payload(kind, version, payload)?,
        }
        if let Some(filter) = &self.filter {
            self.decoder.keep(filter);
        }
        Ok(())
    }
}
