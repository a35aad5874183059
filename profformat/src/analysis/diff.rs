//! What differs between two programs' profiles, line by line, and whether that is more than noise.
//!
//! A [`Side`] is one run or several runs of the same program; [`compare`] matches the lines of two sides through the
//! edits between them (`matching`) and tells, for each line and metric, how far the difference can be trusted
//! (`noise`).
//!
//! Lines are tested together: with so many of them some would always look changed. What is called sure is so at a
//! false discovery rate of 5 % ([Benjamini and Hochberg 1995](https://doi.org/10.1111/j.2517-6161.1995.tb02031.x)).

mod matching;
mod noise;
mod run;
mod side;

use std::rc::Rc;

pub use self::matching::MatchedBy;
pub use self::noise::{ENOUGH, RATE};
pub use self::run::{About, Estimate, Run};
pub use self::side::Side;

use self::noise::Difference;

/// What two profiles can be compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// CPU time, nanoseconds.
    Cpu,
    /// Bytes held when the footprint was highest.
    Peak,
    /// Bytes allocated.
    Alloc,
    /// Bytes copied.
    Copies,
}

impl Metric {
    /// Every metric, in the order they are shown.
    pub const ALL: [Metric; 4] = [Metric::Cpu, Metric::Peak, Metric::Alloc, Metric::Copies];

    /// The name that outputs have.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Cpu => "cpu",
            Metric::Peak => "peak",
            Metric::Alloc => "alloc",
            Metric::Copies => "copies",
        }
    }

    /// Its place among all.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The least difference of a line that counts, as a share of the larger total. Bytes are so nearly exact that
    /// differences of no importance are sure.
    const fn least_share(self) -> f64 {
        match self {
            Metric::Cpu => 0.0,
            Metric::Peak | Metric::Alloc | Metric::Copies => 0.01,
        }
    }
}

/// Where the text of source files comes from: of the files as they were when a side ran.
pub trait Texts {
    /// The lines of a file; `None` when they are not known to be those that ran.
    fn lines(&self, file: &[u8]) -> Option<Rc<[String]>>;
}

/// No text at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTexts;

impl Texts for NoTexts {
    fn lines(&self, _file: &[u8]) -> Option<Rc<[String]>> {
        None
    }
}

/// A place in the source of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot<'a> {
    /// Source file.
    pub file: &'a [u8],
    /// A file of Python, in contrast to a native module or a name without a place.
    pub python: bool,
    /// Line, 0 when unknown.
    pub line: u32,
    /// Qualified name of the function.
    pub function: &'a [u8],
}

/// A line of the program: where it stands before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Its place before; `None` when it was not there, or cannot be found.
    pub before: Option<Spot<'a>>,
    /// Its place after.
    pub after: Option<Spot<'a>>,
    /// How the two were found to be the same.
    pub matched_by: MatchedBy,
}

/// A figure before and after: the mean of a side's runs, divided by its units of work; nanoseconds or bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// Before.
    pub before: f64,
    /// After.
    pub after: f64,
    /// Half of the 95 % interval of the difference.
    pub half_width: f64,
}

impl Change {
    /// The difference: positive for more than before.
    pub fn difference(&self) -> f64 {
        self.after - self.before
    }

    /// Is it more than what chance alone does in 19 of 20 cases?
    pub fn is_more_than_noise(&self) -> bool {
        self.difference().abs() > self.half_width
    }
}

/// The change of one line by one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Its position in [`Diff::pairs`].
    pub pair: usize,
    /// The figures.
    pub change: Change,
    /// Samples of both sides together.
    pub samples: u64,
    /// The least false discovery rate at which it would be called changed; `None` where samples are too few to test.
    pub q: Option<f64>,
    /// It changed: `q` is at most [`RATE`], and the difference is not one of no importance.
    pub is_sure: bool,
}

impl Row {
    /// Does the line have figures on one side only?
    pub fn is_in_one(&self) -> bool {
        self.change.before == 0.0 || self.change.after == 0.0
    }
}

/// Every line by one metric.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The metric.
    pub metric: Metric,
    /// The whole program. Of bytes it is exact, but for what differs from run to run.
    pub total: Change,
    /// Lines that have the metric on either side, by the size of the difference, largest first.
    pub rows: Vec<Row>,
    /// How many of them were tested.
    pub tested: usize,
}

impl Compared {
    /// The sum of some rows' changes, with the interval of the sum.
    pub fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Change {
        let mut sum = Change::default();
        let mut squares = 0.0;
        for Row { change, .. } in rows {
            sum.before += change.before;
            sum.after += change.after;
            squares += change.half_width.powi(2);
        }
        sum.half_width = squares.sqrt();
        sum
    }
}

/// Two sides, compared.
#[derive(Clone, Debug)]
pub struct Diff<'a> {
    /// What stood before.
    pub before: &'a Side,
    /// What it is compared with.
    pub after: &'a Side,
    /// The lines of both.
    pub pairs: Vec<Pair<'a>>,
    /// By metric, as far as both sides measured it.
    pub compared: Vec<Compared>,
    /// Lines of a file that was edited were matched by their distance from the begin of their function, for its text is
    /// not at hand from both sides.
    pub is_by_offset: bool,
}

impl Diff<'_> {
    /// The lines by this metric, if both sides measured it.
    pub fn by(&self, metric: Metric) -> Option<&Compared> {
        self.compared.iter().find(|compared| compared.metric == metric)
    }

    /// Is it known how much runs differ anyway?
    pub fn is_repeated(&self) -> bool {
        self.before.runs() > 1 || self.after.runs() > 1
    }

    /// Does any line, or the whole program, surely take more CPU time than before?
    ///
    /// The whole counts where runs were repeated: how much two runs differ anyway is not known otherwise.
    pub fn is_slower(&self) -> bool {
        self.by(Metric::Cpu).is_some_and(|cpu| {
            let slower = |change: &Change| change.difference() > 0.0;
            cpu.rows.iter().any(|row| row.is_sure && slower(&row.change))
                || self.is_repeated() && slower(&cpu.total) && cpu.total.is_more_than_noise()
        })
    }
}

/// Compares two sides; `texts` are those of the source before and after, as far as they are at hand.
pub fn compare<'a>(before: &'a Side, after: &'a Side, texts: [&dyn Texts; 2]) -> Diff<'a> {
    let pairing = matching::pair(before, after, texts);
    let (pairs, lines) = (pairing.pairs, pairing.lines);
    let compared = Metric::ALL
        .into_iter()
        .filter(|metric| before.measures(*metric) && after.measures(*metric))
        .map(|metric| by_metric(metric, before, after, &lines))
        .collect();
    Diff { before, after, pairs, compared, is_by_offset: pairing.is_by_offset }
}

/// `lines`: the numbers of each pair's lines on both sides.
fn by_metric(
    metric: Metric,
    before: &Side,
    after: &Side,
    lines: &[(Option<u32>, Option<u32>)],
) -> Compared {
    let total = Difference::of(&before.total(metric), &after.total(metric)).change();
    let mut rows: Vec<Row> = Vec::new();
    let mut chances: Vec<Option<f64>> = Vec::new();
    for (pair, (old, new)) in lines.iter().enumerate() {
        let (old, new) = (before.line(*old, metric), after.line(*new, metric));
        let samples = old.samples() + new.samples();
        let difference = Difference::of(&old, &new);
        let change = difference.change();
        if change.before == 0.0 && change.after == 0.0 {
            continue;
        }
        chances.push((samples >= ENOUGH).then(|| difference.chance()));
        rows.push(Row { pair, change, samples, q: None, is_sure: false });
    }
    let least = metric.least_share() * total.before.max(total.after);
    for (row, q) in rows.iter_mut().zip(noise::discovery_rates(&chances)) {
        row.q = q;
        row.is_sure = q.is_some_and(|q| q <= RATE) && row.change.difference().abs() >= least;
    }
    rows.sort_by(|a, b| {
        let size = |row: &Row| row.change.difference().abs();
        size(b).total_cmp(&size(a)).then(a.pair.cmp(&b.pair))
    });
    let tested = chances.iter().flatten().count();
    Compared { metric, total, rows, tested }
}
