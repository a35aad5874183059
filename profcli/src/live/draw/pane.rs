//! The selected row: why it took its time, who calls it, its source.

use profformat::analysis::live::{By, Key};
use profformat::analysis::sites::WhyKind;
use profformat::export::text::cells::{Style, TimeScale};

use super::super::state::State;
use super::super::table::Table;
use super::strip::Strip;
use super::{Facts, Painter, names};

/// Parts and callers that are told.
const PARTS: usize = 3;
const CALLERS: usize = 2;

pub(super) fn draw(
    painter: &mut Painter<'_>,
    facts: &Facts<'_>,
    state: &State,
    table: &Table,
    lines: usize,
) {
    let Some(&row) = table.rows.get(state.position(&table.rows)) else { return };
    painter.row(&about(facts, state, row));
    let Key::Spot(spot) = facts.live.group(state.by).key(row) else { return };
    if spot.line == 0 || state.by == By::Thread {
        return;
    }
    let before = lines as u32 / 2 + u32::from(lines.is_multiple_of(2));
    let first = spot.line.saturating_sub(before).max(1);
    let mut is_known = false;
    for line in (first..=u32::MAX).take(lines) {
        let mut strip = Strip::new(facts.look);
        let Some(text) = names::source(facts, spot.file, line) else { break };
        is_known = true;
        let mark = if line == spot.line { "▸" } else { " " };
        let style = if line == spot.line { Style::Strong } else { Style::Plain };
        strip.gap(1).push(style, mark).right_in(Style::Dim, &line.to_string(), 6).gap(2);
        let room = strip.left();
        strip.push(style, &facts.look.cut_end(&text, room));
        painter.row(&strip);
    }
    if !is_known {
        let mut strip = Strip::new(facts.look);
        let path = names::text(facts, spot.file);
        let room = facts.look.width.saturating_sub(15);
        strip
            .gap(2)
            .push(Style::Dim, &format!("(no source: {})", facts.look.cut_start(&path, room)));
        painter.row(&strip);
    }
}

/// `statemachine.py:714  State.make_transition   why: GC 1.02 · dict 0.08     called by :733 (1.44 s)`
fn about(facts: &Facts<'_>, state: &State, row: u32) -> Strip {
    let mut line = Strip::new(facts.look);
    let label = names::label(facts, state.by, row);
    line.gap(1).push(Style::Strong, &facts.look.cut_middle(&label, facts.look.width / 2));
    let key = facts.live.group(state.by).key(row);
    if let (Key::Spot(spot), By::Line) = (key, state.by) {
        let function = names::text(facts, spot.function);
        line.gap(2).push(Style::Plain, &facts.look.cut_middle(&function, facts.look.width / 4));
    }
    let total = facts.live.group(state.by).figures(row, state.window).total_cpu_ns();
    let scale = TimeScale::for_largest(total);
    let parts = facts.explained.why.iter().take(PARTS).map(|why| {
        let name = match (why.what, why.function) {
            (WhyKind::Gc, _) => "GC".to_owned(),
            (WhyKind::Itself, _) => "itself".to_owned(),
            (_, Some(function)) => facts.look.cut_middle(&names::text(facts, function), 24),
            (WhyKind::Kernel, None) => "kernel".to_owned(),
            (_, None) => "other".to_owned(),
        };
        format!("{name} {}", scale.figure(why.cpu_ns))
    });
    let parts: Vec<String> = parts.collect();
    if !parts.is_empty() {
        line.gap(3).push(Style::Dim, "why: ").push(Style::Plain, &parts.join(" · "));
        line.push(Style::Dim, &format!(" {}", scale.unit));
    }
    let callers: Vec<String> = facts
        .explained
        .callers
        .iter()
        .take(CALLERS)
        .map(|(file, at, ns)| {
            let same = matches!(key, Key::Spot(spot) if spot.file == *file);
            let place = if same { format!(":{at}") } else { names::place(facts, *file, *at) };
            format!("{place} ({} {})", scale.figure(*ns), scale.unit)
        })
        .collect();
    if !callers.is_empty() {
        line.gap(3).push(Style::Dim, "called by ").push(Style::Plain, &callers.join(", "));
    }
    line
}
