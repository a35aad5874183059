//! *Your lines* by total and *hot lines* by self: where the costs come from, and where they are.

use std::collections::{HashMap, HashSet};
use std::io;

use super::Sort;
use super::bar::{FILLS, PARTS};
use super::number;
use super::page::{Line, Page, Style, foreign};
use super::route::totals_by_class;
use super::select::{Cut, Metric, Picked, Row, pick};
use super::spark::Sparks;
use super::table::{Table, metric};
use super::view::View;
use super::why;
use crate::ids::StringId;

/// Rows by default: with them the report of most programs fits a screen of 50 lines.
const YOURS: usize = 6;
const HOT: usize = 5;
/// As many hot lines are explained.
const EXPLAINED: usize = 3;
/// Column at which explanations begin: under the bars.
const INDENT: usize = 19;

pub(super) fn write(view: &View, page: &mut Page) -> io::Result<()> {
    let rows = view.shown_rows();
    if let (true, Some(pattern)) = (rows.is_empty(), &view.options.file) {
        nothing_passes(view, page, pattern)?;
        return page.blank();
    }
    let sort = view.sort;
    let yours: Vec<&Row> = rows.iter().copied().filter(|row| row.yours).collect();
    let by = metric(sort, true);
    let count = view.options.top.unwrap_or(YOURS);
    let picked = pick(&yours, by, sort, count, whole(view, by), &[]);
    let by = metric(sort, false);
    let count = view.options.top.unwrap_or(HOT);
    let hot = pick(&rows, by, sort, count, whole(view, by), &picked.rows);
    // Both tables have the column, or neither has.
    let sparks = Some(Sparks::of(view));
    let sparks = sparks.filter(|s| s.are_of_any(&picked.rows) || s.are_of_any(&hot.rows));
    your_lines(view, page, &picked, yours.len(), sparks.as_ref())?;
    page.blank()?;
    hot_lines(view, page, &hot, &rows, sparks.as_ref())?;
    page.blank()
}

/// What all rows together have of the metric.
pub(super) fn whole(view: &View, metric: Metric) -> u64 {
    match metric {
        Metric::Total | Metric::Own => view.totals.cpu_ns,
        _ => number::sum(view.rows.iter().map(|row| row.value(metric))),
    }
}

pub(super) fn sorted_by(view: &View, metric: Metric) -> &'static str {
    match metric {
        Metric::Own => "by self",
        Metric::Total => "by total",
        Metric::Alloc => "by bytes allocated",
        Metric::Peak if view.profile.footprint.is_asked => "by memory held then",
        Metric::Peak => "by memory at the peak",
        Metric::Kept => "by memory kept to the end",
        Metric::Copied => "by bytes copied",
        Metric::Churn => "by bytes freed within 10 ms",
    }
}

fn amount(view: &View, metric: Metric, value: u64) -> String {
    match metric {
        Metric::Own | Metric::Total => view.time_text(value),
        _ => number::bytes(value),
    }
}

fn your_lines(
    view: &View,
    page: &mut Page,
    picked: &Picked,
    lines: usize,
    sparks: Option<&Sparks>,
) -> io::Result<()> {
    let by = metric(view.sort, true);
    if picked.rows.is_empty() {
        let mut line = Line::new(view.look);
        line.push(Style::Strong, "YOUR LINES");
        line.push(
            Style::Plain,
            match lines {
                0 if view.options.file.is_some() => "  none: no file of yours passes --file.",
                0 => "  none: nothing was seen in a file of yours.",
                _ => "  none with a figure to sort by.",
            },
        );
        return page.line(line);
    }
    let spots: HashSet<_> = picked.rows.iter().map(|row| (row.site.file, row.site.line)).collect();
    let splits = match by {
        Metric::Total => totals_by_class(view.profile, &spots),
        _ => HashMap::new(),
    };
    let table = Table::new(view, by, &picked.rows, splits, sparks);
    let about = format!(
        "{} of {}, {}",
        picked.rows.len(),
        number::of(lines as u64, "line"),
        sorted_by(view, by)
    );
    head(view, page, "YOUR LINES", &about, &table, by)?;
    rows(view, page, &table, &picked.rows, by, 0)?;
    cut(view, page, &picked.cut, picked.rows.len())
}

fn hot_lines(
    view: &View,
    page: &mut Page,
    picked: &Picked,
    all: &[&Row],
    sparks: Option<&Sparks>,
) -> io::Result<()> {
    let by = metric(view.sort, false);
    if picked.rows.is_empty() {
        let mut line = Line::new(view.look);
        line.push(Style::Strong, "HOT LINES");
        line.push(
            Style::Plain,
            match (by, view.measures_time()) {
                (Metric::Own, false) => "  not measured: CPU time was not recorded (`--no-cpu`).",
                _ => "  none with a figure to sort by.",
            },
        );
        return page.line(line);
    }
    let table = Table::new(view, by, &picked.rows, HashMap::new(), sparks);
    let sum = number::sum(picked.rows.iter().map(|row| row.value(by)));
    let about = format!(
        "{} of {}, {}, {} · libraries too",
        picked.rows.len(),
        number::of(all.len() as u64, "line"),
        number::share(sum, whole(view, by)),
        sorted_by(view, by),
    );
    let name = if by == Metric::Own { "HOT LINES" } else { "ALL LINES" };
    head(view, page, name, &about, &table, by)?;
    let explained = match by {
        Metric::Own if table.has_why() => 0,
        Metric::Own => EXPLAINED,
        Metric::Copied => picked.rows.len(),
        _ => 0,
    };
    rows(view, page, &table, &picked.rows, by, explained)?;
    cut(view, page, &picked.cut, picked.rows.len())
}

fn head(
    view: &View,
    page: &mut Page,
    name: &str,
    about: &str,
    table: &Table,
    by: Metric,
) -> io::Result<()> {
    let mut line = Line::new(view.look);
    line.push(Style::Strong, name);
    line.push(Style::Plain, &format!("  {about}"));
    if let Some(pattern) = &view.options.file {
        line.push(Style::Plain, &format!(" · --file '{}'", foreign(pattern.as_bytes())));
    }
    let full = format!("full bar = {}", amount(view, by, table.full));
    let timed = matches!(by, Metric::Own | Metric::Total) && !view.options.all_classes;
    let legend: usize = PARTS.iter().map(|part| part.len() + 3).sum();
    if table.is_compact() {
    } else if timed && name == "YOUR LINES" && line.left() > legend + 4 + full.chars().count() {
        let gap = line.left() - legend - 2 - full.chars().count();
        line.gap(gap);
        for (part, (fill, style)) in PARTS.iter().zip(FILLS) {
            line.push(style, fill);
            line.push(Style::Dim, &format!(" {part} "));
        }
        line.push(Style::Dim, &format!("  {full}"));
    } else {
        line.at_edge(Style::Dim, &full);
    }
    page.line(line)?;
    if table.is_compact() { Ok(()) } else { page.line(table.heading()) }
}

fn rows(
    view: &View,
    page: &mut Page,
    table: &Table,
    rows: &[&Row],
    by: Metric,
    explained: usize,
) -> io::Result<()> {
    let explain: HashSet<*const Row> =
        rows.iter().copied().take(explained).map(std::ptr::from_ref).collect();
    let write = |page: &mut Page, row: &Row| {
        page.line(table.row(row, std::ptr::eq(row, rows[0])))?;
        if explain.contains(&std::ptr::from_ref(row)) && !table.is_compact() {
            let text =
                if by == Metric::Copied { why::copiers(view, row) } else { why::why(view, row) };
            explanation(view, page, &text)?;
        }
        Ok::<(), io::Error>(())
    };
    if table.is_compact() {
        return rows.iter().try_for_each(|row| write(page, row));
    }
    let mut sums: HashMap<StringId, u64> = HashMap::new();
    let own = if by == Metric::Total { Metric::Own } else { by };
    for row in &view.rows {
        let sum = sums.entry(row.site.file).or_default();
        *sum = sum.saturating_add(row.value(own));
    }
    let sum = |file: &StringId| sums.get(file).copied().unwrap_or(0);
    let mut files: Vec<StringId> = Vec::new();
    for row in rows {
        if !files.contains(&row.site.file) {
            files.push(row.site.file);
        }
    }
    // By what is shown of each: the hottest line must not stand below a file of many small ones.
    let shown = |file: &StringId| {
        number::sum(rows.iter().filter(|row| row.site.file == *file).map(|row| row.value(by)))
    };
    files.sort_by_key(|file| std::cmp::Reverse(shown(file)));
    for file in files {
        let is_imports = rows.iter().any(|row| row.imports && row.site.file == file);
        let name = if is_imports { "the import system".into() } else { view.place(file).short() };
        page.line(file_head(view, &name, own, sum(&file)))?;
        rows.iter().filter(|row| row.site.file == file).try_for_each(|row| write(page, row))?;
    }
    Ok(())
}

fn file_head(view: &View, name: &str, own: Metric, sum: u64) -> Line {
    let mut line = Line::new(view.look);
    let whole = whole(view, own);
    let figure = match own {
        Metric::Own => format!("{} self ({})", view.time_text(sum), number::share(sum, whole)),
        _ => format!("{} ({})", number::bytes(sum), number::share(sum, whole)),
    };
    let short = if name.is_empty() { "(no file)" } else { name };
    let room = view.look.width.saturating_sub(figure.chars().count() + 2);
    let name = view.look.cut_start(short, room);
    let base = name.rfind('/').map_or(0, |at| at + 1);
    line.push(Style::Dim, &name[..base]);
    line.push(Style::Plain, &name[base..]);
    if whole > 0 {
        line.at_edge(Style::Dim, &figure);
    }
    line
}

/// What is said under a row, on a line of its own.
fn explanation(view: &View, page: &mut Page, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut line = Line::new(view.look);
    line.gap(INDENT);
    let text = view.look.cut_end(text, line.left());
    line.push(Style::Dim, &text);
    page.line(line)
}

/// Sums of the lines that are not shown.
fn cut(view: &View, page: &mut Page, cut: &Cut, shown: usize) -> io::Result<()> {
    if cut.lines == 0 {
        return Ok(());
    }
    let option = format!("`--top {}`", (shown * 4).max(20));
    page.paragraph(2, &[(Style::Dim, format!("… {} ({option})", cut_text(view, cut)))])
}

/// The same in words: `408 more lines: 7.81 s self, 12 MiB copied`.
pub(super) fn cut_text(view: &View, cut: &Cut) -> String {
    let mut sums = Vec::new();
    if view.measures_time() {
        sums.push(format!("{} self", view.time_text(cut.self_ns)));
    }
    let peak = if view.profile.footprint.is_asked { "held then" } else { "at peak" };
    for (value, what) in [(cut.peak, peak), (cut.kept, "kept"), (cut.copied, "copied")] {
        if value > 0 {
            sums.push(format!("{} {what}", number::bytes(value)));
        }
    }
    format!("{}: {}", number::of(cut.lines as u64, "more line"), sums.join(", "))
}

fn nothing_passes(view: &View, page: &mut Page, pattern: &str) -> io::Result<()> {
    let by = metric(view.sort, false);
    let mut sums: HashMap<String, u64> = HashMap::new();
    for row in view.rows.iter().filter(|row| row.value(by) > 0) {
        let sum = sums.entry(view.place(row.site.file).short()).or_default();
        *sum = sum.saturating_add(row.value(by));
    }
    let mut sums: Vec<(String, u64)> =
        sums.into_iter().filter(|(name, _)| !name.is_empty()).collect();
    sums.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let what = if view.sort == Sort::Cpu { "time" } else { "such bytes" };
    let files: Vec<String> = sums
        .iter()
        .take(5)
        .map(|(name, value)| {
            format!("{} {}", view.look.cut_start(name, 40), amount(view, by, *value))
        })
        .collect();
    let rest = if sums.len() > 5 { " …" } else { "" };
    let files = match files.len() {
        0 => format!("No file has {what}."),
        _ => format!("Files with {what}: {}{rest}", files.join(", ")),
    };
    let text = format!("No line matches --file '{}'. {files}", foreign(pattern.as_bytes()));
    page.paragraph(2, &[(Style::Plain, text)])
}
