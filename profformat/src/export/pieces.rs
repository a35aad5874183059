//! Weights by thread, part of the run, stack and class.

use super::names::depth_first;
use super::{Metric, Unit};
use crate::analysis::{Profile, TimeSum};
use crate::ids::{StackId, ThreadId};
use crate::record::Class;

/// What one thread spent in one stack and class within a part of the run; bytes have no class.
pub(super) struct Piece {
    pub(super) thread: ThreadId,
    /// The number of the part; 0 where times are not known.
    pub(super) part: u32,
    pub(super) stack: Option<StackId>,
    pub(super) class: Option<Class>,
    /// Never 0.
    pub(super) weight: u64,
}

/// The length of a part in nanoseconds, if times are known (see [`Profile::activity`]); the weights of a metric in order of thread and part, those
/// with the same callers side by side. Together they are the metric's total.
pub(super) fn pieces(profile: &Profile, metric: Metric) -> (Option<u64>, Vec<Piece>) {
    let (mut part_ns, mut pieces) = (None, Vec::new());
    let mut add = |thread, part, stack, class, weight| {
        if weight > 0 {
            pieces.push(Piece { thread, part, stack, class, weight });
        }
    };
    match metric.unit() {
        Unit::Nanoseconds => {
            let is_counted = |t: &TimeSum| metric == Metric::Wall || t.class.on_cpu();
            let mut add = |t: &TimeSum, part, weight| {
                if is_counted(t) {
                    add(t.thread, part, t.stack, Some(t.class), weight);
                }
            };
            match &profile.activity {
                None => profile.time.iter().for_each(|t| add(t, 0, t.weight_ns)),
                Some(activity) => {
                    part_ns = Some(activity.part_ns);
                    for weight in &activity.weights {
                        let Some(t) = profile.time.get(weight.sum as usize) else { continue };
                        add(t, weight.part, weight.weight_ns);
                    }
                }
            }
        }
        Unit::Bytes => {
            let weights = metric.weights(profile);
            weights.iter().for_each(|w| add(w.thread, 0, w.stack, None, w.weight));
        }
    }
    let positions = depth_first(&profile.tables);
    let place = |stack: Option<StackId>| positions.get(stack?.index()).copied();
    pieces.sort_unstable_by_key(|p| (p.thread, p.part, place(p.stack), p.stack, p.class));
    (part_ns, pieces)
}
