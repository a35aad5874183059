//! The trace being written: dictionaries with a bound, and a disk that may be full.

use std::io::{self, Write};

use profformat::ids::{BinaryId, FrameId, FunctionId, StackId, StringId};
use profformat::record::{Binary, Frame, Function, Header, Lang, Record};
use profformat::units::Timestamp;
use profformat::writer::{Options, TraceWriter};

/// Where a trace is written to.
pub type Output = Box<dyn Write + Send>;

/// Most dictionary entries and bytes of strings: 64 MiB for the collector hold them all.
#[derive(Clone, Copy, Debug)]
struct Limits {
    string_bytes: usize,
    functions: usize,
    frames: usize,
    stacks: usize,
}

const LIMITS: Limits =
    Limits { string_bytes: 8 << 20, functions: 100_000, frames: 200_000, stacks: 400_000 };

/// The name that stands for everything beyond the limits.
const OTHER: &[u8] = b"[other]";

/// A trace under construction. Nothing here fails: the first write error ends the writing and is kept.
pub(crate) struct Trace {
    writer: Option<TraceWriter<Output>>,
    failure: Option<io::Error>,
    start_ns: u64,
    limits: Limits,
    used: Limits,
    overflowed: u64,
    refused: u64,
    strings: u32,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trace").field("used", &self.used).finish_non_exhaustive()
    }
}

impl Trace {
    /// Begins a trace: the header is written at once.
    pub(crate) fn begin(out: Output, header: &Header) -> io::Result<Self> {
        let mut writer = TraceWriter::new(out, header, Options::default())?;
        writer.flush()?;
        Ok(Self {
            writer: Some(writer),
            failure: None,
            start_ns: header.start_monotonic_ns,
            limits: LIMITS,
            used: Limits { string_bytes: 0, functions: 0, frames: 0, stacks: 0 },
            overflowed: 0,
            refused: 0,
            strings: 0,
        })
    }

    /// A moment of CLOCK_MONOTONIC in the trace's time.
    pub(crate) fn time(&self, monotonic_ns: u64) -> Timestamp {
        Timestamp::from_nanos(monotonic_ns.saturating_sub(self.start_ns))
    }

    /// The id of a string; long or late ones are the "other" string.
    pub(crate) fn string(&mut self, bytes: &[u8]) -> StringId {
        let Some(writer) = &mut self.writer else { return StringId::new(0) };
        let full = self.used.string_bytes + bytes.len() > self.limits.string_bytes;
        if full {
            self.overflowed += 1;
        }
        let bytes = if full { OTHER } else { bytes };
        let id = writer.string(bytes);
        if id.number() >= self.strings {
            self.strings = id.number() + 1;
            self.used.string_bytes += bytes.len() + 64;
        }
        id
    }

    /// The id of a name of our own: few and short, so the limit does not count.
    pub(crate) fn label(&mut self, name: &str) -> StringId {
        self.writer.as_mut().map_or(StringId::new(0), |writer| writer.string(name.as_bytes()))
    }

    /// The id of a function at a line; late ones are the "other" function.
    pub(crate) fn frame(
        &mut self,
        name: &[u8],
        file: &[u8],
        first_line: u32,
        lang: Lang,
        line: u32,
    ) -> FrameId {
        let (name, file) = (self.string(name), self.string(file));
        let function = Function { name, file, first_line, lang };
        let function = self.function(function, BinaryId::NONE);
        self.intern_frame(Frame { function, line }, false)
    }

    /// The same of a native function of a binary, whose code may be part of its caller's.
    pub(crate) fn native_frame(
        &mut self,
        name: &[u8],
        (file, line): (&[u8], u32),
        binary: BinaryId,
        inlined: bool,
    ) -> FrameId {
        let (name, file) = (self.string(name), self.string(file));
        let function = Function { name, file, first_line: 0, lang: Lang::Native };
        let function = self.function(function, binary);
        self.intern_frame(Frame { function, line }, inlined)
    }

    /// The id of a binary; none when there is no room for its path.
    pub(crate) fn binary(&mut self, path: &[u8], build_id: &[u8]) -> BinaryId {
        // A build id that is not the binary's own would be a lie.
        if self.used.string_bytes + path.len() + build_id.len() > self.limits.string_bytes {
            self.overflowed += 1;
            return BinaryId::NONE;
        }
        let (path, build_id) = (self.string(path), self.string(build_id));
        let binary = Binary { path, build_id };
        self.writer.as_mut().map_or(BinaryId::NONE, |writer| writer.binary(binary))
    }

    fn function(&mut self, function: Function, binary: BinaryId) -> FunctionId {
        let Some(writer) = &mut self.writer else { return FunctionId::new(0) };
        let full = self.used.functions >= self.limits.functions;
        let (function, binary) = if full {
            self.overflowed += 1;
            let (name, file) = (writer.string(OTHER), writer.string(b""));
            (Function { name, file, first_line: 0, lang: Lang::Other }, BinaryId::NONE)
        } else {
            (function, binary)
        };
        let id = writer.function_of(function, binary);
        self.used.functions = self.used.functions.max(id.index() + 1);
        id
    }

    fn intern_frame(&mut self, frame: Frame, inlined: bool) -> FrameId {
        let Some(writer) = &mut self.writer else { return FrameId::new(0) };
        let full = self.used.frames >= self.limits.frames;
        // The function is still right when frames run out; its lines are not told apart any more.
        let frame = if full { Frame { line: 0, ..frame } } else { frame };
        let id = if inlined { writer.inlined(frame) } else { writer.frame(frame) };
        self.used.frames = self.used.frames.max(id.index() + 1);
        self.overflowed += u64::from(full);
        id
    }

    /// The id of the stack that has `frame` called from `parent`; when there are too many stacks, a frame
    /// is added to none: the callers stay right, the callees are cut.
    pub(crate) fn stack(&mut self, parent: Option<StackId>, frame: FrameId) -> StackId {
        let Some(writer) = &mut self.writer else { return StackId::new(0) };
        if self.used.stacks >= self.limits.stacks {
            self.overflowed += 1;
            let root = parent.is_none().then(|| writer.stack(None, frame));
            return parent.or(root).unwrap_or(StackId::new(0));
        }
        let id = writer.stack(parent, frame);
        self.used.stacks = self.used.stacks.max(id.index() + 1);
        id
    }

    /// Entries that found a dictionary full.
    pub(crate) fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Records that could not be written because they contradicted earlier ones.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// Writes a record.
    pub(crate) fn write(&mut self, record: &Record) {
        let result = self.writer.as_mut().map_or(Ok(()), |writer| writer.write(record));
        self.note(result);
    }

    /// Writes a remark for the readers of the report.
    pub(crate) fn remark(&mut self, words: &str) {
        self.write(&Record::Note(words.as_bytes().to_vec()));
    }

    /// Makes everything so far readable.
    pub(crate) fn flush(&mut self) {
        let result = self.writer.as_mut().map_or(Ok(()), TraceWriter::flush);
        self.note(result);
    }

    /// Ends the trace, and tells what went wrong with it, if anything.
    pub(crate) fn finish(mut self, end: Timestamp) -> Option<io::Error> {
        if let Some(writer) = self.writer.take()
            && let Err(error) = writer.finish(end)
        {
            self.failure.get_or_insert(error);
        }
        self.failure
    }

    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            // The record contradicts what was written before: the program's memory told us nonsense.
            if error.kind() == io::ErrorKind::InvalidInput {
                self.refused += 1;
                return;
            }
            self.failure.get_or_insert(error);
            // What stands in the file is readable; nothing may follow half a chunk.
            self.writer = None;
        }
    }
}
