//! Why a line costs what it does: the parts of its time, who calls it, whose code copied.

use super::number;
use super::page::{cells, foreign};
use super::select::Row;
use super::view::View;
use crate::analysis::sites::{Why, WhyKind};

/// Parts that are named.
const PARTS: usize = 3;

/// Whose code copied, and the time that was seen in it.
pub(super) fn copiers(view: &View, row: &Row) -> String {
    let site = &row.site;
    let parts = site.copiers.iter().filter(|part| part.bytes.saturating_mul(20) >= site.copy_bytes);
    let parts: Vec<String> = parts
        .take(PARTS)
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

/// The largest parts of a line's time, if they say more than the split does.
fn parts<'a>(view: &View, row: &'a Row) -> Vec<&'a Why> {
    let site = &row.site;
    let is_large = |part: &&Why| part.cpu_ns.saturating_mul(20) >= site.total_cpu_ns;
    let parts: Vec<&Why> = site.why.iter().filter(is_large).take(PARTS).collect();
    let python = view.place(site.file).python;
    match parts.as_slice() {
        [] => Vec::new(),
        [part] if part.what == WhyKind::Itself || !python => Vec::new(),
        _ => parts,
    }
}

/// The line that a line is called from most: of the same file its number alone.
fn caller(view: &View, row: &Row) -> Option<(String, u64)> {
    let &(file, line, ns) = row.site.callers.first()?;
    let by = match (file == row.site.file, line) {
        (true, 1..) => format!(":{line}"),
        _ => view.spot_of(file, line, row.site.function),
    };
    Some((by, ns))
}

/// The largest parts of a line's time and who calls it, for a cell: as much as fits, the unit left to the column.
pub(super) fn cell(view: &View, row: &Row, width: usize) -> String {
    let figure =
        |part: &&Why| format!("{} {}", part_name(view, part), view.time.figure(part.cpu_ns));
    let parts = parts(view, row).iter().map(figure).collect::<Vec<_>>();
    let by = caller(view, row).map(|(by, _)| format!("by {by}"));
    let mut text = String::new();
    for part in parts.into_iter().chain(by) {
        let longer = if text.is_empty() { part } else { format!("{text} · {part}") };
        if cells(&view.look.text(&longer)) > width && !text.is_empty() {
            break;
        }
        text = longer;
    }
    view.look.cut_end(&text, width)
}

/// The largest parts of a line's time and who calls it.
pub(super) fn why(view: &View, row: &Row) -> String {
    let site = &row.site;
    let text = |part: &&Why| format!("{} {}", part_name(view, part), view.time_text(part.cpu_ns));
    let parts = parts(view, row).iter().map(text).collect::<Vec<_>>();
    let mut text = match parts.is_empty() {
        true => String::new(),
        false => format!("why: {}", parts.join(" · ")),
    };
    if let Some((by, ns)) = caller(view, row) {
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
        WhyKind::Callee if name.is_empty() => "calls other functions".into(),
        WhyKind::Callee => format!("calls {name}"),
    }
}
