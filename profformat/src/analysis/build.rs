//! From records to a [`Profile`], in two passes over them.

use std::collections::{BTreeMap, HashMap};

use super::copies::Copies;
use super::footprint::Total;
use super::heap::Heap;
use super::sites::places::NO_STACK;
use super::time::Time;
use super::{FootprintCurve, Profile};
use crate::error::Error;
use crate::ids::{ProcessId, StringId, ThreadId};
use crate::reader::{Damage, TraceReader};
use crate::record::{Header, Process, ProcessEnd, Record, Thread, ThreadEnd};
use crate::tables::Tables;
use crate::units::Timestamp;

/// The first pass: finds when the footprint was highest. Only [`Record::Footprint`] and
/// [`Record::ProcessEnd`] matter to it; a reader may leave out everything else.
#[derive(Debug, Default)]
pub struct Survey {
    total: Total,
}

impl Survey {
    /// Takes the next record of the trace.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::Footprint(point) => self.total.point(point),
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
    processes: BTreeMap<ProcessId, (Process, Option<ProcessEnd>)>,
    threads: BTreeMap<ThreadId, (Thread, Option<ThreadEnd>)>,
    time: Time,
    heap: Heap,
    copies: Copies,
    counters: HashMap<(ProcessId, StringId), u64>,
    notes: Vec<String>,
    elapsed: Timestamp,
    complete: bool,
}

impl Builder {
    /// A builder for the trace that `footprint` was found in.
    pub fn new(header: Header, footprint: FootprintCurve) -> Self {
        let peak = (footprint.peak_bytes > 0).then_some(footprint.peak_time);
        Self {
            header,
            footprint,
            processes: BTreeMap::new(),
            threads: BTreeMap::new(),
            time: Time::default(),
            heap: Heap::new(peak),
            copies: Copies::default(),
            counters: HashMap::new(),
            notes: Vec::new(),
            elapsed: Timestamp::ZERO,
            complete: false,
        }
    }

    /// Takes the next record of the trace.
    pub fn record(&mut self, record: &Record) {
        let time = match record {
            Record::Process(process) => {
                self.processes.entry(process.id).or_insert_with(|| (process.clone(), None));
                process.time
            }
            Record::ProcessEnd(end) => {
                if let Some((_, known)) = self.processes.get_mut(&end.id) {
                    *known = Some(*end);
                }
                end.time
            }
            Record::Thread(thread) => {
                self.thread(thread);
                thread.time
            }
            Record::ThreadEnd(end) => {
                if let Some((_, known)) = self.threads.get_mut(&end.id) {
                    *known = Some(*end);
                }
                end.time
            }
            Record::Sample(sample) => {
                self.time.sample(sample);
                sample.time
            }
            Record::Alloc(alloc) => {
                self.heap.alloc(self.process_of(alloc.thread), alloc);
                alloc.time
            }
            Record::Free(free) => {
                self.heap.free(self.process_of(free.thread), free);
                free.time
            }
            Record::Resize(resize) => {
                self.heap.resize(self.process_of(resize.thread), resize);
                resize.time
            }
            Record::Copied(copied) => {
                self.copies.copied(copied);
                copied.time
            }
            Record::Footprint(point) => point.time,
            Record::Counter(counter) => {
                self.counters.insert((counter.process, counter.name), counter.value);
                counter.time
            }
            Record::Note(note) => {
                self.note(String::from_utf8_lossy(note).into_owned());
                return;
            }
            Record::End(time) => {
                self.complete = true;
                *time
            }
        };
        self.elapsed = self.elapsed.max(time);
    }

    /// Adds a note of the reader's own, such as how much of the file was damaged.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The profile. `tables` are the reader's, as they are after the last record.
    pub fn finish(self, mut tables: Tables) -> Profile {
        let Self { processes, threads, .. } = self;
        let mut counters = BTreeMap::new();
        for ((_, name), value) in self.counters {
            let sum: &mut u64 = counters.entry(tables.text(name).into_owned()).or_default();
            *sum = sum.saturating_add(value);
        }
        // Sites of what has no stack go by this name.
        tables.push_string(NO_STACK.as_bytes());
        tables.push_string(b"");
        let peak = self.footprint.peak_time;
        let gone = |thread| {
            let (thread, _) = threads.get(&thread)?;
            let (_, end) = processes.get(&thread.process)?;
            Some(end.as_ref()?.time < peak)
        };
        Profile {
            header: self.header,
            time: self.time.finish(),
            memory: self.heap.finish(|thread| gone(thread).unwrap_or(false)),
            copies: self.copies.finish(),
            footprint: self.footprint,
            counters,
            notes: self.notes,
            elapsed: self.elapsed,
            complete: self.complete,
            damage: Damage { complete: self.complete, ..Damage::default() },
            processes: processes.into_values().collect(),
            threads: threads.into_values().collect(),
            tables,
        }
    }

    fn process_of(&self, thread: ThreadId) -> Option<ProcessId> {
        self.threads.get(&thread).map(|(thread, _)| thread.process)
    }

    /// A thread can be recorded again when its name has become known.
    fn thread(&mut self, thread: &Thread) {
        match self.threads.get_mut(&thread.id) {
            Some((known, _)) if !thread.name.is_empty() => known.name.clone_from(&thread.name),
            Some(_) => {}
            None => {
                self.threads.insert(thread.id, (thread.clone(), None));
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
        let mut survey = Survey::default();
        let mut reader = TraceReader::new(bytes)?;
        while let Some(record) = reader.next_record() {
            survey.record(&record?);
        }
        let mut reader = TraceReader::new(bytes)?;
        let mut builder = Builder::new(reader.header().clone(), survey.finish());
        while let Some(record) = reader.next_record() {
            builder.record(&record?);
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
