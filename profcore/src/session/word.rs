//! Header words.

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
/// Nanoseconds between two ticks of the kernel's clock; 0: not known.
pub(crate) const KERNEL_TICK_NS: usize = 54;
/// No slot below this is free, as far as is known: where to look for one first.
pub(crate) const FREE_FROM: usize = 55;
/// Slots that were claimed on behalf of threads which have not moved in yet, or more.
#[cfg(feature = "embed")]
pub(crate) const CLAIMED_FOR: usize = 56;
/// How many threads have given up their slots.
#[cfg(feature = "embed")]
pub(crate) const ENDED: usize = 57;
