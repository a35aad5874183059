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
//!   +16 MiB     slots           1,024 x 64 KiB: one for each live thread
//! ```
//!
//! The mapping is a sparse memfd: a page costs memory when it is first touched. Everything in it is read
//! and written as relaxed or ordered atomic words, so neither side trusts the other's timing. The collector
//! trusts no value in it either: the program could have written anything.

use crate::ring::spsc::Ring;
use crate::sync::{AtomicU64, Ordering};
use crate::unwind;

/// First header word: `PROFSES1`.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"PROFSES1");

/// Number of thread slots. Slot 0 is nobody's: threads without a slot of their own count there.
pub(crate) const SLOTS: usize = 1024;
/// Words of a slot (64 KiB).
pub(crate) const SLOT_WORDS: usize = 8192;
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
    // Slots begin at a page.
    pub(crate) const SLOTS_AT: usize = (UNWIND + unwind::WORDS).next_multiple_of(512);
    /// Words of the whole mapping.
    pub(crate) const END: usize = SLOTS_AT + SLOTS * SLOT_WORDS;
}

/// Bytes of the whole mapping.
pub(crate) const BYTES: usize = area::END * 8;

/// Header words.
pub(crate) mod word {
    pub(crate) const MAGIC: usize = 0;
    /// Bits of [`super::control`]; written by the collector, read at every event.
    pub(crate) const CONTROL: usize = 1;
    pub(crate) const CPU_INTERVAL_NS: usize = 2;
    pub(crate) const MEMORY_INTERVAL: usize = 3;
    pub(crate) const COPY_INTERVAL: usize = 4;
    /// Signal number in use; written by the process.
    pub(crate) const SIGNAL: usize = 5;
    /// One more than the highest slot ever claimed.
    pub(crate) const SLOTS_HIGH: usize = 6;
    /// 1 once the process has passed its own exit path.
    pub(crate) const EXITED: usize = 7;
    /// Bytes held through malloc / in arenas of Python's small allocator: i64 as u64, added to in batches by all
    /// threads.
    pub(crate) const FOOTPRINT_NATIVE: usize = 8;
    pub(crate) const FOOTPRINT_PYTHON: usize = 9;
    /// Highest sum of the two, and the monotonic time of it.
    pub(crate) const PEAK_BYTES: usize = 10;
    pub(crate) const PEAK_TIME: usize = 11;
    pub(crate) const PEAK_PYTHON: usize = 12;
    /// Bytes of the two that the process had of its parent when it was forked.
    pub(crate) const INHERITED: usize = 13;
    /// CPython facts written by whoever found an interpreter: the process at its start, or the collector later.
    pub(crate) const PY_VERSION: usize = 16; // Py_Version's hex form; 0: no Python
    pub(crate) const PY_STATE: usize = 17; // see `python_state`
    pub(crate) const PY_EVAL_START: usize = 18; // address range of _PyEval_EvalFrameDefault
    pub(crate) const PY_EVAL_END: usize = 19;
    pub(crate) const PY_TEXT: usize = 20; // an address inside the interpreter's code
    /// Address inside our own shim's code, so that its time can be told apart.
    pub(crate) const SHIM_TEXT: usize = 21;
    /// The part of `_PyEval_EvalFrameDefault` that the compiler put elsewhere.
    pub(crate) const PY_EVAL_OTHER_START: usize = 22;
    pub(crate) const PY_EVAL_OTHER_END: usize = 23;
    /// Next free word of the code arena (may exceed its size: then it is full).
    pub(crate) const ARENA_NEXT: usize = 24;
    /// Code objects that found the table or the arena full.
    pub(crate) const CODE_FULL: usize = 25;
    /// Blocks that could not be followed because the live table was full.
    pub(crate) const LIVE_FULL: usize = 26;
    /// Guarded reads that hit unmapped memory.
    pub(crate) const PROBE_FAULTS: usize = 27;
    /// `timer_create` failures.
    pub(crate) const TIMER_FAILED: usize = 28;
    /// Next block id.
    pub(crate) const NEXT_BLOCK: usize = 29;
    /// Address range of `_PyRuntime`, where the GIL is; address of `PyCode_Type`.
    pub(crate) const PY_RUNTIME_START: usize = 30;
    pub(crate) const PY_RUNTIME_END: usize = 31;
    pub(crate) const PY_CODE_TYPE: usize = 32;
    /// Times that a thread's sampling rate was halved, see `signal::guard`.
    pub(crate) const RATE_HALVED: usize = 33;
    /// Bytes that the program mapped itself and unmapped again, what of them is mapped now (i64 as u64), and the most
    /// that was.
    pub(crate) const MAPPED_ANONYMOUS: usize = 34;
    pub(crate) const MAPPED_FILES: usize = 35;
    pub(crate) const UNMAPPED: usize = 36;
    pub(crate) const MAPPED_HELD: usize = 37;
    pub(crate) const MAPPED_PEAK: usize = 38;
    /// Where the code begins that does the work of `memmove` and `memcpy`; 0: not known. The C library picks it for the
    /// processor, and it has no symbol.
    pub(crate) const COPY_CODE: usize = 39;
    /// Timers that the process may have at a time, plus one; 0: as many as the kernel gives. They are taken from what
    /// the user may queue of signals.
    pub(crate) const TIMER_ROOM: usize = 40;
    /// Timers that it has.
    pub(crate) const TIMERS: usize = 41;
    /// Times that a thread's alternate stack was too small for ticks.
    pub(crate) const LOW_ALTERNATES: usize = 42;
    /// Threads that had been without ticks for long at their end, because they blocked the signal.
    pub(crate) const TICKS_BLOCKED: usize = 43;
    /// Unloadings of libraries that have begun, and that are over; when the last of these was (see `unload`).
    pub(crate) const UNLOADS_BEGUN: usize = 48;
    pub(crate) const UNLOADS_OVER: usize = 49;
    pub(crate) const LAST_UNLOAD: usize = 50;
    /// Ends of blocks that are marked in the live table in the place of an event, and when the last of them was.
    pub(crate) const ENDS_MARKED: usize = 51;
    pub(crate) const LAST_END_MARKED: usize = 52;
    /// Not 0: a thread wants the rings emptied or a table made before it is time (see `embed::call`).
    #[cfg(feature = "embed")]
    pub(crate) const CALLED: usize = 53;
}

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

/// Words of a thread's slot.
pub(crate) mod slot_word {
    /// Owner, see `ring::registry`.
    pub(crate) const STATE: usize = 0;
    pub(crate) const HEAD: usize = 8;
    pub(crate) const TAIL: usize = 16;
    /// Exact counters; only the owner adds, so a plain load and store do (slot 0: fetch_add).
    pub(crate) const COUNTERS: usize = 24;
    /// Lost events: `LOSSES` words for each of ticks, allocations, copies.
    pub(crate) const LOST: usize = 48;
    /// The thread's CPU clock up to which samples account for it, nanoseconds.
    pub(crate) const LAST_CPU: usize = 96;
    /// Frames in the buffer of the last stack that went into the ring, and which buffer that is (0 or 1).
    pub(crate) const LAST_DEPTH: usize = 97;
    pub(crate) const LAST_BUFFER: usize = 98;
    /// Kernel timer id + 1 of the thread's timer; 0: none.
    pub(crate) const TIMER: usize = 99;
    /// Byte sampling of this thread (see `interval`): what the counter of bytes says at the next sample point, and how
    /// far it is from there to the end of its stratum, for allocations and for copies; state of the thread's random
    /// numbers.
    pub(crate) const ALLOC_POINT: usize = 100;
    pub(crate) const ALLOC_REST: usize = 101;
    pub(crate) const COPY_POINT: usize = 102;
    pub(crate) const COPY_REST: usize = 103;
    pub(crate) const RANDOM: usize = 104;
    /// Footprint changes not yet added to the session's totals (i64 as u64).
    pub(crate) const PENDING_NATIVE: usize = 105;
    pub(crate) const PENDING_PYTHON: usize = 106;
    /// Size before, if `realloc` changed a block inside Python's allocators (see `memory`); else 0.
    pub(crate) const RESIZED_FROM: usize = 107;
    /// Address of the owner's Python thread state as it was at its last stack; 0: none yet.
    pub(crate) const THREAD_STATE: usize = 108;
    /// The thread's perf event: the collector's descriptor of it + 1; 0: none yet; [`super::PERF_REFUSED`].
    pub(crate) const PERF: usize = 109;
    /// CPU nanoseconds between two ticks of this thread, at first the session's.
    pub(crate) const INTERVAL: usize = 110;
    /// What `pthread_self` says on the thread.
    pub(crate) const THREAD_POINTER: usize = 114;
    /// The guard's last look (see `signal::guard`): the thread's clock, the time of ticks since, looks in a row that
    /// found too much.
    pub(crate) const GUARD_CPU: usize = 111;
    pub(crate) const GUARD_OWN: usize = 112;
    pub(crate) const GUARD_STRIKES: usize = 113;
    /// What the thread's clock will say at the expiry that sends its next tick, and whether that is doubtful (see
    /// `signal::expiry`).
    pub(crate) const NEXT_EXPIRY: usize = 115;
    pub(crate) const EXPIRY_DOUBT: usize = 116;
    /// 1 while the thread's alternate stack is too small for ticks, see `signal::alternate`.
    pub(crate) const LOW_ALTERNATE: usize = 117;
    /// Generation of the owner that may be given a perf event: the words above are its own by then.
    pub(crate) const PERF_FOR: usize = 118;
    /// Weight of allocations and of copies that the next sample takes over: a ring that fills up thins them out.
    pub(crate) const ALLOC_CARRIED: usize = 119;
    pub(crate) const COPY_CARRIED: usize = 120;
    /// An address above all of the owner's stack, with nothing but stack between (see `stack::Reach`).
    pub(crate) const STACK_TOP: usize = 121;
    /// Lowest address of the owner's stack, where somebody has looked; 0: not known.
    pub(crate) const STACK_LOW: usize = 123;
    /// Generation of the owner that has moved in: a slot can be claimed on behalf of a thread.
    pub(crate) const MOVED_IN: usize = 124;
    /// Two buffers of `MAX_FRAMES` words.
    pub(crate) const BUFFERS: usize = 128;
    /// A buffer of `MAX_NATIVE` words.
    pub(crate) const NATIVE: usize = BUFFERS + 2 * super::MAX_FRAMES;
    /// The thread's cache of unwind rules.
    pub(crate) const RULES: usize = NATIVE + super::MAX_NATIVE;
    pub(crate) const RING: usize = RULES + super::RULE_WORDS;
}

/// In [`slot_word::PERF`]: the thread wants no event: it is about to be another program, or has no stack for ticks.
pub(crate) const PERF_REFUSED: u64 = u64::MAX;

/// Exact counters of a slot, as offsets from [`slot_word::COUNTERS`]. Cumulative over all owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Count {
    Ticks,
    Samples,
    Overruns,
    AllocBytes,
    AllocCalls,
    AllocPythonBytes,
    CopyBytes,
    CopyCalls,
    SelfNanos,
}

impl Count {
    /// All counters, with the names they have in the trace.
    pub(crate) const ALL: [(Count, &'static str); 9] = [
        (Count::Ticks, "ticks"),
        (Count::Samples, "samples"),
        (Count::Overruns, "overruns"),
        (Count::AllocBytes, "alloc_bytes"),
        (Count::AllocCalls, "alloc_calls"),
        (Count::AllocPythonBytes, "alloc_python_bytes"),
        (Count::CopyBytes, "copy_bytes"),
        (Count::CopyCalls, "copy_calls"),
        (Count::SelfNanos, "self_ns"),
    ];
}

/// Kind of a lost event: the row in the slot's table of losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum LostKind {
    Tick,
    Alloc,
    Copy,
}

/// Why an event could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Loss {
    /// The ring had no room: the collector was too slow, or is gone.
    RingFull,
    /// The signal arrived while this thread was inside a hook or a handler of ours.
    Reentered,
    /// Too little room on the alternate signal stack.
    AltstackLow,
    /// The thread has no slot (all are taken, or it is past its own end).
    NoSlot,
    /// The kind is switched off while an event of it was under way.
    Off,
    /// The program blocks SIGSEGV or SIGBUS while one that was sent waits, which guarded reads would let arrive; or it
    /// blocks the tick's signal and took it by `sigwait`.
    SignalBlocked,
}

impl Loss {
    /// All reasons, with the names they have in the trace and in reports.
    pub(crate) const ALL: [(Loss, &'static str); 6] = [
        (Loss::RingFull, "ring_full"),
        (Loss::Reentered, "reentered"),
        (Loss::AltstackLow, "altstack_low"),
        (Loss::NoSlot, "no_slot"),
        (Loss::Off, "off"),
        (Loss::SignalBlocked, "signal_blocked"),
    ];
}

/// Words for each kind in the slot's table of losses.
pub(crate) const LOSSES: usize = 16;

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
