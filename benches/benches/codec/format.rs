//! A way to keep events, and the clock that it is measured by.

use std::collections::BTreeMap;
use std::hint::black_box;

use profformat::export::Format as Output;
use rustix::time::{ClockId, clock_gettime};

use crate::events::Event;
use crate::load::Load;

/// A way to keep events of one kind.
pub(crate) trait Format<E: Event> {
    /// The name in the table.
    fn name(&self) -> &'static str;

    /// Appends all events to `out`, definitions first.
    fn write(&mut self, load: &Load<E>, out: &mut Vec<u8>, clock: &mut Clock);

    /// Reads them back in every way there is; what the weights add up to must be right.
    fn read(&mut self, bytes: &[u8], load: &Load<E>, clock: &mut Clock);
}

/// What is measured of a format: a column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// From events to bytes, one by one.
    Write,
    /// The same, in blocks.
    WriteBlocks,
    /// From bytes to events, one by one.
    Read,
    /// The same, in blocks.
    ReadBlocks,
    /// Everything read and judged, `recover::check`.
    Check,
    /// From two files to one.
    Merge,
    /// From bytes to another format.
    Export(Exported),
}

/// An output of `export`, ordered as they are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Exported(usize);

impl Exported {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..Output::ALL.len()).map(Self)
    }

    pub(crate) fn output(self) -> Output {
        Output::ALL[self.0]
    }
}

/// Seconds by column, one of each round.
#[derive(Debug, Default)]
pub(crate) struct Clock(BTreeMap<Column, Vec<f64>>);

impl Clock {
    /// Measures a part, and gives what it gives.
    pub(crate) fn time<T>(&mut self, column: Column, part: impl FnOnce() -> T) -> T {
        let (value, seconds) = timed(part);
        self.add(column, seconds);
        value
    }

    /// Notes seconds.
    pub(crate) fn add(&mut self, column: Column, seconds: f64) {
        self.0.entry(column).or_default().push(seconds);
    }

    /// The median of the rounds.
    pub(crate) fn median(&self, column: Column) -> Option<f64> {
        let mut seconds = self.0.get(&column)?.clone();
        seconds.sort_by(f64::total_cmp);
        Some(seconds[seconds.len() / 2])
    }
}

/// What a part gives, and the seconds that it takes of a core: all of this runs on one thread, and what else runs
/// on the machine must not count.
pub(crate) fn timed<T>(part: impl FnOnce() -> T) -> (T, f64) {
    let started = cpu_seconds();
    let value = black_box(part());
    (value, cpu_seconds() - started)
}

/// CPU time of this thread.
fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
