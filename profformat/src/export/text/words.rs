//! What the report says, for an output that is no page of text: sentences, totals, the hottest lines.

use super::bar::{FILLS, bar, four};
use super::number::{self, ByteScale, UNMEASURED, ZERO, percent};
use super::page::{SiteKey, Style, foreign};
use super::select::{Metric, Row, pick};
use super::sentences::{self, Sentence};
use super::table::metric;
use super::view::View;
use super::{Figures, Options, Source, lines, missing, spent};
use crate::analysis::{Profile, books};
use crate::record::Class;

/// Lines that are told.
const LINES: usize = 20;
/// Cells of a full bar.
const BAR: usize = 12;
/// Longest line of source that is told, and longest command and facts, cells.
const SOURCE: usize = 200;
const HEAD: usize = 400;

/// The report in words. Everything foreign is escaped.
pub(in crate::export) struct Words {
    pub(in crate::export) command: String,
    /// Facts of the run in one line.
    pub(in crate::export) facts: String,
    pub(in crate::export) sentences: Vec<Sentence>,
    pub(in crate::export) totals: Vec<Fact>,
    /// What the lines are sorted by, and their units: `self s`, `peak MiB`.
    pub(in crate::export) sorted_by: &'static str,
    pub(in crate::export) heads: [String; 6],
    pub(in crate::export) lines: Vec<HotLine>,
    /// The sums of all other lines, if there are any.
    pub(in crate::export) cut: Option<String>,
    pub(in crate::export) missing: Vec<Sentence>,
}

/// A total of the run.
pub(in crate::export) struct Fact {
    /// One word for what it is of: a class of time, `memory`, `copies`, `ticks`.
    pub(in crate::export) of: &'static str,
    pub(in crate::export) figure: String,
    pub(in crate::export) words: String,
}

/// A line of the table.
pub(in crate::export) struct HotLine {
    pub(in crate::export) site: SiteKey,
    /// Self, total, share, peak, kept, copied.
    pub(in crate::export) cells: [String; 6],
    /// The self time as a bar in parts.
    pub(in crate::export) bar: Vec<(String, Style)>,
    pub(in crate::export) spot: String,
    pub(in crate::export) function: String,
    /// The source; empty when there is none.
    pub(in crate::export) source: String,
}

/// The words of a profile with these figures.
pub(in crate::export) fn words(profile: &Profile, figures: Figures, source: &dyn Source) -> Words {
    // Wide enough that nothing is cut for want of room.
    let options = Options { width: 400, ..Options::default() };
    let view = View::new(profile, figures, &options, source);
    let rows: Vec<&Row> = view.rows.iter().collect();
    let by = metric(view.sort, false);
    let picked = pick(&rows, by, view.sort, LINES, lines::whole(&view, by), &[]);
    let table = Table::of(&view, &picked.rows);
    Words {
        command: view.look.cut_middle(&sentences::command(&view), HEAD),
        facts: view.look.cut_end(&sentences::facts(&view), HEAD),
        sentences: sentences::all(&view),
        totals: totals(&view),
        sorted_by: lines::sorted_by(&view, by),
        heads: table.heads(),
        lines: picked.rows.iter().map(|row| table.line(row)).collect(),
        cut: (picked.cut.lines > 0).then(|| lines::cut_text(&view, &picked.cut)),
        missing: missing::all(&view),
    }
}

fn totals(view: &View) -> Vec<Fact> {
    let totals = &view.totals;
    let mut facts = Vec::new();
    let on_cpu = Class::ALL.map(|class| if class.on_cpu() { totals.class(class) } else { 0 });
    let shares = number::percents(&on_cpu);
    for (class, share) in Class::ALL.into_iter().zip(shares) {
        let (ns, name) = (totals.class(class), spent::class_name(class));
        if ns > 0 {
            let share =
                if class.on_cpu() { format!(", {share}\u{a0}% of CPU") } else { String::new() };
            let words = format!("{name}{share}");
            facts.push(Fact { of: class.name(), figure: number::time(ns), words });
        }
    }
    let mut bytes = |of, bytes, words: &str| {
        facts.push(Fact { of, figure: number::bytes(bytes), words: words.into() });
    };
    if view.measures_memory() {
        let curve = &view.profile.footprint;
        let moment = number::time(curve.peak_time.as_nanos());
        let words = if curve.is_asked { "held at" } else { "at the peak, after" };
        bytes("memory", curve.peak_bytes, &format!("{words} {moment}"));
        bytes("memory", totals.alloc, "allocated");
    }
    if view.measures_copies() {
        bytes("copies", totals.copied, "copied");
    }
    let books = books(view.profile);
    if view.measures_time() && books.ticks > 0 {
        let words = format!("of {} kept", number::of(books.ticks, "tick"));
        facts.push(Fact { of: "ticks", figure: number::count(books.samples), words });
    }
    facts
}

/// Scales of the columns.
struct Table<'a> {
    view: &'a View<'a>,
    /// Of peak, kept, copied.
    scales: [ByteScale; 3],
    /// What a full bar stands for.
    full: u64,
}

const BYTES: [Metric; 3] = [Metric::Peak, Metric::Kept, Metric::Copied];

impl<'a> Table<'a> {
    fn of(view: &'a View<'a>, rows: &[&Row]) -> Self {
        let largest = |metric| rows.iter().map(|row| row.value(metric)).max().unwrap_or(0);
        let scales = BYTES.map(|metric| ByteScale::for_largest(largest(metric)));
        Self { view, scales, full: largest(Metric::Own) }
    }

    fn heads(&self) -> [String; 6] {
        let time = self.view.time.unit;
        let peak = if self.view.profile.footprint.is_asked { "held" } else { "peak" };
        let [a, b, c] = self.scales.map(|scale| scale.unit);
        [
            format!("self {time}"),
            format!("total {time}"),
            "%".into(),
            format!("{peak} {a}"),
            format!("kept {b}"),
            format!("copied {c}"),
        ]
    }

    fn line(&self, row: &Row) -> HotLine {
        let (view, site) = (self.view, &row.site);
        let own = row.value(Metric::Own);
        let [peak, kept, copied] = self.bytes(row);
        let [self_time, total, share] = match (view.measures_time(), own) {
            (false, _) => [UNMEASURED; 3].map(str::to_owned),
            (true, own) => [
                view.time.cell(own, site.samples, site.self_squares),
                view.time.cell(site.total_cpu_ns, site.total_samples, site.total_squares),
                if own == 0 { ZERO.into() } else { percent(own, view.totals.cpu_ns) },
            ],
        };
        let mut bar = bar(own, self.full, &four(&site.self_ns), &FILLS, BAR);
        bar.retain(|(text, _)| !text.trim().is_empty());
        let path = view.profile.tables.string(site.file);
        let text = match (site.line, view.place(site.file).python) {
            (0, _) | (_, false) => None,
            (line, true) => view.source.line(path, line),
        };
        let text = text.map(|text| foreign(text.trim().replace('\t', "    ").as_bytes()));
        let (_, spot) = view.named(row);
        HotLine {
            site: SiteKey::of(site),
            cells: [self_time, total, share, peak, kept, copied],
            bar,
            spot,
            function: if site.line > 0 { view.name(site.function) } else { String::new() },
            source: text.map_or(String::new(), |text| view.look.cut_end(&text, SOURCE)),
        }
    }

    fn bytes(&self, row: &Row) -> [String; 3] {
        let header = &self.view.profile.header;
        std::array::from_fn(|at| {
            let (mean, interval) = match BYTES[at] {
                Metric::Copied => (row.mean_copy(), header.copy_interval),
                _ => (row.mean_block(), header.memory_interval),
            };
            self.scales[at].cell(row.value(BYTES[at]), mean, interval)
        })
    }
}
