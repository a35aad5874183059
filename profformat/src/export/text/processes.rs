//! Processes as a tree, with what each of them used.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::io;

use super::number;
use super::page::{Line, Page, Style, foreign};
use super::threads::{Columns, nothing};
use super::view::View;
use crate::analysis::Profile;
use crate::analysis::family::{Share, processes};
use crate::export::names::shown;
use crate::record::{Outcome, Process, ProcessEnd};

/// Rows by default.
const SHOWN: usize = 40;
/// Cells of how a process ended.
const ENDED: usize = 12;
/// Levels of the tree that are told apart.
const DEEPEST: usize = 8;
/// Words of a command that are shown.
const WORDS: usize = 16;

/// Writes the table of the profiled processes; `threads` are the shares of the profile's threads.
pub(super) fn write(view: &View, threads: &[Share], page: &mut Page) -> io::Result<()> {
    let profile = view.profile;
    let shares = processes(profile, threads);
    let is_profiled = |at: &usize| profile.processes[*at].0.profiled;
    let mut rows: Vec<usize> = (0..shares.len()).filter(is_profiled).collect();
    let mut line = Line::new(view.look);
    line.push(Style::Strong, "PROCESSES");
    if !view.measures_time() || rows.is_empty() {
        line.push(Style::Plain, nothing(view));
        return page.line(line);
    }
    let unprofiled = shares.len() - rows.len();
    rows.sort_by_key(|&at| (Reverse(shares[at].cpu_ns()), at));
    let (shown, rest) = rows.split_at(view.options.top.unwrap_or(SHOWN).min(rows.len()));
    let all = number::count(rows.len() as u64);
    line.push(Style::Plain, &format!("  {} of {all}, as they started each other", shown.len()));
    page.line(line)?;
    let columns = Columns::of(view);
    let has_end = view.look.width >= 60;
    if let Some(mut heading) = columns.heading(view, "") {
        heading.left_in(Style::Dim, "ended", ENDED);
        heading.push(Style::Dim, "process");
        page.line(heading)?;
    }
    let full = shown.first().map_or(0, |&at| shares[at].cpu_ns());
    let wanted: HashSet<usize> = shown.iter().copied().collect();
    for (at, depth) in tree(profile).into_iter().filter(|(at, _)| wanted.contains(at)) {
        let (process, end) = &profile.processes[at];
        let mut row = columns.row(view, &shares[at], full);
        if has_end {
            row.left_in(Style::Dim, &ended(end.as_ref()), ENDED);
        }
        row.gap((2 * depth.min(DEEPEST)).min(row.left() / 2));
        let room = row.left();
        row.push(Style::Plain, &view.look.cut_end(&name(process), room));
        page.line(row)?;
    }
    let rest = rest.iter().map(|&at| &shares[at]);
    columns.rest(view, rest, ["process", "processes"], page)?;
    if unprofiled > 0 {
        let noun = if unprofiled == 1 { "process" } else { "processes" };
        let text = format!("{} {noun} not profiled", number::count(unprofiled as u64));
        page.paragraph(2, &[(Style::Dim, text)])?;
    }
    Ok(())
}

/// Every profiled process with the number of profiled ones above it, each behind the one that started it.
fn tree(profile: &Profile) -> Vec<(usize, usize)> {
    let count = profile.processes.len();
    let position = |process: &Process| {
        let parent = process.parent?;
        profile.processes.binary_search_by_key(&parent, |(p, _)| p.id).ok()
    };
    // A parent comes before its children, in a sound trace.
    let parent = |at: usize| position(&profile.processes[at].0).filter(|&parent| parent < at);
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut open: Vec<(usize, usize)> = Vec::new();
    for at in (0..count).rev() {
        match parent(at) {
            Some(parent) => children[parent].push(at),
            None => open.push((at, 0)),
        }
    }
    let mut order = Vec::new();
    while let Some((at, depth)) = open.pop() {
        let profiled = profile.processes[at].0.profiled;
        if profiled {
            order.push((at, depth));
        }
        let below = depth + usize::from(profiled);
        open.extend(children[at].iter().map(|&child| (child, below)));
    }
    order
}

/// How a process ended, in words.
fn ended(end: Option<&ProcessEnd>) -> String {
    match end.map(|end| end.outcome) {
        Some(Outcome::Exited(status)) => format!("exit {status}"),
        Some(Outcome::Killed(signal)) => format!("signal {signal}"),
        Some(Outcome::Exec) => "exec".to_owned(),
        Some(Outcome::Gone) => "ended".to_owned(),
        Some(Outcome::Running) => "still runs".to_owned(),
        None => number::UNKNOWN.to_owned(),
    }
}

/// Its number and its command.
fn name(process: &Process) -> String {
    let mut name = process.pid.to_string();
    for word in process.command.iter().take(WORDS) {
        name.push(' ');
        name += &foreign(&shown(word));
    }
    name
}
