//! Our format beside others: bytes per event and millions of events per second, in one table.
//!
//! `cargo bench -p benches --bench codec [-- [--quick] [--recorded TRACE] [FILTER]]`. Ten million events would
//! keep Criterion busy for an hour; here all formats take turns, a few rounds, and the median counts.

mod events;
mod format;
mod load;
mod measureme;
mod messages;
mod ours;
mod perf;
mod pprof;
mod recorded;
mod rows;
mod synthetic;
mod table;

use std::path::PathBuf;

use profformat::record::{MemoryEvent, Sample};

use crate::events::Event;
use crate::format::{Clock, Format};
use crate::load::Load;
use crate::table::Row;

/// What the command line asks for.
struct Arguments {
    events: usize,
    recorded_events: usize,
    rounds: usize,
    recorded: PathBuf,
    filter: String,
}

impl Arguments {
    /// `None` when only a test wants to know that the bench builds.
    fn parse() -> Option<Self> {
        let mut found = Self {
            events: 10_000_000,
            recorded_events: 2_000_000,
            rounds: 3,
            recorded: recorded::committed(),
            filter: String::new(),
        };
        let mut benching = false;
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => benching = true,
                "--quick" => {
                    (found.events, found.recorded_events) = (1_000_000, 500_000);
                }
                "--recorded" => found.recorded = arguments.next().expect("a trace").into(),
                _ => found.filter = argument,
            }
        }
        benching.then_some(found)
    }
}

fn main() {
    let Some(arguments) = Arguments::parse() else { return };
    let mut rows = Vec::new();
    let mut depths = Vec::new();
    // One load at a time: ten million events are half a gigabyte.
    let load = synthetic::samples(arguments.events);
    depths.push((load.source, perf::depth(&load)));
    measure(&arguments, &load, samples(), &mut rows);
    drop(load);
    measure(&arguments, &synthetic::memory(arguments.events), every(), &mut rows);
    match std::fs::read(&arguments.recorded) {
        Err(error) => eprintln!("no recorded events: {}: {error}", arguments.recorded.display()),
        Ok(trace) => {
            if let Some(load) = recorded::load(&trace, arguments.recorded_events) {
                depths.push((load.source, perf::depth(&load)));
                measure(&arguments, &load, samples(), &mut rows);
            }
            if let Some(load) = recorded::load::<MemoryEvent>(&trace, arguments.recorded_events) {
                measure(&arguments, &load, every(), &mut rows);
            }
        }
    }
    table::print(&rows);
    println!("\nRates are millions of events a second of one core.");
    for (source, depth) in depths {
        println!("Frames of a {source} sample, each of which perf.data repeats: {depth:.1}");
    }
    if arguments.filter.is_empty() {
        let bytes = 256 << 20;
        println!("Scan behind damage: {:.1} GB/s", ours::behind_damage(bytes) / 1e9);
    }
}

/// Formats for events of every kind.
fn every<E: Event>() -> Vec<Box<dyn Format<E>>> {
    vec![
        Box::new(ours::Trace::PLAIN),
        Box::new(ours::Trace::ZSTD),
        Box::new(rows::Fixed),
        Box::new(rows::Varint),
        Box::new(messages::Messages),
        Box::new(rows::JsonLines),
        Box::new(pprof::Pprof::default()),
    ]
}

/// Formats for samples: those of other tools know nothing of memory.
fn samples() -> Vec<Box<dyn Format<Sample>>> {
    let mut all = every();
    all.push(Box::new(measureme::Measureme));
    all.push(Box::new(perf::PerfData));
    all
}

/// Measures the formats that the filter leaves, in turns.
fn measure<E: Event>(
    arguments: &Arguments,
    load: &Load<E>,
    formats: Vec<Box<dyn Format<E>>>,
    rows: &mut Vec<Row>,
) {
    let name = format!("{} {}", load.source, E::KIND);
    let wanted = |format: &str| format!("{name}/{format}").contains(&arguments.filter);
    let mut measured: Vec<_> = formats
        .into_iter()
        .filter(|format| wanted(format.name()))
        .map(|format| (format, 0.0, Clock::default()))
        .collect();
    if measured.is_empty() {
        return;
    }
    eprintln!("{name}: {} events", load.events.len());
    // The same memory for all, so that nobody pays for fresh pages but the first.
    let mut out = Vec::new();
    for round in 1..=arguments.rounds {
        eprintln!("{name}: round {round} of {}", arguments.rounds);
        for (format, size, clock) in &mut measured {
            out.clear();
            format.write(load, &mut out, clock);
            *size = out.len() as f64 / load.events.len() as f64;
            format.read(&out, load, clock);
        }
    }
    if let Some(run) = load.run {
        for (format, size, _) in &mut measured {
            *size = once(format.as_mut(), load, run);
        }
    }
    rows.extend(measured.into_iter().map(|(format, size, clock)| Row {
        load: name.clone(),
        format: format.name(),
        events: load.events.len() as f64,
        size,
        clock,
    }));
}

/// Bytes of an event when a run is written once: a compressor sees that runs are alike. Without definitions,
/// which a short run does not make up for.
fn once<E: Event>(format: &mut dyn Format<E>, load: &Load<E>, run: usize) -> f64 {
    let [none, all] = [0, run].map(|count| {
        let mut out = Vec::new();
        format.write(&load.first(count), &mut out, &mut Clock::default());
        out.len() as f64
    });
    (all - none) / run as f64
}
