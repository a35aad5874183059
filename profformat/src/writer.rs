//! Writes a trace.

use std::io::{self, ErrorKind, Write};

use crate::encode::events::MemoryEvent;
use crate::encode::{Scratch, Unit, dictionary, events, facts};
use crate::header;
use crate::ids::{FrameId, FunctionId, ProcessId, StackId, StringId, ThreadId};
use crate::known::predefine;
use crate::limit;
use crate::out::Out;
use crate::payload::Kind;
use crate::record::{
    Copied, Counter, Footprint, Frame, Function, Header, Process, ProcessEnd, Record, Sample,
    Thread, ThreadEnd,
};
use crate::tables::{Interner, Tables};
use crate::units::Timestamp;

/// How a trace is written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Compress chunks with zstd; without the feature `zstd` they stay plain.
    pub compress: bool,
    /// Nanoseconds in a unit of time in the trace, at least 1. Times are rounded down to it; the weights of
    /// a thread's samples are rounded with carry, so that their sum is right to one unit. 1 keeps every
    /// nanosecond.
    pub time_unit_ns: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { compress: cfg!(feature = "zstd"), time_unit_ns: 1_000 }
    }
}

/// Writes a trace chunk by chunk, each by one `write`.
///
/// A caller may go on after an error of the output. What could not be written of a chunk goes out before the
/// next one; chunks that come while the output still fails are lost, and readers say how many are missing.
#[derive(Debug)]
pub struct TraceWriter<W: Write> {
    out: Out<W>,
    interner: Interner,
    /// Depth of each stack.
    depths: Vec<u16>,
    /// How many strings, functions, frames and stacks are in the file.
    written: [usize; 4],
    process_count: u32,
    thread_count: u32,
    /// By thread: the part of a unit that rounding has left, on and off CPU.
    carries: Vec<[u64; 2]>,
    unit: Unit,
    pending: Pending,
    scratch: Scratch,
}

/// Strings that leave room for one more.
const ALL_STRINGS: usize = limit::ALL_STRING_BYTES - limit::STRING_BYTES;

/// Records on their way into a chunk.
#[derive(Debug, Default)]
struct Pending {
    processes: Vec<Process>,
    threads: Vec<Thread>,
    samples: Vec<Sample>,
    memory: Vec<MemoryEvent>,
    copies: Vec<Copied>,
    footprints: Vec<Footprint>,
    counters: Vec<Counter>,
    thread_ends: Vec<ThreadEnd>,
    process_ends: Vec<ProcessEnd>,
    notes: Vec<Vec<u8>>,
}

impl<W: Write> TraceWriter<W> {
    /// Begins a trace: writes the file header and the command.
    pub fn new(out: W, header: &Header, options: Options) -> io::Result<Self> {
        let time_unit_ns = options.time_unit_ns.max(1);
        let out = Out::new(out, &header::encode(header, time_unit_ns), options.compress)?;
        let mut interner = Interner::default();
        let (_, function) = predefine(|bytes| interner.string(bytes));
        let function = interner.function(function);
        interner.frame(Frame { function, line: 0 });
        let mut writer = Self {
            out,
            written: interner.tables().counts(),
            interner,
            depths: Vec::new(),
            process_count: 0,
            thread_count: 0,
            carries: Vec::new(),
            unit: Unit(time_unit_ns.into()),
            pending: Pending::default(),
            scratch: Scratch::default(),
        };
        facts::about(header, &mut writer.scratch)?;
        writer.chunk(Kind::About, 1)?;
        writer.out.flush()?;
        Ok(writer)
    }

    /// The dictionaries so far.
    pub fn tables(&self) -> &Tables {
        self.interner.tables()
    }

    /// The id of a string; longer ones are cut at [`limit::STRING_BYTES`].
    pub fn string(&mut self, bytes: &[u8]) -> StringId {
        if self.is_full(0) || self.tables().string_bytes() >= ALL_STRINGS {
            return self.interner.known_string(limit::string(bytes)).unwrap_or(StringId::new(1));
        }
        self.interner.string(limit::string(bytes))
    }

    /// The id of a function.
    pub fn function(&mut self, function: Function) -> FunctionId {
        if self.is_full(1) {
            return FunctionId::new(0);
        }
        self.interner.function(function)
    }

    /// The id of a frame.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        if self.is_full(2) {
            return FrameId::new(0);
        }
        self.interner.frame(frame)
    }

    /// The id of the stack that has `frame` called from `parent`. Beyond [`limit::STACK_DEPTH`] it is the
    /// parent's: the innermost frames are left out. When there are [`limit::TABLE_ENTRIES`], too, or any other
    /// one for a root.
    pub fn stack(&mut self, parent: Option<StackId>, frame: FrameId) -> StackId {
        let depth = match parent {
            None => 1,
            Some(parent) => match self.depths.get(parent.index()) {
                Some(&depth) if depth >= limit::STACK_DEPTH => return parent,
                depth => depth.copied().unwrap_or(0) + 1,
            },
        };
        if self.is_full(3) {
            return parent.unwrap_or(StackId::new(0));
        }
        let id = self.interner.stack(parent, frame);
        if id.index() == self.depths.len() {
            self.depths.push(depth);
        }
        id
    }

    fn is_full(&self, table: usize) -> bool {
        self.tables().counts()[table] >= limit::TABLE_ENTRIES
    }

    /// Makes the dictionaries those of a trace that is being read, ids unchanged.
    pub(crate) fn adopt(&mut self, tables: &Tables) {
        self.interner.adopt(tables);
        for node in &self.interner.tables().stacks()[self.depths.len()..] {
            let parent = node.parent.map_or(0, |parent| self.depths[parent.index()]);
            self.depths.push(parent + 1);
        }
    }

    /// Adds a record. Events are gathered into blocks; a block that is full goes out with everything it
    /// refers to before it. `InvalidInput` when the record refers to a process, thread, stack or string that
    /// was not defined before, when a process or thread id is not the next one, and for [`Record::End`],
    /// which [`finish`](Self::finish) writes.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let full = match record {
            Record::Process(process) => {
                self.next_id(process.id.number(), self.process_count)?;
                process.parent.map_or(Ok(()), |parent| self.known_process(parent))?;
                self.process_count += 1;
                push(&mut self.pending.processes, process.clone())
            }
            Record::ProcessEnd(end) => {
                self.known_process(end.id)?;
                push(&mut self.pending.process_ends, *end)
            }
            Record::Thread(thread) => {
                self.next_id(thread.id.number(), self.thread_count)?;
                self.known_process(thread.process)?;
                self.thread_count += 1;
                self.carries.push([0; 2]);
                push(&mut self.pending.threads, thread.clone())
            }
            Record::ThreadEnd(end) => {
                self.known_thread(end.id)?;
                push(&mut self.pending.thread_ends, *end)
            }
            Record::Sample(sample) => {
                self.known_thread(sample.thread)?;
                self.known_stack(sample.stack)?;
                let weight_ns = self.rounded(sample);
                push(&mut self.pending.samples, Sample { weight_ns, ..*sample })
            }
            Record::Alloc(alloc) => {
                self.known_thread(alloc.thread)?;
                self.known_stack(alloc.stack)?;
                push(&mut self.pending.memory, MemoryEvent::Alloc(*alloc))
            }
            Record::Free(free) => {
                self.known_thread(free.thread)?;
                push(&mut self.pending.memory, MemoryEvent::Free(*free))
            }
            Record::Resize(resize) => {
                self.known_thread(resize.thread)?;
                push(&mut self.pending.memory, MemoryEvent::Resize(*resize))
            }
            Record::Copied(copied) => {
                self.known_thread(copied.thread)?;
                self.known_stack(copied.stack)?;
                push(&mut self.pending.copies, *copied)
            }
            Record::Footprint(point) => {
                self.known_process(point.process)?;
                push(&mut self.pending.footprints, *point)
            }
            Record::Counter(counter) => {
                self.known_process(counter.process)?;
                known(counter.name.index() < self.tables().counts()[0], "string")?;
                push(&mut self.pending.counters, *counter)
            }
            Record::Note(note) => push(&mut self.pending.notes, limit::string(note).to_vec()),
            Record::End(_) => {
                return Err(io::Error::new(
                    ErrorKind::InvalidInput,
                    "finish writes the end record",
                ));
            }
        };
        if !full {
            return Ok(());
        }
        match record {
            Record::Sample(_) => self.samples(),
            Record::Alloc(_) | Record::Free(_) | Record::Resize(_) => self.memory(),
            Record::Copied(_) => self.copies(),
            Record::Process(_) | Record::Thread(_) => self.definitions(),
            // The end of a thread stands behind its events.
            _ => self.blocks(),
        }
    }

    /// Writes everything so far as complete chunks.
    pub fn flush(&mut self) -> io::Result<()> {
        self.blocks()?;
        self.out.flush()
    }

    /// Ends the trace: everything so far, the end record at `end`, the index. Gives the output back.
    pub fn finish(mut self, end: Timestamp) -> io::Result<W> {
        self.blocks()?;
        facts::end(end, self.unit, &mut self.scratch)?;
        self.chunk(Kind::End, 1)?;
        self.out.finish()
    }

    /// The weight of a sample in whole units, with what earlier samples of its thread have left over.
    fn rounded(&mut self, sample: &Sample) -> u64 {
        let carry = &mut self.carries[sample.thread.index()][usize::from(sample.class.on_cpu())];
        let weight = sample.weight_ns.saturating_add(*carry);
        *carry = weight % self.unit.0;
        weight - *carry
    }

    fn chunk(&mut self, kind: Kind, records: usize) -> io::Result<()> {
        self.out.chunk(kind, &self.scratch.payload, records as u32)
    }

    /// Writes what later chunks refer to.
    fn definitions(&mut self) -> io::Result<()> {
        type Encode = fn(&Tables, usize, &mut Scratch) -> io::Result<usize>;
        const DICTIONARIES: [(Kind, Encode); 4] = [
            (Kind::Strings, dictionary::strings),
            (Kind::Functions, dictionary::functions),
            (Kind::Frames, dictionary::frames),
            (Kind::Stacks, dictionary::stacks),
        ];
        let counts = self.tables().counts();
        for (table, (kind, encode)) in DICTIONARIES.into_iter().enumerate() {
            while self.written[table] < counts[table] {
                let taken = encode(self.interner.tables(), self.written[table], &mut self.scratch)?;
                self.written[table] += taken;
                self.chunk(kind, taken)?;
            }
        }
        while !self.pending.processes.is_empty() {
            let pending = &mut self.pending.processes;
            let taken = facts::processes(pending, self.unit, &mut self.scratch)?;
            pending.drain(..taken);
            self.chunk(Kind::Processes, taken)?;
        }
        while !self.pending.threads.is_empty() {
            let pending = &mut self.pending.threads;
            let taken = facts::threads(pending, self.unit, &mut self.scratch)?;
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
        encode: impl Fn(&[T], Unit, &mut Scratch) -> io::Result<()>,
    ) -> io::Result<()> {
        if pending(&mut self.pending).is_empty() {
            return Ok(());
        }
        self.definitions()?;
        let rows = pending(&mut self.pending);
        let count = rows.len();
        encode(rows, self.unit, &mut self.scratch)?;
        rows.clear();
        self.chunk(kind, count)
    }

    fn samples(&mut self) -> io::Result<()> {
        self.block(Kind::Samples, |pending| &mut pending.samples, events::samples)
    }

    fn memory(&mut self) -> io::Result<()> {
        self.block(Kind::Memory, |pending| &mut pending.memory, events::memory)
    }

    fn copies(&mut self) -> io::Result<()> {
        self.block(Kind::Copies, |pending| &mut pending.copies, events::copies)
    }

    /// Writes everything pending, ends last.
    fn blocks(&mut self) -> io::Result<()> {
        self.definitions()?;
        self.samples()?;
        self.memory()?;
        self.copies()?;
        self.block(Kind::Footprints, |pending| &mut pending.footprints, facts::footprints)?;
        self.block(Kind::Counters, |pending| &mut pending.counters, facts::counters)?;
        self.block(Kind::ThreadEnds, |pending| &mut pending.thread_ends, facts::thread_ends)?;
        self.block(Kind::ProcessEnds, |pending| &mut pending.process_ends, facts::process_ends)?;
        while !self.pending.notes.is_empty() {
            let taken = facts::notes(&self.pending.notes, &mut self.scratch)?;
            self.pending.notes.drain(..taken);
            self.chunk(Kind::Notes, taken)?;
        }
        Ok(())
    }

    fn next_id(&self, id: u32, next: u32) -> io::Result<()> {
        if id == next && id < limit::PROCESSES {
            return Ok(());
        }
        let text = format!("id {id} is out of order or too large, the next one is {next}");
        Err(io::Error::new(ErrorKind::InvalidInput, text))
    }

    fn known_process(&self, id: ProcessId) -> io::Result<()> {
        known(id.number() < self.process_count, "process")
    }

    fn known_thread(&self, id: ThreadId) -> io::Result<()> {
        known(id.number() < self.thread_count, "thread")
    }

    fn known_stack(&self, id: Option<StackId>) -> io::Result<()> {
        known(id.is_none_or(|id| id.index() < self.depths.len()), "stack")
    }
}

fn known(is_known: bool, what: &str) -> io::Result<()> {
    if is_known {
        return Ok(());
    }
    let text = format!("a record refers to a {what} that was not defined before");
    Err(io::Error::new(ErrorKind::InvalidInput, text))
}

/// Appends, and tells whether the block is full now.
#[inline]
fn push<T>(pending: &mut Vec<T>, value: T) -> bool {
    pending.push(value);
    pending.len() >= limit::BLOCK_EVENTS
}
