//! The lines of one metric: those that changed, and sums of the others.

use std::io;

use super::{Section, View, rate, title};
use crate::analysis::diff::{Compared, Metric, Row};
use crate::export::text::number;
use crate::export::text::page::{Line, Page, Style};

/// Source is never narrower: it is the last thing to go.
const SOURCE: usize = 24;
/// The widest place of a line.
const SPOT: usize = 42;

/// Widths of columns, 0 for one that has no room.
#[derive(Clone, Copy, Debug)]
struct Columns {
    figure: usize,
    difference: usize,
    half_width: usize,
    arrows: usize,
    samples: usize,
    rate: usize,
    spot: usize,
    source: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        let is_wide = width >= 130;
        let arrows = match width {
            ..80 => 0,
            80..130 => 5,
            _ => 10,
        };
        let mut columns = Self {
            figure: 10,
            difference: 9,
            half_width: 8,
            arrows,
            samples: if is_wide { 8 } else { 0 },
            rate: if is_wide { 8 } else { 0 },
            spot: 0,
            source: 0,
        };
        let left = width.saturating_sub(columns.before_spot());
        columns.spot = left.saturating_sub(SOURCE + 2).min(SPOT);
        if columns.spot < 20 {
            columns.spot = left;
        } else {
            columns.source = left - columns.spot - 2;
        }
        columns
    }

    fn before_spot(&self) -> usize {
        let arrows = if self.arrows > 0 { self.arrows + 2 } else { 0 };
        2 * self.figure + self.difference + self.half_width + arrows + self.samples + self.rate + 2
    }
}

pub(super) fn write(view: &View<'_>, section: &Section<'_>, page: &mut Page<'_>) -> io::Result<()> {
    heading(view, section, page)?;
    table(view, section, &section.changed, page)?;
    if !section.cut.is_empty() {
        let sum = Compared::sum(section.cut.iter().copied());
        let more = number::of(section.cut.len() as u64, "more line");
        let text = format!("… {more} that changed, {}: `--top N`", section.scale.change(&sum));
        page.paragraph(2, &[(Style::Dim, text)])?;
    }
    let noise = &section.within_noise;
    if !noise.is_empty() {
        let sum = Compared::sum(noise.iter().copied());
        let hint = if view.options.all { "" } else { " (`--all` lists them)" };
        let lines = number::of(noise.len() as u64, "line");
        let text = format!("{lines}, together {}{hint}", section.scale.change(&sum));
        others(view, section, ("WITHIN NOISE", &text), noise, page)?;
    }
    let alone = &section.only_in_one;
    if !alone.is_empty() {
        others(view, section, ("ONLY IN ONE", &only_in_one(section)), alone, page)?;
    }
    Ok(())
}

fn heading(view: &View<'_>, section: &Section<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let mut line = Line::new(view.look);
    let changed = section.changed.len() + section.cut.len();
    let metric = section.compared.metric;
    let name = match metric {
        Metric::Cpu => "LINES THAT CHANGED".into(),
        _ => format!("{}: LINES THAT CHANGED", title(metric)),
    };
    line.push(Style::Strong, &name);
    let of = number::count(section.count as u64);
    let text = match (changed, &view.options.file) {
        (0, Some(_)) if section.count == 0 => "  none: no line matches `--file`".into(),
        (0, _) => format!("  none of {of}"),
        (n, _) => format!("  {} of {of}", number::count(n as u64)),
    };
    line.push(Style::Plain, &text);
    page.line(line)
}

/// What stands below the lines that changed: a sum, and the lines themselves if they are asked for.
fn others(
    view: &View<'_>,
    section: &Section<'_>,
    (name, text): (&str, &str),
    rows: &[&Row],
    page: &mut Page<'_>,
) -> io::Result<()> {
    let name = (Style::Strong, format!("{name}\u{a0}"));
    page.paragraph(0, &[name, (Style::Plain, format!(" {text}"))])?;
    if view.options.all { table(view, section, rows, page) } else { Ok(()) }
}

/// `before: 3 lines, 0.02 s · after: 5 lines, 0.11 s`.
fn only_in_one(section: &Section<'_>) -> String {
    let (before, after): (Vec<&Row>, Vec<&Row>) =
        section.only_in_one.iter().partition(|row| row.change.after == 0.0);
    let parts =
        [("before", before), ("after", after)].into_iter().filter(|part| !part.1.is_empty());
    let parts = parts.map(|(which, rows)| {
        let lines = number::of(rows.len() as u64, "line");
        let sum = Compared::sum(rows);
        let figure = section.scale.figure(sum.before + sum.after);
        format!("{which}: {lines}, {figure}\u{a0}{}", section.scale.unit())
    });
    parts.collect::<Vec<_>>().join(" · ")
}

fn table(
    view: &View<'_>,
    section: &Section<'_>,
    rows: &[&Row],
    page: &mut Page<'_>,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    if view.look.width < 60 {
        return rows.iter().try_for_each(|row| page.line(compact(view, section, row)));
    }
    let columns = Columns::of(view.look.width);
    page.line(names(view, section, columns))?;
    let largest = rows.iter().map(|row| row.change.difference().abs()).fold(0.0, f64::max);
    rows.iter()
        .enumerate()
        .try_for_each(|(at, row)| page.line(entry(view, section, columns, row, largest, at == 0)))
}

fn names(view: &View<'_>, section: &Section<'_>, columns: Columns) -> Line {
    let unit = section.scale.unit();
    let mut line = Line::new(view.look);
    line.right_in(Style::Dim, &format!("before {unit}"), columns.figure);
    line.right_in(Style::Dim, &format!("after {unit}"), columns.figure);
    line.right_in(Style::Dim, "change", columns.difference);
    line.gap(columns.half_width);
    if columns.arrows > 0 {
        line.gap(columns.arrows + 2);
    }
    if columns.samples > 0 {
        line.right_in(Style::Dim, "n", columns.samples);
        line.right_in(Style::Dim, "q", columns.rate);
    }
    line.gap(2);
    line.left_in(Style::Dim, "line", columns.spot);
    if columns.source > 0 {
        line.push(Style::Dim, "  source");
    }
    line
}

fn entry(
    view: &View<'_>,
    section: &Section<'_>,
    columns: Columns,
    row: &Row,
    largest: f64,
    first: bool,
) -> Line {
    let (change, scale) = (&row.change, section.scale);
    let difference = change.difference();
    let mut line = Line::new(view.look);
    for value in [change.before, change.after] {
        let style = if value == 0.0 { Style::Dim } else { Style::Plain };
        line.right_in(style, &scale.figure(value), columns.figure);
    }
    let style = style(row, first);
    line.right_in(style, &scale.difference(difference), columns.difference);
    let half_width = scale.half_width(change.half_width);
    line.left_in(Style::Dim, &format!(" {half_width}"), columns.half_width);
    if columns.arrows > 0 {
        let share = if largest > 0.0 { difference.abs() / largest } else { 0.0 };
        let count = match (share * columns.arrows as f64).round() as usize {
            0 => usize::from(difference != 0.0),
            count => count.min(columns.arrows),
        };
        let arrow = if difference < 0.0 { "◀" } else { "▶" };
        line.gap(2);
        line.left_in(style, &arrow.repeat(count), columns.arrows);
    }
    if columns.samples > 0 {
        line.right_in(Style::Dim, &number::count(row.samples), columns.samples);
        line.right_in(Style::Dim, &rate(row.q), columns.rate);
    }
    line.gap(2);
    let spot = view.look.cut_start(&view.spot(row), columns.spot);
    if columns.source == 0 {
        line.push(Style::Plain, &spot);
        return line;
    }
    line.left_in(Style::Plain, &spot, columns.spot);
    line.gap(2);
    let (is_source, text) = view.text(row);
    let text = view.look.cut_end(&text, line.left());
    line.push(if is_source { Style::Plain } else { Style::Dim }, &text);
    line
}

/// Red is for what is slower, or larger, and sure to be.
fn style(row: &Row, first: bool) -> Style {
    match (row.is_sure, row.change.difference() > 0.0) {
        (true, true) => Style::Loss,
        (true, false) if first => Style::Strong,
        _ => Style::Plain,
    }
}

/// One line per entry, for pages that are too narrow for columns.
fn compact(view: &View<'_>, section: &Section<'_>, row: &Row) -> Line {
    let mut line = Line::new(view.look);
    let scale = section.scale;
    let difference = format!("{} {}", scale.difference(row.change.difference()), scale.unit());
    line.push(style(row, false), &difference);
    line.gap(1);
    let spot = view.look.cut_start(&view.spot(row), line.left());
    line.push(Style::Plain, &spot);
    line
}
