//! Words of a thread's slot.

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
