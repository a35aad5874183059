//! Sparklines: what a line held over the run, in a few cells.
//!
//! Each is drawn on a scale of its own, from nothing to the most that the line ever held; a cell is the highest of its
//! part of the run, so that no peak vanishes.

use std::collections::HashMap;

use super::select::Row;
use super::timeline::{LEVELS, LEVELS_ASCII, bars, level};
use super::view::View;
use crate::analysis::sites::{self, Curve};
use crate::ids::StringId;

/// Lines that held most: further down there is nothing to see.
const LINES: usize = 1 << 10;
/// A line that never held as much, nor a hundredth of the peak, has none.
const FROM: u64 = 1 << 20;
/// Nor one that fewer samples are known of: it would be a picture of chance.
const SAMPLES: u64 = 4;

/// Where a line's curve is found.
type Key = (StringId, u32, Option<StringId>);

/// The curves of the lines that may have a sparkline.
#[derive(Debug, Default)]
pub(super) struct Sparks {
    by_line: HashMap<Key, Curve>,
}

fn key(file: StringId, line: u32, function: StringId) -> Key {
    (file, line, (line == 0).then_some(function))
}

impl Sparks {
    pub(super) fn of(view: &View) -> Self {
        let profile = view.profile;
        let least = FROM
            .min(profile.footprint.peak_bytes / 100)
            .max(profile.header.memory_interval.saturating_mul(SAMPLES));
        let curves = sites::curves(profile, LINES, |file| view.passes(file));
        let drawn = curves.into_iter().filter(|curve| curve.most_bytes >= least);
        let keyed = drawn.map(|curve| (key(curve.file, curve.line, curve.function), curve));
        Self { by_line: keyed.collect() }
    }

    /// Has any of these rows a sparkline?
    pub(super) fn are_of_any(&self, rows: &[&Row]) -> bool {
        let has = |row: &&Row| {
            let site = &row.site;
            self.by_line.contains_key(&key(site.file, site.line, site.function))
        };
        rows.iter().any(has)
    }

    /// A row's sparkline of this width; nothing for one that held next to nothing.
    pub(super) fn cells(&self, view: &View, row: &Row, width: usize) -> String {
        let site = &row.site;
        let Some(curve) = self.by_line.get(&key(site.file, site.line, site.function)) else {
            return String::new();
        };
        let levels = if view.look.ascii { LEVELS_ASCII } else { LEVELS };
        let bars = bars(&curve.points, view.profile.elapsed, width);
        bars.iter().map(|bytes| levels[level(*bytes, curve.most_bytes)]).collect()
    }
}
