//! Limits of the format. A writer keeps them, a reader refuses what breaks them before it reserves memory.

use alloc::vec::Vec;

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
/// Most strings, functions, frames and stacks, each; a writer names everything beyond `[lost]`.
pub const TABLE_ENTRIES: usize = 1 << 24;
/// All strings together; a writer names everything beyond `[lost]`.
pub const ALL_STRING_BYTES: usize = 256 << 20;
/// Most processes and most threads.
pub const PROCESSES: u32 = 1 << 20;
/// Memory of entries that a reader makes up for lost ones: this, and no more than eight bytes for each of the file.
pub(crate) const MADE_UP_BYTES: u64 = 64 << 20;
/// Bytes after which a writer begins another chunk of strings, processes or notes.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Chunks that one Index chunk lists at most.
pub(crate) const INDEX_CHUNKS: u32 = 16_384;
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
