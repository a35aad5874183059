//! The footprint over time, in all and by line, as JSON.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::analysis::sites::places::text;
use crate::analysis::sites::{Curve, curves};
use crate::analysis::{FootprintPoint, Profile};
use crate::ids::StringId;
use crate::units::Timestamp;

/// Lines at most.
const LINES: usize = 20;
/// A line that never held this part of the peak has no curve.
const LEAST: u64 = 100;

/// Points of the footprint, as pairs of seconds and bytes.
pub(super) struct Timeline<'a> {
    pub(super) points: &'a [FootprintPoint],
    pub(super) bytes: fn(&FootprintPoint) -> u64,
}

impl Serialize for Timeline<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = |point: &FootprintPoint| (point.time.as_secs_f64(), (self.bytes)(point));
        serializer.collect_seq(self.points.iter().map(pair))
    }
}

/// A line with what it held over time.
#[derive(Serialize)]
pub(super) struct LineOf<'a> {
    path: Cow<'a, str>,
    line: u32,
    function: Cow<'a, str>,
    #[serde(serialize_with = "pairs")]
    timeline: Vec<(Timestamp, u64)>,
}

fn pairs<S: Serializer>(points: &[(Timestamp, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(points.iter().map(|(time, bytes)| (time.as_secs_f64(), bytes)))
}

/// The lines that ever held most; those with most of it first.
pub(super) fn of(profile: &Profile) -> Vec<LineOf<'_>> {
    let least = profile.footprint.peak_bytes / LEAST;
    let mut curves = curves(profile, LINES, |_| true);
    curves.retain(|curve| curve.most_bytes >= least);
    let named = |name: StringId| text(profile.tables.string(name));
    let line = |curve: Curve| LineOf {
        path: named(curve.file),
        line: curve.line,
        function: named(curve.function),
        timeline: curve.points,
    };
    curves.into_iter().map(line).collect()
}
