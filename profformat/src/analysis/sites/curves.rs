//! What lines held over time.

use std::cmp::Reverse;

use super::places::Places;
use crate::analysis::{Change, Profile};
use crate::ids::StringId;
use crate::units::Timestamp;

/// The bytes that a line held over time, by the same rule as [`Site::live_at_peak_bytes`](super::Site).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    /// Source file.
    pub file: StringId,
    /// Line, 0 when unknown.
    pub line: u32,
    /// A function of the line; without a line, the function.
    pub function: StringId,
    /// The highest of its points.
    pub most_bytes: u64,
    /// Points in order of time: so much from that moment on. A moment is where a part of the run ends, see
    /// [`Curves::part_ns`](crate::analysis::Curves), or where the run does.
    pub points: Vec<(Timestamp, u64)>,
}

/// The curves of the lines that ever held most, highest first. At most `count`, of files that are `wanted`.
pub fn curves(profile: &Profile, count: usize, wanted: impl Fn(StringId) -> bool) -> Vec<Curve> {
    let mut places = Places::of_lines(&profile.tables);
    let mut by_place: Vec<(u32, &Change)> = Vec::with_capacity(profile.curves.changes.len());
    for changes in profile.curves.changes.chunk_by(|a, b| a.stack == b.stack) {
        let place = places.of_memory(changes[0].stack) as u32;
        by_place.extend(changes.iter().map(|change| (place, change)));
    }
    let met = places.met();
    // All functions of a line together; each function by itself where lines are not known.
    let key = |place: u32| {
        let place = met[place as usize];
        (place.file, place.line, if place.line == 0 { Some(place.function) } else { None })
    };
    by_place.sort_unstable_by_key(|&(place, change)| (key(place), change.part, place));
    let mut curves: Vec<Curve> = Vec::new();
    for changes in by_place.chunk_by(|a, b| key(a.0) == key(b.0)) {
        let place = met[changes[0].0 as usize];
        if !wanted(place.file) {
            continue;
        }
        let points = points(profile, changes);
        let most_bytes = points.iter().map(|point| point.1).max().unwrap_or(0);
        let is_among =
            curves.len() < count || curves.last().is_some_and(|c| c.most_bytes < most_bytes);
        if most_bytes == 0 || !is_among {
            continue;
        }
        let curve = Curve {
            file: place.file,
            line: place.line,
            function: place.function,
            most_bytes,
            points,
        };
        let at = curves.partition_point(|other| Reverse(other.most_bytes) <= Reverse(most_bytes));
        curves.insert(at, curve);
        curves.truncate(count);
    }
    curves
}

fn points(profile: &Profile, changes: &[(u32, &Change)]) -> Vec<(Timestamp, u64)> {
    let mut held = 0_i64;
    changes
        .chunk_by(|a, b| a.1.part == b.1.part)
        .map(|changes| {
            held = changes.iter().fold(held, |held, (_, change)| held.saturating_add(change.bytes));
            let end = profile.curves.part_ns.saturating_mul(u64::from(changes[0].1.part) + 1);
            let moment = Timestamp::from_nanos(end).min(profile.elapsed);
            (moment, u64::try_from(held).unwrap_or(0))
        })
        .collect()
}
