//! Block `head`: what a page must know before it draws anything, as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::family::{Family, ProcessEntry, ThreadEntry};
use crate::analysis::{Profile, books};
use crate::export::escape::escape;
use crate::export::names::shown;
use crate::export::text::Words;
use crate::export::{ExportError, Metric, Unit};
use crate::record::Class;

/// Reasons of loss that are told by name.
const REASONS: usize = 64;
/// The metrics in the order in which a page offers them.
const METRICS: [Metric; 6] =
    [Metric::Cpu, Metric::Wall, Metric::Peak, Metric::Alloc, Metric::Copies, Metric::Live];

/// A number as scripts can hold it. Only those of a damaged trace are larger.
pub(super) fn clipped(number: u64) -> u64 {
    number.min(1 << 53)
}

#[derive(Serialize)]
struct Head<'a> {
    version: u32,
    tool: &'static str,
    title: &'a str,
    command: &'a str,
    facts: &'a str,
    elapsed_ns: u64,
    trace_id: String,
    classes: [&'static str; Class::ALL.len()],
    metrics: [MetricEntry; METRICS.len()],
    books: Books,
    footprint: Footprint,
    pruned: Option<Pruned>,
    threads: &'a [ThreadEntry],
    processes: &'a [ProcessEntry],
    sources: &'a [u32],
    changed: &'a [u32],
    intervals: Intervals,
}

/// Numbers of files whose source is in the page, and of those whose source is not what ran.
pub(super) struct Files {
    pub(super) with_source: Vec<u32>,
    pub(super) changed: Vec<u32>,
}

/// Expected weight between two samples; 0: not measured.
#[derive(Serialize)]
struct Intervals {
    cpu: u64,
    alloc: u64,
    copy: u64,
}

#[derive(Serialize)]
struct MetricEntry {
    id: &'static str,
    name: &'static str,
    unit: &'static str,
    total: u64,
    measured: bool,
    /// Why it was not measured; else empty.
    reason: String,
}

#[derive(Serialize)]
struct Books {
    ticks: u64,
    samples: u64,
    lost: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Footprint {
    peak: u64,
    peak_ns: u64,
    end: u64,
    asked: bool,
}

#[derive(Serialize)]
struct Pruned {
    nodes: usize,
}

/// The head as it stands in the page: JSON without anything that markup is made of.
pub(super) fn head(
    profile: &Profile,
    words: &Words,
    family: &Family,
    pruned: usize,
    files: &Files,
) -> Result<String, ExportError> {
    let books = books(profile);
    let mut lost: Vec<(&String, &u64)> = books.lost.iter().collect();
    lost.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let (named, others) = lost.split_at(lost.len().min(REASONS));
    let mut reasons = BTreeMap::new();
    for (reason, count) in named {
        reasons.insert(escape(&shown(reason.as_bytes())), clipped(**count));
    }
    if !others.is_empty() {
        let sum = others.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(**count));
        reasons.insert("[other]".into(), clipped(sum));
    }
    let footprint = &profile.footprint;
    let head = Head {
        version: 1,
        tool: concat!("prof ", env!("CARGO_PKG_VERSION")),
        title: &words.command,
        command: &words.command,
        facts: &words.facts,
        elapsed_ns: clipped(profile.elapsed.as_nanos()),
        trace_id: profile.header.trace_id.iter().map(|byte| format!("{byte:02x}")).collect(),
        classes: Class::ALL.map(Class::name),
        metrics: METRICS.map(|metric| entry(profile, metric)),
        books: Books {
            ticks: clipped(books.ticks),
            samples: clipped(books.samples),
            lost: reasons,
        },
        footprint: Footprint {
            peak: clipped(footprint.peak_bytes),
            peak_ns: clipped(footprint.peak_time.as_nanos()),
            end: clipped(footprint.end_bytes),
            asked: footprint.is_asked,
        },
        pruned: (pruned > 0).then_some(Pruned { nodes: pruned }),
        threads: &family.threads,
        processes: &family.processes,
        sources: &files.with_source,
        changed: &files.changed,
        intervals: Intervals {
            cpu: clipped(profile.header.cpu_interval_ns),
            alloc: clipped(profile.header.memory_interval),
            copy: clipped(profile.header.copy_interval),
        },
    };
    Ok(harmless(&serde_json::to_string(&head)?))
}

fn entry(profile: &Profile, metric: Metric) -> MetricEntry {
    let name = match metric {
        Metric::Cpu => "CPU",
        Metric::Wall => "wall",
        Metric::Peak if profile.footprint.is_asked => "held",
        Metric::Peak => "peak",
        Metric::Alloc => "allocated",
        Metric::Copies => "copied",
        Metric::Live => "kept",
    };
    let unit = match metric.unit() {
        Unit::Nanoseconds => "ns",
        Unit::Bytes => "bytes",
    };
    let reason = match metric.measured_by(profile) {
        Err(ExportError::NotMeasured { what, .. }) => format!("the program was run without {what}"),
        _ => String::new(),
    };
    let weights = metric.weights(profile);
    let total = weights.iter().fold(0_u64, |sum, weight| sum.saturating_add(weight.weight));
    let (id, total, measured) = (metric.name(), clipped(total), reason.is_empty());
    MetricEntry { id, name, unit, total, measured, reason }
}

/// JSON in which no tag, comment or line break can begin: they stand in strings only.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out += &format!("\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}
