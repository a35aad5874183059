//! The last row: losses, what the view costs, where the trace is. And the page of keys.

use profformat::export::text::cells::{Look, Style, bytes, cells, count};

use super::super::state::State;
use super::super::table::Table;
use super::strip::Strip;
use super::{Facts, Painter, names};

/// Hints, from the last to go to the first.
const HINTS: [&str; 4] = ["q quit", "/ filter", "↵ source", "t threads"];

pub(super) fn draw(painter: &mut Painter<'_>, facts: &Facts<'_>, state: &State, table: &Table) {
    let mut line = Strip::new(facts.look);
    line.gap(1);
    if state.shows_name
        && let Some(row) = table.rows.get(state.position(&table.rows))
    {
        let name = names::full(facts, state.by, *row);
        line.push(Style::Strong, &facts.look.cut_start(&name, facts.look.width.saturating_sub(2)));
        painter.row(&line);
        return;
    }
    let books = facts.live.books(facts.tables);
    let lost_ticks = books.lost.values().fold(0_u64, |sum, lost| sum.saturating_add(*lost));
    let lost = lost_ticks.saturating_add(facts.live.lost_events(facts.tables));
    line.push(Style::Plain, &format!("{} ticks, ", count(books.ticks)));
    let style = if lost > 0 { Style::Loss } else { Style::Plain };
    line.push(style, &format!("{} lost", count(lost)));
    if facts.damaged_bytes > 0 {
        line.push(Style::Loss, &format!(", {} damaged", bytes(facts.damaged_bytes)));
    }
    line.push(Style::Dim, " · ").push(Style::Plain, &format!("view {:.1} %", facts.cost * 100.0));
    if let Some(rate) = facts.slowed {
        line.push(Style::Loss, &format!(", slowed to {rate} Hz"));
    }
    let size = bytes(facts.trace_bytes);
    let others = cells(&size) + 9 + facts.output.map_or(0, |_| 11);
    let room = line.left().saturating_sub(others);
    let room = if facts.output.is_some() { room / 2 } else { room }.clamp(8, 60);
    let trace = facts.look.cut_start(facts.trace, room);
    line.push(Style::Dim, " · ").push(Style::Plain, &format!("trace {trace}, {size}"));
    if let Some(output) = facts.output {
        let output = facts.look.cut_start(output, room);
        line.push(Style::Dim, " · ").push(Style::Plain, &format!("output {output}"));
    }
    // As many hints as there is room for.
    for hints in (1..=HINTS.len()).rev().map(|many| &HINTS[..many]) {
        let hints: Vec<&str> = hints.iter().rev().copied().collect();
        if line.at_edge(Style::Dim, &hints.join("  ")) {
            break;
        }
    }
    painter.row(&line);
}

/// What every key does.
pub(super) fn help(painter: &mut Painter<'_>, look: Look, rows: usize) {
    const KEYS: [(&str, &str); 16] = [
        ("↑ ↓ j k", "the row above or below; PgUp PgDn, Home, End"),
        ("↵", "source of the row, or back; the report when the program has ended"),
        ("w", "the last 10 s, the last 60 s, all since the start"),
        ("s S 1-4", "sorted by self time, total time, live memory, copied bytes"),
        ("g", "by line, by function, by thread"),
        ("t", "threads and their processes, or back"),
        ("m", "other columns: usual, time, memory"),
        ("/ Esc", "only names that have this in them; Esc shows all again"),
        ("c", "the whole path of the row"),
        ("space", "stop the display, not the recording"),
        ("+ -", "more or fewer looks per second"),
        ("q", "leave; the program runs on and is recorded"),
        ("Ctrl-C", "goes to the program, as it does without a view"),
        ("", ""),
        ("~ <", "few samples: about; less than"),
        ("· n/a", "zero; not measured"),
    ];
    for (keys, what) in KEYS.iter().take(rows) {
        let mut line = Strip::new(look);
        line.gap(1).left_in(Style::Strong, keys, 13);
        line.push(Style::Plain, what);
        painter.row(&line);
    }
}
