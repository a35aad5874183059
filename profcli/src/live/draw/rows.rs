//! The table: a heading, one row for each line, function or thread, and what was left out.

use profformat::analysis::live::{By, Figures};
use profformat::export::text::cells::{
    ByteScale, FILLS, Style, TimeScale, UNMEASURED, ZERO, bar, four, percent,
};
use profformat::record::Class;
use ratatui::style::Modifier;

use super::super::state::{Columns, Sort, State};
use super::super::table::{Table, value};
use super::strip::Strip;
use super::{Facts, Layout, Painter, head, names};

/// Cells of the bar.
const BAR: usize = 10;
/// Cells of a name at most, and at least.
const NAME: usize = 28;
const NAME_LEAST: usize = 16;

/// A column of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Own,
    Total,
    Share,
    Samples,
    Waited,
    Split,
    Held,
    Copied,
}

impl Column {
    fn width(self) -> usize {
        match self {
            Column::Split => BAR + 1,
            Column::Share | Column::Samples => 6,
            Column::Own => 8,
            Column::Total | Column::Waited => 9,
            Column::Held => 9,
            Column::Copied => 11,
        }
    }
}

/// Scales and limits of this frame.
struct Scales {
    time: TimeScale,
    held: ByteScale,
    copied: ByteScale,
    largest: u64,
    all_ns: u64,
}

fn columns(width: usize, state: &State) -> Vec<Column> {
    use Column::{Copied, Held, Own, Samples, Share, Split, Total, Waited};
    if width < 60 {
        return vec![match state.sort {
            Sort::Own => Own,
            Sort::Total => Total,
            Sort::Held => Held,
            Sort::Copied => Copied,
        }];
    }
    let mut columns = match state.columns {
        Columns::Usual => vec![Own, Total, Split, Held, Copied],
        Columns::Time => vec![Own, Total, Share, Samples, Waited, Split],
        Columns::Memory => vec![Split, Held, Copied],
    };
    if width < 100 && state.columns == Columns::Usual && state.sort != Sort::Copied {
        columns.retain(|column| *column != Copied);
    }
    if width < 80 {
        columns.retain(|column| *column != Split);
    }
    columns
}

pub(super) fn draw(
    painter: &mut Painter<'_>,
    facts: &Facts<'_>,
    state: &State,
    table: &Table,
    layout: Layout,
) {
    let columns = columns(facts.look.width, state);
    let scales = scales(facts, state, table);
    painter.row(&heading(facts, state, &columns, &scales));
    let is_cut = table.rows.len() > layout.table;
    let page = layout.table - usize::from(is_cut && layout.table > 0);
    let first = state.first.min(table.rows.len());
    let selected = state.position(&table.rows);
    for (at, row) in table.rows.iter().enumerate().skip(first).take(page) {
        let is_selected = at == selected;
        let line = row_line(facts, state, table, *row, is_selected, &columns, &scales);
        painter.marked(&line, if is_selected { Modifier::REVERSED } else { Modifier::empty() });
    }
    if table.rows.is_empty() && layout.table > 0 {
        let mut line = Strip::new(facts.look);
        line.gap(2).push(Style::Dim, &nothing(facts, state));
        painter.row(&line);
    }
    if is_cut {
        painter.row(&rest(facts, state, table, first..first + page));
    }
    // The table keeps its place, however few rows it has.
    painter.y = 5 + layout.table as u16;
}

fn nothing(facts: &Facts<'_>, state: &State) -> String {
    if !state.filter.is_empty() {
        return format!(
            "nothing has '{}' in its name; Esc clears",
            names::foreign(state.filter.as_bytes())
        );
    }
    match state.window.seconds() {
        Some(_) if facts.live.now().as_nanos() > 0 => {
            "nothing in these seconds (w: a longer window)".into()
        }
        _ => "no samples yet".into(),
    }
}

fn scales(facts: &Facts<'_>, state: &State, table: &Table) -> Scales {
    let group = facts.live.group(state.by);
    let (mut time, mut held, mut copied) = (0, 0, 0);
    for row in &table.rows {
        let figures = group.figures(*row, state.window);
        time = figures.total_cpu_ns().max(waited(&figures)).max(time);
        held = group.held(*row).max(held);
        copied = figures.copied.max(copied);
    }
    Scales {
        time: TimeScale::for_largest(time),
        held: ByteScale::for_largest(held),
        copied: ByteScale::for_largest(copied),
        largest: head::largest(facts, state, table),
        all_ns: facts.live.totals(state.window).self_cpu_ns(),
    }
}

fn waited(figures: &Figures) -> u64 {
    let waits = Class::ALL.iter().filter(|class| !class.on_cpu());
    waits.fold(0, |sum, class| sum.saturating_add(figures.self_ns[class.code() as usize]))
}

fn name_width(width: usize) -> usize {
    (width * 9 / 40).clamp(NAME_LEAST, NAME)
}

fn heading(facts: &Facts<'_>, state: &State, columns: &[Column], scales: &Scales) -> Strip {
    let mut line = Strip::new(facts.look);
    line.gap(1);
    let unit = scales.time.unit;
    for column in columns {
        let width = column.width();
        let text = match column {
            Column::Own => format!("self {unit}"),
            Column::Total => format!("total {unit}"),
            Column::Waited => format!("wait {unit}"),
            Column::Share => "%".into(),
            Column::Samples => "n".into(),
            Column::Split => {
                line.gap(1).left_in(Style::Dim, "split", width - 1);
                continue;
            }
            Column::Held => format!("live {}", scales.held.unit),
            Column::Copied => format!("copied {}", scales.copied.unit),
        };
        line.right_in(Style::Dim, &text, width);
    }
    let (name, detail) = match state.by {
        By::Line => ("line", "source"),
        By::Function => ("function", "defined at"),
        By::Thread => ("thread", "process"),
    };
    line.gap(2).left_in(Style::Dim, name, name_width(facts.look.width) + 1);
    line.push(Style::Dim, detail);
    line
}

fn row_line(
    facts: &Facts<'_>,
    state: &State,
    table: &Table,
    row: u32,
    is_selected: bool,
    columns: &[Column],
    scales: &Scales,
) -> Strip {
    let mut line = Strip::new(facts.look);
    let figures = facts.live.group(state.by).figures(row, state.window);
    let style = if table.is_faint(row) { Style::Dim } else { Style::Plain };
    line.push(Style::Plain, if is_selected { "▸" } else { " " });
    for column in columns {
        if *column == Column::Split {
            line.gap(1);
            for (text, style) in split(facts, state, row, &figures, scales.largest) {
                line.push(style, &text);
            }
            continue;
        }
        line.right_in(style, &cell(facts, state, row, &figures, *column, scales), column.width());
    }
    let width = name_width(facts.look.width);
    let label = names::label(facts, state.by, row);
    let label = match state.by {
        By::Line => facts.look.cut_start(&label, width),
        By::Function | By::Thread => facts.look.cut_middle(&label, width),
    };
    line.gap(2).left_in(style, &label, width + 1);
    let detail = names::detail(facts, state.by, row).unwrap_or_default();
    let room = line.left();
    line.push(style, &facts.look.cut_end(&detail, room));
    line
}

fn cell(
    facts: &Facts<'_>,
    state: &State,
    row: u32,
    figures: &Figures,
    column: Column,
    scales: &Scales,
) -> String {
    let Figures { samples, squares, total_samples, total_squares, .. } = *figures;
    let (own, total) = (figures.self_cpu_ns(), figures.total_cpu_ns());
    let measured = facts.header.cpu_interval_ns > 0;
    let bytes = |scale: ByteScale, bytes: u64, interval: u64| scale.cell(bytes, 1.0, interval);
    match column {
        Column::Split => String::new(),
        Column::Held => {
            let held = facts.live.group(state.by).held(row);
            bytes(scales.held, held, facts.header.memory_interval)
        }
        Column::Copied => bytes(scales.copied, figures.copied, facts.header.copy_interval),
        _ if !measured => UNMEASURED.into(),
        Column::Own => scales.time.cell(own, samples, squares),
        Column::Total => scales.time.cell(total, total_samples, total_squares),
        Column::Share if own == 0 => ZERO.into(),
        Column::Share => percent(own, scales.all_ns),
        Column::Samples if samples == 0 => ZERO.into(),
        Column::Samples => samples.to_string(),
        Column::Waited if waited(figures) == 0 => ZERO.into(),
        Column::Waited => scales.time.figure(waited(figures)),
    }
}

/// The bar: as long as the row's value in the column that is sorted by, split by class if that is time.
fn split(
    facts: &Facts<'_>,
    state: &State,
    row: u32,
    figures: &Figures,
    full: u64,
) -> Vec<(String, Style)> {
    let value = value(facts.live.group(state.by), figures, row, state.sort);
    let solid = |style| [("█", style); 4];
    let (parts, fills) = match state.sort {
        Sort::Own => (four(&figures.self_ns), FILLS),
        Sort::Total => (four(&figures.total_ns), FILLS),
        Sort::Held => ([1, 0, 0, 0], solid(Style::Memory)),
        Sort::Copied => ([1, 0, 0, 0], solid(Style::Copies)),
    };
    bar(value, full, &parts, &fills, BAR)
}

/// What is not on the screen.
fn rest(facts: &Facts<'_>, state: &State, table: &Table, shown: std::ops::Range<usize>) -> Strip {
    let group = facts.live.group(state.by);
    let others = table.rows.iter().enumerate().filter(|(at, _)| !shown.contains(at));
    let (mut count, mut sum) = (0_usize, 0_u64);
    for (_, row) in others {
        count += 1;
        let figures = group.figures(*row, state.window);
        sum = sum.saturating_add(value(group, &figures, *row, state.sort));
    }
    let sum = match state.sort {
        _ if sum == 0 => String::new(),
        Sort::Own => {
            let scale = TimeScale::for_largest(sum);
            format!(", {} {} self", scale.figure(sum), scale.unit)
        }
        // Of one sample's total many rows have a part.
        Sort::Total => String::new(),
        Sort::Held => format!(", {} live", profformat::export::text::cells::bytes(sum)),
        Sort::Copied => format!(", {} copied", profformat::export::text::cells::bytes(sum)),
    };
    let mut line = Strip::new(facts.look);
    line.gap(3).push(Style::Dim, &format!("… {count} more rows{sum}"));
    line
}
