//! Names of counters. `lost.REASON` counts lost ticks, `lost_alloc.REASON` and `lost_copy.REASON` lost
//! samples of those kinds.

/// Whether what goes by this name is a level (what there is, or the most that there was), which a part of a trace
/// keeps; all else is a count, which goes on.
pub fn is_level(name: &[u8]) -> bool {
    name.ends_with(b"_held_bytes") || name.ends_with(b"_peak_bytes")
}

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
/// The most memory that the process had resident, bytes, looked at all along; what it took in its last moments may be
/// missing.
pub const RESIDENT_PEAK_BYTES: &str = "resident_peak_bytes";
/// The most that was its share of resident memory: pages that several processes have are divided among them (PSS).
/// Looked at now and then.
pub const PROPORTIONAL_PEAK_BYTES: &str = "proportional_peak_bytes";
/// Exact bytes of anonymous memory that the program and its libraries mapped themselves (`mmap`, `mremap`, `sbrk`,
/// `brk`); never part of a footprint.
pub const MAPPED_BYTES: &str = "mapped_bytes";
/// Exact bytes of files that they mapped.
pub const MAPPED_FILE_BYTES: &str = "mapped_file_bytes";
/// Exact bytes of both kinds that they unmapped, or mapped something else over.
pub const UNMAPPED_BYTES: &str = "unmapped_bytes";
/// Bytes that are mapped so now.
pub const MAPPED_HELD_BYTES: &str = "mapped_held_bytes";
/// The most that were.
pub const MAPPED_PEAK_BYTES: &str = "mapped_peak_bytes";
/// Nanoseconds spent in our handler and in the sampling half of our hooks.
pub const SELF_NS: &str = "self_ns";
/// Prefix of lost ticks by reason.
pub const LOST: &str = "lost.";
/// Prefix of lost allocation samples by reason.
pub const LOST_ALLOC: &str = "lost_alloc.";
/// Prefix of lost copy samples by reason.
pub const LOST_COPY: &str = "lost_copy.";
