//! Scalene's JSON (its 2.4): `scalene view FILE` and Scalene's page show our traces by line.
//!
//! What Scalene calls native is native code and garbage collection, system is the kernel. Shares of time are of CPU
//! time; with [`Metric::Wall`] they are of CPU and waiting time, and waiting is system time. What is not measured here
//! (GPU, await, core utilization, moments of samples) has the value that Scalene writes for nothing.
//!
//! Its page puts the document into a script and names of files into HTML as they are, so nothing in here is markup.

mod detail;
mod files;
mod script;
mod source;
mod stacks;

use std::io::Write;

use serde::Serialize;

use self::detail::{MIB, Whole, thinned};
use self::files::{Files, listed};
use self::script::in_script;
use self::stacks::{MemoryStacks, PythonStacks, Stacks, memory_stacks, python_stacks};
use super::escape::escape;
use super::names::shown;
use super::text::Source;
use super::{ExportError, Metric};
use crate::analysis::Profile;
use crate::analysis::sites::{Site, sites};

/// Field names are Scalene's.
#[derive(Serialize)]
struct Document<'a> {
    prof: Ours,
    alloc_samples: u64,
    args: Vec<String>,
    async_profile: bool,
    elapsed_time_sec: f64,
    start_time_absolute: f64,
    start_time_perf: f64,
    entrypoint_dir: &'static str,
    program: String,
    filename: &'static str,
    gpu: bool,
    gpu_device: &'static str,
    growth_rate: f64,
    max_footprint_mb: f64,
    max_footprint_fname: Option<String>,
    max_footprint_lineno: Option<u32>,
    max_footprint_python_fraction: f64,
    memory: bool,
    native_allocations_mb: f64,
    samples: Vec<(u64, f64)>,
    main_thread_id: Option<u64>,
    files: Files<'a>,
    stacks: PythonStacks<'a>,
    combined_stacks: Stacks<'a>,
    combined_stacks_timeline: [u8; 0],
    memory_stacks: MemoryStacks<'a>,
}

/// What Scalene's schema has no place for, and its readers pass over.
#[derive(Serialize)]
struct Ours {
    tool: &'static str,
    /// What all shares of time are of.
    time: &'static str,
    /// 100 % of it.
    time_ns: u64,
}

/// Writes everything by line. Shares of time are of `metric` if that is [`Metric::Wall`], else of CPU time.
pub fn write(
    profile: &Profile,
    metric: Metric,
    source: &dyn Source,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let whole = Whole::of(profile, metric == Metric::Wall);
    let sites = sites(profile);
    let most = most_at_peak(&sites);
    let footprint = &profile.footprint;
    let peak = footprint.timeline.iter().max_by_key(|point| point.bytes);
    let timeline = footprint.timeline.iter().map(|point| (point.time, point.bytes));
    let mut words = profile.header.command.iter().map(|word| escape(&shown(word)));
    let kept: u64 = sites.iter().map(|s| s.live_at_end_bytes).fold(0, u64::saturating_add);
    let stackless = profile.memory.iter().filter(|sum| sum.stack.is_none());
    let stackless = stackless.map(|sum| sum.alloc_bytes).fold(0, u64::saturating_add);
    let stacks = Stacks::of(profile, &whole);
    let document = Document {
        prof: Ours {
            tool: concat!("prof ", env!("CARGO_PKG_VERSION")),
            time: if whole.waits { Metric::Wall.name() } else { Metric::Cpu.name() },
            time_ns: whole.time_ns,
        },
        alloc_samples: profile.memory.iter().map(|sum| sum.samples).fold(0, u64::saturating_add),
        program: words.next().unwrap_or_default(),
        args: words.collect(),
        async_profile: false,
        elapsed_time_sec: profile.elapsed.as_secs_f64(),
        start_time_absolute: profile.header.start_unix_ns as f64 / 1e9,
        start_time_perf: profile.header.start_monotonic_ns as f64 / 1e9,
        entrypoint_dir: "",
        filename: "",
        gpu: false,
        gpu_device: "",
        growth_rate: whole.share_of_alloc(kept) * 100.0,
        max_footprint_mb: footprint.peak_bytes as f64 / MIB,
        max_footprint_fname: most.map(|site| files::name(profile, site.file)),
        max_footprint_lineno: most.map(|site| site.line),
        max_footprint_python_fraction: peak.map_or(0.0, |point| {
            point.python_bytes.min(point.bytes) as f64 / point.bytes.max(1) as f64
        }),
        memory: profile.header.memory_interval > 0 || !profile.memory.is_empty(),
        native_allocations_mb: stackless as f64 / MIB,
        samples: thinned(timeline, profile.elapsed),
        main_thread_id: None,
        files: listed(profile, &sites, &whole, source),
        stacks: python_stacks(profile, &stacks),
        combined_stacks: stacks,
        combined_stacks_timeline: [],
        memory_stacks: memory_stacks(profile),
    };
    in_script(&document, out)
}

/// The line that held most when the footprint was highest.
fn most_at_peak(sites: &[Site]) -> Option<&Site> {
    let lines = sites.iter().filter(|site| site.line > 0 && site.live_at_peak_bytes > 0);
    // The hottest of equals: the one that comes first.
    lines.rev().max_by_key(|site| site.live_at_peak_bytes)
}
