//! The comparison of two profiles as text: sentences, the lines that changed, and the sums of those that did not.

mod scale;
mod sentences;
mod table;

use std::io;

use self::scale::Scale;
use super::page::{Line, Look, Page, Style, foreign};
use super::place::{Place, place, roots_of};
use super::select::matches;
use super::{Source, number};
use crate::analysis::diff::{Compared, Diff, Metric, Row, Side, Spot};
use crate::analysis::sites::places::shown;
use crate::export::diff::Options;

/// Rows of a table, if nothing else is asked for.
const ROWS: usize = 20;

/// A comparison as the outputs for people look at it.
pub(in crate::export) struct View<'a> {
    pub(in crate::export) diff: &'a Diff<'a>,
    options: &'a Options,
    sources: [&'a dyn Source; 2],
    look: Look,
    /// Folders of the programs' own files, before and after.
    roots: [Vec<Vec<u8>>; 2],
}

/// The lines of one metric, by what becomes of them.
pub(in crate::export) struct Section<'a> {
    pub(in crate::export) compared: &'a Compared,
    pub(in crate::export) scale: Scale,
    /// Lines that pass `--file`.
    pub(in crate::export) count: usize,
    pub(in crate::export) changed: Vec<&'a Row>,
    /// Those of them that are left out.
    pub(in crate::export) cut: Vec<&'a Row>,
    pub(in crate::export) within_noise: Vec<&'a Row>,
    pub(in crate::export) only_in_one: Vec<&'a Row>,
}

impl<'a> View<'a> {
    pub(in crate::export) fn new(
        diff: &'a Diff<'a>,
        options: &'a Options,
        sources: [&'a dyn Source; 2],
    ) -> Self {
        let look =
            Look { width: options.width.max(20), color: options.color, ascii: options.ascii };
        let before = diff.pairs.iter().filter_map(|pair| pair.before);
        let after = diff.pairs.iter().filter_map(|pair| pair.after);
        let roots = [roots(diff.before, before), roots(diff.after, after)];
        Self { diff, options, sources, look, roots }
    }

    pub(in crate::export) fn section(&self, compared: &'a Compared) -> Section<'a> {
        let passing: Vec<&Row> = compared.rows.iter().filter(|row| self.passes(row)).collect();
        let count = passing.len();
        let (changed, others): (Vec<&Row>, Vec<&Row>) =
            passing.into_iter().partition(|row| row.is_sure);
        let (only_in_one, within_noise): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|row| row.is_in_one());
        let most = self.options.top.unwrap_or(if self.options.all { usize::MAX } else { ROWS });
        let (shown, cut) = changed.split_at(changed.len().min(most));
        let figures = |row: &&Row| row.change.before.max(row.change.after);
        let largest = shown.iter().map(figures).fold(0.0, f64::max);
        let largest = match largest {
            0.0 => compared.total.before.max(compared.total.after),
            _ => largest,
        };
        Section {
            compared,
            scale: Scale::for_largest(compared.metric, largest),
            count,
            changed: shown.to_vec(),
            cut: cut.to_vec(),
            within_noise,
            only_in_one,
        }
    }

    fn passes(&self, row: &Row) -> bool {
        self.options.file.as_ref().is_none_or(|pattern| {
            let pair = &self.diff.pairs[row.pair];
            let fits = |side: usize, spot: Option<Spot<'_>>| {
                spot.is_some_and(|spot| {
                    let short = self.place(side, spot).short();
                    matches(pattern.as_bytes(), spot.file)
                        || matches(pattern.as_bytes(), short.as_bytes())
                })
            };
            fits(0, pair.before) || fits(1, pair.after)
        })
    }

    fn place<'s>(&self, side: usize, spot: Spot<'s>) -> Place<'s> {
        place(spot.file, spot.python, &self.roots[side])
    }

    /// A line's place in words: `docutils/nodes.py:220`, with both numbers if it moved.
    pub(in crate::export) fn spot(&self, row: &Row) -> String {
        let pair = &self.diff.pairs[row.pair];
        let (side, spot) = match (pair.before, pair.after) {
            (_, Some(after)) => (1, after),
            (Some(before), None) => (0, before),
            (None, None) => return number::UNKNOWN.into(),
        };
        let file = self.place(side, spot).short();
        let moved = pair.before.filter(|before| side == 1 && before.line != spot.line);
        match (spot.line, moved) {
            (0, _) if file.is_empty() => name(spot.function),
            (0, _) => format!("{} ({file})", name(spot.function)),
            (line, Some(before)) => format!("{file}:{}→{line}", before.line),
            (line, None) => format!("{file}:{line}"),
        }
    }

    /// The text of a line, as it is after, or was before; else the name of its function.
    pub(in crate::export) fn text(&self, row: &Row) -> (bool, String) {
        let pair = &self.diff.pairs[row.pair];
        let source = |side: usize, spot: Option<Spot<'_>>| {
            let spot = spot.filter(|spot| spot.line > 0)?;
            self.sources[side].line(spot.file, spot.line)
        };
        match source(1, pair.after).or_else(|| source(0, pair.before)) {
            Some(text) => (true, foreign(text.replace('\t', "    ").trim().as_bytes())),
            None => {
                let spot = pair.after.or(pair.before);
                (false, spot.map_or_else(String::new, |spot| name(spot.function)))
            }
        }
    }
}

/// Folders of a side's own files.
fn roots<'s>(side: &Side, spots: impl Iterator<Item = Spot<'s>>) -> Vec<Vec<u8>> {
    let mut files: Vec<&[u8]> = spots.filter(|spot| spot.python).map(|spot| spot.file).collect();
    files.sort_unstable();
    files.dedup();
    let commands = side.abouts().iter().flat_map(|about| &about.commands);
    roots_of(commands, &files)
}

fn name(name: &[u8]) -> String {
    foreign(&shown(name))
}

/// Name of a metric at the head of its section.
pub(in crate::export) fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::Cpu => "CPU",
        Metric::Peak => "PEAK",
        Metric::Alloc => "ALLOCATED",
        Metric::Copies => "COPIED",
    }
}

/// A rate of false discoveries: `0.042`, `<0.001`.
pub(in crate::export) fn rate(q: Option<f64>) -> String {
    match q {
        None => number::UNKNOWN.into(),
        Some(..0.001) => "<0.001".into(),
        Some(q) => format!("{q:.3}"),
    }
}

/// What the runs are, for the head's right side.
pub(in crate::export) fn facts(view: &View<'_>) -> Vec<String> {
    let (before, after) = (view.diff.before, view.diff.after);
    let runs = match (before.runs(), after.runs()) {
        (1, 1) => "one run each: run-to-run noise unknown".into(),
        (old, new) => format!("{old} and {}", number::of(new as u64, "run")),
    };
    let mut facts = vec![runs];
    match (before.work(), after.work()) {
        (1.0, 1.0) => {}
        (old, new) if old == new => facts.push(format!("per unit of work, {old} a run")),
        (old, new) => facts.push(format!("per unit of work, {old} and {new} a run")),
    }
    facts.push(sentences::sameness(view));
    facts
}

/// Sentences in plain words, and whether they tell of a loss.
pub(in crate::export) fn sentences(view: &View<'_>) -> Vec<(String, bool)> {
    let all = sentences::all(view).into_iter().map(|sentence| {
        let is_loss = sentence.iter().any(|(style, _)| *style == Style::Loss);
        (sentence.into_iter().map(|(_, text)| text).collect(), is_loss)
    });
    all.collect()
}

/// Writes the comparison.
pub(in crate::export) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(out, view.look);
    head(view, &mut page)?;
    page.blank()?;
    for sentence in sentences::all(view) {
        page.paragraph(2, &sentence)?;
    }
    for compared in &view.diff.compared {
        page.blank()?;
        table::write(view, &view.section(compared), &mut page)?;
    }
    Ok(())
}

/// The traces, and facts of the comparison at the right.
fn head(view: &View<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let [before, after] = view.options.labels.each_ref().map(|label| foreign(label.as_bytes()));
    let facts = facts(view).join(" · ");
    let traces = view.look.text(&format!("{before} → {after}"));
    let mut line = Line::new(view.look);
    let room = view.look.width.saturating_sub(facts.chars().count() + 3);
    if super::page::cells(&traces) > room {
        line.push(Style::Strong, &view.look.cut_middle(&traces, view.look.width));
        page.line(line)?;
        return page.paragraph(2, &[(Style::Dim, facts)]);
    }
    line.push(Style::Strong, &traces);
    line.at_edge(Style::Dim, &facts);
    page.line(line)
}
