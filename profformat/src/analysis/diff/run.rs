//! What a comparison needs of one run: figures by line, and where its functions begin.

use std::collections::{HashMap, HashSet};

use super::noise::{Figure, HALF};
use super::{Metric, Spot};
use crate::analysis::Profile;
use crate::analysis::estimate::{bytes_variance, interval_in_force};
use crate::analysis::sites::{Site, on_cpu, sites};
use crate::ids::StringId;
use crate::record::{Lang, counter};

/// Different commands of a run that are kept.
const COMMANDS: usize = 32;

/// Facts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The command as the user gave it.
    pub command: Vec<Vec<u8>>,
    /// The commands of its processes, each once.
    pub commands: Vec<Vec<Vec<u8>>>,
    /// Versions of its interpreters, each once, in order.
    pub pythons: Vec<String>,
    /// Expected CPU nanoseconds between two samples of a thread.
    pub cpu_interval_ns: u64,
    /// All of it was recorded, and all of the file can be read.
    pub is_whole: bool,
}

/// One run, without its stacks: its size follows the number of lines.
#[derive(Clone, Debug)]
pub struct Run {
    /// What run it was.
    pub about: About,
    /// Different names of files and functions.
    pub(super) names: Vec<Box<[u8]>>,
    pub(super) lines: Vec<Line>,
    pub(super) functions: Vec<Definition>,
    /// Of the whole run, by metric; `None` where it was not measured.
    pub(super) totals: [Option<Figure>; Metric::ALL.len()],
}

/// A line, or a function of which no lines are known. Names are positions in [`Run::names`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) file: u32,
    pub(super) python: bool,
    /// 0 when unknown.
    pub(super) line: u32,
    /// The outermost function of the line.
    pub(super) function: u32,
    pub(super) figures: [Figure; Metric::ALL.len()],
}

/// Where a function begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Definition {
    pub(super) file: u32,
    pub(super) name: u32,
    pub(super) first_line: u32,
}

impl Run {
    /// The run that this profile is of.
    pub fn of(profile: &Profile) -> Self {
        let tables = &profile.tables;
        let mut names = Names { by_id: HashMap::new(), by_text: HashMap::new(), all: Vec::new() };
        let mut name = |id: StringId| names.of(id, tables.string(id));
        let python: HashSet<StringId> = tables
            .functions()
            .iter()
            .filter(|function| function.lang == Lang::Python)
            .map(|function| function.file)
            .collect();
        let mut sites = sites(profile);
        // The function with most time below it calls the others of its line: a comprehension, a lambda.
        sites.sort_by_key(|site| std::cmp::Reverse(site.total_cpu_ns));
        let mut lines: Vec<Line> = Vec::new();
        let mut known: HashMap<(u32, u32, Option<u32>), usize> = HashMap::new();
        for site in &sites {
            let (file, function) = (name(site.file), name(site.function));
            let figures = figures(profile, site);
            let key = (file, site.line, (site.line == 0).then_some(function));
            let at = *known.entry(key).or_insert_with(|| {
                let python = python.contains(&site.file);
                let figures = [Figure::default(); Metric::ALL.len()];
                lines.push(Line { file, python, line: site.line, function, figures });
                lines.len() - 1
            });
            for (sum, figure) in lines[at].figures.iter_mut().zip(&figures) {
                sum.add(figure);
            }
        }
        let files: HashSet<StringId> = sites.iter().map(|site| site.file).collect();
        let mut functions: Vec<Definition> = tables
            .functions()
            .iter()
            .filter(|function| function.first_line > 0 && files.contains(&function.file))
            .map(|function| {
                let (file, name) = (name(function.file), name(function.name));
                Definition { file, name, first_line: function.first_line }
            })
            .collect();
        functions.sort_unstable_by_key(|function| (function.file, function.first_line));
        let totals = totals(profile, &lines);
        Self { about: About::of(profile), names: names.all, lines, functions, totals }
    }
}

/// A figure with half of its 95 % interval; nanoseconds or bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// 0 of one that is exact.
    pub half_width: f64,
}

impl Run {
    /// The whole run by a metric, if it was measured. CPU time is exact, for weights are differences of clocks, and so
    /// are bytes that were counted.
    pub fn total(&self, metric: Metric) -> Option<Estimate> {
        let figure = self.totals[metric.index()]?;
        let variance = if metric == Metric::Cpu { 0.0 } else { figure.variance };
        Some(Estimate { value: figure.value, half_width: HALF * variance.sqrt() })
    }

    /// Every line by a metric.
    pub fn lines(&self, metric: Metric) -> impl Iterator<Item = (Spot<'_>, Estimate)> {
        self.lines.iter().map(move |line| {
            let Figure { value, variance, .. } = line.figures[metric.index()];
            let name = |at: u32| &*self.names[at as usize];
            let (file, function) = (name(line.file), name(line.function));
            let spot = Spot { file, python: line.python, line: line.line, function };
            (spot, Estimate { value, half_width: HALF * variance.sqrt() })
        })
    }
}

impl About {
    fn of(profile: &Profile) -> Self {
        let profiled = || profile.processes.iter().filter(|(process, _)| process.profiled);
        let mut commands: Vec<Vec<Vec<u8>>> = Vec::new();
        let mut seen = HashSet::new();
        let all = std::iter::once(&profile.header.command)
            .chain(profiled().map(|(process, _)| &process.command));
        commands.extend(all.filter(|command| seen.insert(*command)).take(COMMANDS).cloned());
        let pythons = profiled().map(|(process, _)| &process.python);
        let mut pythons: Vec<String> =
            pythons.filter(|python| !python.is_empty()).cloned().collect();
        pythons.sort_unstable();
        pythons.dedup();
        Self {
            command: profile.header.command.clone(),
            commands,
            pythons,
            cpu_interval_ns: profile.header.cpu_interval_ns,
            is_whole: profile.complete && profile.damage.is_sound(),
        }
    }
}

/// Numbers for strings: the same text has one number, whatever its id.
struct Names<'a> {
    by_id: HashMap<StringId, u32>,
    by_text: HashMap<&'a [u8], u32>,
    all: Vec<Box<[u8]>>,
}

impl<'a> Names<'a> {
    fn of(&mut self, id: StringId, text: &'a [u8]) -> u32 {
        let Self { by_id, by_text, all } = self;
        *by_id.entry(id).or_insert_with(|| {
            *by_text.entry(text).or_insert_with(|| {
                all.push(text.into());
                all.len() as u32 - 1
            })
        })
    }
}

fn figures(profile: &Profile, site: &Site) -> [Figure; Metric::ALL.len()] {
    let header = &profile.header;
    let bytes = |bytes: u64, samples: u64, calls: (u64, u64), interval: u64| {
        // Mean size of all of the line's calls.
        let size = calls.0 as f64 / calls.1.max(1) as f64;
        let in_force = interval_in_force(bytes, samples, size, interval);
        let variance = bytes_variance(bytes, size, in_force);
        // A large block is one sample, and as good as many.
        let samples = samples.max(bytes.checked_div(interval).unwrap_or(0));
        Figure { value: bytes as f64, variance, samples }
    };
    let (peak, alloc, copied) = (site.live_at_peak_bytes, site.alloc_bytes, site.copy_bytes);
    let blocks = (alloc, site.alloc_count);
    let copies = (copied, site.copy_count);
    [
        Figure {
            value: on_cpu(&site.self_ns) as f64,
            variance: site.self_squares as f64,
            samples: site.samples,
        },
        bytes(peak, site.live_at_peak_blocks, blocks, header.memory_interval),
        bytes(alloc, site.alloc_samples, blocks, header.memory_interval),
        bytes(copied, site.copy_samples, copies, header.copy_interval),
    ]
}

fn is_measured(profile: &Profile, metric: Metric) -> bool {
    let header = &profile.header;
    let (interval, is_there) = match metric {
        Metric::Cpu => (header.cpu_interval_ns, !profile.time.is_empty()),
        Metric::Peak | Metric::Alloc => (header.memory_interval, !profile.memory.is_empty()),
        Metric::Copies => (header.copy_interval, !profile.copies.is_empty()),
    };
    interval > 0 || is_there
}

/// The figures of the whole run: time is the sum of its lines; bytes are counted, where there are counters.
fn totals(profile: &Profile, lines: &[Line]) -> [Option<Figure>; Metric::ALL.len()] {
    let counted = |name| profile.counters.get(name).copied().filter(|&bytes| bytes > 0);
    Metric::ALL.map(|metric| {
        let mut sum = Figure::default();
        lines.iter().for_each(|line| sum.add(&line.figures[metric.index()]));
        let exact = match metric {
            Metric::Cpu => None,
            Metric::Peak => Some(profile.footprint.peak_bytes),
            Metric::Alloc => counted(counter::ALLOC_BYTES),
            Metric::Copies => counted(counter::COPY_BYTES),
        };
        let exact =
            exact.map(|bytes| Figure { value: bytes as f64, variance: 0.0, samples: sum.samples });
        is_measured(profile, metric).then(|| exact.unwrap_or(sum))
    })
}
