//! Memory over time, as rows of bars: all of it, and what of it was whose.

use std::io;

use super::number;
use super::page::{Line, Page, Style};
use super::view::View;
use crate::analysis::{FootprintPoint, sites};
use crate::units::Timestamp;

/// Less at the peak is not drawn.
const FROM: u64 = 1 << 20;
/// Bars at most, and the indent before them.
const BARS: usize = 72;
const INDENT: usize = 2;
pub(super) const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
pub(super) const LEVELS_ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// Lines that have a row of their own at most, and the part of the highest bar that they must have held.
const LINES: usize = 3;
const LEAST_OF_A_LINE: u64 = 10;
/// As much of it Python's small objects and the rest must have been for a row each.
const LEAST_OF_A_KIND: u64 = 20;
/// Cells of what stands behind the bars, on a page of so many.
const LABEL: usize = 24;
const LABELLED: usize = 80;

/// A row of bars: what it is of, and points of what was held from then on.
type Row = (String, Vec<(Timestamp, u64)>);

pub(super) fn write(view: &View, page: &mut Page) -> io::Result<()> {
    let curve = &view.profile.footprint;
    let highest = curve.timeline.iter().map(|point| point.bytes).max().unwrap_or(0);
    let rows = rows(view, highest);
    let label = if rows.len() > 1 { LABEL + INDENT } else { 0 };
    let width = view.look.width.saturating_sub(2 * INDENT + label).min(BARS);
    if !view.measures_memory() || highest < FROM || width < 10 {
        return Ok(());
    }
    let levels = if view.look.ascii { LEVELS_ASCII } else { LEVELS };
    let mut line = Line::new(view.look);
    line.push(Style::Strong, "MEMORY OVER TIME");
    let text = format!(
        "  up to {} in {}",
        number::bytes(highest),
        number::time(view.profile.elapsed.as_nanos()),
    );
    line.push(Style::Plain, &text);
    page.line(line)?;
    for (name, points) in &rows {
        let bars = bars(points, view.profile.elapsed, width);
        let drawn: String = bars.iter().map(|bytes| levels[level(*bytes, highest)]).collect();
        let mut line = Line::new(view.look);
        line.gap(INDENT);
        line.push(Style::Memory, &drawn);
        if rows.len() > 1 {
            line.gap(INDENT);
            line.push(Style::Plain, &view.look.cut_start(name, LABEL));
        }
        page.line(line)?;
    }
    page.blank()
}

/// The rows: all of it; then, where there is room, Python's small objects and the rest, and the lines that ever held
/// most.
fn rows(view: &View, highest: u64) -> Vec<Row> {
    let points = &view.profile.footprint.timeline;
    let of = |bytes: fn(&FootprintPoint) -> u64| -> Vec<_> {
        points.iter().map(|point| (point.time, bytes(point))).collect()
    };
    let mut rows = vec![("all".to_owned(), of(|point| point.bytes))];
    if view.look.width < LABELLED {
        return rows;
    }
    let kinds = [
        ("Python's small objects", of(|point| point.python_bytes)),
        ("everything else", of(|point| point.bytes.saturating_sub(point.python_bytes))),
    ];
    let counts = |(_, points): &(_, Vec<(Timestamp, u64)>)| {
        points.iter().any(|(_, bytes)| *bytes >= (highest / LEAST_OF_A_KIND).max(1))
    };
    if kinds.iter().all(counts) {
        rows.extend(kinds.map(|(name, points)| (name.to_owned(), points)));
    }
    let curves = sites::curves(view.profile, LINES, |file| view.passes(file));
    let high = curves.into_iter().filter(|curve| curve.most_bytes >= highest / LEAST_OF_A_LINE);
    rows.extend(high.map(|curve| {
        let name = view.spot_of(curve.file, curve.line, curve.function);
        (name, curve.points)
    }));
    rows
}

/// The most that was held in each of `width` equal parts of the run; what is held stays so until the next point.
pub(in crate::export) fn bars(
    points: &[(Timestamp, u64)],
    elapsed: Timestamp,
    width: usize,
) -> Vec<u64> {
    let mut bars = vec![0; width];
    let length = elapsed.as_nanos().max(1);
    let part = |time: Timestamp| {
        let part = u128::from(time.as_nanos()) * width as u128 / u128::from(length);
        usize::try_from(part).unwrap_or(width).min(width - 1)
    };
    let (mut held, mut reached) = (0, 0);
    for &(time, bytes) in points {
        let at = part(time);
        if let Some(between) = bars.get_mut(reached..at) {
            between.fill(held);
        }
        bars[at] = bars[at].max(held).max(bytes);
        (held, reached) = (bytes, reached.max(at + 1));
    }
    bars[reached..].fill(held);
    bars
}

pub(super) fn level(bytes: u64, highest: u64) -> usize {
    let top = LEVELS.len() as u128 - 1;
    let level = (u128::from(bytes) * top).div_ceil(u128::from(highest.max(1)));
    usize::try_from(level.min(top)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(points: &[(u64, u64)]) -> Vec<(Timestamp, u64)> {
        points.iter().map(|&(time, bytes)| (Timestamp::from_nanos(time), bytes)).collect()
    }

    #[test]
    fn a_bar_is_the_most_that_was_held() {
        let end = Timestamp::from_nanos(100);
        let points = at(&[(5, 10), (12, 90), (14, 20), (55, 5), (99, 7)]);
        assert_eq!(bars(&points, end, 10), [10, 90, 20, 20, 20, 20, 5, 5, 5, 7]);
        assert_eq!(bars(&[], end, 3), [0, 0, 0]);
        let late = at(&[(u64::MAX, 4), (3, 9)]);
        assert_eq!(bars(&late, end, 4).len(), 4, "points out of order, and after the end");
        assert_eq!(bars(&at(&[(0, 1)]), Timestamp::ZERO, 2), [1, 1]);
    }

    #[test]
    fn only_nothing_is_on_the_lowest_level() {
        assert_eq!([0, 1, 50, 99, 100].map(|bytes| level(bytes, 100)), [0, 1, 4, 7, 7]);
        assert_eq!(level(u64::MAX, 0), 7);
        assert_eq!(level(u64::MAX, u64::MAX), 7);
    }
}
