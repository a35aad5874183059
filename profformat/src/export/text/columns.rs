//! The columns of tables of lines: which of them a page has room for.

use super::Sort;
use super::select::Metric;
use super::view::View;
use crate::record::Class;

/// Source is never narrower: it is the last thing to go.
const SOURCE: usize = 24;
/// From this width on there is room for intervals, numbers of samples and reasons.
pub(super) const WIDE: usize = 150;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Own,
    /// Half of the interval of `Own`.
    Spread,
    Total,
    Percent,
    Split,
    Class(Class),
    /// Number of samples.
    Count,
    Why,
    Alloc,
    Peak,
    Timeline,
    Kept,
    Copied,
    Churn,
    /// Churn of what was allocated.
    ChurnShare,
    Line,
}

impl Column {
    pub(super) fn metric(self) -> Option<Metric> {
        match self {
            Column::Alloc => Some(Metric::Alloc),
            Column::Peak => Some(Metric::Peak),
            Column::Kept => Some(Metric::Kept),
            Column::Copied => Some(Metric::Copied),
            Column::Churn => Some(Metric::Churn),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Column::Own => "self",
            Column::Spread => "±",
            Column::Total => "total",
            Column::Percent => "%",
            Column::Split => "split",
            Column::Class(class) => class.name(),
            Column::Count => "n",
            Column::Why => "why",
            Column::Alloc => "alloc",
            Column::Peak => "peak",
            Column::Timeline => "timeline",
            Column::Kept => "kept",
            Column::Copied => "copy",
            Column::Churn => "churn",
            Column::ChurnShare => "of it",
            Column::Line => "line",
        }
    }
}

/// The columns that a page of this width has room for, with their widths.
pub(super) fn columns(
    view: &View,
    metric: Metric,
    bar: usize,
    has_timeline: bool,
) -> Vec<(Column, usize)> {
    let (width, options) = (view.look.width, view.options);
    let classes = options.all_classes && view.sort == Sort::Cpu;
    let wide = width >= WIDE && matches!(metric, Metric::Own | Metric::Total) && !classes;
    let timeline = match width {
        0..100 => 5,
        100..WIDE => 8,
        _ => 12,
    };
    let mut columns = vec![(Column::Own, 8)];
    if wide {
        columns.push((Column::Spread, 7));
    }
    columns.push((Column::Total, view.total_width()));
    if width >= WIDE {
        columns.push((Column::Percent, 5));
    }
    if classes {
        columns.extend(Class::ALL.map(|class| (Column::Class(class), 7)));
    } else {
        columns.push((Column::Split, bar + 2));
    }
    if wide {
        columns.push((Column::Count, 7));
    }
    if wide && metric == Metric::Own {
        columns.push((Column::Why, 25 + (width.saturating_sub(160) / 2).min(25)));
    }
    if width >= 130 || matches!(view.sort, Sort::Memory | Sort::Churn) {
        columns.push((Column::Alloc, 10));
    }
    if view.sort == Sort::Churn {
        columns.extend([(Column::Churn, 11), (Column::ChurnShare, 7)]);
    }
    columns.push((Column::Peak, 9));
    if has_timeline {
        columns.push((Column::Timeline, timeline + 1));
    }
    columns.extend([(Column::Kept, 9), (Column::Copied, 9), (Column::Line, 7)]);
    narrow(view, &mut columns);
    columns
}

/// Leaves out what goes first when the page gets narrower; the column it is sorted by stays.
fn narrow(view: &View, columns: &mut Vec<(Column, usize)>) {
    let width = view.look.width;
    let sorted = match view.sort {
        Sort::Cpu => Column::Own,
        Sort::Memory => Column::Peak,
        Sort::Copies => Column::Copied,
        Sort::Leaks => Column::Kept,
        Sort::Churn => Column::Churn,
    };
    let wait = [Column::Class(Class::Wait), Column::Class(Class::Gil)];
    let order = [
        Column::Kept,
        Column::Copied,
        Column::Alloc,
        Column::Timeline,
        Column::Peak,
        Column::ChurnShare,
        Column::Split,
        Column::Total,
    ];
    let order = if width < 80 { [&[Column::Split][..], &order].concat() } else { order.to_vec() };
    // Churn is a share of what was allocated.
    let order =
        order.into_iter().filter(|&column| view.sort != Sort::Churn || column != Column::Alloc);
    for column in order.chain([Column::Alloc]).chain(wait) {
        let used: usize = columns.iter().map(|(_, width)| width).sum();
        if used + 2 + SOURCE <= width && !(column == Column::Split && width < 80) {
            break;
        }
        if column != sorted {
            columns.retain(|(known, _)| *known != column);
        }
    }
}
