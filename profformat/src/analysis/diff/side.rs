//! One side of a comparison: a run, or several runs of the same program.

use std::collections::HashMap;

use super::matching::files;
use super::noise::{Figure, Figures};
use super::run::{About, Definition, Run};
use super::{Metric, Spot};

/// The runs of one side, by line.
#[derive(Clone, Debug)]
pub struct Side {
    runs: usize,
    /// Units of work of each run.
    work: f64,
    abouts: Vec<About>,
    pub(super) names: Vec<Box<[u8]>>,
    /// The files that have lines: positions in `names`.
    pub(super) files: Vec<u32>,
    pub(super) lines: Vec<Line>,
    pub(super) functions: Vec<Definition>,
    totals: [Vec<Option<Figure>>; Metric::ALL.len()],
}

/// A line with the figures of every run.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Position in [`Side::names`], as is `function`.
    pub(super) file: u32,
    pub(super) python: bool,
    pub(super) line: u32,
    pub(super) function: u32,
    /// By run.
    figures: Vec<[Figure; Metric::ALL.len()]>,
}

impl Side {
    /// A side of these runs, each of which did `work` units of work (1 to compare whole runs). What cannot be divided
    /// by is taken as 1.
    pub fn new(runs: Vec<Run>, work: f64) -> Self {
        let work = if work.is_normal() && work > 0.0 { work } else { 1.0 };
        let count = runs.len();
        let mut side = Self {
            runs: count,
            work,
            abouts: Vec::new(),
            names: Vec::new(),
            files: Vec::new(),
            lines: Vec::new(),
            functions: Vec::new(),
            totals: Default::default(),
        };
        let mut names: HashMap<Box<[u8]>, u32> = HashMap::new();
        let mut lines: HashMap<(u32, u32, Option<u32>), usize> = HashMap::new();
        for (at, run) in runs.into_iter().enumerate() {
            side.add(at, run, &mut names, &mut lines);
        }
        side.functions.sort_unstable_by_key(|function| (function.file, function.first_line));
        side.functions.dedup();
        side
    }

    fn add(
        &mut self,
        at: usize,
        run: Run,
        names: &mut HashMap<Box<[u8]>, u32>,
        lines: &mut HashMap<(u32, u32, Option<u32>), usize>,
    ) {
        // Another run can have been made in another folder.
        let mut of_run: Vec<u32> = run.lines.iter().map(|line| line.file).collect();
        of_run.sort_unstable();
        of_run.dedup();
        let known: Vec<&[u8]> = self.files.iter().map(|&file| self.name(file)).collect();
        let paths: Vec<&[u8]> = of_run.iter().map(|&file| &*run.names[file as usize]).collect();
        let same = files::matched(&known, &paths);
        let same: HashMap<u32, u32> = of_run
            .iter()
            .zip(same)
            .filter_map(|(file, known)| Some((*file, self.files[known? as usize])))
            .collect();

        let mut number = |name: &[u8]| match names.get(name) {
            Some(known) => *known,
            None => {
                self.names.push(name.into());
                names.insert(name.into(), self.names.len() as u32 - 1);
                self.names.len() as u32 - 1
            }
        };
        let translated: Vec<u32> = run.names.iter().map(|name| number(name)).collect();
        let of = |name: u32| translated[name as usize];
        let file_of = |file: u32| same.get(&file).copied().unwrap_or_else(|| of(file));
        for line in &run.lines {
            let (file, function) = (file_of(line.file), of(line.function));
            let key = (file, line.line, (line.line == 0).then_some(function));
            let position = *lines.entry(key).or_insert_with(|| {
                let figures = vec![[Figure::default(); Metric::ALL.len()]; self.runs];
                let (python, line) = (line.python, line.line);
                self.lines.push(Line { file, python, line, function, figures });
                self.lines.len() - 1
            });
            self.lines[position].figures[at] = line.figures;
        }
        self.functions.extend(run.functions.iter().map(|function| Definition {
            file: file_of(function.file),
            name: of(function.name),
            first_line: function.first_line,
        }));
        self.files = self.lines.iter().map(|line| line.file).collect();
        self.files.sort_unstable();
        self.files.dedup();
        for (sums, total) in self.totals.iter_mut().zip(run.totals) {
            sums.push(total);
        }
        self.abouts.push(run.about);
    }

    /// How many runs.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// Units of work of each run.
    pub fn work(&self) -> f64 {
        self.work
    }

    /// Facts of the runs.
    pub fn abouts(&self) -> &[About] {
        &self.abouts
    }

    /// Did all runs measure it?
    pub fn measures(&self, metric: Metric) -> bool {
        !self.abouts.is_empty() && self.totals[metric.index()].iter().all(Option::is_some)
    }

    pub(super) fn name(&self, name: u32) -> &[u8] {
        &self.names[name as usize]
    }

    pub(super) fn spot(&self, line: u32) -> Spot<'_> {
        let Line { file, python, line, function, .. } = self.lines[line as usize];
        Spot { file: self.name(file), python, line, function: self.name(function) }
    }

    pub(super) fn total(&self, metric: Metric) -> Figures {
        let totals = self.totals[metric.index()].iter();
        Figures { runs: totals.map(|total| total.unwrap_or_default()).collect(), work: self.work }
    }

    /// The figures of a line, zeros of one that this side does not have.
    pub(super) fn line(&self, line: Option<u32>, metric: Metric) -> Figures {
        let runs = match line {
            Some(line) => {
                let figures = self.lines[line as usize].figures.iter();
                figures.map(|figures| figures[metric.index()]).collect()
            }
            None => vec![Figure::default(); self.runs],
        };
        Figures { runs, work: self.work }
    }
}
