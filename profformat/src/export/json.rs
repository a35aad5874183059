//! The profile by line as JSON. `docs/profile.schema.json` describes it; names and meanings are kept
//! within one `version`.

mod binary;
mod leak;
mod mapped;
mod timelines;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use self::binary::Binaries;
use self::leak::LeakOf;
use self::timelines::Timeline;
use super::ExportError;
use super::escape::is_invisible;
use crate::analysis::family::{self, Share};
use crate::analysis::sites::places::text;
use crate::analysis::sites::{Site, Why, WhyKind, sites};
use crate::analysis::{COPY_SIZES, Profile, books};
use crate::ids::{ProcessId, StringId};
use crate::record::{Class, Outcome, Process, ProcessEnd, Thread, counter};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: u32,
    program: Vec<Cow<'a, str>>,
    elapsed_s: f64,
    cpu_s: Cpu,
    wait_s: Waiting,
    footprint: Footprint<'a>,
    copy_bytes: u64,
    books: Books,
    processes: Vec<ProcessEntry<'a>>,
    threads: Vec<ThreadEntry<'a>>,
    binaries: Binaries<'a>,
    files: Files<'a>,
}

#[derive(Serialize)]
struct Cpu {
    python: f64,
    native: f64,
    gc: f64,
    kernel: f64,
}

impl Cpu {
    fn of(ns: &[u64; Class::ALL.len()]) -> Self {
        let [python, native, gc, kernel, ..] = *ns;
        let [python, native, gc, kernel] = [python, native, gc, kernel].map(seconds);
        Self { python, native, gc, kernel }
    }
}

#[derive(Serialize)]
struct Waiting {
    gil: f64,
    wait: f64,
}

impl Waiting {
    fn of(ns: &[u64; Class::ALL.len()]) -> Self {
        let [.., gil, wait] = *ns;
        Self { gil: seconds(gil), wait: seconds(wait) }
    }
}

#[derive(Serialize)]
struct Footprint<'a> {
    peak_bytes: u64,
    end_bytes: u64,
    resident_peak_bytes: Option<u64>,
    proportional_peak_bytes: Option<u64>,
    mapped: mapped::Mapped,
    timeline: Timeline<'a>,
    python_timeline: Timeline<'a>,
    lines: Vec<timelines::LineOf<'a>>,
}

#[derive(Serialize)]
struct Books {
    ticks: u64,
    samples: u64,
    lost: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct ProcessEntry<'a> {
    pid: u32,
    parent: Option<usize>,
    command: Vec<Cow<'a, str>>,
    python: &'a str,
    profiled: bool,
    ended: Option<Ended>,
    cpu_s: f64,
    cpu_by_class_s: Cpu,
    wait_s: Waiting,
    alloc_bytes: u64,
    copy_bytes: u64,
}

/// How a process ended: a word, and the status or signal that goes with it.
#[derive(Serialize)]
struct Ended {
    how: &'static str,
    number: Option<i32>,
}

impl Ended {
    fn of(outcome: Outcome) -> Self {
        let (how, number) = match outcome {
            Outcome::Exited(status) => ("exited", Some(status)),
            Outcome::Killed(signal) => ("killed", Some(signal)),
            Outcome::Exec => ("exec", None),
            Outcome::Gone => ("gone", None),
            Outcome::Running => ("running", None),
        };
        Self { how, number }
    }
}

#[derive(Serialize)]
struct ThreadEntry<'a> {
    process: Option<usize>,
    tid: u32,
    name: Cow<'a, str>,
    cpu_s: f64,
    cpu_by_class_s: Cpu,
    wait_s: Waiting,
    alloc_bytes: u64,
    copy_bytes: u64,
}

struct Files<'a> {
    profile: &'a Profile,
    sites: Vec<Site>,
}

#[derive(Serialize)]
struct File<'a> {
    path: Cow<'a, str>,
    lines: Lines<'a>,
}

/// Lines of a file, made one at a time.
struct Lines<'a> {
    profile: &'a Profile,
    sites: Vec<&'a Site>,
}

#[derive(Serialize)]
struct Line<'a> {
    line: u32,
    function: Cow<'a, str>,
    cpu_s: Cpu,
    wait_s: Waiting,
    samples: u64,
    total_cpu_s: f64,
    why: Vec<Part<'a>>,
    alloc_bytes: u64,
    alloc_python_bytes: u64,
    live_at_peak_bytes: u64,
    live_at_end_bytes: u64,
    churn_bytes: u64,
    copy_bytes: u64,
    copy_calls: u64,
    copy_sizes: [u64; COPY_SIZES.len() + 1],
    copiers: Vec<CopierOf<'a>>,
    copy_cpu_s: f64,
    /// `null`: no sign of a leak.
    leak: Option<LeakOf<'a>>,
}

/// Who copied how much on a line.
#[derive(Serialize)]
struct CopierOf<'a> {
    name: Cow<'a, str>,
    bytes: u64,
}

#[derive(Serialize)]
struct Part<'a> {
    what: &'static str,
    name: Cow<'a, str>,
    cpu_s: f64,
}

impl<'a> Part<'a> {
    fn of(profile: &'a Profile, why: &Why) -> Self {
        let what = match why.what {
            WhyKind::Itself => "itself",
            WhyKind::Gc => "gc",
            WhyKind::Native => "native",
            WhyKind::Kernel => "kernel",
            WhyKind::Callee => "callee",
        };
        Self { what, name: why.name(&profile.tables), cpu_s: seconds(why.cpu_ns) }
    }
}

/// Writes the whole profile as one JSON document. Seconds are floating-point numbers with every
/// nanosecond in them, bytes are whole numbers; bytes of names that are not UTF-8 are replaced, and
/// names end at 1,024 bytes.
pub fn write(profile: &Profile, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut by_class = [0u64; Class::ALL.len()];
    for sum in &profile.time {
        let class = &mut by_class[sum.class.code() as usize];
        *class = class.saturating_add(sum.weight_ns);
    }
    let by_thread = family::threads(profile);
    let by_process = family::processes(profile, &by_thread);
    let books = books(profile);
    let document = Document {
        schema: "prof-profile",
        version: 1,
        program: words(&profile.header.command),
        elapsed_s: profile.elapsed.as_secs_f64(),
        cpu_s: Cpu::of(&by_class),
        wait_s: Waiting::of(&by_class),
        footprint: Footprint {
            peak_bytes: profile.footprint.peak_bytes,
            end_bytes: profile.footprint.end_bytes,
            resident_peak_bytes: profile.counters.get(counter::RESIDENT_PEAK_BYTES).copied(),
            proportional_peak_bytes: profile
                .counters
                .get(counter::PROPORTIONAL_PEAK_BYTES)
                .copied(),
            mapped: mapped::Mapped::of(profile),
            timeline: Timeline { points: &profile.footprint.timeline, bytes: |point| point.bytes },
            python_timeline: Timeline {
                points: &profile.footprint.timeline,
                bytes: |point| point.python_bytes,
            },
            lines: timelines::of(profile),
        },
        copy_bytes: profile.copies.iter().map(|c| c.copy_bytes).fold(0, u64::saturating_add),
        books: Books { ticks: books.ticks, samples: books.samples, lost: books.lost },
        processes: profile
            .processes
            .iter()
            .zip(&by_process)
            .map(|((process, end), share)| of_process(profile, process, end.as_ref(), share))
            .collect(),
        threads: profile
            .threads
            .iter()
            .zip(&by_thread)
            .map(|((thread, _), share)| of_thread(profile, thread, share))
            .collect(),
        binaries: Binaries(&profile.tables),
        files: Files { profile, sites: sites(profile) },
    };
    plain(&document, out)
}

fn of_process<'a>(
    profile: &'a Profile,
    process: &'a Process,
    end: Option<&ProcessEnd>,
    share: &Share,
) -> ProcessEntry<'a> {
    ProcessEntry {
        pid: process.pid,
        parent: process.parent.and_then(|parent| position(profile, parent)),
        command: words(&process.command),
        python: &process.python,
        profiled: process.profiled,
        ended: end.map(|end| Ended::of(end.outcome)),
        cpu_s: seconds(share.cpu_ns()),
        cpu_by_class_s: Cpu::of(&share.ns),
        wait_s: Waiting::of(&share.ns),
        alloc_bytes: share.alloc_bytes,
        copy_bytes: share.copy_bytes,
    }
}

fn of_thread<'a>(profile: &'a Profile, thread: &'a Thread, share: &Share) -> ThreadEntry<'a> {
    ThreadEntry {
        process: position(profile, thread.process),
        tid: thread.tid,
        name: text(&thread.name),
        cpu_s: seconds(share.cpu_ns()),
        cpu_by_class_s: Cpu::of(&share.ns),
        wait_s: Waiting::of(&share.ns),
        alloc_bytes: share.alloc_bytes,
        copy_bytes: share.copy_bytes,
    }
}

/// Where a process stands in the list of processes.
fn position(profile: &Profile, id: ProcessId) -> Option<usize> {
    profile.processes.binary_search_by_key(&id, |(process, _)| process.id).ok()
}

impl Serialize for Files<'_> {
    /// Files in the order of their hottest line; lines in the order of the source.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut order: Vec<StringId> = Vec::new();
        let mut by_file: HashMap<StringId, Vec<&Site>> = HashMap::new();
        for site in &self.sites {
            let lines = by_file.entry(site.file).or_default();
            if lines.is_empty() {
                order.push(site.file);
            }
            lines.push(site);
        }
        serializer.collect_seq(order.into_iter().map(|file| {
            let mut sites = by_file.remove(&file).unwrap_or_default();
            sites.sort_by_key(|site| (site.line, site.function));
            let profile = self.profile;
            File { path: text(profile.tables.string(file)), lines: Lines { profile, sites } }
        }))
    }
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.sites.iter().map(|site| line(self.profile, site)))
    }
}

fn line<'a>(profile: &'a Profile, site: &'a Site) -> Line<'a> {
    Line {
        line: site.line,
        function: text(profile.tables.string(site.function)),
        cpu_s: Cpu::of(&site.self_ns),
        wait_s: Waiting::of(&site.self_ns),
        samples: site.samples,
        total_cpu_s: seconds(site.total_cpu_ns),
        why: site.why.iter().map(|why| Part::of(profile, why)).collect(),
        alloc_bytes: site.alloc_bytes,
        alloc_python_bytes: site.alloc_python_bytes,
        live_at_peak_bytes: site.live_at_peak_bytes,
        live_at_end_bytes: site.live_at_end_bytes,
        churn_bytes: site.churn_bytes,
        copy_bytes: site.copy_bytes,
        copy_calls: site.copy_count,
        copy_sizes: site.copy_sizes,
        copiers: site
            .copiers
            .iter()
            .map(|copier| CopierOf { name: copier.name(&profile.tables), bytes: copier.bytes })
            .collect(),
        copy_cpu_s: seconds(site.copy_cpu_ns),
        leak: site.leak.as_ref().map(|leak| LeakOf::of(&profile.tables, leak)),
    }
}

fn words(command: &[Vec<u8>]) -> Vec<Cow<'_, str>> {
    command.iter().map(|word| String::from_utf8_lossy(word)).collect()
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// Writes a value as one line of JSON, with nothing in it that a terminal would obey or that reorders what is read:
/// serde_json leaves U+007F to U+009F as they are, though terminals take some of them for commands, and U+202E, too.
pub(super) fn plain<T: Serialize>(value: &T, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Plain);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")?;
    Ok(())
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let acts = |c: char| c.is_control() || is_invisible(c);
        for part in fragment.split_inclusive(acts) {
            match part.char_indices().next_back().filter(|(_, c)| acts(*c)) {
                Some((at, c)) => {
                    CompactFormatter.write_string_fragment(writer, &part[..at])?;
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
                None => CompactFormatter.write_string_fragment(writer, part)?,
            }
        }
        Ok(())
    }
}
