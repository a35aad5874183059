//! From records of the whole to records of the part.

use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::SplitError;
use super::before::Before;
use super::sink::Sink;
use crate::block::Block;
use crate::ids::{ProcessId, ThreadId};
use crate::io;
use crate::record::{
    Alloc, Copied, Counter, Footprint, Free, Inherited, MemoryEvent, Outcome, Process, ProcessEnd,
    Record, Resize, Sample, Thread, ThreadEnd,
};
use crate::units::Timestamp;

/// Start and end of a part, whole units of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) from: Timestamp,
    pub(crate) until: Option<Timestamp>,
}

impl Range {
    pub(crate) fn new(
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        unit: u64,
    ) -> Result<Self, SplitError> {
        let round = |time: Timestamp| {
            Timestamp::from_nanos(time.as_nanos().div_ceil(unit.max(1)).saturating_mul(unit))
        };
        let (from, until) = (from.unwrap_or_default(), until);
        match (round(from), until.map(round)) {
            (start, Some(end)) if start >= end => {
                Err(SplitError::Empty { from, until: until.unwrap_or_default() })
            }
            (from, until) => Ok(Self { from, until }),
        }
    }

    /// A moment of the whole in the part's time, the nearest one when it is outside.
    pub(crate) fn within(self, time: Timestamp) -> Timestamp {
        let time = self.until.map_or(time, |until| time.min(until));
        Timestamp::from_nanos(time.as_nanos().saturating_sub(self.from.as_nanos()))
    }

    fn is_behind(self, time: Timestamp) -> bool {
        self.until.is_some_and(|until| time >= until)
    }
}

/// The part as far as written.
#[derive(Debug)]
pub(crate) struct Part {
    range: Range,
    before: Before,
    /// Processes and threads that are older than the part, in order of id.
    old_processes: Vec<ProcessId>,
    old_threads: Vec<ThreadId>,
    /// Highest footprint of each process in the part.
    highest: HashMap<ProcessId, u64>,
    records: u64,
    samples: Vec<Sample>,
    memory: Vec<MemoryEvent>,
    copies: Vec<Copied>,
}

impl Part {
    pub(crate) fn new(range: Range, before: Before) -> Self {
        Self {
            range,
            before,
            old_processes: Vec::new(),
            old_threads: Vec::new(),
            highest: HashMap::new(),
            records: 0,
            samples: Vec::new(),
            memory: Vec::new(),
            copies: Vec::new(),
        }
    }

    /// How many records were written.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Writes a block of the whole that has only events of the part.
    pub(crate) fn pass(&mut self, block: Block<'_>, out: &mut impl Sink) -> io::Result<()> {
        let range = self.range;
        if let Block::Records(records) = block {
            return records.iter().try_for_each(|record| self.record(record, out));
        }
        self.records += block.len() as u64;
        match block {
            Block::Samples(samples) => {
                self.samples.clear();
                let moved = |s: &Sample| Sample { time: range.within(s.time), ..*s };
                self.samples.extend(samples.iter().map(moved));
                out.block(&Block::Samples(&self.samples))
            }
            Block::Memory(events) => {
                self.memory.clear();
                self.memory.extend(events.iter().map(|event| memory_event(event, range)));
                out.block(&Block::Memory(&self.memory))
            }
            Block::Copies(copies) => {
                self.copies.clear();
                let moved = |c: &Copied| Copied { time: range.within(c.time), ..*c };
                self.copies.extend(copies.iter().map(moved));
                out.block(&Block::Copies(&self.copies))
            }
            Block::Records(_) => Ok(()),
        }
    }

    /// Writes a note of our own.
    pub(crate) fn note(&mut self, note: String, out: &mut impl Sink) -> io::Result<()> {
        self.write(&Record::Note(note.into_bytes()), out)
    }

    fn write(&mut self, record: &Record, out: &mut impl Sink) -> io::Result<()> {
        self.records += 1;
        out.record(record)
    }

    fn record(&mut self, record: &Record, out: &mut impl Sink) -> io::Result<()> {
        let time = record.time().map(|time| self.range.within(time)).unwrap_or_default();
        let record = match record {
            Record::Process(process) => return self.process(process, out),
            Record::Thread(thread) => {
                if thread.time < self.range.from {
                    self.old_threads.push(thread.id);
                }
                Record::Thread(Thread { time, ..thread.clone() })
            }
            Record::ProcessEnd(end) => Record::ProcessEnd(self.process_end(end, time)),
            Record::ThreadEnd(end) if self.range.is_behind(end.time) => return Ok(()),
            Record::ThreadEnd(end) => {
                let is_old = self.old_threads.binary_search(&end.id).is_ok();
                let cpu_ns = if is_old { 0 } else { end.cpu_ns };
                Record::ThreadEnd(ThreadEnd { time, cpu_ns, ..*end })
            }
            Record::Footprint(point) => Record::Footprint(self.footprint(point, time)),
            Record::Inherited(inherited) => Record::Inherited(Inherited { time, ..*inherited }),
            Record::Counter(counter) => {
                let counted = self.before.counted(counter.process, counter.name);
                let value = counter.value.saturating_sub(counted);
                Record::Counter(Counter { time, value, ..*counter })
            }
            other => other.clone(),
        };
        self.write(&record, out)
    }

    /// A process comes with the footprint that it has when the part begins.
    fn process(&mut self, process: &Process, out: &mut impl Sink) -> io::Result<()> {
        if process.time < self.range.from {
            self.old_processes.push(process.id);
        }
        let time = self.range.within(process.time);
        self.write(&Record::Process(Process { time, ..process.clone() }), out)?;
        let Some(point) = self.before.footprint(process.id) else { return Ok(()) };
        let point = self.footprint(&point, Timestamp::ZERO);
        self.write(&Record::Footprint(point), out)
    }

    fn process_end(&self, end: &ProcessEnd, time: Timestamp) -> ProcessEnd {
        if self.range.is_behind(end.time) {
            return ProcessEnd { id: end.id, time, outcome: Outcome::Running, cpu_ns: 0 };
        }
        let is_old = self.old_processes.binary_search(&end.id).is_ok();
        ProcessEnd { time, cpu_ns: if is_old { 0 } else { end.cpu_ns }, ..*end }
    }

    fn footprint(&mut self, point: &Footprint, time: Timestamp) -> Footprint {
        let mut point = Footprint { time, ..*point };
        // A part from the start on has the peaks of the whole.
        if self.range.from > Timestamp::ZERO {
            let bytes = point.native_bytes.saturating_add(point.python_bytes);
            let highest = self.highest.get(&point.process).copied();
            point.peak |= highest.is_none_or(|highest| bytes > highest);
            self.highest.insert(point.process, highest.map_or(bytes, |h| h.max(bytes)));
        }
        point
    }
}

fn memory_event(event: &MemoryEvent, range: Range) -> MemoryEvent {
    let time = range.within(event.time());
    match event {
        MemoryEvent::Alloc(alloc) => MemoryEvent::Alloc(Alloc { time, ..*alloc }),
        MemoryEvent::Free(free) => MemoryEvent::Free(Free { time, ..*free }),
        MemoryEvent::Resize(resize) => MemoryEvent::Resize(Resize { time, ..*resize }),
    }
}
