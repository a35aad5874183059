//! Memory that was never freed, and what its shape says: see [`crate::analysis::leaks`].

use std::cmp::Reverse;
use std::io;

use super::Sort;
use super::number::{self, ByteScale};
use super::page::{Line, Page, Style};
use super::select::{Metric, Row};
use super::view::View;
use crate::analysis::leaks::Leak;

/// Sites below this are summed only.
const FROM: u64 = 1 << 20;
const SHOWN: usize = 5;
const SHOWN_IN_FULL: usize = 20;
/// Frames of the oldest block's stack that are shown.
const FRAMES: usize = 4;

fn judgement(row: &Row) -> String {
    let (kept, all) = (row.site.live_at_end_bytes, row.site.alloc_bytes);
    match &row.site.leak {
        Some(leak) => format!("grows {}/s all along", number::bytes(leak.bytes_per_s)),
        None if kept.saturating_mul(5) >= all.saturating_mul(4) => "built and kept".into(),
        None => "a part of it stays".into(),
    }
}

pub(super) fn write(view: &View, page: &mut Page) -> io::Result<()> {
    let mut line = Line::new(view.look);
    line.push(Style::Strong, "MEMORY KEPT TO THE END");
    if !view.measures_memory() {
        line.push(Style::Plain, "  not measured: memory was not recorded (`--no-memory`).");
        return page.line(line);
    }
    let mut rows: Vec<&Row> = view.shown_rows();
    rows.retain(|row| row.value(Metric::Kept) > 0);
    rows.sort_by_key(|row| Reverse(row.value(Metric::Kept)));
    let big = rows.iter().filter(|row| row.value(Metric::Kept) >= FROM).count();
    let sum = number::sum(rows.iter().map(|row| row.value(Metric::Kept)));
    if big == 0 {
        let text = format!("  none: no line kept 1 MiB or more ({} in all).", number::bytes(sum));
        line.push(Style::Plain, &text);
        return page.line(line);
    }
    let most = view.options.top.unwrap_or(match view.sort {
        Sort::Leaks => SHOWN_IN_FULL,
        _ => SHOWN,
    });
    let (shown, rest) = rows.split_at(big.min(most));
    let sites = number::of(big as u64, "site");
    line.push(Style::Plain, &format!("  {sites} over 1 MiB, {} in all", number::bytes(sum)));
    page.line(line)?;
    let scale = ByteScale::for_largest(shown.first().map_or(0, |row| row.value(Metric::Kept)));
    page.line(heading(view, scale))?;
    for row in shown {
        page.line(entry(view, row, scale))?;
        if let Some(leak) = row.site.leak.as_ref().filter(|_| view.sort == Sort::Leaks) {
            page.paragraph(12, &[(Style::Dim, story(view, leak))])?;
        }
    }
    if !rest.is_empty() {
        let sum = number::sum(rest.iter().map(|row| row.value(Metric::Kept)));
        let more = number::of(rest.len() as u64, "more line");
        page.paragraph(2, &[(Style::Dim, format!("… {more}: {}", number::bytes(sum)))])?;
    }
    let leaks = rows.iter().filter(|row| row.site.leak.is_some()).count() as u64;
    let (style, verdict) = match leaks {
        0 => (Style::Plain, "none".to_owned()),
        n => (Style::Loss, format!("{} to look at", number::of(n, "line"))),
    };
    let text = "Leaks (what stays was allocated all along, in 5 or more sampled blocks): ";
    page.paragraph(2, &[(Style::Plain, text.into()), (style, verdict + ".")])
}

fn wide(view: &View) -> bool {
    view.look.width >= 80
}

fn heading(view: &View, scale: ByteScale) -> Line {
    let mut line = Line::new(view.look);
    line.right_in(Style::Dim, &format!("kept {}", scale.unit), 9);
    if view.look.width >= 60 {
        line.right_in(Style::Dim, "of alloc", 10);
        line.right_in(Style::Dim, "blocks", 8);
    }
    line.gap(2);
    if wide(view) {
        line.left_in(Style::Dim, "judgement", 28);
    }
    line.push(Style::Dim, "site");
    line
}

fn entry(view: &View, row: &Row, scale: ByteScale) -> Line {
    let site = &row.site;
    let mut line = Line::new(view.look);
    let interval = view.profile.header.memory_interval;
    line.right_in(
        Style::Memory,
        &scale.cell(site.live_at_end_bytes, row.mean_block(), interval),
        9,
    );
    if view.look.width >= 60 {
        let part = number::share(site.live_at_end_bytes.min(site.alloc_bytes), site.alloc_bytes);
        line.right_in(Style::Plain, &part, 10);
        line.right_in(Style::Plain, &number::count(site.live_at_end_blocks), 8);
    }
    line.gap(2);
    if wide(view) {
        let style = if row.site.leak.is_some() { Style::Loss } else { Style::Plain };
        line.left_in(style, &judgement(row), 28);
    }
    let spot = view.look.cut_start(&view.spot(row), line.left());
    line.push(Style::Plain, &spot);
    if site.line > 0 && line.left() > 8 {
        line.gap(2);
        let name = view.look.cut_middle(&view.name(site.function), line.left());
        line.push(Style::Dim, &name);
    }
    line
}

/// What else is known of a leak: `between 1 and 2 MiB/s, by 40 blocks; the oldest since 0.3 s, by a.py:3 < b.py:9`.
fn story(view: &View, leak: &Leak) -> String {
    let blocks = number::of(leak.blocks, "sampled block");
    let mut story = format!(
        "between {} and {} a second, by {blocks}; the oldest since {}",
        number::bytes(leak.low),
        number::bytes(leak.high),
        number::time(leak.oldest.as_nanos()),
    );
    let frames = leak.frames(&view.profile.tables).take(FRAMES);
    let frames = frames.map(|(function, line)| view.spot_of(function.file, line, function.name));
    for (at, frame) in frames.enumerate() {
        story += if at == 0 { ", by " } else { " < " };
        story += &frame;
    }
    story
}
