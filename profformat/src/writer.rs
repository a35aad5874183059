//! Writes a trace.

use std::io::{self, Write};

use crate::ids::{FrameId, FunctionId, StackId, StringId};
use crate::record::{Frame, Function, Header, Record};
use crate::tables::Tables;
use crate::units::Timestamp;

/// How a trace is written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Compress chunks with zstd; without the feature `zstd` they stay plain.
    pub compress: bool,
    /// Nanoseconds in a unit of time in the trace. Times are rounded down to it; the weights of a thread's
    /// samples are rounded with carry, so that their sum is right to one unit. 1 keeps every nanosecond.
    pub time_unit_ns: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { compress: cfg!(feature = "zstd"), time_unit_ns: 1_000 }
    }
}

/// Writes a trace chunk by chunk, each by one `write`.
#[derive(Debug)]
pub struct TraceWriter<W: Write> {
    out: W,
}

impl<W: Write> TraceWriter<W> {
    /// Begins a trace: writes the file header and the command.
    pub fn new(out: W, header: &Header, options: Options) -> io::Result<Self> {
        let _ = (header, options);
        Ok(Self { out })
    }

    /// The dictionaries so far.
    pub fn tables(&self) -> &Tables {
        todo!()
    }

    /// The id of a string; longer ones are cut at 65,535 bytes.
    pub fn string(&mut self, bytes: &[u8]) -> StringId {
        let _ = bytes;
        todo!()
    }

    /// The id of a function.
    pub fn function(&mut self, function: Function) -> FunctionId {
        let _ = function;
        todo!()
    }

    /// The id of a frame.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        let _ = frame;
        todo!()
    }

    /// The id of the stack that has `frame` called from `parent`.
    pub fn stack(&mut self, parent: Option<StackId>, frame: FrameId) -> StackId {
        let _ = (parent, frame);
        todo!()
    }

    /// Adds a record. Events are gathered into blocks; a block that is full goes out with everything it
    /// refers to before it. `InvalidInput` when the record refers to a process, thread, stack or string that
    /// was not defined before, or a process or thread id is not the next one.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let _ = record;
        todo!()
    }

    /// Writes everything so far as complete chunks.
    pub fn flush(&mut self) -> io::Result<()> {
        todo!()
    }

    /// Ends the trace: everything so far, the end record at `end`, the index. Gives the output back.
    pub fn finish(self, end: Timestamp) -> io::Result<W> {
        let _ = end;
        Ok(self.out)
    }
}
