//! Threads by CPU time.

use std::cmp::Reverse;
use std::io;

use super::bar::{FILLS, bar, four};
use super::number;
use super::page::{Line, Page, Style};
use super::view::View;
use crate::analysis::family::{Hottest, Share, hottest};
use crate::export::names::{process_name, thread_name, thread_of};
use crate::record::Class;

/// Rows by default.
const SHOWN: usize = 40;
/// Cells of the hottest line's name.
const HOTTEST: usize = 24;

/// Writes the table; `shares` are those of the profile's threads.
pub(super) fn write(view: &View, shares: &[Share], page: &mut Page) -> io::Result<()> {
    let used = |share: &Share| share.ns.iter().any(|&ns| ns > 0);
    let mut rows: Vec<usize> = (0..shares.len()).filter(|&at| used(&shares[at])).collect();
    rows.sort_by_key(|&at| (Reverse(shares[at].cpu_ns()), at));
    let idle = shares.len() - rows.len();
    let mut line = Line::new(view.look);
    line.push(Style::Strong, "THREADS");
    if !view.measures_time() || rows.is_empty() {
        line.push(Style::Plain, nothing(view));
        return page.line(line);
    }
    let (shown, rest) = rows.split_at(view.options.top.unwrap_or(SHOWN).min(rows.len()));
    let all = number::count(shares.len() as u64);
    line.push(Style::Plain, &format!("  {} of {all}, by CPU time", shown.len()));
    page.line(line)?;
    let columns = Columns::of(view);
    if let Some(heading) = columns.heading(view, "thread") {
        page.line(heading)?;
    }
    let full = shown.first().map_or(0, |&at| shares[at].cpu_ns());
    let hottest = if columns.hottest { hottest(view.profile) } else { Vec::new() };
    for &at in shown {
        let mut row = columns.row(view, &shares[at], full);
        if columns.hottest {
            let spot = hottest.get(at).copied().flatten().map(|hottest| spot(view, &hottest));
            let spot = view.look.cut_start(&spot.unwrap_or_default(), HOTTEST - 2);
            row.left_in(Style::Dim, &spot, HOTTEST);
        }
        let name = name(view, at);
        let room = row.left();
        row.push(Style::Plain, &view.look.cut_middle(&name, room));
        page.line(row)?;
    }
    columns.rest(view, rest.iter().map(|&at| &shares[at]), ["thread", "threads"], page)?;
    if idle > 0 {
        let text = format!("{} without any time", number::of(idle as u64, "thread"));
        page.paragraph(2, &[(Style::Dim, text)])?;
    }
    Ok(())
}

/// What stands in place of a table.
pub(super) fn nothing(view: &View) -> &'static str {
    match view.measures_time() {
        true => "  none has any time.",
        false => "  not measured: CPU time was not recorded (`--no-cpu`).",
    }
}

fn spot(view: &View, hottest: &Hottest) -> String {
    view.spot_of(hottest.file, hottest.line, hottest.function)
}

/// The thread's name with its number, and its process where there are several.
fn name(view: &View, at: usize) -> String {
    let (thread, _) = &view.profile.threads[at];
    let name = thread_name(Some(thread), thread.id);
    let number = match thread.name.is_empty() {
        true => String::new(),
        false => format!(" {}", thread.tid),
    };
    let several = view.profile.processes.iter().filter(|(process, _)| process.profiled).count() > 1;
    match thread_of(view.profile, thread.id).1 {
        Some(process) if several => format!("{name}{number} in {}", process_name(process)),
        _ => format!("{name}{number}"),
    }
}

/// The columns in front of a name, as many as the page has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// All six classes instead of a bar and waits.
    classes: bool,
    percent: bool,
    split: bool,
    waits: bool,
    /// The threads' table alone has it.
    hottest: bool,
}

/// The classes of waiting.
const WAITS: [Class; 2] = [Class::Gil, Class::Wait];

impl Columns {
    pub(super) fn of(view: &View) -> Self {
        let width = view.look.width;
        let classes = view.options.all_classes && width >= 90;
        Self {
            classes,
            percent: width >= 60,
            split: !classes && width >= 80,
            waits: !classes && width >= 70,
            hottest: width >= if classes { 120 } else { 100 },
        }
    }

    fn classes(self) -> &'static [Class] {
        match (self.classes, self.waits) {
            (true, _) => &Class::ALL,
            (false, true) => &WAITS,
            (false, false) => &[],
        }
    }

    /// The names of the columns; `None` where there is one only.
    pub(super) fn heading(self, view: &View, last: &str) -> Option<Line> {
        if !self.percent {
            return None;
        }
        let mut line = Line::new(view.look);
        line.right_in(Style::Dim, &format!("CPU {}", view.time.unit), 8);
        line.right_in(Style::Dim, "%", 6);
        if self.split {
            line.gap(2);
            line.left_in(Style::Dim, "split", 10);
        }
        for class in self.classes() {
            line.right_in(Style::Dim, class.name(), 8);
        }
        line.gap(2);
        if self.hottest && last == "thread" {
            line.left_in(Style::Dim, "mostly at", HOTTEST);
        }
        line.push(Style::Dim, last);
        Some(line)
    }

    /// A row up to where its name begins.
    pub(super) fn row(self, view: &View, share: &Share, full: u64) -> Line {
        let mut line = Line::new(view.look);
        let cpu = share.cpu_ns();
        let text = view.time.cell(cpu, share.samples, share.squares);
        if !self.percent {
            line.right_in(Style::Strong, &format!("{} {}", text.trim_end(), view.time.unit), 9);
            line.gap(1);
            return line;
        }
        line.right_in(Style::Plain, &text, 8);
        line.right_in(Style::Plain, &number::percent(cpu, view.totals.cpu_ns), 6);
        if self.split {
            line.gap(2);
            for (text, style) in bar(cpu, full, &four(&share.ns), &FILLS, 10) {
                line.push(style, &text);
            }
        }
        for class in self.classes() {
            let ns = share.ns[class.code() as usize];
            let text = if ns == 0 { number::ZERO.to_owned() } else { view.time.column(ns) };
            line.right_in(Style::Plain, &text, 8);
        }
        line.gap(2);
        line
    }

    /// The sum of the rows that are not shown.
    pub(super) fn rest<'s>(
        self,
        view: &View,
        shares: impl ExactSizeIterator<Item = &'s Share>,
        [one, several]: [&str; 2],
        page: &mut Page,
    ) -> io::Result<()> {
        if shares.len() == 0 {
            return Ok(());
        }
        let noun = if shares.len() == 1 { one } else { several };
        let more = format!("{}\u{a0}more {noun}", number::count(shares.len() as u64));
        let sum = number::sum(shares.map(Share::cpu_ns));
        let wanted = 2 * view.options.top.unwrap_or(SHOWN).clamp(1, 1 << 20);
        let text = format!("… {more}: {} (`--top {wanted}`)", view.time_text(sum));
        page.paragraph(2, &[(Style::Dim, text)])
    }
}
