//! `prof info`: what a trace holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use profformat::export::escape::escape;
use profformat::index::Index;
use profformat::record::{Outcome, Process, ProcessEnd, Record, Thread, ThreadEnd, counter};
use profformat::tables::Tables;
use profformat::units::Timestamp;
use profformat::{Filter, Kind, TraceReader};

use crate::words::{answer, complain};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace to read
    trace: PathBuf,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let path = escape(args.trace.as_os_str().as_encoded_bytes());
    let said = match profformat::map::open(&args.trace) {
        Ok(bytes) => describe(&path, &bytes).map_err(|error| format!("{path}: {error}")),
        Err(error) => Err(error.to_string()),
    };
    match said {
        Ok(text) => answer(&text, ExitCode::SUCCESS),
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

/// What is gathered from the records.
#[derive(Default)]
struct Contents {
    processes: Vec<(Process, Option<ProcessEnd>)>,
    threads: Vec<(Thread, Option<ThreadEnd>)>,
    /// Number of records by kind.
    counts: BTreeMap<&'static str, u64>,
    /// Last value of each counter by process and name.
    counters: BTreeMap<(u32, Vec<u8>), u64>,
    notes: Vec<Vec<u8>>,
    last: Timestamp,
}

fn describe(path: &str, bytes: &[u8]) -> Result<String, profformat::Error> {
    let mut reader = TraceReader::new(bytes)?;
    let mut contents = Contents::default();
    if let Some(index) = reader.index() {
        // Events are only counted, and the index has done that.
        contents.count(&index);
        reader = reader.filter(Filter::new().kinds([Kind::Counters]));
    }
    while let Some(record) = reader.next_record() {
        contents.add(record?, &reader);
    }
    let header = reader.header();
    let (major, minor) = reader.version();
    let mut out = String::new();
    let mut line = |name: &str, text: String| {
        let _ = writeln!(out, "{name:<12}{text}");
    };
    line("trace", format!("{path}, version {major}.{minor}, {} bytes", bytes.len()));
    line("id", header.trace_id.iter().map(|byte| format!("{byte:02x}")).collect());
    line("written by", escape(header.tool.as_bytes()));
    line("command", command(&header.command));
    line("begun", format!("{} s after 1970-01-01 UTC", header.start_unix_ns / 1_000_000_000));
    line("length", format!("{:.3} s", contents.last.as_secs_f64()));
    let interval = |value: u64, unit| {
        if value == 0 { "not sampled".to_owned() } else { format!("one sample for {value} {unit}") }
    };
    line("CPU", interval(header.cpu_interval_ns, "ns"));
    line("memory", interval(header.memory_interval, "bytes"));
    line("copies", interval(header.copy_interval, "bytes"));
    contents.print_processes(&mut out);
    contents.print_threads(&mut out);
    contents.print_counts(&mut out);
    let tables = reader.tables().counts();
    for (name, count) in ["strings", "functions", "frames", "stacks"].iter().zip(tables) {
        let _ = writeln!(out, "  {name:<20}{count:>12}");
    }
    print_binaries(reader.tables(), &mut out);
    contents.print_losses(&mut out);
    if !contents.notes.is_empty() {
        out.push_str("notes\n");
    }
    for note in &contents.notes {
        let _ = writeln!(out, "  {}", escape(note));
    }
    if !reader.damage().is_sound() {
        let _ = writeln!(out, "damaged     `prof check` tells what is lost");
    }
    Ok(out)
}

/// The files that native functions are of, each with its build id.
fn print_binaries(tables: &Tables, out: &mut String) {
    const SHOWN: usize = 50;
    // The first one stands for none.
    let Some(binaries) = tables.binaries().get(1..).filter(|known| !known.is_empty()) else {
        return;
    };
    out.push_str("binaries\n");
    for binary in binaries.iter().take(SHOWN) {
        let build_id = tables.string(binary.build_id).iter();
        let build_id: String = build_id.map(|byte| format!("{byte:02x}")).collect();
        let build_id = if build_id.is_empty() { "no build id" } else { &build_id };
        let _ = writeln!(out, "  {}, {build_id}", escape(tables.string(binary.path)));
    }
    if let Some(more @ 1..) = binaries.len().checked_sub(SHOWN) {
        let _ = writeln!(out, "  and {more} more");
    }
}

fn command(arguments: &[Vec<u8>]) -> String {
    arguments.iter().map(|argument| escape(argument)).collect::<Vec<_>>().join(" ")
}

const SAMPLES: &str = "CPU samples";
const MEMORY: &str = "memory events";
const COPIES: &str = "copy samples";
const FOOTPRINTS: &str = "footprint points";

impl Contents {
    /// Counts the events of a trace without reading them.
    fn count(&mut self, index: &Index) {
        let kinds = [
            (Kind::Samples, SAMPLES),
            (Kind::Memory, MEMORY),
            (Kind::Copies, COPIES),
            (Kind::Footprints, FOOTPRINTS),
        ];
        for (kind, name) in kinds {
            let count = index.records(kind);
            if count > 0 {
                self.counts.insert(name, count);
            }
        }
    }

    fn add(&mut self, record: Record, reader: &TraceReader<'_>) {
        let (kind, time) = match &record {
            Record::Process(process) => ("processes", process.time),
            Record::ProcessEnd(end) => ("process ends", end.time),
            Record::Thread(thread) => ("threads", thread.time),
            Record::ThreadEnd(end) => ("thread ends", end.time),
            Record::Sample(sample) => (SAMPLES, sample.time),
            Record::Alloc(alloc) => (MEMORY, alloc.time),
            Record::Free(free) => (MEMORY, free.time),
            Record::Resize(resize) => (MEMORY, resize.time),
            Record::Copied(copied) => (COPIES, copied.time),
            Record::Footprint(point) => (FOOTPRINTS, point.time),
            Record::Inherited(inherited) => ("inheritances", inherited.time),
            Record::Counter(counter) => ("counter values", counter.time),
            Record::Note(_) => ("notes", Timestamp::ZERO),
            Record::End(time) => ("ends", *time),
            _ => ("others", Timestamp::ZERO),
        };
        *self.counts.entry(kind).or_default() += 1;
        self.last = self.last.max(time);
        match record {
            Record::Process(process) => self.processes.push((process, None)),
            Record::ProcessEnd(end) => {
                if let Some(process) = self.processes.get_mut(end.id.index()) {
                    process.1 = Some(end);
                }
            }
            Record::Thread(thread) => self.threads.push((thread, None)),
            Record::ThreadEnd(end) => {
                if let Some(thread) = self.threads.get_mut(end.id.index()) {
                    thread.1 = Some(end);
                }
            }
            Record::Counter(counter) => {
                let name = reader.tables().string(counter.name).to_vec();
                self.counters.insert((counter.process.number(), name), counter.value);
            }
            Record::Note(note) => self.notes.push(note),
            _ => {}
        }
    }

    fn print_processes(&self, out: &mut String) {
        out.push_str("processes\n");
        for (process, end) in &self.processes {
            let mut depth = 1;
            let mut parent = process.parent;
            // A parent has a smaller id, so this ends; the indent does so earlier.
            while let Some(id) = parent
                && depth < 20
            {
                depth += 1;
                parent = self.processes.get(id.index()).and_then(|(process, _)| process.parent);
            }
            let _ = write!(out, "{:1$}", "", 2 * depth);
            let _ = write!(out, "{} {}", process.pid, command(&process.command));
            if !process.python.is_empty() {
                let _ = write!(out, ", Python {}", escape(process.python.as_bytes()));
            }
            if !process.profiled {
                out.push_str(", not profiled");
            }
            if let Some(end) = end {
                let _ = write!(out, ", {}", outcome(end.outcome));
                if end.cpu_ns > 0 {
                    let _ = write!(out, ", {:.3} s CPU", end.cpu_ns as f64 / 1e9);
                }
            }
            out.push('\n');
        }
    }

    fn print_threads(&self, out: &mut String) {
        const SHOWN: usize = 50;
        out.push_str("threads\n");
        for (thread, end) in self.threads.iter().take(SHOWN) {
            let process = self.processes.get(thread.process.index());
            let pid = process.map_or(0, |(process, _)| process.pid);
            let _ = write!(out, "  {} of {pid} {}", thread.tid, escape(&thread.name));
            if let Some(end) = end {
                let _ = write!(out, ", {:.3} s CPU", end.cpu_ns as f64 / 1e9);
            }
            out.push('\n');
        }
        if let Some(more @ 1..) = self.threads.len().checked_sub(SHOWN) {
            let _ = writeln!(out, "  and {more} more");
        }
    }

    fn print_counts(&self, out: &mut String) {
        out.push_str("records\n");
        for (kind, count) in &self.counts {
            let _ = writeln!(out, "  {kind:<20}{count:>12}");
        }
    }

    /// The books: what was seen, what was kept, what was lost by reason; all processes together.
    fn print_losses(&self, out: &mut String) {
        let mut sums = BTreeMap::<&[u8], u64>::new();
        for ((_, name), &value) in &self.counters {
            let sum = sums.entry(name).or_default();
            *sum = sum.saturating_add(value);
        }
        let is_loss = |name: &[u8]| {
            [counter::LOST, counter::LOST_ALLOC, counter::LOST_COPY]
                .iter()
                .any(|prefix| name.starts_with(prefix.as_bytes()))
        };
        out.push_str("counters\n");
        for (name, value) in sums.iter().filter(|(name, _)| !is_loss(name)) {
            let _ = writeln!(out, "  {:<20}{value:>12}", escape(name));
        }
        let losses: Vec<_> =
            sums.iter().filter(|(name, value)| is_loss(name) && **value > 0).collect();
        out.push_str(if losses.is_empty() { "lost        nothing\n" } else { "lost\n" });
        for (name, value) in losses {
            let _ = writeln!(out, "  {:<20}{value:>12}", escape(name));
        }
    }
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Exited(status) => format!("exited with {status}"),
        Outcome::Killed(signal) => format!("killed by signal {signal}"),
        Outcome::Exec => "became another program".to_owned(),
        Outcome::Gone => "gone".to_owned(),
        Outcome::Running => "still running at the end".to_owned(),
    }
}
