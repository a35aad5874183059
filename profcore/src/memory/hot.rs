//! Where hooks in assembly find the words that they count in. All distances are in bytes.
//!
//! `prof_thread_block`, a hidden symbol of thread-local storage (use it by `@GOTTPOFF`), is the thread's block.
//! What an assembly hook does must equal the full form of this module's parent, for the usual case only: a
//! thread with a slot, no sample point in the bytes, a footprint that stays within [`BATCH`], a block that is
//! not followed. In any other case it must have changed nothing and call the full form.

use super::footprint;
use crate::session::{Count, FILTER_WORDS, slot_word};
use crate::sys::tls;

/// In the thread's block: address of its slot; 0 if it has none.
pub const SLOT: usize = tls::SLOT_AT;
/// In the thread's block: address of its slot; 0 if it has none, is ignored or is inside Python's allocators, where
/// `malloc` is not counted as allocated.
pub const COUNTING: usize = tls::COUNTING_AT;
/// In the thread's block: address of the session's filter of followed blocks; good while there is a slot.
pub const FILTER: usize = tls::FILTER_AT;

/// In the slot: what [`ALLOC_BYTES`] says at the next sample point. It must stay below that.
pub const ALLOC_POINT: usize = 8 * slot_word::ALLOC_POINT;
/// In the slot: bytes and calls of allocations so far.
pub const ALLOC_BYTES: usize = count(Count::AllocBytes);
/// See [`ALLOC_BYTES`].
pub const ALLOC_CALLS: usize = count(Count::AllocCalls);
/// In the slot: as [`ALLOC_POINT`], for copies.
pub const COPY_POINT: usize = 8 * slot_word::COPY_POINT;
/// In the slot: bytes and calls of copies so far.
pub const COPY_BYTES: usize = count(Count::CopyBytes);
/// See [`COPY_BYTES`].
pub const COPY_CALLS: usize = count(Count::CopyCalls);
/// In the slot: what the native footprint has changed by since it was last settled; signed.
pub const PENDING: usize = 8 * slot_word::PENDING_NATIVE;
/// Farthest that [`PENDING`] may be from 0.
pub const BATCH: usize = footprint::BATCH as usize;

/// The filter is bytes: one for each `1 << FILTER_SHIFT` bytes of address space, modulo its length. 0: no block
/// there is followed.
pub const FILTER_SHIFT: usize = crate::live::FILTER_SHIFT;

// Assembly takes the low 16 bits as the index.
const _: () = assert!(8 * FILTER_WORDS == 1 << 16);

const fn count(count: Count) -> usize {
    8 * (slot_word::COUNTERS + count as usize)
}
