//! The Firefox profiler's processed profile, version 60, for <https://profiler.firefox.com>, which reads files of older
//! versions.
//!
//! Own code, for what writes this format otherwise takes whole weights only: here a sample weighs milliseconds with every
//! nanosecond in them, or bytes. Stacks, frames and functions are shared by all threads, as they are in a trace.
//! Samples have their time to the part of the run where the profile has it ([`Profile::activity`]); where not, and within a
//! part, a thread's samples follow each other by their callers, each as long as its weight. Allocations are told so, too.
//! Categories of samples are our classes; of callers, their language. A track shows the footprint of all processes
//! together. Beside times, each thread has what it allocated by stack. The 200,000 heaviest weights are told apart; the
//! others are `[other]`, one for each class and part of a thread's time.

mod heaviest;
mod libraries;
mod shared;
mod threads;

use std::io::Write;

use serde::Serialize;

use self::libraries::Libraries;
use self::shared::{CATEGORIES, Category, Shared};
use self::threads::{Counter, Threads};
use super::escape::escape;
use super::json::plain;
use super::{ExportError, Metric, Unit};
use crate::analysis::Profile;

/// Version of the format; the oldest with shared tables.
const VERSION: u32 = 60;
/// Threads that are shown at first.
const VISIBLE: usize = 15;

/// Field names are the format's.
#[derive(Serialize)]
struct Document<'a> {
    meta: Meta,
    libs: Libraries<'a>,
    pages: [u8; 0],
    counters: Vec<Counter>,
    shared: &'a Shared<'a>,
    threads: &'a Threads<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    interval: f64,
    start_time: f64,
    process_type: u32,
    categories: [Category; CATEGORIES],
    product: &'static str,
    stackwalk: u32,
    debug: bool,
    version: u32,
    preprocessed_profile_version: u32,
    symbolicated: bool,
    uses_only_one_stack_type: bool,
    source_code_is_not_on_searchfox: bool,
    marker_schema: [u8; 0],
    arguments: String,
    #[serde(rename = "appBuildID")]
    build: &'static str,
    sample_units: Units,
    initial_visible_threads: Vec<usize>,
    initial_selected_threads: Vec<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Units {
    time: &'static str,
    event_delay: &'static str,
    #[serde(rename = "threadCPUDelta")]
    cpu: &'static str,
}

/// Writes the weights of a metric, thread by thread.
pub fn write(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut shared = Shared::new(&profile.tables);
    let threads = Threads::of(profile, metric, &mut shared);
    let heaviest = threads.heaviest(VISIBLE);
    let command: Vec<String> = profile.header.command.iter().map(|word| escape(word)).collect();
    let interval = match (metric.unit(), profile.header.cpu_interval_ns) {
        (Unit::Nanoseconds, ns @ 1..) => milliseconds(ns),
        _ => 1.0,
    };
    let document = Document {
        meta: Meta {
            interval,
            start_time: milliseconds(profile.header.start_unix_ns),
            process_type: 0,
            categories: shared::categories(),
            product: "prof",
            stackwalk: 1,
            debug: false,
            // Of another format; this one goes by the next.
            version: 24,
            preprocessed_profile_version: VERSION,
            symbolicated: true,
            uses_only_one_stack_type: true,
            source_code_is_not_on_searchfox: true,
            marker_schema: [],
            arguments: command.join(" "),
            build: concat!("prof ", env!("CARGO_PKG_VERSION")),
            sample_units: Units { time: "ms", event_delay: "ms", cpu: "ns" },
            initial_selected_threads: heaviest.first().copied().into_iter().collect(),
            initial_visible_threads: heaviest,
        },
        libs: Libraries(&shared),
        pages: [],
        counters: threads.footprint().into_iter().collect(),
        shared: &shared,
        threads: &threads,
    };
    plain(&document, out)
}

/// Milliseconds with every nanosecond in them.
fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}
