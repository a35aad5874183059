//! What the weights of stacks are.

use super::ExportError;
use crate::analysis::Profile;
use crate::ids::{StackId, ThreadId};
use crate::kind::Kind;

/// A figure that stacks can be weighed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// CPU time.
    Cpu,
    /// CPU and waiting time.
    Wall,
    /// Bytes allocated.
    Alloc,
    /// Bytes never freed.
    Live,
    /// Bytes live when the footprint was highest.
    Peak,
    /// Bytes copied.
    Copies,
}

/// Unit of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// The name that pprof and speedscope use.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "nanoseconds",
            Unit::Bytes => "bytes",
        }
    }
}

/// The weight of one thread in one stack, all classes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The thread.
    pub thread: ThreadId,
    /// The stack.
    pub stack: Option<StackId>,
    /// Nanoseconds or bytes, as [`Metric::unit`] says; never 0.
    pub weight: u64,
}

impl Metric {
    /// Every metric, in the order they are offered.
    pub const ALL: [Metric; 6] =
        [Metric::Cpu, Metric::Wall, Metric::Alloc, Metric::Live, Metric::Peak, Metric::Copies];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Cpu => "cpu",
            Metric::Wall => "wall",
            Metric::Alloc => "alloc",
            Metric::Live => "live",
            Metric::Peak => "peak",
            Metric::Copies => "copies",
        }
    }

    /// The unit of its weights.
    pub const fn unit(self) -> Unit {
        match self {
            Metric::Cpu | Metric::Wall => Unit::Nanoseconds,
            Metric::Alloc | Metric::Live | Metric::Peak | Metric::Copies => Unit::Bytes,
        }
    }

    /// The events that its weights are made of: a profile of these alone exports the same.
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Metric::Cpu | Metric::Wall => &[Kind::Samples],
            Metric::Alloc | Metric::Live | Metric::Peak => &[Kind::Memory],
            Metric::Copies => &[Kind::Copies],
        }
    }

    /// Itself, if the run measured it.
    pub fn measured_by(self, profile: &Profile) -> Result<Self, ExportError> {
        let header = &profile.header;
        let (interval, found, what) = match self {
            Metric::Cpu | Metric::Wall => {
                (header.cpu_interval_ns, !profile.time.is_empty(), "CPU sampling (--no-cpu)")
            }
            Metric::Alloc | Metric::Live | Metric::Peak => (
                header.memory_interval,
                !profile.memory.is_empty(),
                "memory sampling (--no-memory)",
            ),
            Metric::Copies => {
                (header.copy_interval, !profile.copies.is_empty(), "copy sampling (--no-copies)")
            }
        };
        if interval == 0 && !found {
            return Err(ExportError::NotMeasured { metric: self, what });
        }
        Ok(self)
    }

    /// The weights of a profile in order of thread, then stack.
    pub fn weights(self, profile: &Profile) -> Vec<Weight> {
        let mut weights: Vec<Weight> = Vec::new();
        let mut add = |thread, stack, weight: u64| {
            if weight > 0 {
                weights.push(Weight { thread, stack, weight });
            }
        };
        match self {
            Metric::Cpu | Metric::Wall => {
                let counted =
                    profile.time.iter().filter(|t| self == Metric::Wall || t.class.on_cpu());
                counted.for_each(|t| add(t.thread, t.stack, t.weight_ns));
            }
            Metric::Alloc => {
                profile.memory.iter().for_each(|m| add(m.thread, m.stack, m.alloc_bytes));
            }
            Metric::Live => {
                profile.memory.iter().for_each(|m| add(m.thread, m.stack, m.live_at_end_bytes));
            }
            Metric::Peak => {
                profile.memory.iter().for_each(|m| add(m.thread, m.stack, m.live_at_peak_bytes));
            }
            Metric::Copies => {
                profile.copies.iter().for_each(|c| add(c.thread, c.stack, c.copy_bytes));
            }
        }
        // Mostly they are sorted already.
        weights.sort_by_key(|weight| (weight.thread, weight.stack));
        weights.dedup_by(|other, kept| {
            let same = (other.thread, other.stack) == (kept.thread, kept.stack);
            if same {
                kept.weight = kept.weight.saturating_add(other.weight);
            }
            same
        });
        weights
    }
}
