//! From pending records to chunks, each behind everything it refers to.

use alloc::vec::Vec;

use super::TraceWriter;
use crate::encode::{Scratch, Unit, dictionary, events, facts};
use crate::io::{self, Write};
use crate::kind::Kind;
use crate::record::{
    Copied, Counter, Footprint, Inherited, MemoryEvent, Process, ProcessEnd, Sample, Thread,
    ThreadEnd,
};
use crate::tables::Tables;

/// Records on their way into a chunk.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) processes: Vec<Process>,
    pub(super) threads: Vec<Thread>,
    pub(super) samples: Vec<Sample>,
    pub(super) memory: Vec<MemoryEvent>,
    pub(super) copies: Vec<Copied>,
    pub(super) footprints: Vec<Footprint>,
    pub(super) inheritances: Vec<Inherited>,
    pub(super) counters: Vec<Counter>,
    pub(super) thread_ends: Vec<ThreadEnd>,
    pub(super) process_ends: Vec<ProcessEnd>,
    pub(super) notes: Vec<Vec<u8>>,
    /// Bytes of the notes.
    pub(super) note_bytes: usize,
}

impl<W: Write> TraceWriter<W> {
    pub(super) fn chunk(&mut self, kind: Kind, records: usize) -> io::Result<()> {
        let extent = self.scratch.take_extent();
        self.out.chunk(kind, &self.scratch.payload, records as u32, &extent)
    }

    /// Writes the entries of the dictionaries that are not yet in the file; `tables` instead of our own.
    pub(super) fn dictionaries(&mut self, tables: Option<&Tables>) -> io::Result<()> {
        type Encode = fn(&Tables, usize, &mut Scratch) -> usize;
        const DICTIONARIES: [(usize, Kind, Encode); 5] = [
            (0, Kind::Strings, dictionary::strings),
            (4, Kind::Binaries, dictionary::binaries),
            (1, Kind::Functions, dictionary::functions),
            (2, Kind::Frames, dictionary::frames),
            (3, Kind::Stacks, dictionary::stacks),
        ];
        let counts = tables.unwrap_or(self.tables()).all_counts();
        for (table, kind, encode) in DICTIONARIES {
            while self.written[table] < counts[table] {
                let tables = tables.unwrap_or(self.interner.tables());
                let taken = encode(tables, self.written[table], &mut self.scratch);
                self.written[table] += taken;
                self.chunk(kind, taken)?;
            }
        }
        Ok(())
    }

    /// Writes what later chunks refer to.
    pub(super) fn definitions(&mut self) -> io::Result<()> {
        self.dictionaries(None)?;
        while !self.pending.processes.is_empty() {
            let pending = &mut self.pending.processes;
            let taken = facts::processes(pending, self.unit, &mut self.scratch);
            pending.drain(..taken);
            self.chunk(Kind::Processes, taken)?;
        }
        while !self.pending.threads.is_empty() {
            let pending = &mut self.pending.threads;
            let taken = facts::threads(pending, self.unit, &mut self.scratch);
            pending.drain(..taken);
            self.chunk(Kind::Threads, taken)?;
        }
        Ok(())
    }

    /// Writes one kind of pending records, with the definitions before it.
    fn block<T>(
        &mut self,
        kind: Kind,
        pending: impl Fn(&mut Pending) -> &mut Vec<T>,
        encode: impl Fn(&[T], Unit, &mut Scratch),
    ) -> io::Result<()> {
        if pending(&mut self.pending).is_empty() {
            return Ok(());
        }
        self.definitions()?;
        let rows = pending(&mut self.pending);
        let count = rows.len();
        encode(rows, self.unit, &mut self.scratch);
        rows.clear();
        self.chunk(kind, count)
    }

    pub(super) fn samples(&mut self) -> io::Result<()> {
        self.block(Kind::Samples, |pending| &mut pending.samples, events::samples)
    }

    pub(super) fn memory(&mut self) -> io::Result<()> {
        self.block(Kind::Memory, |pending| &mut pending.memory, events::memory)
    }

    pub(super) fn copies(&mut self) -> io::Result<()> {
        self.block(Kind::Copies, |pending| &mut pending.copies, events::copies)
    }

    /// Writes everything pending, ends last.
    pub(super) fn blocks(&mut self) -> io::Result<()> {
        self.definitions()?;
        self.samples()?;
        self.memory()?;
        self.copies()?;
        self.block(Kind::Inheritances, |pending| &mut pending.inheritances, facts::inheritances)?;
        self.block(Kind::Footprints, |pending| &mut pending.footprints, facts::footprints)?;
        self.block(Kind::Counters, |pending| &mut pending.counters, facts::counters)?;
        // Not before: what a thread did last is often told after its end.
        for end in &self.pending.thread_ends {
            self.carries.forget(end.id);
        }
        self.block(Kind::ThreadEnds, |pending| &mut pending.thread_ends, facts::thread_ends)?;
        self.block(Kind::ProcessEnds, |pending| &mut pending.process_ends, facts::process_ends)?;
        self.notes()
    }

    pub(super) fn notes(&mut self) -> io::Result<()> {
        while !self.pending.notes.is_empty() {
            let taken = facts::notes(&self.pending.notes, &mut self.scratch);
            let notes = self.pending.notes.drain(..taken);
            self.pending.note_bytes -= notes.map(|note| note.len()).sum::<usize>();
            self.chunk(Kind::Notes, taken)?;
        }
        Ok(())
    }
}
