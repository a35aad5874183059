//! From an input's ids and times to those of the merged trace.

use alloc::vec::Vec;

use crate::block::Block;
use crate::ids::{BinaryId, FrameId, FunctionId, ProcessId, StackId, StringId, ThreadId};
use crate::io::Write;
use crate::record::{
    Alloc, Binary, Copied, Counter, Footprint, Frame, Free, Function, Inherited, MemoryEvent,
    Process, ProcessEnd, Record, Resize, Sample, Thread, ThreadEnd,
};
use crate::tables::Tables;
use crate::units::Timestamp;
use crate::writer::TraceWriter;

/// No input defines as many; a writer refuses it.
const UNDEFINED: u32 = u32::MAX;

/// What the ids and times of one input are in the merged trace.
#[derive(Debug, Default)]
pub(super) struct Translation {
    /// Nanoseconds that are added to every time.
    shift: u64,
    strings: Vec<StringId>,
    binaries: Vec<BinaryId>,
    functions: Vec<FunctionId>,
    frames: Vec<FrameId>,
    stacks: Vec<StackId>,
    processes: Vec<ProcessId>,
    threads: Vec<ThreadId>,
    // The events of the block translated last.
    samples: Vec<Sample>,
    memory: Vec<MemoryEvent>,
    copies: Vec<Copied>,
}

impl Translation {
    pub(super) fn new(shift: u64) -> Self {
        Self { shift, ..Self::default() }
    }

    /// Learns what the input's dictionaries have gained.
    pub(super) fn follow<W: Write>(&mut self, tables: &Tables, writer: &mut TraceWriter<W>) {
        for number in self.strings.len()..tables.counts()[0] {
            self.strings.push(writer.string(tables.string(StringId::new(number as u32))));
        }
        for binary in tables.binaries().iter().skip(self.binaries.len()) {
            let (path, build_id) = (self.string(binary.path), self.string(binary.build_id));
            self.binaries.push(writer.binary(Binary { path, build_id }));
        }
        for (id, function) in tables.functions().iter().enumerate().skip(self.functions.len()) {
            let (name, file) = (self.string(function.name), self.string(function.file));
            let binary = tables.binary_of(FunctionId::new(id as u32));
            let binary = find(&self.binaries, binary.index(), BinaryId::NONE);
            self.functions.push(writer.function_of(Function { name, file, ..*function }, binary));
        }
        for (id, frame) in tables.frames().iter().enumerate().skip(self.frames.len()) {
            let function = find(&self.functions, frame.function.index(), FunctionId::new(0));
            let translated = Frame { function, line: frame.line };
            self.frames.push(match tables.is_inlined(FrameId::new(id as u32)) {
                true => writer.inlined(translated),
                false => writer.frame(translated),
            });
        }
        for node in tables.stacks().iter().skip(self.stacks.len()) {
            let frame = find(&self.frames, node.frame.index(), FrameId::new(0));
            self.stacks.push(writer.stack(self.stack(node.parent), frame));
        }
    }

    /// Gives a process of the input its id.
    pub(super) fn learn_process(&mut self, id: ProcessId, merged: ProcessId) {
        set(&mut self.processes, id.index(), merged, ProcessId::new(UNDEFINED));
    }

    /// Gives a thread of the input its id.
    pub(super) fn learn_thread(&mut self, id: ThreadId, merged: ThreadId) {
        set(&mut self.threads, id.index(), merged, ThreadId::new(UNDEFINED));
    }

    pub(super) fn time(&self, time: Timestamp) -> Timestamp {
        Timestamp::from_nanos(time.as_nanos().saturating_add(self.shift))
    }

    fn string(&self, id: StringId) -> StringId {
        find(&self.strings, id.index(), StringId::new(0))
    }

    fn stack(&self, id: Option<StackId>) -> Option<StackId> {
        id.and_then(|id| self.stacks.get(id.index()).copied())
    }

    fn process(&self, id: ProcessId) -> ProcessId {
        find(&self.processes, id.index(), ProcessId::new(UNDEFINED))
    }

    fn thread(&self, id: ThreadId) -> ThreadId {
        find(&self.threads, id.index(), ThreadId::new(UNDEFINED))
    }

    /// A block of events translated; one of records as it is.
    pub(super) fn events<'b>(&'b mut self, block: Block<'b>) -> Block<'b> {
        match block {
            Block::Samples(samples) => {
                let mut translated = core::mem::take(&mut self.samples);
                translated.clear();
                translated.extend(samples.iter().map(|sample| self.sample(sample)));
                self.samples = translated;
                Block::Samples(&self.samples)
            }
            Block::Memory(events) => {
                let mut translated = core::mem::take(&mut self.memory);
                translated.clear();
                translated.extend(events.iter().map(|event| self.memory_event(event)));
                self.memory = translated;
                Block::Memory(&self.memory)
            }
            Block::Copies(copies) => {
                let mut translated = core::mem::take(&mut self.copies);
                translated.clear();
                translated.extend(copies.iter().map(|copied| self.copied(copied)));
                self.copies = translated;
                Block::Copies(&self.copies)
            }
            Block::Records(_) => block,
        }
    }

    #[inline]
    fn sample(&self, sample: &Sample) -> Sample {
        Sample {
            time: self.time(sample.time),
            thread: self.thread(sample.thread),
            stack: self.stack(sample.stack),
            ..*sample
        }
    }

    #[inline]
    fn memory_event(&self, event: &MemoryEvent) -> MemoryEvent {
        let (time, thread) = (self.time(event.time()), self.thread(event.thread()));
        match event {
            MemoryEvent::Alloc(alloc) => {
                let stack = self.stack(alloc.stack);
                MemoryEvent::Alloc(Alloc { time, thread, stack, ..*alloc })
            }
            MemoryEvent::Free(free) => MemoryEvent::Free(Free { time, thread, ..*free }),
            MemoryEvent::Resize(resize) => MemoryEvent::Resize(Resize { time, thread, ..*resize }),
        }
    }

    #[inline]
    fn copied(&self, copied: &Copied) -> Copied {
        Copied {
            time: self.time(copied.time),
            thread: self.thread(copied.thread),
            stack: self.stack(copied.stack),
            copier: self.string(copied.copier),
            ..*copied
        }
    }

    /// A record of what is rare translated. A process or thread must have been given its id before.
    pub(super) fn record(&self, record: Record) -> Record {
        match record {
            Record::Process(process) => Record::Process(Process {
                id: self.process(process.id),
                parent: process.parent.map(|parent| self.process(parent)),
                time: self.time(process.time),
                ..process
            }),
            Record::Thread(thread) => Record::Thread(Thread {
                id: self.thread(thread.id),
                process: self.process(thread.process),
                time: self.time(thread.time),
                ..thread
            }),
            Record::ProcessEnd(end) => Record::ProcessEnd(ProcessEnd {
                id: self.process(end.id),
                time: self.time(end.time),
                ..end
            }),
            Record::ThreadEnd(end) => Record::ThreadEnd(ThreadEnd {
                id: self.thread(end.id),
                time: self.time(end.time),
                ..end
            }),
            Record::Footprint(point) => Record::Footprint(Footprint {
                process: self.process(point.process),
                time: self.time(point.time),
                ..point
            }),
            Record::Inherited(inherited) => Record::Inherited(Inherited {
                process: self.process(inherited.process),
                time: self.time(inherited.time),
                ..inherited
            }),
            Record::Counter(counter) => Record::Counter(Counter {
                process: self.process(counter.process),
                time: self.time(counter.time),
                name: self.string(counter.name),
                ..counter
            }),
            other => other,
        }
    }
}

#[inline]
fn find<T: Copy>(ids: &[T], index: usize, otherwise: T) -> T {
    ids.get(index).copied().unwrap_or(otherwise)
}

fn set<T: Copy>(ids: &mut Vec<T>, index: usize, id: T, otherwise: T) {
    if index >= ids.len() {
        ids.resize(index + 1, otherwise);
    }
    ids[index] = id;
}
