//! Session memory: the one mapping that a profiled process and its collector have in common.
//!
//! ```text
//!   offset      what
//!   0           header words (constants `word::*`)
//!   4 KiB       code table      65,536 entries of two words: fingerprint, state|arena offset
//!   +1 MiB      code arena      8 MiB of code records (names, line tables), appended once each
//!   +8 MiB      live filter     65,536 bytes, one counter for 128 bytes of address space
//!   +64 KiB     live table      131,072 entries of two words: address, block id
//!   +2 MiB      unwind          16 MiB of tables, see `unwind`
//!   +16 MiB     slots           1,024 x 64 KiB and 64 bytes: one for each live thread
//! ```
//!
//! The mapping is a sparse memfd: a page costs memory when it is first touched. Everything in it is read
//! and written as relaxed or ordered atomic words, so neither side trusts the other's timing. The collector
//! trusts no value in it either: the program could have written anything.

mod counts;
pub(crate) mod slot_word;
pub(crate) mod word;

use crate::ring::spsc::Ring;
use crate::sync::{AtomicU64, Ordering};
use crate::unwind;
pub(crate) use counts::{Count, LOSSES, Loss, LostKind};

/// First header word: `PROFSES1`.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"PROFSES1");

/// Number of thread slots. Slot 0 is nobody's: threads without a slot of their own count there.
pub(crate) const SLOTS: usize = 1024;
/// Words of a slot: 64 KiB and a cache line more, so that the same word of all slots is not in the same few lines of a
/// cache. Whoever looks for a free slot reads one word of each.
pub(crate) const SLOT_WORDS: usize = 8192 + 8;
/// Deepest Python stack that is kept, counted from the leaf.
pub(crate) const MAX_FRAMES: usize = 512;
/// Most native frames that are kept, counted from the leaf: some lie between Python frames.
pub(crate) const MAX_NATIVE: usize = 64;
/// Words of a thread's cache of unwind rules: 128 pairs.
pub(crate) const RULE_WORDS: usize = 256;
/// Entries of the code table.
pub(crate) const CODE_ENTRIES: usize = 65_536;
/// Words of the code arena (8 MiB).
pub(crate) const ARENA_WORDS: usize = 1 << 20;
/// Words of the live filter (64 KiB of byte counters). Models have few words of everything.
pub(crate) const FILTER_WORDS: usize = if cfg!(loom) { 1 } else { 8192 };
/// Entries of the live table.
pub(crate) const LIVE_ENTRIES: usize = if cfg!(loom) { 2 } else { 131_072 };

/// Offsets of the areas, in words.
pub(crate) mod area {
    use super::*;
    pub(crate) const CODE_TABLE: usize = 512;
    pub(crate) const CODE_ARENA: usize = CODE_TABLE + 2 * CODE_ENTRIES;
    pub(crate) const LIVE_FILTER: usize = CODE_ARENA + ARENA_WORDS;
    pub(crate) const LIVE_TABLE: usize = LIVE_FILTER + FILTER_WORDS;
    pub(crate) const UNWIND: usize = LIVE_TABLE + 2 * LIVE_ENTRIES;
    // The first slot begins at a page.
    pub(crate) const SLOTS_AT: usize = (UNWIND + unwind::WORDS).next_multiple_of(512);
    /// Words of the whole mapping.
    pub(crate) const END: usize = SLOTS_AT + SLOTS * SLOT_WORDS;
}

/// Bytes of the whole mapping.
pub(crate) const BYTES: usize = area::END * 8;

/// Bits of the control word.
pub(crate) mod control {
    /// Sample CPU time.
    pub(crate) const CPU: u64 = 1;
    /// Sample allocations and follow blocks.
    pub(crate) const MEMORY: u64 = 2;
    /// Sample copies.
    pub(crate) const COPIES: u64 = 4;
    /// Ticks come from perf events too, which the collector opens.
    pub(crate) const PERF: u64 = 8;
    /// Time samples have native frames.
    pub(crate) const NATIVE: u64 = 16;
}

/// Values of [`word::PY_STATE`].
pub(crate) mod python_state {
    /// No interpreter in this process.
    pub(crate) const NONE: u64 = 0;
    /// Known layout; stacks are walked.
    pub(crate) const WALKED: u64 = 1;
    /// Version without a layout, or a free-threaded build: no Python stacks.
    pub(crate) const UNSUPPORTED: u64 = 2;
    /// The layout did not fit what was found in memory: no Python stacks.
    pub(crate) const SELF_CHECK_FAILED: u64 = 3;
    /// The collector found one that was loaded after the start, and told it in the header; the process has not
    /// taken it over yet.
    pub(crate) const FOUND_LATE: u64 = 4;
}

/// In [`slot_word::PERF`]: the thread wants no event: it is about to be another program, or has no stack for ticks.
pub(crate) const PERF_REFUSED: u64 = u64::MAX;

/// A view of a session's words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    words: &'static [AtomicU64],
}

impl Session {
    /// A view of `words`; `None` unless there are exactly as many as a session has.
    pub(crate) fn new(words: &'static [AtomicU64]) -> Option<Self> {
        (words.len() == area::END).then_some(Self { words })
    }

    /// A header word.
    #[inline]
    pub(crate) fn word(self, index: usize) -> &'static AtomicU64 {
        &self.words[index]
    }

    /// The words of an area: `at` and `len` come from [`area`] and the constants of this module.
    #[inline]
    pub(crate) fn area(self, at: usize, len: usize) -> &'static [AtomicU64] {
        &self.words[at..at + len]
    }

    /// Thread slot `index`, which must be below [`SLOTS`].
    #[inline]
    pub(crate) fn slot(self, index: usize) -> Slot {
        Slot { words: self.area(area::SLOTS_AT + index * SLOT_WORDS, SLOT_WORDS) }
    }
}

/// A view of a thread's slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    words: &'static [AtomicU64],
}

impl Slot {
    /// The slot that begins at `words`; `None` unless it has a slot's length.
    pub(crate) fn new(words: &'static [AtomicU64]) -> Option<Self> {
        (words.len() == SLOT_WORDS).then_some(Self { words })
    }

    /// A word of the slot.
    #[inline]
    pub(crate) fn word(self, index: usize) -> &'static AtomicU64 {
        &self.words[index]
    }

    /// All words.
    pub(crate) fn words(self) -> &'static [AtomicU64] {
        self.words
    }

    /// The ring.
    #[inline]
    pub(crate) fn ring(self) -> Ring<'static> {
        Ring {
            head: &self.words[slot_word::HEAD],
            tail: &self.words[slot_word::TAIL],
            words: &self.words[slot_word::RING..],
        }
    }

    /// Frame buffer 0 or 1.
    #[inline]
    pub(crate) fn buffer(self, which: usize) -> &'static [AtomicU64] {
        let at = slot_word::BUFFERS + (which & 1) * MAX_FRAMES;
        &self.words[at..at + MAX_FRAMES]
    }

    /// The buffer of native frames.
    #[inline]
    pub(crate) fn native(self) -> &'static [AtomicU64] {
        &self.words[slot_word::NATIVE..slot_word::NATIVE + MAX_NATIVE]
    }

    /// The cache of unwind rules.
    #[inline]
    pub(crate) fn rules(self) -> &'static [AtomicU64] {
        &self.words[slot_word::RULES..slot_word::RULES + RULE_WORDS]
    }

    /// Adds to an exact counter. Only the owner of the slot calls this.
    #[inline]
    pub(crate) fn add(self, count: Count, amount: u64) {
        let cell = &self.words[slot_word::COUNTERS + count as usize];
        cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }

    /// Counts a lost event. Slot 0 has many writers, so this one is an atomic addition.
    pub(crate) fn lose(self, kind: LostKind, why: Loss) {
        self.words[slot_word::LOST + kind as usize * LOSSES + why as usize]
            .fetch_add(1, Ordering::Relaxed);
    }
}
