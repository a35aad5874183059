//! The head: what runs, what it uses, and what is being looked at.

use profformat::analysis::FootprintPoint;
use profformat::analysis::live::{By, Window};
use profformat::export::text::cells::{Style, TimeScale, bytes, four, percent, percents};

use super::super::state::{GROUPS, Sort, State};
use super::super::table::{Table, value};
use super::strip::{Strip, spark};
use super::{Facts, Painter, names};

/// Cells of the two lines of bars, on a wide screen and on a narrow one.
const CPU_CELLS: [usize; 2] = [15, 8];
const MEMORY_CELLS: [usize; 2] = [9, 6];
const WIDE: usize = 100;
/// Cells that the line of all choices takes.
const ALL_CHOICES: usize = 82;
const SECOND: u64 = 1_000_000_000;

pub(super) fn draw(painter: &mut Painter<'_>, facts: &Facts<'_>, state: &State) {
    let mut line = Strip::new(facts.look);
    let right = right(facts, state);
    let others = if facts.look.width < 70 { 22 } else { 45 };
    let room = facts.look.width.saturating_sub(right.chars().count() + others).max(8);
    let command = facts.look.cut_end(&names::command(&facts.header.command), room);
    line.push(Style::Strong, "prof live").gap(2).push(Style::Plain, &command);
    let profiled = facts.live.processes().iter().find(|(process, _)| process.profiled);
    if let Some((process, _)) = profiled
        && facts.look.width >= 80
    {
        line.gap(3).push(Style::Plain, &format!("pid {}", process.pid));
    }
    line.gap(3).push(Style::Plain, &clock(facts.elapsed_ns));
    let threads = facts.live.threads().iter().filter(|(_, end)| end.is_none()).count();
    let processes = facts.live.processes().iter().filter(|(p, end)| p.profiled && end.is_none());
    let mut alive = of(threads, "thread");
    match processes.count() {
        0 | 1 => {}
        processes => alive = format!("{processes} processes, {alive}"),
    }
    if facts.ending.is_none() && facts.look.width >= 70 {
        line.gap(3).push(Style::Plain, &alive);
    }
    let style =
        if facts.ending.is_some() || state.is_paused { Style::Strong } else { Style::Plain };
    if !line.at_edge(style, &right) {
        line.gap(2).push(style, &right);
    }
    painter.row(&line);
    painter.row(&usage(facts, state));
}

fn right(facts: &Facts<'_>, state: &State) -> String {
    if let Some(ending) = facts.ending {
        let keys = if facts.look.width < 70 { "" } else { " for the report  q quit" };
        return format!("{ending} · ↵{keys}");
    }
    if state.is_paused {
        return "PAUSED, recording goes on   space".into();
    }
    let window = state.window.seconds().map_or(u64::MAX, |seconds| seconds * SECOND);
    let span = facts.elapsed_ns.min(window).max(1);
    let used = facts.live.totals(state.window).self_cpu_ns();
    let narrow = facts.look.width < 70;
    let keys = if narrow { "  ?" } else { "   space pause  ? keys" };
    format!("CPU {} %{keys}", percent(used, span))
}

/// CPU by class and memory, with their last minute and their curve.
fn usage(facts: &Facts<'_>, state: &State) -> Strip {
    let mut line = Strip::new(facts.look);
    let narrow = usize::from(facts.look.width < WIDE);
    line.push(Style::Plain, " CPU ");
    if facts.header.cpu_interval_ns == 0 {
        line.push(Style::Dim, "n/a").gap(2);
    } else {
        if facts.look.width >= 80 {
            let seconds = facts.live.cpu_by_second();
            // The second at hand is not over.
            let over = &seconds[..seconds.len().saturating_sub(1)];
            let last = &over[over.len().saturating_sub(CPU_CELLS[narrow])..];
            let full = last.iter().copied().max().unwrap_or(0).max(SECOND);
            line.left_in(Style::Python, &spark(last, full, facts.look), CPU_CELLS[narrow]).gap(2);
        }
        let parts = four(&facts.live.totals(state.window).self_ns);
        let names = ["Python", "native", "GC", "sys"];
        let styles = [Style::Python, Style::Native, Style::Gc, Style::System];
        for ((share, name), style) in percents(&parts).into_iter().zip(names).zip(styles) {
            line.push(Style::Plain, &format!("{share} ")).push(style, name).gap(2);
        }
    }
    if facts.header.memory_interval == 0 {
        return line;
    }
    let curve = facts.live.footprint();
    let peak = format!("  peak {}", bytes(curve.peak_bytes));
    line.push(Style::Plain, "MEM ");
    if facts.look.width >= 80 {
        let cells = curve_cells(&curve.timeline, facts.elapsed_ns, MEMORY_CELLS[narrow]);
        line.push(Style::Memory, &spark(&cells, curve.peak_bytes, facts.look)).gap(1);
    }
    line.push(Style::Plain, &bytes(curve.end_bytes));
    if line.left() > peak.len() {
        line.push(Style::Plain, &peak);
    }
    line
}

/// The most that was held in each of so many parts of the run.
fn curve_cells(points: &[FootprintPoint], elapsed_ns: u64, cells: usize) -> Vec<u64> {
    let mut most = vec![0; cells];
    let (mut held, mut next) = (0, points.iter().peekable());
    for (at, cell) in most.iter_mut().enumerate() {
        let end = u128::from(elapsed_ns) * (at as u128 + 1) / cells as u128;
        *cell = held;
        while let Some(point) = next.next_if(|point| u128::from(point.time.as_nanos()) <= end) {
            held = point.bytes;
            *cell = held.max(*cell);
        }
    }
    most
}

/// The choices, and what a full bar is.
pub(super) fn choices(painter: &mut Painter<'_>, facts: &Facts<'_>, state: &State, table: &Table) {
    let mut line = Strip::new(facts.look);
    let windows = [(Window::Short, "10 s"), (Window::Long, "60 s"), (Window::All, "all")];
    let groups = GROUPS.map(|by| (by, group_name(by)));
    let all = facts.look.width >= ALL_CHOICES;
    line.gap(1);
    choice(&mut line, "last", &windows, state.window, all);
    line.gap(2);
    choice(&mut line, "sort", &Sort::ALL.map(|sort| (sort, sort.name())), state.sort, all);
    line.gap(2);
    choice(&mut line, "group", &groups, state.by, all);
    if state.is_typing || !state.filter.is_empty() {
        let cursor = if state.is_typing { "_" } else { "" };
        let filter = super::names::foreign(state.filter.as_bytes());
        line.gap(2).push(Style::Strong, &format!("/{filter}{cursor}"));
    } else if let Some(full) = full_bar(facts, state, table) {
        line.at_edge(Style::Dim, &format!("full bar = {full}"));
    }
    painter.row(&line);
}

/// All that can be chosen, or on a narrow screen what is.
fn choice<T: PartialEq + Copy>(
    line: &mut Strip,
    name: &str,
    choices: &[(T, &str)],
    chosen: T,
    all: bool,
) {
    line.push(Style::Dim, name);
    for &(one, name) in choices {
        match (one == chosen, all) {
            (true, _) => line.push(Style::Strong, &format!(" [{name}]")),
            (false, true) => line.push(Style::Plain, &format!(" {name}")),
            (false, false) => continue,
        };
    }
}

fn group_name(by: By) -> &'static str {
    match by {
        By::Line => "line",
        By::Function => "function",
        By::Thread => "thread",
    }
}

/// The largest value of the column that is sorted by.
pub(super) fn largest(facts: &Facts<'_>, state: &State, table: &Table) -> u64 {
    let group = facts.live.group(state.by);
    let rows = table.rows.iter();
    let values = rows.map(|row| value(group, &group.figures(*row, state.window), *row, state.sort));
    values.max().unwrap_or(0)
}

fn full_bar(facts: &Facts<'_>, state: &State, table: &Table) -> Option<String> {
    let largest = largest(facts, state, table);
    let text = match state.sort {
        Sort::Own | Sort::Total => {
            let scale = TimeScale::for_largest(largest);
            format!("{} {}", scale.figure(largest), scale.unit)
        }
        Sort::Held | Sort::Copied => bytes(largest),
    };
    (largest > 0).then_some(text)
}

/// `0:07.2`, `12:30`, `3:05:00`.
fn clock(nanos: u64) -> String {
    let tenths = nanos / (SECOND / 10);
    let (seconds, minutes, hours) = (tenths / 10 % 60, tenths / 600 % 60, tenths / 36_000);
    match (hours, minutes) {
        (0, 0..10) => format!("{minutes}:{seconds:02}.{}", tenths % 10),
        (0, _) => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

fn of(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use profformat::units::Timestamp;

    #[test]
    fn clocks_read_as_clocks_do() {
        assert_eq!(clock(7_290_000_000), "0:07.2");
        assert_eq!(clock(750 * SECOND), "12:30");
        assert_eq!(clock(11_100 * SECOND), "3:05:00");
        assert_eq!(clock(u64::MAX), "5124095:34:33");
    }

    #[test]
    fn a_cell_is_the_most_that_was_held_in_its_part() {
        let at = |time, bytes| FootprintPoint {
            time: Timestamp::from_nanos(time),
            bytes,
            python_bytes: 0,
        };
        let points = [at(5, 10), at(12, 90), at(14, 20), at(55, 5)];
        assert_eq!(curve_cells(&points, 60, 6), [10, 90, 20, 20, 20, 20]);
        assert_eq!(curve_cells(&[], 0, 2), [0, 0]);
    }
}
