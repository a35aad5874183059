//! What a format tells of a metric, read back from its bytes.
//!
//! A format that is added needs a file here and a line in [`READERS`]: then every figure that it tells is compared with
//! those of all others.

mod collapsed;
mod firefox;
mod flamegraph;
mod html;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod pprof;
mod scalene;
mod speedscope;
mod text;

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};

/// Reads what a format tells of a metric.
pub(crate) type Reader = fn(&Profile, Metric) -> Told;

/// A reader for each format, by the format's name.
const READERS: &[(&str, Reader)] = &[
    ("text", text::read),
    ("html", html::read),
    ("json", json::read),
    ("pprof", pprof::read),
    ("speedscope", speedscope::read),
    ("collapsed", collapsed::read),
    ("scalene", scalene::read),
    ("flamegraph", flamegraph::read),
    ("firefox", firefox::read),
    #[cfg(feature = "parquet")]
    ("parquet", parquet::read),
];

/// The reader of a format.
#[track_caller]
pub(crate) fn reader(format: Format) -> Reader {
    let found = READERS.iter().find(|(name, _)| *name == format.name());
    let missing =
        "has no reader: write one in tests/exports/readers, so that its figures are compared";
    found.unwrap_or_else(|| panic!("{} {missing}", format.name())).1
}

/// A frame by its function, file and line, as escaped text; unknown ones are empty and 0.
pub(crate) type Frame = (String, String, u64);
/// Weights of whole stacks, outermost frame first.
pub(crate) type Stacks = BTreeMap<Vec<Frame>, u64>;
/// The last part of a file's path, and a line.
pub(crate) type Line = (String, u64);
/// The last part of a file's path, and a function.
pub(crate) type Function = (String, String);

/// What an export tells, in nanoseconds or bytes; `None` of what its format does not tell. Nothing in it is zero.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) total: Option<u64>,
    pub(crate) stacks: Option<Stacks>,
    /// By the line that a stack's weight counts for.
    pub(crate) lines: Option<BTreeMap<Line, u64>>,
    /// By every line on a stack, each once.
    pub(crate) line_totals: Option<BTreeMap<Line, u64>>,
    /// By the function that a stack's weight counts for.
    pub(crate) functions: Option<BTreeMap<Function, u64>>,
    /// By number of the thread.
    pub(crate) threads: Option<BTreeMap<u64, u64>>,
}

impl Told {
    /// All that follows from the weights of stacks: weights count for the innermost line of Python, on a stack without
    /// one for the innermost of all.
    pub(crate) fn of_stacks(stacks: Stacks) -> Self {
        let (mut lines, mut totals) = (BTreeMap::new(), BTreeMap::new());
        let mut functions = BTreeMap::new();
        for (stack, weight) in &stacks {
            let is_python = |frame: &&Frame| frame.1.ends_with(".py");
            let mut sites: Vec<&Frame> = stack.iter().filter(is_python).collect();
            if sites.is_empty() {
                sites = stack.iter().collect();
            }
            let (name, file, line) = sites.last().expect("no stack is empty");
            *lines.entry((base(file), *line)).or_insert(0) += weight;
            *functions.entry((base(file), name.clone())).or_insert(0) += weight;
            let mut on_it: Vec<Line> = sites.iter().map(|(_, f, line)| (base(f), *line)).collect();
            on_it.sort();
            on_it.dedup();
            for line in on_it {
                *totals.entry(line).or_insert(0) += weight;
            }
        }
        Self {
            total: Some(stacks.values().sum()),
            stacks: Some(stacks),
            lines: Some(lines),
            line_totals: Some(totals),
            functions: Some(functions),
            threads: None,
        }
    }

    /// Is what both tell the same?
    #[track_caller]
    pub(crate) fn assert_same(&self, truth: &Told, what: &str) {
        #[track_caller]
        fn same<T: std::fmt::Debug + PartialEq>(told: &Option<T>, truth: &Option<T>, what: &str) {
            if let (Some(told), Some(truth)) = (told, truth) {
                assert_eq!(told, truth, "{what}");
            }
        }
        same(&self.total, &truth.total, &format!("{what}: total"));
        same(&self.stacks, &truth.stacks, &format!("{what}: stacks"));
        same(&self.lines, &truth.lines, &format!("{what}: lines"));
        same(&self.line_totals, &truth.line_totals, &format!("{what}: totals of lines"));
        same(&self.functions, &truth.functions, &format!("{what}: functions"));
        same(&self.threads, &truth.threads, &format!("{what}: threads"));
    }
}

/// The last part of a path.
pub(crate) fn base(file: &str) -> String {
    file.rsplit('/').next().unwrap_or_default().to_owned()
}
