//! A comparison as JSON. `docs/diff.schema.json` describes it; names and meanings are kept within one `version`.

use std::borrow::Cow;
use std::io::Write;

use serde::{Serialize, Serializer};

use crate::analysis::diff::{Change, Compared, Diff, Metric, Pair, Row, Side, Spot};
use crate::analysis::sites::places::text;
use crate::export::ExportError;
use crate::export::json::plain;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: u32,
    before: About<'a>,
    after: About<'a>,
    metrics: Vec<By<'a>>,
}

#[derive(Serialize)]
struct About<'a> {
    program: Vec<Cow<'a, str>>,
    python: Vec<&'a str>,
    runs: usize,
    per: f64,
    whole: bool,
}

impl<'a> About<'a> {
    fn of(side: &'a Side) -> Self {
        let first = side.abouts().first();
        let words = first.map_or(&[][..], |about| &about.command).iter();
        let pythons = first.map_or(&[][..], |about| &about.pythons).iter();
        Self {
            program: words.map(|word| String::from_utf8_lossy(word)).collect(),
            python: pythons.map(String::as_str).collect(),
            runs: side.runs(),
            per: side.work(),
            whole: side.abouts().iter().all(|about| about.is_whole),
        }
    }
}

#[derive(Serialize)]
struct By<'a> {
    metric: &'static str,
    unit: &'static str,
    total: Figures,
    tested: usize,
    lines: Lines<'a>,
}

impl<'a> By<'a> {
    fn of(diff: &'a Diff<'a>, compared: &'a Compared) -> Self {
        let metric = compared.metric;
        Self {
            metric: metric.name(),
            unit: if metric == Metric::Cpu { "seconds" } else { "bytes" },
            total: Figures::of(&compared.total, metric),
            tested: compared.tested,
            lines: Lines { diff, compared },
        }
    }
}

/// Figures in the unit of the metric; `null` for an interval that is not known.
#[derive(Serialize)]
struct Figures {
    before: f64,
    after: f64,
    change: f64,
    half_width: Option<f64>,
}

impl Figures {
    fn of(change: &Change, metric: Metric) -> Self {
        let scale = if metric == Metric::Cpu { 1e9 } else { 1.0 };
        Self {
            before: change.before / scale,
            after: change.after / scale,
            change: change.difference() / scale,
            half_width: Some(change.half_width / scale).filter(|width| width.is_finite()),
        }
    }
}

/// Lines of a metric, made one at a time.
struct Lines<'a> {
    diff: &'a Diff<'a>,
    compared: &'a Compared,
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let metric = self.compared.metric;
        let rows = self.compared.rows.iter();
        serializer.collect_seq(rows.map(|row| Line::of(row, &self.diff.pairs[row.pair], metric)))
    }
}

#[derive(Serialize)]
struct Line<'a> {
    place_before: Option<Place<'a>>,
    place_after: Option<Place<'a>>,
    matched_by: &'static str,
    #[serde(flatten)]
    figures: Figures,
    samples: u64,
    q: Option<f64>,
    sure: bool,
}

impl<'a> Line<'a> {
    fn of(row: &Row, pair: &Pair<'a>, metric: Metric) -> Self {
        Self {
            place_before: pair.before.map(Place::of),
            place_after: pair.after.map(Place::of),
            matched_by: pair.matched_by.name(),
            figures: Figures::of(&row.change, metric),
            samples: row.samples,
            q: row.q,
            sure: row.is_sure,
        }
    }
}

#[derive(Serialize)]
struct Place<'a> {
    path: Cow<'a, str>,
    line: u32,
    function: Cow<'a, str>,
}

impl<'a> Place<'a> {
    fn of(spot: Spot<'a>) -> Self {
        Self { path: text(spot.file), line: spot.line, function: text(spot.function) }
    }
}

/// Writes every line with every figure as one JSON document.
pub(super) fn write(diff: &Diff<'_>, out: &mut dyn Write) -> Result<(), ExportError> {
    let document = Document {
        schema: "prof-diff",
        version: 1,
        before: About::of(diff.before),
        after: About::of(diff.after),
        metrics: diff.compared.iter().map(|compared| By::of(diff, compared)).collect(),
    };
    plain(&document, out)
}
