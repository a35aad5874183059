//! Writes a trace.

mod blocks;
mod carries;
mod shorthand;

use alloc::format;
use alloc::vec::Vec;

use self::blocks::Pending;
use self::carries::Carries;
use crate::block::Block;
use crate::encode::{Scratch, Unit, facts};
use crate::header;
use crate::ids::{BinaryId, FrameId, FunctionId, ProcessId, StackId, StringId, ThreadId};
use crate::io::{self, ErrorKind, Write};
use crate::kind::Kind;
use crate::known::{no_binary, predefine};
use crate::limit::{self, Names};
use crate::out::Out;
use crate::record::{Binary, Copied, Frame, Function, Header, MemoryEvent, Record, Sample};
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
    /// How many strings, functions, frames, stacks and binaries are in the file.
    written: [usize; 5],
    process_count: u32,
    thread_count: u32,
    /// What the names of processes and threads may still take.
    names: Names,
    carries: Carries,
    unit: Unit,
    pending: Pending,
    scratch: Scratch,
}

/// Strings that leave room for one more.
const ALL_STRINGS: usize = limit::ALL_STRING_BYTES - limit::STRING_BYTES;

impl<W: Write> TraceWriter<W> {
    /// Begins a trace: writes the file header and the command.
    pub fn new(out: W, header: &Header, options: Options) -> io::Result<Self> {
        let time_unit_ns = options.time_unit_ns.max(1);
        let out = Out::new(out, &header::encode(header, time_unit_ns), options.compress)?;
        let mut interner = Interner::roomy();
        let (_, function) = predefine(|bytes| interner.string(bytes));
        interner.binary(no_binary());
        let function = interner.function(function);
        interner.frame(Frame { function, line: 0 });
        let mut writer = Self {
            out,
            written: interner.tables().all_counts(),
            interner,
            depths: Vec::new(),
            process_count: 0,
            thread_count: 0,
            names: Names::new(),
            carries: Carries::default(),
            unit: Unit(time_unit_ns.into()),
            pending: Pending::default(),
            scratch: Scratch::default(),
        };
        facts::about(header, &mut writer.scratch);
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

    /// The id of a binary; [`BinaryId::NONE`] when its strings were not defined before or there are
    /// [`limit::BINARIES`]. A build id beyond [`limit::BUILD_ID_BYTES`] is left out.
    pub fn binary(&mut self, binary: Binary) -> BinaryId {
        let strings = [binary.path, binary.build_id].map(StringId::index);
        if self.is_full(4) || !strings.into_iter().all(|string| self.has(0, string)) {
            return BinaryId::NONE;
        }
        let is_long = self.tables().string(binary.build_id).len() > limit::BUILD_ID_BYTES;
        let build_id = if is_long { StringId::new(0) } else { binary.build_id };
        self.interner.binary(Binary { build_id, ..binary })
    }

    /// The id of a function; that of `[lost]` when its strings were not defined before.
    pub fn function(&mut self, function: Function) -> FunctionId {
        self.function_of(function, BinaryId::NONE)
    }

    /// The id of a function that belongs to a binary; one that was not defined before is none.
    pub fn function_of(&mut self, function: Function, binary: BinaryId) -> FunctionId {
        let strings = [function.name, function.file].map(StringId::index);
        if self.is_full(1) || !strings.into_iter().all(|string| self.has(0, string)) {
            return FunctionId::new(0);
        }
        let binary = if self.has(4, binary.index()) { binary } else { BinaryId::NONE };
        self.interner.function_of(function, binary)
    }

    /// The id of a frame; that of `[lost]` when its function was not defined before.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        if self.is_full(2) || !self.has(1, frame.function.index()) {
            return FrameId::new(0);
        }
        self.interner.frame(frame)
    }

    /// As [`frame`](Self::frame), of a function whose code the compiler has put into that of its caller, the next frame
    /// outwards.
    pub fn inlined(&mut self, frame: Frame) -> FrameId {
        if self.is_full(2) || !self.has(1, frame.function.index()) {
            return FrameId::new(0);
        }
        self.interner.inlined(frame)
    }

    /// The id of the stack that has `frame` called from `parent`. Beyond [`limit::STACK_DEPTH`] it is the
    /// parent's: the innermost frames are left out. When there are [`limit::STACKS`], too, or any other one for a
    /// root. A parent that was not defined before is none, and such a frame `[lost]`.
    pub fn stack(&mut self, parent: Option<StackId>, frame: FrameId) -> StackId {
        let parent = parent.filter(|parent| self.has(3, parent.index()));
        let frame = if self.has(2, frame.index()) { frame } else { FrameId::new(0) };
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

    fn has(&self, table: usize, index: usize) -> bool {
        index < self.tables().all_counts()[table]
    }

    fn is_full(&self, table: usize) -> bool {
        self.tables().all_counts()[table] >= limit::TABLES[table]
    }

    /// Writes what the dictionaries of a trace that is being read have gained, ids unchanged. They stay with their
    /// owner, for two of them would be half of all memory; a writer that does this defines nothing of its own.
    pub(crate) fn adopt(&mut self, tables: &Tables) -> io::Result<()> {
        self.dictionaries(Some(tables))
    }

    /// How many entries a dictionary has.
    fn count(&self, table: usize) -> usize {
        self.tables().all_counts()[table].max(self.written[table])
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
                push(&mut self.pending.processes, self.names.process(process))
            }
            Record::ProcessEnd(end) => {
                self.known_process(end.id)?;
                push(&mut self.pending.process_ends, *end)
            }
            Record::Thread(thread) => {
                self.next_id(thread.id.number(), self.thread_count)?;
                self.known_process(thread.process)?;
                self.thread_count += 1;
                push(&mut self.pending.threads, self.names.thread(thread))
            }
            Record::ThreadEnd(end) => {
                self.known_thread(end.id)?;
                push(&mut self.pending.thread_ends, *end)
            }
            Record::Sample(sample) => self.sample(sample)?,
            Record::Alloc(alloc) => self.memory_event(MemoryEvent::Alloc(*alloc))?,
            Record::Free(free) => self.memory_event(MemoryEvent::Free(*free))?,
            Record::Resize(resize) => self.memory_event(MemoryEvent::Resize(*resize))?,
            Record::Copied(copied) => self.copied(copied)?,
            Record::Footprint(point) => {
                self.known_process(point.process)?;
                push(&mut self.pending.footprints, *point)
            }
            Record::Inherited(inherited) => {
                self.known_process(inherited.process)?;
                push(&mut self.pending.inheritances, *inherited)
            }
            Record::Counter(counter) => {
                self.known_process(counter.process)?;
                self.known_string(counter.name)?;
                push(&mut self.pending.counters, *counter)
            }
            Record::Note(note) => {
                let note = limit::string(note).to_vec();
                self.pending.note_bytes += note.len();
                push(&mut self.pending.notes, note) || self.pending.note_bytes >= limit::CHUNK_BYTES
            }
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
            Record::Note(_) => self.notes(),
            // The end of a thread stands behind its events.
            _ => self.blocks(),
        }
    }

    /// Adds the records of a block, as [`write`](Self::write) does one by one. The first one that is refused
    /// ends it.
    pub fn write_block(&mut self, block: &Block<'_>) -> io::Result<()> {
        match block {
            Block::Samples(samples) => {
                for sample in *samples {
                    if self.sample(sample)? {
                        self.samples()?;
                    }
                }
            }
            Block::Memory(events) => {
                for event in *events {
                    if self.memory_event(*event)? {
                        self.memory()?;
                    }
                }
            }
            Block::Copies(copies) => {
                for copied in *copies {
                    if self.copied(copied)? {
                        self.copies()?;
                    }
                }
            }
            Block::Records(records) => records.iter().try_for_each(|record| self.write(record))?,
        }
        Ok(())
    }

    #[inline]
    fn sample(&mut self, sample: &Sample) -> io::Result<bool> {
        self.known_thread(sample.thread)?;
        self.known_stack(sample.stack)?;
        let weight_ns = self.rounded(sample);
        Ok(push(&mut self.pending.samples, Sample { weight_ns, ..*sample }))
    }

    #[inline]
    fn memory_event(&mut self, event: MemoryEvent) -> io::Result<bool> {
        self.known_thread(event.thread())?;
        if let MemoryEvent::Alloc(alloc) = &event {
            self.known_stack(alloc.stack)?;
        }
        Ok(push(&mut self.pending.memory, event))
    }

    #[inline]
    fn copied(&mut self, copied: &Copied) -> io::Result<bool> {
        self.known_thread(copied.thread)?;
        self.known_stack(copied.stack)?;
        self.known_string(copied.copier)?;
        Ok(push(&mut self.pending.copies, *copied))
    }

    /// Writes everything so far as complete chunks.
    pub fn flush(&mut self) -> io::Result<()> {
        self.blocks()?;
        self.out.flush()
    }

    /// Ends the trace: everything so far, the end record at `end`, the index. Gives the output back.
    pub fn finish(mut self, end: Timestamp) -> io::Result<W> {
        self.blocks()?;
        facts::end(end, self.unit, &mut self.scratch);
        self.chunk(Kind::End, 1)?;
        self.out.finish()
    }

    /// The weight of a sample in whole units, with what earlier samples of its thread have left over.
    fn rounded(&mut self, sample: &Sample) -> u64 {
        let on_cpu = sample.class.on_cpu();
        self.carries.round(sample.thread, on_cpu, sample.weight_ns, self.unit)
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

    fn known_string(&self, id: StringId) -> io::Result<()> {
        known(id.index() < self.count(0), "string")
    }

    fn known_stack(&self, id: Option<StackId>) -> io::Result<()> {
        known(id.is_none_or(|id| id.index() < self.count(3)), "stack")
    }
}

#[inline]
fn known(is_known: bool, what: &str) -> io::Result<()> {
    if is_known { Ok(()) } else { Err(unknown(what)) }
}

#[cold]
fn unknown(what: &str) -> io::Error {
    let text = format!("a record refers to a {what} that was not defined before");
    io::Error::new(ErrorKind::InvalidInput, text)
}

/// Appends, and tells whether the block is full now.
#[inline]
fn push<T>(pending: &mut Vec<T>, value: T) -> bool {
    pending.push(value);
    pending.len() >= limit::BLOCK_EVENTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Class, ThreadEnd};

    #[test]
    fn threads_that_have_ended_leave_nothing_behind() {
        let header = Header::default();
        let mut writer = TraceWriter::new(io_sink(), &header, Options::default()).unwrap();
        let process = writer.process(1, &["app"]).unwrap();
        let class = Class::Python;
        for number in 0..100_000 {
            let thread = writer.thread(process, number, "").unwrap();
            let time = Timestamp::from_nanos(number.into());
            let sample = Sample { time, thread, stack: None, weight_ns: 1_234_567, class };
            writer.write(&Record::Sample(sample)).unwrap();
            let end = ThreadEnd { id: thread, time, cpu_ns: 1_234_567 };
            writer.write(&Record::ThreadEnd(end)).unwrap();
        }
        assert!(writer.carries.len() <= limit::BLOCK_EVENTS);
        writer.flush().unwrap();
        assert_eq!(writer.carries.len(), 0);
        assert!(writer.pending.threads.len() < limit::BLOCK_EVENTS);
        assert!(writer.pending.thread_ends.len() < limit::BLOCK_EVENTS);
    }

    /// An output that keeps nothing.
    fn io_sink() -> impl Write {
        struct Sink;
        impl Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        Sink
    }
}
