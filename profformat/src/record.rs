//! The model: what a trace says, one entry at a time. No bytes here; those are in `encode` and `decode`.
//!
//! Strings, functions, frames and stacks are dictionary entries (see [`crate::ids`]); the reader keeps
//! them in [`crate::tables::Tables`] and hands out the records below.

pub mod counter;
mod memory;

use alloc::string::String;
use alloc::vec::Vec;

pub use memory::{Alloc, Copied, Domain, Free, MemoryEvent, Resize};

use crate::ids::{FunctionId, ProcessId, StackId, StringId, ThreadId};
use crate::units::Timestamp;

/// Facts of the run, fixed when the trace is begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Random; the same in every part of a trace that was split. A merged trace has the sum of its inputs' ids.
    pub trace_id: [u8; 16],
    /// Wall clock at [`Timestamp::ZERO`], nanoseconds since the Unix epoch.
    pub start_unix_ns: u64,
    /// `CLOCK_MONOTONIC` at [`Timestamp::ZERO`], nanoseconds.
    pub start_monotonic_ns: u64,
    /// Expected CPU nanoseconds between two samples of a thread; 0 when CPU time was not sampled.
    pub cpu_interval_ns: u64,
    /// Expected bytes between two allocation samples of a thread; 0 when memory was not sampled.
    pub memory_interval: u64,
    /// Expected bytes between two copy samples of a thread; 0 when copies were not sampled.
    pub copy_interval: u64,
    /// The command as the user gave it, one string per argument.
    pub command: Vec<Vec<u8>>,
    /// What wrote the trace, for example `prof 0.1.0`.
    pub tool: String,
}

/// Language of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// A Python function: file and lines are of its source.
    Python,
    /// Native code; `file` is the module's path when no source is known.
    Native,
    /// A name without a place, such as `[kernel]`.
    Other,
}

/// An executable file or library that native functions belong to, as the dictionary keeps it. Where it was mapped is not
/// told: frames have names and lines, no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binary {
    /// Its path as the process has it, or a name in brackets such as `[vdso]`.
    pub path: StringId,
    /// Its build id, a string of raw bytes ([`crate::limit::BUILD_ID_BYTES`] at most); empty when it has none or nobody
    /// could read it.
    pub build_id: StringId,
}

/// A function, as the dictionary keeps it. [`crate::tables::Tables::binary_of`] tells which binary it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// Qualified name.
    pub name: StringId,
    /// Source file or module path; the empty string when unknown.
    pub file: StringId,
    /// Line of its definition, 0 when unknown.
    pub first_line: u32,
    /// Its language.
    pub lang: Lang,
}

/// A function at a line, as the dictionary keeps it. [`crate::tables::Tables::is_inlined`] tells whether its code is part of
/// its caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function.
    pub function: FunctionId,
    /// Line in its file, 0 when unknown.
    pub line: u32,
}

/// Name of the function that stands for the time in which a thread could have run, or nobody saw why it did not. Such
/// samples are of [`Class::Wait`].
pub const NOT_RUNNING: &str = "[not running]";

/// What a thread was doing, in classes that a test can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// On CPU in the interpreter: its loop or its runtime helpers.
    Python,
    /// On CPU in other native code.
    Native,
    /// On CPU in the collector of cyclic garbage.
    Gc,
    /// On CPU in a system call.
    Kernel,
    /// Off CPU, waiting for the interpreter lock.
    Gil,
    /// Off CPU: sleep, input and output, locks.
    Wait,
}

impl Class {
    /// Every class, in the order of the trace's codes and of every table.
    pub const ALL: [Class; 6] =
        [Class::Python, Class::Native, Class::Gc, Class::Kernel, Class::Gil, Class::Wait];

    /// Position in [`Class::ALL`]; also the code in the trace.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// True for classes whose weight is CPU time.
    pub const fn on_cpu(self) -> bool {
        !matches!(self, Class::Gil | Class::Wait)
    }

    /// The lower-case name used in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Python => "python",
            Class::Native => "native",
            Class::Gc => "gc",
            Class::Kernel => "kernel",
            Class::Gil => "gil",
            Class::Wait => "wait",
        }
    }
}

/// One observation of CPU or waiting time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was taken.
    pub time: Timestamp,
    /// The thread it was taken on.
    pub thread: ThreadId,
    /// Its call stack; `None` when nothing could be read.
    pub stack: Option<StackId>,
    /// Nanoseconds it stands for: the thread's clock since its last sample.
    pub weight_ns: u64,
    /// What those nanoseconds were.
    pub class: Class,
}

/// What became of a process, as far as the collector could see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ended by itself with this status.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
    /// It became another program by `exec`; that one is a process record of its own.
    Exec,
    /// It is gone; nobody who could tell was its parent.
    Gone,
    /// It was still running when the trace was finished.
    Running,
}

/// A process of the run: one program image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id; ids are given in order.
    pub id: ProcessId,
    /// The process that forked or executed it, when that is in the trace.
    pub parent: Option<ProcessId>,
    /// Operating-system process id.
    pub pid: u32,
    /// When it was first seen.
    pub time: Timestamp,
    /// Its command line.
    pub command: Vec<Vec<u8>>,
    /// Version of its Python, such as `3.11.7`; empty when it has none.
    pub python: String,
    /// False for a process that was only noted: a launcher, a shell.
    pub profiled: bool,
}

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessEnd {
    /// The process.
    pub id: ProcessId,
    /// When its end was seen.
    pub time: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// CPU time of the whole process in nanoseconds (user and system), 0 when unknown.
    pub cpu_ns: u64,
}

/// A thread of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its id; ids are given in order.
    pub id: ThreadId,
    /// The process it belongs to.
    pub process: ProcessId,
    /// Operating-system thread id.
    pub tid: u32,
    /// When it was first seen.
    pub time: Timestamp,
    /// Its name; empty when unknown.
    pub name: Vec<u8>,
}

/// The end of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadEnd {
    /// The thread.
    pub id: ThreadId,
    /// When it ended.
    pub time: Timestamp,
    /// Its CPU clock at the end, nanoseconds; 0 when unknown.
    pub cpu_ns: u64,
}

/// A point of a process's footprint curve. All values are exact, not sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// When the values held.
    pub time: Timestamp,
    /// The process.
    pub process: ProcessId,
    /// Bytes held through `malloc`, by Python's allocators for large objects too.
    pub native_bytes: u64,
    /// Bytes held by Python's small-object allocator: its arenas.
    pub python_bytes: u64,
    /// True when this point is the highest of the process so far.
    pub peak: bool,
}

/// What of a process's footprint its parent held when the process was forked: there once for both, as long as neither
/// writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// When that was looked at.
    pub time: Timestamp,
    /// The process.
    pub process: ProcessId,
    /// Bytes of its first footprint, through `malloc` and in arenas.
    pub bytes: u64,
}

/// A cumulative counter of a process: the last value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// When it was read.
    pub time: Timestamp,
    /// The process.
    pub process: ProcessId,
    /// Its name, one of [`counter`] or a newer one.
    pub name: StringId,
    /// Its value.
    pub value: u64,
}

/// One entry of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// A process appeared.
    Process(Process),
    /// A process ended.
    ProcessEnd(ProcessEnd),
    /// A thread appeared.
    Thread(Thread),
    /// A thread ended.
    ThreadEnd(ThreadEnd),
    /// Time was observed.
    Sample(Sample),
    /// An allocation was sampled.
    Alloc(Alloc),
    /// A followed block was freed.
    Free(Free),
    /// A followed block was resized.
    Resize(Resize),
    /// A copy was sampled.
    Copied(Copied),
    /// A point of the footprint curve.
    Footprint(Footprint),
    /// A forked process has told what it began with.
    Inherited(Inherited),
    /// A counter was read.
    Counter(Counter),
    /// Something a reader of the report must know, in words (a blind spot, a refusal).
    Note(Vec<u8>),
    /// The trace was finished in order at this time.
    End(Timestamp),
}

impl From<MemoryEvent> for Record {
    fn from(event: MemoryEvent) -> Self {
        match event {
            MemoryEvent::Alloc(alloc) => Record::Alloc(alloc),
            MemoryEvent::Free(free) => Record::Free(free),
            MemoryEvent::Resize(resize) => Record::Resize(resize),
        }
    }
}

impl Record {
    /// When it was made; `None` for notes, which have no time.
    pub fn time(&self) -> Option<Timestamp> {
        Some(match self {
            Record::Process(process) => process.time,
            Record::ProcessEnd(end) => end.time,
            Record::Thread(thread) => thread.time,
            Record::ThreadEnd(end) => end.time,
            Record::Sample(sample) => sample.time,
            Record::Alloc(alloc) => alloc.time,
            Record::Free(free) => free.time,
            Record::Resize(resize) => resize.time,
            Record::Copied(copied) => copied.time,
            Record::Footprint(point) => point.time,
            Record::Inherited(inherited) => inherited.time,
            Record::Counter(counter) => counter.time,
            Record::Note(_) => return None,
            Record::End(time) => *time,
        })
    }
}
