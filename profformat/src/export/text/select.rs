//! Which lines are shown, and the sums of those that are not.

use std::collections::{HashMap, HashSet};

use super::imports::is_import_system;
use super::place::Places;
use super::{Sort, number};
use crate::analysis::copies;
use crate::analysis::sites::copiers::added_up;
use crate::analysis::sites::{Site, Why, WhyKind};
use crate::ids::StringId;

/// A line of the report: all functions of one source line together.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Sums over the line's functions. `function` is the outermost; totals are the largest, because the
    /// functions of a line (a comprehension, a lambda) run inside each other.
    pub(super) site: Site,
    /// The user's own code.
    pub(super) yours: bool,
    /// All lines of the import system together; it has no line of its own.
    pub(super) imports: bool,
}

/// What a row can be measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Own,
    Total,
    Alloc,
    Peak,
    Kept,
    Copied,
    Churn,
}

impl Row {
    pub(super) fn value(&self, metric: Metric) -> u64 {
        match metric {
            Metric::Own => number::on_cpu(&self.site.self_ns),
            Metric::Total => self.site.total_cpu_ns,
            Metric::Alloc => self.site.alloc_bytes,
            Metric::Peak => self.site.live_at_peak_bytes,
            Metric::Kept => self.site.live_at_end_bytes,
            Metric::Copied => self.site.copy_bytes,
            Metric::Churn => self.site.churn_bytes,
        }
    }

    /// Mean size of the blocks allocated here.
    pub(super) fn mean_block(&self) -> f64 {
        self.site.alloc_bytes as f64 / self.site.alloc_count.max(1) as f64
    }

    /// Mean size of the copies made here.
    pub(super) fn mean_copy(&self) -> f64 {
        self.site.copy_bytes as f64 / self.site.copy_count.max(1) as f64
    }
}

/// The rows of a profile, in an order that is always the same.
pub(super) fn rows(mut sites: Vec<Site>, places: &Places<'_>) -> Vec<Row> {
    let systems = places.all(is_import_system);
    let imports = |site: &Site| systems.binary_search(&site.file).is_ok();
    // A native function without a line is a row of its own.
    let key = |site: &Site| match (imports(site), site.line) {
        (true, _) => (systems[0], 0, None),
        (false, 0) => (site.file, 0, Some(site.function)),
        (false, line) => (site.file, line, None),
    };
    sites.sort_by_key(|site| (key(site), std::cmp::Reverse(site.total_cpu_ns), site.function));
    let (mut rows, mut group): (Vec<Row>, Vec<Site>) = (Vec::new(), Vec::new());
    let mut sites = sites.into_iter().peekable();
    // A file is looked at once: its path can be long.
    let mut last: Option<(StringId, bool)> = None;
    while let Some(site) = sites.next() {
        let is_last = sites.peek().is_none_or(|next| key(next) != key(&site));
        group.push(site);
        if is_last {
            let file = group[0].file;
            let known = last.filter(|(of, _)| *of == file);
            let yours = known.map_or_else(|| places.of(file).yours, |(_, yours)| yours);
            last = Some((file, yours));
            let imports = imports(&group[0]);
            rows.extend(merged(&mut group).map(|mut site| {
                if imports {
                    // Its lines call each other: what is below one of them is below many.
                    (site.file, site.line) = (systems[0], 0);
                    (site.why, site.callers) = Default::default();
                }
                Row { site, yours, imports }
            }));
        }
    }
    rows.sort_by_key(|row| (row.site.file, row.site.line, row.site.function));
    rows
}

/// The functions of a line as one; takes them away.
fn merged(group: &mut Vec<Site>) -> Option<Site> {
    let why = (group.len() > 1).then(|| merged_why(group));
    let mut group = group.drain(..);
    let mut sum = group.next()?;
    for site in group {
        for (into, &from) in sum.self_ns.iter_mut().zip(&site.self_ns) {
            *into = into.saturating_add(from);
        }
        sum.samples = sum.samples.saturating_add(site.samples);
        sum.self_squares = sum.self_squares.saturating_add(site.self_squares);
        sum.alloc_bytes = sum.alloc_bytes.saturating_add(site.alloc_bytes);
        sum.alloc_python_bytes = sum.alloc_python_bytes.saturating_add(site.alloc_python_bytes);
        sum.alloc_count = sum.alloc_count.saturating_add(site.alloc_count);
        sum.alloc_samples = sum.alloc_samples.saturating_add(site.alloc_samples);
        sum.live_at_peak_bytes = sum.live_at_peak_bytes.saturating_add(site.live_at_peak_bytes);
        sum.live_at_peak_blocks = sum.live_at_peak_blocks.saturating_add(site.live_at_peak_blocks);
        sum.live_at_end_bytes = sum.live_at_end_bytes.saturating_add(site.live_at_end_bytes);
        sum.live_at_end_blocks = sum.live_at_end_blocks.saturating_add(site.live_at_end_blocks);
        sum.churn_bytes = sum.churn_bytes.saturating_add(site.churn_bytes);
        sum.copy_bytes = sum.copy_bytes.saturating_add(site.copy_bytes);
        sum.copy_count = sum.copy_count.saturating_add(site.copy_count);
        sum.copy_samples = sum.copy_samples.saturating_add(site.copy_samples);
        copies::add_sizes(&mut sum.copy_sizes, &site.copy_sizes);
        sum.copiers.extend(site.copiers);
        sum.copy_cpu_ns = sum.copy_cpu_ns.saturating_add(site.copy_cpu_ns);
    }
    if let Some(why) = why {
        sum.why = why;
        sum.copiers = added_up(sum.copiers);
        let own_total = number::on_cpu(&sum.self_ns);
        if own_total > sum.total_cpu_ns {
            (sum.total_cpu_ns, sum.total_samples) = (own_total, sum.samples);
            sum.total_squares = sum.self_squares;
        }
        sum.callers.retain(|&(file, line, _)| (file, line) != (sum.file, sum.line));
    }
    Some(sum)
}

/// The parts of a line's functions together; that one of them calls another is no part.
fn merged_why(group: &[Site]) -> Vec<Why> {
    let own: HashSet<StringId> = group.iter().map(|site| site.function).collect();
    let mut parts: Vec<Why> = Vec::new();
    let mut index: HashMap<(WhyKind, Option<StringId>), usize> = HashMap::new();
    for part in group.iter().flat_map(|site| &site.why) {
        if part.what == WhyKind::Callee && part.function.is_some_and(|callee| own.contains(&callee))
        {
            continue;
        }
        let at = *index.entry((part.what, part.function)).or_insert(parts.len());
        match parts.get_mut(at) {
            Some(known) => known.cpu_ns = known.cpu_ns.saturating_add(part.cpu_ns),
            None => parts.push(*part),
        }
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.cpu_ns));
    parts
}

/// Sums of what a table leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) lines: usize,
    pub(super) self_ns: u64,
    pub(super) peak: u64,
    pub(super) kept: u64,
    pub(super) copied: u64,
}

impl Cut {
    fn add(&mut self, row: &Row) {
        self.lines += 1;
        self.self_ns = self.self_ns.saturating_add(row.value(Metric::Own));
        self.peak = self.peak.saturating_add(row.value(Metric::Peak));
        self.kept = self.kept.saturating_add(row.value(Metric::Kept));
        self.copied = self.copied.saturating_add(row.value(Metric::Copied));
    }
}

/// Rows for one table, by the metric it is sorted by, and what is left out.
#[derive(Debug, Default)]
pub(super) struct Picked<'a> {
    pub(super) rows: Vec<&'a Row>,
    pub(super) cut: Cut,
}

/// A line below this is nowhere listed for its memory alone.
const BIG: u64 = 1 << 20;
/// As many rows are shown even when each has less than 1 %.
const AT_LEAST: usize = 4;
/// As many lines are added for each other metric they lead in.
const LEADERS: usize = 2;

/// Picks the `count` largest rows by `metric` and, in a report by time, the leaders in memory and copies,
/// so that a line which only holds memory or only copies is seen too. `seen` are rows that another table
/// shows already: they are not added for those metrics again.
pub(super) fn pick<'a>(
    rows: &[&'a Row],
    metric: Metric,
    sort: Sort,
    count: usize,
    whole: u64,
    seen: &[&'a Row],
) -> Picked<'a> {
    let mut order: Vec<&Row> = rows.to_vec();
    order.sort_by_key(|row| std::cmp::Reverse(row.value(metric)));
    let mut shown: Vec<&Row> = order
        .iter()
        .copied()
        .enumerate()
        .take(count)
        .filter(|(index, row)| {
            let value = row.value(metric);
            value > 0 && (*index < AT_LEAST || value.saturating_mul(100) >= whole)
        })
        .map(|(_, row)| row)
        .collect();
    if sort == Sort::Cpu {
        for leader in [Metric::Peak, Metric::Kept, Metric::Copied] {
            let sum = number::sum(rows.iter().map(|row| row.value(leader)));
            let mut by_leader: Vec<&Row> = order.clone();
            by_leader.sort_by_key(|row| std::cmp::Reverse(row.value(leader)));
            for row in by_leader.into_iter().take(LEADERS) {
                let value = row.value(leader);
                let big = value >= BIG && value.saturating_mul(20) >= sum;
                if big && !contains(&shown, row) && !contains(seen, row) {
                    shown.push(row);
                }
            }
        }
        shown.sort_by_key(|row| std::cmp::Reverse(row.value(metric)));
    }
    let mut cut = Cut::default();
    for row in rows.iter().filter(|row| !contains(&shown, row)) {
        cut.add(row);
    }
    Picked { rows: shown, cut }
}

pub(super) fn contains(rows: &[&Row], row: &Row) -> bool {
    rows.iter().any(|known| std::ptr::eq(*known, row))
}

/// Does `name` fit the pattern, in which `*` stands for any bytes and `?` for one?
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    (p, n) = (after, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        assert!(matches(b"*.py", b"a/b.py"));
        assert!(matches(b"docutils/*", b"docutils/nodes.py"));
        assert!(matches(b"?.py", b"a.py"));
        assert!(!matches(b"?.py", b"ab.py"));
        assert!(matches(b"*a*b", b"xaxxb"));
        assert!(!matches(b"x*", b"ax"));
        assert!(matches(b"", b"") && !matches(b"", b"a"));
    }
}
