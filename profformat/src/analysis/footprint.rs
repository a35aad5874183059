//! The footprint of all processes together: its curve, its peak, its end.
//!
//! Every process's curve is a step function through its points; the total is the sum of the steps in
//! force at a moment, so it changes only at points and ends. What a forked process has of its parent counts once, see
//! [`sharing`]. The highest total of one process is exact,
//! since the collector writes the point of each new maximum; with several processes the others' values
//! are those of their last point, which is at most one drain old.
//!
//! Points come only roughly in order: the point of a maximum is written when the rings are drained, after
//! newer points of other processes. They wait in a heap until the newest point is [`LATENESS`] ahead, or
//! until [`WAITING`] of them wait; what comes later than that counts from the moment reached so far.

mod sharing;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::analysis::{FootprintCurve, FootprintPoint};
use crate::ids::ProcessId;
use crate::record::{Footprint, Inherited, Process, ProcessEnd};
use crate::units::Timestamp;
use sharing::Sharing;

/// How far behind the newest point another one may come, nanoseconds.
const LATENESS: u64 = 10_000_000_000;
/// Points that wait at most.
const WAITING: usize = 1 << 16;
/// Points of the timeline at most.
const TIMELINE: usize = 1000;

/// A process's total changed. Ordered by time; at one time by order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    time: u64,
    arrival: u64,
    process: ProcessId,
    /// The new total, and Python's part of it; `None` when the process is gone.
    bytes: Option<(u64, u64)>,
}

/// Follows the total.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    waiting: BinaryHeap<Reverse<Step>>,
    arrivals: u64,
    newest: u64,
    reached: u64,
    held: Sharing,
    /// Python's part of it.
    python: Sharing,
    /// What processes inherited that have not told yet what they hold.
    inherited: HashMap<ProcessId, u64>,
    /// The moment that takes the peak's place.
    asked: Option<Timestamp>,
    curve: FootprintCurve,
    timeline: Timeline,
}

impl Total {
    pub(super) fn at(asked: Option<Timestamp>) -> Self {
        Self { asked, ..Self::default() }
    }

    pub(super) fn point(&mut self, point: &Footprint) {
        let bytes = point.native_bytes.saturating_add(point.python_bytes);
        self.wait(point.time, point.process, Some((bytes, point.python_bytes)));
    }

    pub(super) fn process(&mut self, process: &Process) {
        if let Some(parent) = process.parent {
            self.held.parent(process.id, parent);
            self.python.parent(process.id, parent);
        }
    }

    pub(super) fn inherited(&mut self, inherited: &Inherited) {
        self.held.inherited(inherited.process, inherited.bytes);
        self.inherited.insert(inherited.process, inherited.bytes);
    }

    pub(super) fn ended(&mut self, end: &ProcessEnd) {
        self.wait(end.time, end.id, None);
    }

    pub(super) fn finish(mut self) -> FootprintCurve {
        while let Some(Reverse(step)) = self.waiting.pop() {
            self.apply(step);
        }
        self.curve.timeline = self.timeline.points;
        if let Some(asked) = self.asked {
            self.curve.peak_time = asked;
            self.curve.is_asked = true;
        }
        self.curve
    }

    fn wait(&mut self, time: Timestamp, process: ProcessId, bytes: Option<(u64, u64)>) {
        let time = time.as_nanos();
        self.waiting.push(Reverse(Step { time, arrival: self.arrivals, process, bytes }));
        self.arrivals += 1;
        self.newest = self.newest.max(time);
        while let Some(Reverse(first)) = self.waiting.peek() {
            if self.waiting.len() <= WAITING && self.newest - first.time < LATENESS {
                break;
            }
            let Some(Reverse(step)) = self.waiting.pop() else { break };
            self.apply(step);
        }
    }

    fn apply(&mut self, step: Step) {
        self.reached = self.reached.max(step.time);
        // The end of a process is no point: the curve would always end at nothing.
        let Some((bytes, python)) = step.bytes else {
            self.python.end(step.process);
            return self.held.end(step.process);
        };
        // The trace says how much was inherited in all; at first a child holds nothing else.
        if let Some(all) = self.inherited.remove(&step.process) {
            let part = u128::from(all) * u128::from(python) / u128::from(bytes.max(1));
            self.python.inherited(step.process, u64::try_from(part).unwrap_or(u64::MAX));
        }
        if !self.held.hold(step.process, bytes) {
            return;
        }
        self.python.hold(step.process, python);
        let time = Timestamp::from_nanos(self.reached);
        let total = u64::try_from(self.held.total()).unwrap_or(u64::MAX);
        let python_bytes = u64::try_from(self.python.total()).unwrap_or(u64::MAX).min(total);
        self.curve.end_bytes = total;
        let is_next = match self.asked {
            Some(asked) => time <= asked,
            None => total > self.curve.peak_bytes,
        };
        if is_next {
            self.curve.peak_bytes = total;
            self.curve.peak_time = time;
        }
        self.timeline.add(FootprintPoint { time, bytes: total, python_bytes });
    }
}

/// The highest point of each of at most [`TIMELINE`] equal parts of the run. A part is a power of two of
/// nanoseconds long; when there are too many, two become one.
#[derive(Clone, Debug, Default)]
struct Timeline {
    points: Vec<FootprintPoint>,
    shift: u32,
}

impl Timeline {
    fn add(&mut self, point: FootprintPoint) {
        let part =
            |of: &FootprintPoint, shift: u32| of.time.as_nanos().checked_shr(shift).unwrap_or(0);
        match self.points.last_mut() {
            Some(last) if part(last, self.shift) == part(&point, self.shift) => {
                if point.bytes > last.bytes {
                    *last = point;
                }
            }
            _ => self.points.push(point),
        }
        while self.points.len() > TIMELINE {
            self.shift += 1;
            let shift = self.shift;
            self.points.dedup_by(|next, kept| {
                let same = part(next, shift) == part(kept, shift);
                if same && next.bytes > kept.bytes {
                    *kept = *next;
                }
                same
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;

    fn point(time: u64, process: u32, bytes: u64) -> Footprint {
        Footprint {
            time: Timestamp::from_nanos(time),
            process: ProcessId::new(process),
            native_bytes: bytes / 2,
            python_bytes: bytes - bytes / 2,
            peak: false,
        }
    }

    fn end(time: u64, process: u32) -> ProcessEnd {
        ProcessEnd {
            id: ProcessId::new(process),
            time: Timestamp::from_nanos(time),
            outcome: Outcome::Exited(0),
            cpu_ns: 0,
        }
    }

    #[test]
    fn the_peak_is_of_the_sum_and_its_point_may_come_late() {
        let mut total = Total::default();
        total.point(&point(10, 0, 100));
        total.point(&point(11, 1, 30));
        total.point(&point(20, 0, 50));
        // Written after the point at 20, as a drain does.
        total.point(&point(15, 1, 70));
        total.point(&point(21, 1, 10));
        let curve = total.finish();
        assert_eq!((curve.peak_bytes, curve.peak_time.as_nanos()), (170, 15));
        assert_eq!(curve.end_bytes, 60);
        let points = curve.timeline.iter().map(|p| (p.time.as_nanos(), p.bytes));
        let points: Vec<_> = points.collect();
        assert!(curve.timeline.iter().all(|p| p.python_bytes == p.bytes / 2));
        assert_eq!(points, [(10, 100), (11, 130), (15, 170), (20, 120), (21, 60)]);
    }

    #[test]
    fn a_moment_can_take_the_place_of_the_peak() {
        for (asked, bytes) in [(5, 0), (10, 100), (14, 130), (15, 170), (20, 120), (99, 60)] {
            let mut total = Total::at(Some(Timestamp::from_nanos(asked)));
            for (time, process, bytes) in
                [(10, 0, 100), (11, 1, 30), (20, 0, 50), (15, 1, 70), (21, 1, 10)]
            {
                total.point(&point(time, process, bytes));
            }
            let curve = total.finish();
            assert_eq!((curve.peak_bytes, curve.peak_time.as_nanos()), (bytes, asked));
            assert!(curve.is_asked);
            assert_eq!(curve.timeline.len(), 5);
        }
    }

    #[test]
    fn a_process_that_is_gone_holds_nothing() {
        let mut total = Total::default();
        total.point(&point(1, 1, 1000));
        total.ended(&end(2, 1));
        total.point(&point(3, 0, 10));
        total.ended(&end(4, 0));
        total.point(&point(5, 1, 9999));
        let curve = total.finish();
        assert_eq!((curve.peak_bytes, curve.end_bytes), (1000, 10));
    }

    #[test]
    fn the_timeline_is_short_and_keeps_the_highest_point() {
        let mut total = Total::default();
        for n in 0..100_000u64 {
            let bytes = if n == 54_321 { 1_000_000 } else { n % 100 };
            total.point(&point(n * 50_000_000, 0, bytes));
        }
        let curve = total.finish();
        assert!(curve.timeline.len() <= TIMELINE && curve.timeline.len() > TIMELINE / 4);
        assert!(curve.timeline.is_sorted_by_key(|p| p.time));
        assert_eq!(curve.timeline.iter().map(|p| p.bytes).max(), Some(1_000_000));
        assert_eq!(curve.peak_time.as_nanos(), 54_321 * 50_000_000);
    }

    #[test]
    fn the_largest_values_are_survived() {
        let mut total = Total::default();
        for n in 0..3000 {
            let time = u64::MAX - n * 6_000_000_000_000_000;
            total.point(&point(time, n as u32, u64::MAX));
        }
        let curve = total.finish();
        assert_eq!(curve.peak_bytes, u64::MAX);
        assert!(curve.timeline.len() <= TIMELINE);
    }
}
