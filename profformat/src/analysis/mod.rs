//! What a trace says: from records to a [`Profile`].
//!
//! Records are read twice. The first pass ([`Survey`]) finds the footprint curve and with it the moment
//! of the peak; the second ([`Builder`]) adds everything up and can so tell at once, for every block,
//! whether it was live at that moment. Both passes keep sums, never records.

mod activity;
mod books;
mod build;
pub(crate) mod copies;
pub mod diff;
pub(crate) mod estimate;
pub mod family;
mod footprint;
mod heap;
pub mod leaks;
mod listed;
pub mod live;
mod part;
pub mod sites;
mod sums;
mod time;

pub use books::{Books, books};
pub use build::{Builder, Survey};

use std::collections::BTreeMap;

use crate::ids::{StackId, StringId, ThreadId};
use crate::reader::Damage;
use crate::record::{Class, Header, Outcome, Process, ProcessEnd, Thread, ThreadEnd};
use crate::tables::Tables;
use crate::units::Timestamp;

/// Sums of time that are kept at most.
const SUMS: usize = 1 << 20;
/// Sums of allocations that are kept at most.
const MEMORY_SUMS: usize = 1 << 18;
/// Sums of copies that are kept at most.
const COPY_SUMS: usize = 1 << 17;

/// The analysed result of a trace. Sums only: its size follows the number of different stacks, not the
/// number of records.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Facts of the run.
    pub header: Header,
    /// Dictionaries that the ids below refer to.
    pub tables: Tables,
    /// Processes in order of id, each with its end when that is known.
    pub processes: Vec<(Process, Option<ProcessEnd>)>,
    /// Threads in order of id, each with its end when that is known.
    pub threads: Vec<(Thread, Option<ThreadEnd>)>,
    /// Sums by thread, stack and class, in that order.
    pub time: Vec<TimeSum>,
    /// When that time was spent; `None` unless it was asked for, see [`Builder::with_activity`].
    pub activity: Option<Activity>,
    /// Sums of allocations by thread and stack, in that order.
    pub memory: Vec<MemorySum>,
    /// What of that was held over time.
    pub curves: Curves,
    /// Births of the blocks of those that were never freed, by thread, stack and part of the run, in that order.
    pub births: Vec<leaks::Births>,
    /// Sums of copies by thread, stack and copier, in that order.
    pub copies: Vec<CopySum>,
    /// Footprint of all processes together.
    pub footprint: FootprintCurve,
    /// Last values of all counters, added over processes, by name.
    pub counters: BTreeMap<String, u64>,
    /// Notes of the collector, in words.
    pub notes: Vec<String>,
    /// Time of the last record: the length of the run as far as it is known.
    pub elapsed: Timestamp,
    /// False when the trace has no end record: the collector was killed or the file was cut.
    pub complete: bool,
    /// What of the file could not be read.
    pub damage: Damage,
}

/// Time of one thread in one stack and class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSum {
    /// The thread.
    pub thread: ThreadId,
    /// The stack, innermost frame first when walked; `None` when unknown.
    pub stack: Option<StackId>,
    /// The class.
    pub class: Class,
    /// Nanoseconds.
    pub weight_ns: u64,
    /// Number of samples.
    pub samples: u64,
    /// Sum of squared weights (ns squared), for intervals.
    pub weight_squares: u128,
}

/// When time was spent. The weights of one sum add up to that sum, whatever the parts are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Length of a part of the run, nanoseconds.
    pub part_ns: u64,
    /// Weights by part and place of their sum, in that order.
    pub weights: Vec<PartWeight>,
}

/// What a sum of time got in a part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartWeight {
    /// Number of the part, from 0 at the begin.
    pub part: u32,
    /// Place of the sum in [`Profile::time`].
    pub sum: u32,
    /// Nanoseconds.
    pub weight_ns: u64,
}

/// Allocation of one thread in one stack, scaled up from samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySum {
    /// The thread.
    pub thread: ThreadId,
    /// The stack.
    pub stack: Option<StackId>,
    /// Number of samples.
    pub samples: u64,
    /// Bytes allocated, all domains.
    pub alloc_bytes: u64,
    /// Estimated number of allocations: the sum of weight / size.
    pub alloc_count: u64,
    /// Bytes of those through Python's allocators.
    pub alloc_python_bytes: u64,
    /// Bytes of followed blocks that were live when the footprint was highest.
    pub live_at_peak_bytes: u64,
    /// Number of such samples' blocks.
    pub live_at_peak_blocks: u64,
    /// Bytes of followed blocks that were never freed.
    pub live_at_end_bytes: u64,
    /// Number of such samples' blocks.
    pub live_at_end_blocks: u64,
    /// Bytes of followed blocks that were freed within 10 ms of their allocation, or of their last growth here.
    pub churn_bytes: u64,
}

/// What allocations held over time, scaled up from samples. See [`sites::curves`] for lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Curves {
    /// Length of a part of the run, nanoseconds.
    pub part_ns: u64,
    /// Changes, by thread, stack and part, in that order.
    pub changes: Vec<Change>,
}

/// By how much the bytes that one thread's allocations in one stack held changed within a part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The thread.
    pub thread: ThreadId,
    /// The stack.
    pub stack: Option<StackId>,
    /// Number of the part, from 0 at the begin.
    pub part: u32,
    /// Bytes that were allocated, less those that were freed.
    pub bytes: i64,
}

/// Copies of one thread in one stack by one module's code, scaled up from samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopySum {
    /// The thread.
    pub thread: ThreadId,
    /// The stack.
    pub stack: Option<StackId>,
    /// Short name of the module, empty when it is not known.
    pub copier: StringId,
    /// Number of samples.
    pub samples: u64,
    /// Bytes copied.
    pub copy_bytes: u64,
    /// Estimated number of copies: the sum of weight / size.
    pub copy_count: u64,
    /// Bytes of `copy_bytes` by the size of the copy: up to each of [`COPY_SIZES`], and larger.
    pub copy_sizes: [u64; COPY_SIZES.len() + 1],
}

/// Largest copies of the classes that [`CopySum::copy_sizes`] tells apart, bytes: a cache line, a string, a page or a
/// few, what fits a core's cache, what fits the machine's.
pub const COPY_SIZES: [u64; 5] = [64, 1 << 10, 16 << 10, 256 << 10, 4 << 20];

/// Bytes held over time, exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FootprintCurve {
    /// Highest total of all processes together; or the total at the moment that was asked for.
    pub peak_bytes: u64,
    /// When it was reached; or that moment.
    pub peak_time: Timestamp,
    /// The moment was asked for: what is said to be live at the peak is what was live then.
    pub is_asked: bool,
    /// Total at the end.
    pub end_bytes: u64,
    /// Points in order of time. At most 1,000; each is the highest of its part of the run.
    pub timeline: Vec<FootprintPoint>,
}

/// Bytes held at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FootprintPoint {
    /// The moment.
    pub time: Timestamp,
    /// Bytes, native and Python together.
    pub bytes: u64,
    /// Bytes of those in the arenas of Python's small-object allocator; its larger objects are among the native ones.
    pub python_bytes: u64,
}

/// How a run ended, as its first process tells.
pub fn outcome(profile: &Profile) -> Option<Outcome> {
    profile.processes.iter().find(|(p, _)| p.profiled).and_then(|(_, end)| end.map(|e| e.outcome))
}
