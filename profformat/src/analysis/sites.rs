//! Figures by source line and by function.

use crate::ids::StringId;
use crate::record::Class;

/// What one source line did. Self figures are those of samples whose innermost Python frame is on the line;
/// a stack without any Python frame counts for its innermost frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Source file.
    pub file: StringId,
    /// Line, 0 when unknown.
    pub line: u32,
    /// Qualified name of the function the line belongs to.
    pub function: StringId,
    /// Self time in nanoseconds by [`Class::code`].
    pub self_ns: [u64; Class::ALL.len()],
    /// Number of on-CPU samples in `self_ns`.
    pub samples: u64,
    /// Sum of squared weights (ns squared) of those samples.
    pub self_squares: u128,
    /// CPU time of every sample that has the line anywhere on its stack, each once.
    pub total_cpu_ns: u64,
    /// Number of those samples.
    pub total_samples: u64,
    /// Sum of their squared weights (ns squared).
    pub total_squares: u128,
    /// The largest parts of `total_cpu_ns`, largest first.
    pub why: Vec<Why>,
    /// The lines that lead here, with their part of `total_cpu_ns`, largest first, at most 3.
    pub callers: Vec<(StringId, u32, u64)>,
    /// Bytes allocated here.
    pub alloc_bytes: u64,
    /// Bytes of those through Python's allocators.
    pub alloc_python_bytes: u64,
    /// Estimated number of allocations.
    pub alloc_count: u64,
    /// Bytes from here that were live when the footprint was highest.
    pub live_at_peak_bytes: u64,
    /// Bytes from here that were never freed.
    pub live_at_end_bytes: u64,
    /// Followed blocks among them.
    pub live_at_end_blocks: u64,
    /// Bytes copied here.
    pub copy_bytes: u64,
    /// Estimated number of copies.
    pub copy_count: u64,
}

impl Site {
    /// Self time on CPU, nanoseconds.
    pub fn self_cpu_ns(&self) -> u64 {
        Class::ALL.iter().filter(|c| c.on_cpu()).map(|c| self.self_ns[c.code() as usize]).sum()
    }
}

/// A part of a line's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// What kind of part.
    pub what: WhyKind,
    /// Its name: a module or native function, a called function; empty for `Itself`.
    pub name: String,
    /// CPU nanoseconds.
    pub cpu_ns: u64,
}

/// Kinds of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WhyKind {
    /// Python work of the line itself.
    Itself,
    /// Garbage collection set off here.
    Gc,
    /// Native code called here.
    Native,
    /// System calls made here.
    Kernel,
    /// A Python function called here, with everything below it.
    Callee,
}

/// What one function did, all its lines together; a recursive call counts once in the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSum {
    /// Source file.
    pub file: StringId,
    /// Qualified name.
    pub function: StringId,
    /// Line of its definition.
    pub first_line: u32,
    /// Self time in nanoseconds by [`Class::code`].
    pub self_ns: [u64; Class::ALL.len()],
    /// Number of on-CPU samples in `self_ns`.
    pub samples: u64,
    /// Sum of squared weights of those samples.
    pub self_squares: u128,
    /// CPU time of every sample that has the function on its stack, each once.
    pub total_cpu_ns: u64,
}
