//! What can be wrong with a trace.

use alloc::string::String;

/// Why bytes are not a (whole) trace. Offsets count from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or mapped.
    #[error("cannot read {path}: {reason}")]
    Open {
        /// The path, escaped for terminals.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// There is nothing in it.
    #[error("the file is empty: nothing was recorded")]
    Empty,
    /// It does not begin as a trace does.
    #[error("not a trace: the first bytes are not those of a trace file")]
    NotATrace,
    /// It ends inside the file header.
    #[error("the file header is cut off at offset {offset}")]
    HeaderCut {
        /// Where the file ends.
        offset: u64,
    },
    /// The checksum of the file header does not fit.
    #[error("the file header is damaged: its checksum at offset {offset} does not fit")]
    HeaderDamaged {
        /// Where the checksum is.
        offset: u64,
    },
    /// Written by a newer major version.
    #[error(
        "trace version {major}.{minor} is not known to this program (it reads 1.x): use a newer one"
    )]
    Version {
        /// Major version of the file.
        major: u16,
        /// Minor version of the file.
        minor: u16,
    },
    /// It needs features that this program does not know.
    #[error("the trace needs features unknown to this program (flags {flags:#x}): use a newer one")]
    Required {
        /// The unknown bits of the required flags.
        flags: u32,
    },
    /// Bytes where a chunk should begin are none.
    #[error("no chunk at offset {offset}: {bytes} bytes are unreadable")]
    NoChunk {
        /// Where the chunk should begin.
        offset: u64,
        /// How many bytes were skipped to reach the next chunk or the end.
        bytes: u64,
    },
    /// The file ends inside a chunk.
    #[error("the chunk at offset {offset} is cut off by the end of the file")]
    ChunkCut {
        /// Where the chunk begins.
        offset: u64,
    },
    /// The payload of a chunk has another checksum than its header says.
    #[error("the {chunk} chunk at offset {offset} is damaged: its checksum does not fit")]
    ChunkDamaged {
        /// Where the chunk begins.
        offset: u64,
        /// Name of its type.
        chunk: &'static str,
    },
    /// A chunk has a good checksum, but what it says is impossible.
    #[error("the {chunk} chunk at offset {offset} is malformed: {what}")]
    Malformed {
        /// Where the chunk begins.
        offset: u64,
        /// Name of its type.
        chunk: &'static str,
        /// What is impossible.
        what: &'static str,
    },
    /// Chunks are missing from the sequence.
    #[error("{missing} chunks are missing before offset {offset}")]
    Missing {
        /// Where the next chunk begins.
        offset: u64,
        /// How many.
        missing: u64,
    },
    /// The trace was not finished.
    #[error(
        "the trace has no end record: it was cut off at offset {offset}, or its writer was killed"
    )]
    NoEnd {
        /// Where the file ends.
        offset: u64,
    },
}
