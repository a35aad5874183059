//! Memory over time, as a row of bars.

use std::io;

use super::number;
use super::page::{Line, Page, Style};
use super::view::View;
use crate::units::Timestamp;

/// Less at the peak is not drawn.
const FROM: u64 = 1 << 20;
/// Bars at most, and the indent before them.
const BARS: usize = 72;
const INDENT: usize = 2;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const LEVELS_ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

pub(super) fn write(view: &View, page: &mut Page) -> io::Result<()> {
    let curve = &view.profile.footprint;
    let width = view.look.width.saturating_sub(2 * INDENT).min(BARS);
    let highest = curve.timeline.iter().map(|point| point.1).max().unwrap_or(0);
    if !view.measures_memory() || highest < FROM || width < 10 {
        return Ok(());
    }
    let bars = bars(&curve.timeline, view.profile.elapsed, width);
    let levels = if view.look.ascii { LEVELS_ASCII } else { LEVELS };
    let drawn: String = bars.iter().map(|bytes| levels[level(*bytes, highest)]).collect();
    let mut line = Line::new(view.look);
    line.push(Style::Strong, "MEMORY OVER TIME");
    let text = format!(
        "  up to {} in {}",
        number::bytes(highest),
        number::time(view.profile.elapsed.as_nanos()),
    );
    line.push(Style::Plain, &text);
    page.line(line)?;
    let mut line = Line::new(view.look);
    line.gap(INDENT);
    line.push(Style::Memory, &drawn);
    page.line(line)?;
    page.blank()
}

/// The most that was held in each of `width` equal parts of the run; what is held stays so until the next point.
fn bars(points: &[(Timestamp, u64)], elapsed: Timestamp, width: usize) -> Vec<u64> {
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

fn level(bytes: u64, highest: u64) -> usize {
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
