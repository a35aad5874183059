//! Files with their lines and functions.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::detail::{Detail, MIB, Sum, Whole};
use super::source::{Functions, extents, line, text};
use crate::analysis::Profile;
use crate::analysis::sites::places::OTHER;
use crate::analysis::sites::{Curve, Site, curves};
use crate::export::escape::escape;
use crate::export::names::{NO_STACK, shown};
use crate::export::text::Source;
use crate::ids::StringId;

/// Files at most, and lines with figures in them; the others are one file with one line.
const FILES: usize = 200;
const LINES: usize = 20_000;
/// Lines of whole files, in all files together. Scalene writes some 700 bytes for each.
const TEXT: usize = 10_000;
/// Lines with a curve of what they held.
const CURVES: usize = 1_000;

/// The name that a file goes by. Scalene's page takes names for HTML: markup is replaced by what looks like it.
pub(super) fn name(profile: &Profile, file: StringId) -> String {
    let name = escape(&shown(profile.tables.string(file)));
    match name.is_empty() {
        true => NO_STACK.to_owned(),
        false => name.replace('<', "‹").replace('>', "›").replace('&', "＆"),
    }
}

/// A line by number; what has none by function.
type Key = (StringId, u32, Option<StringId>);

fn key(file: StringId, line: u32, function: StringId) -> Key {
    (file, line, (line == 0).then_some(function))
}

/// All files, made one at a time.
pub(super) struct Files<'a> {
    profile: &'a Profile,
    whole: &'a Whole,
    source: &'a dyn Source,
    functions: Functions,
    curves: HashMap<Key, Curve>,
    /// The heaviest first.
    files: Vec<(String, Vec<&'a Site>)>,
    /// The sites of all other files.
    others: Vec<&'a Site>,
    /// Lines of whole files that may still be written.
    text_left: Cell<usize>,
}

/// Sorts sites into files.
pub(super) fn listed<'a>(
    profile: &'a Profile,
    sites: &'a [Site],
    whole: &'a Whole,
    source: &'a dyn Source,
) -> Files<'a> {
    let mut by_file: HashMap<StringId, (Sum, Vec<&Site>)> = HashMap::new();
    for site in sites {
        let (sum, sites) = by_file.entry(site.file).or_default();
        sum.add(site, whole.waits);
        sites.push(site);
    }
    let mut by_file: Vec<_> = by_file.into_iter().collect();
    by_file.sort_by_key(|(file, (sum, _))| (Reverse((sum.time_ns(), sum.alloc_bytes)), *file));
    let (mut files, mut others, mut lines) = (Vec::new(), Vec::new(), 0);
    let mut names = HashSet::new();
    for (file, (_, sites)) in by_file {
        lines += sites.len();
        if files.len() == FILES || lines > LINES {
            lines -= sites.len();
            others.extend(sites);
            continue;
        }
        files.push((unused(&mut names, name(profile, file)), sites));
    }
    let curves = curves(profile, CURVES, |_| true).into_iter();
    Files {
        profile,
        whole,
        source,
        functions: Functions::of(profile),
        curves: curves.map(|curve| (key(curve.file, curve.line, curve.function), curve)).collect(),
        files,
        others,
        text_left: Cell::new(TEXT),
    }
}

/// A name that no other file has: different paths can look the same, and of two equal keys JSON has one.
fn unused(names: &mut HashSet<String>, name: String) -> String {
    let numbered = (2..).map(|number| format!("{name} ({number})"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !names.contains(name));
    let free = free.unwrap_or(name);
    names.insert(free.clone());
    free
}

/// Field names are Scalene's.
#[derive(Serialize)]
struct File<'a> {
    percent_cpu_time: f64,
    functions: Vec<Detail<'a>>,
    lines: Vec<Line<'a>>,
    leaks: BTreeMap<u32, LeakOf>,
    imports: [&'static str; 0],
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    detail: Detail<'a>,
    start_region_line: u32,
    end_region_line: u32,
    start_outermost_loop: u32,
    end_outermost_loop: u32,
    start_function_line: u32,
    end_function_line: u32,
}

impl<'a> Line<'a> {
    /// Regions and loops are for proposals of a language model; each line is one of its own.
    fn of(detail: Detail<'a>, (first, last): (u32, u32)) -> Self {
        let own = detail.lineno;
        Self {
            detail,
            start_region_line: own,
            end_region_line: own,
            start_outermost_loop: own,
            end_outermost_loop: own,
            start_function_line: first,
            end_function_line: last,
        }
    }
}

#[derive(Serialize)]
struct LeakOf {
    likelihood: f64,
    velocity_mb_s: f64,
}

impl Serialize for Files<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, sites) in &self.files {
            self.file(sites, |file| map.serialize_entry(name, file))?;
        }
        if !self.others.is_empty() {
            let mut names = self.files.iter().map(|(name, _)| name.clone()).collect();
            let name = unused(&mut names, OTHER.to_owned());
            map.serialize_entry(&name, &self.other())?;
        }
        map.end()
    }
}

impl Files<'_> {
    fn share(&self, sum: &Sum) -> f64 {
        self.whole.share_of_time(sum.time_ns()) * 100.0
    }

    fn detail<'b>(&self, line: (&'b str, u32), sum: &Sum, key: Key) -> Detail<'b> {
        Detail::of(line, sum, self.curves.get(&key), self.whole)
    }

    /// Whether Scalene's page shows a file, roughly. Of the others the text is not needed.
    fn is_shown(&self, sum: &Sum) -> bool {
        let peak = self.profile.footprint.peak_bytes;
        self.share(sum) >= 1.0 || sum.live_at_peak_bytes > peak / 100
    }

    /// What is not told apart, as one line.
    fn other(&self) -> File<'_> {
        let mut sum = Sum::default();
        self.others.iter().for_each(|site| sum.add(site, self.whole.waits));
        let detail = Detail::of((OTHER, 1), &sum, None, self.whole);
        File {
            percent_cpu_time: self.share(&sum),
            functions: Vec::new(),
            lines: vec![Line::of(detail, (0, 0))],
            leaks: BTreeMap::new(),
            imports: [],
        }
    }

    /// Makes a file of the sites in it, and lends it.
    fn file<T>(&self, sites: &[&Site], then: impl FnOnce(&File) -> T) -> T {
        let tables = &self.profile.tables;
        let Some(file) = sites.first().map(|site| site.file) else { return then(&self.other()) };
        let path = tables.string(file);
        let mut all = Sum::default();
        let mut lines: BTreeMap<(u32, Option<StringId>), (Sum, StringId)> = BTreeMap::new();
        let mut functions: BTreeMap<(u32, StringId), Sum> = BTreeMap::new();
        for site in sites {
            all.add(site, self.whole.waits);
            let (_, line, function) = key(file, site.line, site.function);
            let (sum, _) =
                lines.entry((line, function)).or_insert_with(|| (Sum::default(), site.function));
            sum.add(site, self.whole.waits);
            let first = self.functions.first_line(file, site.function);
            functions.entry((first, site.function)).or_default().add(site, self.whole.waits);
        }
        let text = match self.is_shown(&all) {
            true => text(self.source, path, self.text_left.get()).unwrap_or_default(),
            false => Vec::new(),
        };
        self.text_left.set(self.text_left.get() - text.len());
        let first_lines: Vec<u32> = functions.keys().map(|(first, _)| *first).collect();
        let extents = extents(&text, &first_lines);
        let function_name = |function: StringId| escape(&shown(tables.string(function)));
        let named: Vec<(&Sum, String)> =
            functions.iter().map(|((_, function), sum)| (sum, function_name(*function))).collect();
        // Of lines whose text is not at hand, or is not whole.
        let own_text = |line_number: u32, function: StringId| match line_number {
            0 => function_name(function),
            _ => line(self.source, path, line_number).unwrap_or_else(|| function_name(function)),
        };
        let with_figures: Vec<_> = lines
            .iter()
            .filter(|((line, _), _)| *line == 0 || *line as usize > text.len())
            .map(|((line, _), (sum, function))| (*line, sum, *function, own_text(*line, *function)))
            .collect();
        let nothing = Sum::default();
        let mut rows: Vec<Line> = Vec::new();
        let without = with_figures.partition_point(|row| row.0 == 0);
        for (line, sum, function, text) in &with_figures[..without] {
            rows.push(Line::of(
                self.detail((text, *line), sum, key(file, *line, *function)),
                (0, 0),
            ));
        }
        for (at, text) in text.iter().enumerate() {
            let number = at as u32 + 1;
            let sum = lines.get(&(number, None)).map_or(&nothing, |(sum, _)| sum);
            let detail = self.detail((text, number), sum, (file, number, None));
            rows.push(Line::of(detail, extents[at]));
        }
        for (line, sum, function, text) in &with_figures[without..] {
            rows.push(Line::of(
                self.detail((text, *line), sum, key(file, *line, *function)),
                (0, 0),
            ));
        }
        let leaking = lines.iter().filter_map(|((line, _), (sum, _))| {
            let leak = sum.leak?;
            // Of so many blocks each was still there: the rule of succession, as Scalene has it.
            let blocks = leak.blocks as f64;
            let likelihood = (blocks + 1.0) / (blocks + 2.0);
            Some((
                (*line).max(1),
                LeakOf { likelihood, velocity_mb_s: leak.bytes_per_s as f64 / MIB },
            ))
        });
        then(&File {
            percent_cpu_time: self.share(&all),
            functions: named
                .iter()
                .zip(&first_lines)
                .map(|((sum, name), first)| Detail::of((name, *first), sum, None, self.whole))
                .collect(),
            lines: rows,
            leaks: leaking.collect(),
            imports: [],
        })
    }
}
