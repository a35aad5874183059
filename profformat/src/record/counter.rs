//! Names of counters. `lost.REASON` counts lost ticks, `lost_alloc.REASON` and `lost_copy.REASON` lost
//! samples of those kinds.

/// Timer ticks that reached the handler.
pub const TICKS: &str = "ticks";
/// Ticks that became samples.
pub const SAMPLES: &str = "samples";
/// Timer expirations that the kernel merged into a tick.
pub const OVERRUNS: &str = "overruns";
/// Exact bytes allocated, all domains.
pub const ALLOC_BYTES: &str = "alloc_bytes";
/// Exact number of allocations, all domains.
pub const ALLOC_CALLS: &str = "alloc_calls";
/// Exact bytes allocated through Python's allocators.
pub const ALLOC_PYTHON_BYTES: &str = "alloc_python_bytes";
/// Exact bytes copied.
pub const COPY_BYTES: &str = "copy_bytes";
/// Exact number of copies.
pub const COPY_CALLS: &str = "copy_calls";
/// The most memory that the process had resident, bytes, looked at all along; what it took in its last moments may be missing.
pub const RESIDENT_PEAK_BYTES: &str = "resident_peak_bytes";
/// Nanoseconds spent in our handler and in the sampling half of our hooks.
pub const SELF_NS: &str = "self_ns";
/// Prefix of lost ticks by reason.
pub const LOST: &str = "lost.";
/// Prefix of lost allocation samples by reason.
pub const LOST_ALLOC: &str = "lost_alloc.";
/// Prefix of lost copy samples by reason.
pub const LOST_COPY: &str = "lost_copy.";
