//! What a reader knows so far: the dictionaries and how many processes and threads there are. Every id of
//! a trace goes through here before it is used.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::ids::{BinaryId, FrameId, FunctionId, ProcessId, StackId, StringId, ThreadId};
use crate::limit::{self, Names};
use crate::record::{Binary, Frame, Function, Lang, Process, Record, Thread};
use crate::tables::{StackNode, Tables};
use crate::units::Timestamp;
use crate::wire::cursor::What;

/// Name of what stood in a chunk that cannot be read.
const LOST: &[u8] = b"[lost]";
const UNDEFINED: What = "an id is used that was not defined before";

/// Dictionaries with the entries that every trace begins with: the strings `""` and `[lost]`, a function and
/// a frame with that name. Those stand for what a damaged file lost.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) tables: Tables,
    depths: Vec<u16>,
    processes: u32,
    /// The process of each thread.
    threads: Vec<ProcessId>,
    /// What the names of processes and threads may still take.
    pub(crate) names: Names,
    /// Memory that may still be spent on entries made up for lost ones. Nothing until something was lost;
    /// then an amount in proportion to the file.
    spare: u64,
    lossy: bool,
    /// Records made up for lost ones, to be handed out before the next ones.
    pub(crate) made_up: Vec<Record>,
}

/// How an entry of a kind is made up, the memory that it costs, and how many there are at most.
#[derive(Clone, Copy)]
struct Lost {
    make_up: fn(&mut Known),
    price: u64,
    most: usize,
}

impl Lost {
    const STRING: Self = Self::entry(Known::lost_string, limit::TABLE_ENTRIES);
    const BINARY: Self = Self::entry(Known::lost_binary, limit::BINARIES);
    const FUNCTION: Self = Self::entry(Known::lost_function, limit::TABLE_ENTRIES);
    const FRAME: Self = Self::entry(Known::lost_frame, limit::TABLE_ENTRIES);
    const STACK: Self = Self::entry(Known::lost_stack, limit::STACKS);
    const PROCESS: Self = Self::record(Known::lost_process);
    const THREAD: Self = Self::record(Known::lost_thread);

    const fn entry(make_up: fn(&mut Known), most: usize) -> Self {
        Self { make_up, price: 16, most }
    }

    const fn record(make_up: fn(&mut Known)) -> Self {
        Self { make_up, price: 256, most: limit::PROCESSES as usize }
    }
}

/// Fills dictionaries with the entries that every trace begins with.
pub(crate) fn predefine(mut string: impl FnMut(&[u8]) -> StringId) -> (StringId, Function) {
    let empty = string(b"");
    let lost = string(LOST);
    (lost, Function { name: lost, file: empty, first_line: 0, lang: Lang::Other })
}

/// The entry of [`BinaryId::NONE`].
pub(crate) fn no_binary() -> Binary {
    Binary { path: StringId::new(0), build_id: StringId::new(0) }
}

impl Known {
    pub(crate) fn new() -> Self {
        let mut tables = Tables::default();
        let (_, function) = predefine(|bytes| tables.push_string(bytes));
        tables.push_binary(no_binary());
        let function = tables.push_function(function);
        tables.push_frame(Frame { function, line: 0 });
        Self {
            tables,
            depths: Vec::new(),
            processes: 0,
            threads: Vec::new(),
            names: Names::new(),
            spare: 0,
            lossy: false,
            made_up: Vec::new(),
        }
    }

    /// Something was lost: lets entries be made up.
    pub(crate) fn allow_made_up(&mut self, file_bytes: u64) {
        if !self.lossy {
            self.lossy = true;
            self.spare = file_bytes.saturating_mul(8).min(limit::MADE_UP_BYTES);
        }
    }

    /// Makes up the entries of a table of `count` that stand before entry `next`.
    fn reach(&mut self, next: u64, count: usize, kind: Lost) -> Result<(), What> {
        let gap = next.checked_sub(count as u64).ok_or("an entry is defined twice")?;
        if next > kind.most as u64 {
            return Err(UNDEFINED);
        }
        let price = gap.checked_mul(kind.price).ok_or(UNDEFINED)?;
        self.spare = self.spare.checked_sub(price).ok_or(UNDEFINED)?;
        for _ in 0..gap {
            (kind.make_up)(self);
        }
        Ok(())
    }

    /// Makes up the entries of a table of `count` up to and with the one that is used.
    fn used(&mut self, id: u64, count: usize, kind: Lost) -> Result<u32, What> {
        if id >= kind.most as u64 {
            return Err(UNDEFINED);
        }
        if id >= count as u64 {
            self.reach(id + 1, count, kind)?;
        }
        Ok(id as u32)
    }

    fn lost_string(&mut self) {
        self.tables.push_string(LOST);
    }

    fn lost_binary(&mut self) {
        self.tables.push_binary(Binary { path: StringId::new(1), build_id: StringId::new(0) });
    }

    fn lost_function(&mut self) {
        self.tables.push_function(Function {
            name: StringId::new(1),
            file: StringId::new(0),
            first_line: 0,
            lang: Lang::Other,
        });
    }

    fn lost_frame(&mut self) {
        self.tables.push_frame(Frame { function: FunctionId::new(0), line: 0 });
    }

    fn lost_stack(&mut self) {
        self.tables.push_stack(StackNode { parent: None, frame: FrameId::new(0) });
        self.depths.push(1);
    }

    fn lost_process(&mut self) {
        self.made_up.push(Record::Process(Process {
            id: ProcessId::new(self.processes),
            parent: None,
            pid: 0,
            time: Timestamp::ZERO,
            command: vec![LOST.to_vec()],
            python: String::new(),
            profiled: true,
        }));
        self.processes += 1;
    }

    fn lost_thread(&mut self) {
        self.made_up.push(Record::Thread(Thread {
            id: ThreadId::new(self.threads.len() as u32),
            process: ProcessId::new(0),
            tid: 0,
            time: Timestamp::ZERO,
            name: LOST.to_vec(),
        }));
        self.threads.push(ProcessId::new(0));
    }

    /// Prepares for a delta of strings whose first one is `first`.
    pub(crate) fn strings_from(&mut self, first: u32) -> Result<(), What> {
        self.reach(first.into(), self.tables.counts()[0], Lost::STRING)
    }

    pub(crate) fn binaries_from(&mut self, first: u32) -> Result<(), What> {
        self.reach(first.into(), self.tables.binaries().len(), Lost::BINARY)
    }

    pub(crate) fn functions_from(&mut self, first: u32) -> Result<(), What> {
        self.reach(first.into(), self.tables.counts()[1], Lost::FUNCTION)
    }

    pub(crate) fn frames_from(&mut self, first: u32) -> Result<(), What> {
        self.reach(first.into(), self.tables.counts()[2], Lost::FRAME)
    }

    pub(crate) fn stacks_from(&mut self, first: u32) -> Result<(), What> {
        self.reach(first.into(), self.tables.counts()[3], Lost::STACK)
    }

    pub(crate) fn processes_from(&mut self, first: u32) -> Result<(), What> {
        self.reach(first.into(), self.processes as usize, Lost::PROCESS)
    }

    pub(crate) fn threads_from(&mut self, first: u32) -> Result<(), What> {
        self.process(0)?;
        self.reach(first.into(), self.threads.len(), Lost::THREAD)
    }

    /// The string with this number.
    pub(crate) fn string(&mut self, id: u64) -> Result<StringId, What> {
        self.used(id, self.tables.counts()[0], Lost::STRING).map(StringId::new)
    }

    pub(crate) fn binary(&mut self, id: u64) -> Result<BinaryId, What> {
        self.used(id, self.tables.binaries().len(), Lost::BINARY).map(BinaryId::new)
    }

    pub(crate) fn function(&mut self, id: u64) -> Result<FunctionId, What> {
        self.used(id, self.tables.counts()[1], Lost::FUNCTION).map(FunctionId::new)
    }

    pub(crate) fn frame(&mut self, id: u64) -> Result<FrameId, What> {
        self.used(id, self.tables.counts()[2], Lost::FRAME).map(FrameId::new)
    }

    /// How many stacks are defined.
    pub(crate) fn stack_count(&self) -> u64 {
        self.depths.len() as u64
    }

    /// The stack of a column: 0 is none, the others are one more than their number.
    #[inline]
    pub(crate) fn stack(&mut self, coded: u64) -> Result<Option<StackId>, What> {
        let Some(id) = coded.checked_sub(1) else { return Ok(None) };
        if id < self.depths.len() as u64 {
            return Ok(Some(StackId::new(id as u32)));
        }
        self.used(id, self.depths.len(), Lost::STACK).map(|id| Some(StackId::new(id)))
    }

    pub(crate) fn process(&mut self, id: u64) -> Result<ProcessId, What> {
        self.used(id, self.processes as usize, Lost::PROCESS).map(ProcessId::new)
    }

    pub(crate) fn thread(&mut self, id: u64) -> Result<ThreadId, What> {
        if id >= self.threads.len() as u64 {
            self.process(0)?;
        }
        self.used(id, self.threads.len(), Lost::THREAD).map(ThreadId::new)
    }

    /// Defines the next stack.
    pub(crate) fn push_stack(&mut self, node: StackNode) -> Result<(), What> {
        let depth = node.parent.map_or(0, |parent| self.depths[parent.index()]) + 1;
        if depth > limit::STACK_DEPTH {
            return Err("a stack is too deep");
        }
        self.tables.push_stack(node);
        self.depths.push(depth);
        Ok(())
    }

    /// Defines the next process.
    pub(crate) fn next_process(&mut self) -> Result<ProcessId, What> {
        let id = self.processes;
        if id >= limit::PROCESSES {
            return Err("there are too many processes");
        }
        self.processes += 1;
        Ok(ProcessId::new(id))
    }

    /// Defines the next thread.
    pub(crate) fn next_thread(&mut self, process: ProcessId) -> Result<ThreadId, What> {
        let id = self.threads.len() as u32;
        if id >= limit::PROCESSES {
            return Err("there are too many threads");
        }
        self.threads.push(process);
        Ok(ThreadId::new(id))
    }

    /// The processes of the threads so far.
    pub(crate) fn thread_processes(&self) -> &[ProcessId] {
        &self.threads
    }
}
