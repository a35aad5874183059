//! *Your lines* by total and *hot lines* by self: where the costs come from, and where they are.

use std::collections::{HashMap, HashSet};
use std::io;

use super::Sort;
use super::bar::{FILLS, PARTS};
use super::number;
use super::page::{Line, Page, Style, foreign};
use super::route::totals_by_class;
use super::select::{Cut, Metric, Picked, Row, pick};
use super::table::{Table, metric};
use super::view::View;
use crate::analysis::sites::{Why, WhyKind};
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
    your_lines(view, page, &picked, yours.len())?;
    page.blank()?;
    let by = metric(sort, false);
    let count = view.options.top.unwrap_or(HOT);
    let hot = pick(&rows, by, sort, count, whole(view, by), &picked.rows);
    hot_lines(view, page, &hot, &rows)?;
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

fn your_lines(view: &View, page: &mut Page, picked: &Picked, lines: usize) -> io::Result<()> {
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
    let table = Table::new(view, by, &picked.rows, splits);
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

fn hot_lines(view: &View, page: &mut Page, picked: &Picked, all: &[&Row]) -> io::Result<()> {
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
    let table = Table::new(view, by, &picked.rows, HashMap::new());
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
            let text = if by == Metric::Copied { copiers(view, row) } else { why(view, row) };
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
        page.line(file_head(view, file, own, sum(&file)))?;
        rows.iter().filter(|row| row.site.file == file).try_for_each(|row| write(page, row))?;
    }
    Ok(())
}

fn file_head(view: &View, file: StringId, own: Metric, sum: u64) -> Line {
    let mut line = Line::new(view.look);
    let whole = whole(view, own);
    let figure = match own {
        Metric::Own => format!("{} self ({})", view.time_text(sum), number::share(sum, whole)),
        _ => format!("{} ({})", number::bytes(sum), number::share(sum, whole)),
    };
    let short = view.place(file).short();
    let short = if short.is_empty() { "(no file)" } else { short.as_str() };
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

/// Whose code copied, and the time that was seen in it.
fn copiers(view: &View, row: &Row) -> String {
    let site = &row.site;
    let parts = site.copiers.iter().filter(|part| part.bytes.saturating_mul(20) >= site.copy_bytes);
    let parts: Vec<String> = parts
        .take(3)
        .map(|part| {
            let name = foreign(part.name(&view.profile.tables).as_bytes());
            format!("{} {}", view.look.cut_middle(&name, 30), number::bytes(part.bytes))
        })
        .collect();
    let mut said = Vec::new();
    if !parts.is_empty() {
        said.push(format!("by: {}", parts.join(" · ")));
    }
    if site.copy_cpu_ns > 0 {
        said.push(format!("copying took {}", view.time_text(site.copy_cpu_ns)));
    }
    said.join("   ")
}

/// The largest parts of a line's time and who calls it.
fn why(view: &View, row: &Row) -> String {
    let site = &row.site;
    let parts: Vec<String> = site
        .why
        .iter()
        .filter(|part| part.cpu_ns.saturating_mul(20) >= site.total_cpu_ns)
        .take(3)
        .map(|part| format!("{} {}", part_name(view, part), view.time_text(part.cpu_ns)))
        .collect();
    let python = view.place(site.file).python;
    let mut text = match site.why.first() {
        None => String::new(),
        // The split says as much.
        Some(part) if parts.len() < 2 && (part.what == WhyKind::Itself || !python) => String::new(),
        _ => format!("why: {}", parts.join(" · ")),
    };
    if let Some(&(file, line, ns)) = site.callers.first() {
        let by = match (file == site.file, line) {
            (true, 1..) => format!(":{line}"),
            _ => view.spot_of(file, line, site.function),
        };
        let gap = if text.is_empty() { "" } else { "   " };
        let part = match ns < site.total_cpu_ns {
            true => format!(" ({})", view.time_text(ns)),
            false => String::new(),
        };
        text = format!("{text}{gap}called by {by}{part}");
    }
    text
}

/// A part of a line's time in words.
pub(super) fn part_name(view: &View, part: &Why) -> String {
    let name = view.look.cut_middle(&foreign(part.name(&view.profile.tables).as_bytes()), 30);
    match part.what {
        WhyKind::Itself => "itself".into(),
        WhyKind::Gc => "GC".into(),
        WhyKind::Kernel => "system calls".into(),
        WhyKind::Native if name.is_empty() => "native code".into(),
        WhyKind::Native => name,
        WhyKind::Callee => format!("calls {name}"),
    }
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
