//! Samples as the profiler keeps them, and as a snapshot shares them: to copy them would take longer than all else that it
//! does.

use std::sync::Arc;

use super::snapshot::{LabelWords, What};

/// Nanoseconds of a segment.
const SEGMENT: u64 = 1_000_000_000;

/// A thread as its samples name it: id and name.
pub(super) type Named = Arc<(u32, String)>;

/// A sample.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// CLOCK_MONOTONIC, nanoseconds.
    pub(super) time_ns: u64,
    pub(super) what: What,
    pub(super) thread: Named,
    /// Innermost first.
    pub(super) stack: Arc<[u64]>,
    /// `None`: no label is set.
    pub(super) labels: Option<Arc<LabelWords>>,
}

/// Samples of a second, as they came: those of a thread by time, threads a little mixed.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) began: u64,
    pub(super) samples: Vec<Kept>,
}

impl Segment {
    /// When it has no samples any more.
    pub(super) fn end(&self) -> u64 {
        self.began.saturating_add(SEGMENT)
    }
}

/// Samples by time.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    segments: Vec<Arc<Segment>>,
    /// Time, index of the segment, index in it.
    order: Vec<(u64, u32, u32)>,
}

impl Samples {
    /// Those of segments from a time on.
    pub(super) fn since<'s>(
        segments: impl Iterator<Item = &'s Arc<Segment>>,
        from_ns: u64,
    ) -> Self {
        let segments: Vec<_> =
            segments.filter(|segment| segment.end() > from_ns).cloned().collect();
        let numbered = (0..).zip(&segments).flat_map(|(segment, of)| {
            (0..).zip(&of.samples).map(move |(index, kept)| (kept.time_ns, segment, index))
        });
        let mut order: Vec<_> = numbered.filter(|(time_ns, ..)| *time_ns >= from_ns).collect();
        order.sort_unstable();
        Self { segments, order }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Kept> {
        // Indices are those of the segments that lie beside them.
        self.order.iter().filter_map(|&(_, segment, index)| {
            self.segments.get(segment as usize)?.samples.get(index as usize)
        })
    }
}

#[cfg(test)]
impl From<Vec<Kept>> for Samples {
    fn from(samples: Vec<Kept>) -> Self {
        let began = samples.iter().map(|kept| kept.time_ns).min().unwrap_or(0);
        Self::since([Arc::new(Segment { began, samples })].iter(), 0)
    }
}
