//! A profile as the report looks at it: rows, totals, scales.

use super::imports::{self, Imports};
use super::number::{self, TimeScale};
use super::page::{Look, SiteKey, Style, foreign};
use super::place::{Place, Places};
use super::route::ByClass;
use super::select::{Metric, Row, matches, rows};
use super::{Figures, Options, Sort, Source};
use crate::analysis::Profile;
use crate::analysis::sites::FunctionSum;
use crate::analysis::sites::places::shown;
use crate::ids::StringId;
use crate::record::{Class, counter};

/// Everything that the sections need.
pub(super) struct View<'a> {
    pub(super) profile: &'a Profile,
    pub(super) options: &'a Options,
    pub(super) look: Look,
    /// What is sorted by: as asked for, but not by time that was not measured.
    pub(super) sort: Sort,
    pub(super) places: Places<'a>,
    pub(super) rows: Vec<Row>,
    pub(super) functions: Vec<FunctionSum>,
    pub(super) totals: Totals,
    /// Time below the import system.
    pub(super) imports: Imports,
    /// One unit of time for all tables.
    pub(super) time: TimeScale,
    pub(super) source: &'a dyn Source,
}

/// Sums over the whole run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) classes: ByClass,
    /// CPU time of all samples.
    pub(super) cpu_ns: u64,
    pub(super) samples: u64,
    /// Sum of their squared weights.
    pub(super) squares: u128,
    /// CPU time that the system charged to the profiled processes, when it is known for all of them.
    pub(super) charged_ns: Option<u64>,
    pub(super) alloc: u64,
    pub(super) kept: u64,
    pub(super) copied: u64,
}

impl Totals {
    fn new(profile: &Profile) -> Self {
        let mut totals = Self::default();
        for sum in &profile.time {
            let class = &mut totals.classes[sum.class.code() as usize];
            *class = class.saturating_add(sum.weight_ns);
            if sum.class.on_cpu() {
                totals.squares = totals.squares.saturating_add(sum.weight_squares);
                totals.samples = totals.samples.saturating_add(sum.samples);
            }
        }
        totals.cpu_ns = number::on_cpu(&totals.classes);
        let ends = profile.processes.iter().filter(|(process, _)| process.profiled);
        totals.charged_ns = ends
            .map(|(_, end)| end.map(|end| end.cpu_ns).filter(|&ns| ns > 0))
            .try_fold(0, |sum: u64, ns| Some(sum.saturating_add(ns?)))
            .filter(|&ns| ns > 0);
        let counted = |name| profile.counters.get(name).copied().filter(|&n| n > 0);
        totals.alloc = counted(counter::ALLOC_BYTES)
            .unwrap_or_else(|| number::sum(profile.memory.iter().map(|sum| sum.alloc_bytes)));
        totals.copied = counted(counter::COPY_BYTES)
            .unwrap_or_else(|| number::sum(profile.copies.iter().map(|sum| sum.copy_bytes)));
        totals.kept = number::sum(profile.memory.iter().map(|sum| sum.live_at_end_bytes));
        totals
    }

    pub(super) fn class(&self, class: Class) -> u64 {
        self.classes[class.code() as usize]
    }
}

impl<'a> View<'a> {
    pub(super) fn new(
        profile: &'a Profile,
        figures: Figures,
        options: &'a Options,
        source: &'a dyn Source,
    ) -> Self {
        let places = Places::new(profile);
        let imports = Imports::of(profile);
        let mut rows = rows(figures.sites, &places);
        imports.fill(&mut rows);
        let totals = Totals::new(profile);
        let look =
            Look { width: options.width.max(20), color: options.color, ascii: options.ascii };
        let measured = |interval: u64| interval > 0;
        let sort = match (options.sort, &profile.header) {
            (Sort::Cpu, header) if measured(header.cpu_interval_ns) => Sort::Cpu,
            (Sort::Cpu, header) if measured(header.memory_interval) => Sort::Memory,
            (Sort::Cpu, header) if measured(header.copy_interval) => Sort::Copies,
            (sort, _) => sort,
        };
        let time = TimeScale::for_largest(totals.cpu_ns);
        Self {
            profile,
            options,
            look,
            sort,
            places,
            rows,
            functions: imports.fold(profile, figures.functions),
            totals,
            imports,
            time,
            source,
        }
    }

    pub(super) fn measures_time(&self) -> bool {
        self.profile.header.cpu_interval_ns > 0
    }

    pub(super) fn measures_memory(&self) -> bool {
        self.profile.header.memory_interval > 0
    }

    pub(super) fn measures_copies(&self) -> bool {
        self.profile.header.copy_interval > 0
    }

    pub(super) fn place(&self, file: StringId) -> Place<'a> {
        self.places.of(file)
    }

    /// Does the file pass `--file`?
    pub(super) fn passes(&self, file: StringId) -> bool {
        self.options.file.as_ref().is_none_or(|pattern| {
            let path = self.profile.tables.string(file);
            matches(pattern.as_bytes(), path)
                || matches(pattern.as_bytes(), self.place(file).short().as_bytes())
        })
    }

    /// The rows that pass `--file`.
    pub(super) fn shown_rows(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| self.passes(row.site.file)).collect()
    }

    /// The row with the largest value, if it is not zero.
    pub(super) fn leader(&self, metric: Metric) -> Option<&Row> {
        self.rows.iter().max_by_key(|row| row.value(metric)).filter(|row| row.value(metric) > 0)
    }

    /// Cells of a column of total times: its heading has a unit of up to three letters.
    pub(super) fn total_width(&self) -> usize {
        9.max("  total".len() + self.time.unit.len())
    }

    /// A time in the unit and decimals of the tables, with its unit.
    pub(super) fn time_text(&self, ns: u64) -> String {
        format!("{}\u{a0}{}", self.time.figure(ns), self.time.unit)
    }

    /// A name of the trace, escaped.
    pub(super) fn name(&self, name: StringId) -> String {
        foreign(&shown(self.profile.tables.string(name)))
    }

    /// A row's name in a sentence: `nodes.py:220`, or the function where no line is known.
    pub(super) fn spot(&self, row: &Row) -> String {
        self.spot_of(row.site.file, row.site.line, row.site.function)
    }

    /// The same as a piece of a sentence.
    pub(super) fn named(&self, row: &Row) -> (Style, String) {
        (Style::Site(SiteKey::of(&row.site)), self.spot(row))
    }

    pub(super) fn spot_of(&self, file: StringId, line: u32, function: StringId) -> String {
        if imports::is_import_system(self.profile.tables.string(file)) {
            return imports::NAME.into();
        }
        let place = self.place(file);
        let short = |name: &str| self.look.cut_start(name, 40);
        match (line, place.base().as_str()) {
            (0, "") => short(&self.name(function)),
            (0, base) => format!("{} ({})", short(&self.name(function)), short(base)),
            (line, base) => format!("{}:{line}", short(base)),
        }
    }
}
