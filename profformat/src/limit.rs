//! Limits of the format. A writer keeps them, a reader refuses what breaks them before it reserves memory.
//!
//! Those of a whole trace are chosen so that whatever is done with any trace fits in half a gigabyte: merging holds the
//! dictionaries of the input and of the output, an analysis the dictionaries and its sums.

use alloc::string::String;
use alloc::vec::Vec;

use crate::record::{Process, Thread};

/// Longest payload of a chunk, uncompressed.
pub const PAYLOAD_BYTES: u32 = 4 << 20;
/// Largest ratio of uncompressed to compressed payload.
pub const COMPRESSION_RATIO: u32 = 1_000;
/// Most entries or events of a chunk that a reader accepts.
pub const ENTRIES: u32 = 65_536;
/// Events of a block when a writer lets it go.
pub const BLOCK_EVENTS: usize = 4_096;
/// Longest string, note, thread name or argument; a writer cuts longer ones.
pub const STRING_BYTES: usize = 65_535;
/// Longest command line, all arguments together; a writer leaves out the arguments beyond.
pub const COMMAND_BYTES: usize = 256 << 10;
/// Deepest stack; a writer leaves out the innermost frames beyond.
pub const STACK_DEPTH: u16 = 4_096;
/// Most strings, functions and frames, each; a writer names everything beyond `[lost]`.
pub const TABLE_ENTRIES: usize = 1 << 20;
/// Most stacks; a writer gives the parent of one beyond.
pub const STACKS: usize = 1 << 21;
/// Most binaries; functions of one beyond belong to none.
pub const BINARIES: usize = 1 << 14;
/// Longest build id; a writer leaves out longer ones.
pub const BUILD_ID_BYTES: usize = 64;
/// Most entries of each dictionary: strings, functions, frames, stacks, binaries.
pub(crate) const TABLES: [usize; 5] =
    [TABLE_ENTRIES, TABLE_ENTRIES, TABLE_ENTRIES, STACKS, BINARIES];
/// All strings together; a writer names everything beyond `[lost]`.
pub const ALL_STRING_BYTES: usize = 64 << 20;
/// Most processes and most threads.
pub const PROCESSES: u32 = 1 << 17;
/// All names of threads, commands and versions of Python together, [`NAME_PRICE`] added for each name, version and
/// argument; a writer leaves out what is beyond.
pub const ALL_NAME_BYTES: usize = 32 << 20;
/// What a name costs beside its bytes: about what it takes in memory.
pub const NAME_PRICE: usize = 32;
/// Memory of entries that a reader makes up for lost ones: this, and no more than eight bytes for each of the file.
pub(crate) const MADE_UP_BYTES: u64 = 64 << 20;
/// Counters, each of a process, whose values an analysis or a split remembers.
pub(crate) const COUNTERS: usize = 1 << 18;
/// Bytes after which a writer begins another chunk of strings, processes or notes.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Chunks that one Index chunk lists at most: a writer remembers some 50 bytes of each until then.
pub(crate) const INDEX_CHUNKS: u32 = 2_048;
/// Bytes of chunks after which a writer lets an Index chunk go.
pub(crate) const INDEX_BYTES: u64 = 64 << 20;
/// Chunks that a reader keeps the index of; a trace with more is read without.
pub(crate) const INDEX_ENTRIES: usize = 1 << 20;

/// `bytes`, cut at the limit of strings.
pub(crate) fn string(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(STRING_BYTES)]
}

/// The arguments of a command that keep the limits.
pub(crate) fn command(arguments: &[Vec<u8>]) -> Vec<&[u8]> {
    let mut left = COMMAND_BYTES;
    let kept = arguments.iter().take(ENTRIES as usize).map_while(|argument| {
        let argument = string(argument);
        // Eight bytes are the price of an empty argument.
        left = left.checked_sub(argument.len() + 8)?;
        Some(argument)
    });
    kept.collect()
}

/// What is left of [`ALL_NAME_BYTES`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names(usize);

impl Names {
    pub(crate) fn new() -> Self {
        Self(ALL_NAME_BYTES)
    }

    /// Takes the price of a name or an argument; false when there is not as much left.
    pub(crate) fn take(&mut self, name: &[u8]) -> bool {
        let left = self.0.checked_sub(name.len() + NAME_PRICE);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    /// As [`take`](Self::take); a name that is not known costs nothing.
    pub(crate) fn take_known(&mut self, name: &[u8]) -> bool {
        name.is_empty() || self.take(name)
    }

    /// A thread, without its name if that is beyond the limits.
    pub(crate) fn thread(&mut self, thread: &Thread) -> Thread {
        let name = string(&thread.name);
        let name = if self.take_known(name) { name.to_vec() } else { Vec::new() };
        Thread { name, ..*thread }
    }

    /// A process with as much of its names as the limits leave.
    pub(crate) fn process(&mut self, process: &Process) -> Process {
        let python = string(process.python.as_bytes());
        let python = if self.take_known(python) { python } else { b"" };
        let command = command(&process.command).into_iter();
        let command = command.take_while(|argument| self.take(argument)).map(<[u8]>::to_vec);
        Process { command: command.collect(), python: text(python), ..*process }
    }
}

/// Bytes as text, invalid UTF-8 replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
