//! What a profiler saw of the last seconds: a value of its own, which costs the profiler nothing.

use std::sync::OnceLock;
use std::time::Duration;

use super::labels::{Value, resolve};
use super::samples::{Kept, Samples};
use super::{ignore, modules};
use crate::event::LABELS;

/// The words of a thread's labels at one moment, by number of their key; see `labels`.
pub(super) type LabelWords = [u64; LABELS];

/// What samples of the last seconds say.
///
/// Times are from the snapshot's beginning on. Addresses are the process's own: instructions that were interrupted and
/// return addresses, to be looked up in [`Snapshot::modules`]. Samples are shared with the profiler, not copied: for as long as
/// a snapshot is kept, so are they, and up to a second of older ones.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// When the first sample could have been taken: since the Unix epoch.
    pub(super) began: Duration,
    /// How long it is.
    pub(super) length: Duration,
    /// Expected CPU nanoseconds between two samples of a thread, and bytes between two of allocations; 0: not sampled.
    pub(super) cpu_interval_ns: u64,
    pub(super) alloc_interval: u64,
    /// Its beginning by the clock that samples' times are of.
    pub(super) from_ns: u64,
    /// By time.
    pub(super) samples: Samples,
    /// Sampled blocks that are held at its end.
    pub(super) live: Vec<Kept>,
    /// Read when they are first asked for: many want no more than sums, and the kernel takes its time.
    pub(super) modules: OnceLock<Vec<Module>>,
    /// CPU nanoseconds of the process in that time, and of them the profiler's own threads'.
    pub(super) cpu_ns: u64,
    pub(super) own_cpu_ns: u64,
}

/// What a sample stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// CPU time of a thread since its sample before.
    Cpu {
        /// Nanoseconds.
        ns: u64,
    },
    /// Bytes allocated by a thread.
    Alloc {
        /// Bytes that the sample stands for.
        bytes: u64,
        /// Bytes of the block that was sampled.
        size: u64,
    },
}

/// A sample of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    snapshot: &'s Snapshot,
    kept: &'s Kept,
}

/// A file with code that the process has mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Where its code begins and ends in the process.
    pub start: u64,
    /// The address after its last.
    pub end: u64,
    /// Of `start`, in the file.
    pub offset: u64,
    /// Path, or a name in brackets.
    pub path: String,
    /// The linker's identification of the file, in hexadecimal digits; empty: it has none.
    pub build_id: String,
}

impl Snapshot {
    /// Of a profiler that does not run.
    pub(super) fn of_nothing() -> Self {
        Self { modules: Vec::new().into(), ..Self::default() }
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.length
    }

    /// All samples by time.
    pub fn samples(&self) -> impl Iterator<Item = Sample<'_>> {
        self.samples.iter().map(|kept| Sample { snapshot: self, kept })
    }

    /// Samples of blocks that were allocated since the profiler's start and are held at the snapshot's end.
    pub fn live(&self) -> impl Iterator<Item = Sample<'_>> {
        self.live.iter().map(|kept| Sample { snapshot: self, kept })
    }

    /// Mapped code, by address, as it is when this or names are first asked for. Who unloads libraries asks before that.
    pub fn modules(&self) -> &[Module] {
        self.modules.get_or_init(|| {
            let _ignored = ignore::Ignored::begin();
            modules::mapped()
        })
    }

    /// CPU time of the process in this time, the profiler's own included.
    pub fn cpu_total(&self) -> Duration {
        Duration::from_nanos(self.cpu_ns)
    }

    /// What of it the profiler's own thread took.
    pub fn cpu_own(&self) -> Duration {
        Duration::from_nanos(self.own_cpu_ns)
    }

    /// CPU time of the process that is in no sample, the profiler's own aside: of threads since their last sample, and of those
    /// that nobody saw.
    pub fn cpu_unseen(&self) -> Duration {
        self.cpu_total().saturating_sub(self.cpu_own()).saturating_sub(self.cpu_sampled())
    }

    /// CPU time that samples stand for.
    pub fn cpu_sampled(&self) -> Duration {
        let of = |kept: &Kept| match kept.what {
            What::Cpu { ns } => ns,
            What::Alloc { .. } => 0,
        };
        Duration::from_nanos(self.samples.iter().map(of).fold(0, u64::saturating_add))
    }
}

impl<'s> Sample<'s> {
    /// Since the snapshot's beginning.
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.kept.time_ns.saturating_sub(self.snapshot.from_ns))
    }

    /// What it stands for.
    pub fn what(&self) -> What {
        self.kept.what
    }

    /// Kernel's id and name of the thread.
    pub fn thread(&self) -> (u32, &'s str) {
        let (tid, name) = &*self.kept.thread;
        (*tid, name)
    }

    /// Labels that were set on the thread: name of the key, and value. The region is the first.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, Value)> + use<'s> {
        let words = self.kept.labels.iter().flat_map(|words| words.iter().enumerate());
        words.filter_map(|(key, &word)| resolve(key, word))
    }

    /// Addresses, innermost first: the instruction, then return addresses.
    pub fn stack(&self) -> &'s [u64] {
        &self.kept.stack
    }
}
