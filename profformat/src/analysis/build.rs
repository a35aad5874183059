//! From records to a [`Profile`], in two passes over them.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::activity::Parts;
use super::copies::Copies;
use super::footprint::Total;
use super::heap::{self, Heap};
use super::listed::Listed;
use super::sites::places::{NO_STACK, OTHER};
use super::time::Time;
use super::{FootprintCurve, Profile};
use crate::block::Block;
use crate::error::Error;
use crate::filter::Filter;
use crate::ids::{ProcessId, StringId, ThreadId};
use crate::kind::Kind;
use crate::limit;
use crate::reader::{Damage, TraceReader};
use crate::record::{
    Copied, Header, MemoryEvent, Process, ProcessEnd, Record, Sample, Thread, ThreadEnd,
};
use crate::tables::Tables;
use crate::units::Timestamp;

/// Notes of a trace that are kept.
const NOTES: usize = 256;
/// Different names of counters that are kept.
const COUNTER_NAMES: usize = 1 << 14;

/// The first pass: finds when the footprint was highest. Only [`Record::Footprint`], [`Record::Process`],
/// [`Record::Inherited`] and [`Record::ProcessEnd`] matter to it; a reader may leave out everything else.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    total: Total,
}

impl Survey {
    /// A survey for what was live at this moment, instead of at the peak.
    pub fn at(moment: Timestamp) -> Self {
        Self { total: Total::at(Some(moment)) }
    }

    /// Takes the next record of the trace.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::Footprint(point) => self.total.point(point),
            Record::Process(process) => self.total.process(process),
            Record::Inherited(inherited) => self.total.inherited(inherited),
            Record::ProcessEnd(end) => self.total.ended(end),
            _ => {}
        }
    }

    /// The footprint of all processes together.
    pub fn finish(self) -> FootprintCurve {
        self.total.finish()
    }
}

/// The second pass: adds everything up. Its memory follows the number of different stacks and of live
/// followed blocks, not the number of records.
#[derive(Debug)]
pub struct Builder {
    header: Header,
    footprint: FootprintCurve,
    processes: Listed<Process, ProcessEnd>,
    threads: Listed<Thread, ThreadEnd>,
    time: Time,
    heap: Heap,
    copies: Copies,
    counters: HashMap<(ProcessId, StringId), u64>,
    counter_names: HashSet<StringId>,
    /// Values of counters that were not kept.
    more_counters: u64,
    notes: Vec<String>,
    more_notes: u64,
    elapsed: Timestamp,
    complete: bool,
}

impl Builder {
    /// A builder for the trace that `footprint` was found in.
    pub fn new(header: Header, footprint: FootprintCurve) -> Self {
        let is_asked = footprint.is_asked;
        let peak = (footprint.peak_bytes > 0 || is_asked).then_some(footprint.peak_time);
        Self {
            header,
            footprint,
            processes: Listed::new(|process| process.id.number()),
            threads: Listed::new(|thread| thread.id.number()),
            time: Time::new(),
            heap: Heap::new(peak, is_asked),
            copies: Copies::new(),
            counters: HashMap::new(),
            counter_names: HashSet::new(),
            more_counters: 0,
            notes: Vec::new(),
            more_notes: 0,
            elapsed: Timestamp::ZERO,
            complete: false,
        }
    }

    /// Keeps apart when time was spent, for [`Profile::activity`]. Takes up to 8 MiB and
    /// 32 bytes for each sum of time. Must be said before the first record.
    pub fn with_activity(mut self) -> Self {
        self.time.parts = Some(Parts::new());
        self
    }

    /// Takes the next records of the trace.
    pub fn block(&mut self, block: &Block<'_>) {
        match block {
            Block::Samples(samples) => self.samples(samples),
            Block::Memory(events) => self.memory(events),
            Block::Copies(copies) => copies.iter().for_each(|copied| self.copied(copied)),
            Block::Records(records) => records.iter().for_each(|record| self.record(record)),
        }
    }

    /// Takes the next record of the trace.
    pub fn record(&mut self, record: &Record) {
        let time = match record {
            Record::Sample(sample) => return self.samples(&[*sample]),
            Record::Alloc(alloc) => return self.memory(&[MemoryEvent::Alloc(*alloc)]),
            Record::Free(free) => return self.memory(&[MemoryEvent::Free(*free)]),
            Record::Resize(resize) => return self.memory(&[MemoryEvent::Resize(*resize)]),
            Record::Copied(copied) => return self.copied(copied),
            Record::Process(process) => {
                self.processes.add(process);
                process.time
            }
            Record::ProcessEnd(end) => {
                if let Some((_, known)) = self.processes.get_mut(end.id.number()) {
                    *known = Some(*end);
                }
                end.time
            }
            Record::Thread(thread) => {
                self.thread(thread);
                thread.time
            }
            Record::ThreadEnd(end) => {
                if let Some((_, known)) = self.threads.get_mut(end.id.number()) {
                    *known = Some(*end);
                }
                end.time
            }
            Record::Footprint(point) => point.time,
            Record::Inherited(inherited) => inherited.time,
            Record::Counter(counter) => {
                self.counter((counter.process, counter.name), counter.value);
                counter.time
            }
            Record::Note(note) => {
                self.foreign_note(note);
                return;
            }
            Record::End(time) => {
                self.complete = true;
                *time
            }
        };
        self.elapsed = self.elapsed.max(time);
    }

    fn samples(&mut self, samples: &[Sample]) {
        self.time.samples(samples);
        let last = samples.iter().map(|sample| sample.time).max();
        self.elapsed = self.elapsed.max(last.unwrap_or_default());
    }

    fn memory(&mut self, events: &[MemoryEvent]) {
        let threads = &self.threads;
        let process_of = |id: ThreadId| threads.get(id.number()).map(|(thread, _)| thread.process);
        self.heap.events(events, process_of);
        let last = events.iter().map(MemoryEvent::time).max();
        self.elapsed = self.elapsed.max(last.unwrap_or_default());
    }

    fn copied(&mut self, copied: &Copied) {
        self.copies.copied(copied);
        self.elapsed = self.elapsed.max(copied.time);
    }

    /// Adds a note of the reader's own, such as how much of the file was damaged.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Adds a note of the trace. The first [`NOTES`] are kept, for a file can have a million.
    fn foreign_note(&mut self, note: &[u8]) {
        if self.notes.len() < NOTES {
            self.note(String::from_utf8_lossy(note).into_owned());
        } else {
            self.more_notes += 1;
        }
    }

    /// The profile. `tables` are the reader's, as they are after the last record.
    pub fn finish(mut self, mut tables: Tables) -> Profile {
        let memory = self.heap.crowded_out() + self.copies.sums.crowded_out;
        let crowded_out = self.time.sums.crowded_out + memory;
        if crowded_out > 0 {
            self.note(format!(
                "{crowded_out} samples count without their stack: there are more different ones than are kept"
            ));
        }
        let unfollowed = self.heap.unfollowed();
        if unfollowed > 0 {
            self.note(format!(
                "what became of {unfollowed} sampled allocations is not known: more than {} blocks were live at once, or one grew in too many places",
                heap::BLOCKS
            ));
        }
        if self.more_counters > 0 {
            self.note(format!("{} values of counters were left out", self.more_counters));
        }
        if self.more_notes > 0 {
            self.note(format!("{} more notes are in the trace", self.more_notes));
        }
        let Self { processes, threads, .. } = self;
        let mut counters = BTreeMap::new();
        for ((_, name), value) in self.counters {
            let sum: &mut u64 = counters.entry(tables.text(name).into_owned()).or_default();
            *sum = sum.saturating_add(value);
        }
        // Sites of what has no stack, and of what are too many, go by these names.
        tables.push_string(NO_STACK.as_bytes());
        tables.push_string(OTHER.as_bytes());
        tables.push_string(b"");
        let peak = self.footprint.peak_time;
        let gone = |thread: ThreadId| {
            let (thread, _) = threads.get(thread.number())?;
            let (_, end) = processes.get(thread.process.number())?;
            Some(end.as_ref()?.time < peak)
        };
        let elapsed = self.elapsed;
        let life = |process: Option<ProcessId>| {
            let known = process.and_then(|process| processes.get(process.number()));
            let begin = known.map_or(Timestamp::ZERO, |(process, _)| process.time);
            let end = known.and_then(|(_, end)| end.as_ref()).map_or(elapsed, |end| end.time);
            (begin, end.as_nanos().saturating_sub(begin.as_nanos()))
        };
        let (time, activity) = self.time.finish();
        Profile {
            header: self.header,
            time,
            activity,
            births: self.heap.births(life),
            curves: self.heap.curves(),
            memory: self.heap.finish(|thread| gone(thread).unwrap_or(false)),
            copies: self.copies.finish(),
            footprint: self.footprint,
            counters,
            notes: self.notes,
            elapsed: self.elapsed,
            complete: self.complete,
            damage: Damage { complete: self.complete, ..Damage::default() },
            processes: processes.into_values(),
            threads: threads.into_values(),
            tables,
        }
    }

    /// A thread can be recorded again when its name has become known.
    fn thread(&mut self, thread: &Thread) {
        match self.threads.get_mut(thread.id.number()) {
            Some((known, _)) if !thread.name.is_empty() => known.name.clone_from(&thread.name),
            Some(_) => {}
            None => self.threads.add(thread),
        }
    }

    fn counter(&mut self, key: (ProcessId, StringId), value: u64) {
        let is_full = self.counters.len() >= limit::COUNTERS;
        match self.counters.get_mut(&key) {
            Some(known) => *known = value,
            None if is_full => self.more_counters += 1,
            None => {
                let names = self.counter_names.len();
                if names >= COUNTER_NAMES && !self.counter_names.contains(&key.1) {
                    self.more_counters += 1;
                    return;
                }
                self.counter_names.insert(key.1);
                self.counters.insert(key, value);
            }
        }
    }
}

impl Profile {
    /// The profile of a whole trace. What is damaged is left out, and a note says how much that is.
    ///
    /// # Errors
    /// When these bytes are no trace that this version can read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_bytes_with(bytes, &Filter::new(), Survey::default(), |_| ())
    }

    /// The profile of the events that `filter` wants. `survey` is a new one, and says which moment live bytes are of.
    /// `behind` is told, again and again, up to which offset the bytes have been read, twice from front to end: to show
    /// progress, or to let go of pages of a mapped file.
    ///
    /// # Errors
    /// When these bytes are no trace that this version can read.
    pub fn from_bytes_with(
        bytes: &[u8],
        filter: &Filter,
        survey: Survey,
        behind: impl FnMut(usize),
    ) -> Result<Self, Error> {
        Self::read(bytes, filter, survey, |builder| builder, behind)
    }

    /// As [`from_bytes_with`](Self::from_bytes_with), with [`activity`](Self::activity).
    ///
    /// # Errors
    /// When these bytes are no trace that this version can read.
    pub fn from_bytes_with_activity(
        bytes: &[u8],
        filter: &Filter,
        survey: Survey,
        behind: impl FnMut(usize),
    ) -> Result<Self, Error> {
        Self::read(bytes, filter, survey, Builder::with_activity, behind)
    }

    fn read(
        bytes: &[u8],
        filter: &Filter,
        mut survey: Survey,
        asked: fn(Builder) -> Builder,
        mut behind: impl FnMut(usize),
    ) -> Result<Self, Error> {
        let footprints = filter.clone().kinds([Kind::Footprints]);
        let mut reader = TraceReader::new(bytes)?.filter(footprints);
        while let Some(block) = reader.next_block() {
            if let Block::Records(records) = block? {
                records.iter().for_each(|record| survey.record(record));
            }
            behind(reader.offset());
        }
        let mut reader = TraceReader::new(bytes)?;
        if !filter.wants_all() {
            reader = reader.filter(filter.clone());
        }
        let mut builder = asked(Builder::new(reader.header().clone(), survey.finish()));
        while let Some(block) = reader.next_block() {
            builder.block(&block?);
            behind(reader.offset());
        }
        let damage = *reader.damage();
        if damage.chunks > 0 || damage.bytes > 0 || damage.missing > 0 {
            builder.note(format!(
                "the trace is damaged: {} chunks and {} bytes could not be read, {} chunks are missing",
                damage.chunks, damage.bytes, damage.missing
            ));
        }
        if damage.unsupported > 0 {
            let count = damage.unsupported;
            builder
                .note(format!("{count} chunks are compressed in a way this program cannot read"));
        }
        Ok(Profile { damage, ..builder.finish(reader.into_tables()) })
    }

    /// The profile of records that can be gone over twice; `records` gives them anew each time.
    pub fn from_records<'a, I>(header: Header, tables: Tables, records: impl Fn() -> I) -> Self
    where
        I: Iterator<Item = &'a Record>,
    {
        let mut survey = Survey::default();
        records().for_each(|record| survey.record(record));
        let mut builder = Builder::new(header, survey.finish());
        records().for_each(|record| builder.record(record));
        builder.finish(tables)
    }
}
