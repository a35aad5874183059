//! Threads with their samples and allocations, and the track of the footprint.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::heaviest::Heaviest;
use super::milliseconds;
use super::shared::{Column, Empty, Shared};
use crate::analysis::Profile;
use crate::export::names::{process_name, thread_name, thread_of};
use crate::export::pieces::pieces;
use crate::export::{Metric, Unit};
use crate::ids::{ProcessId, ThreadId};
use crate::record::{Class, Process, Thread};

/// Weights that are told apart at most: the page keeps a row for each of them.
const ROWS: usize = 200_000;

/// A row of samples or allocations.
struct Row {
    stack: u32,
    time_ns: u64,
    weight: u64,
    is_cpu: bool,
}

impl Row {
    fn new(stack: u32, class: Option<Class>, weight: u64) -> Self {
        Self { stack, time_ns: 0, weight, is_cpu: class.is_some_and(Class::on_cpu) }
    }
}

struct ThreadOf {
    id: ThreadId,
    process: Option<ProcessId>,
    pid: String,
    tid: String,
    /// The first of its process.
    is_main: bool,
    weight: u64,
    samples: Range<usize>,
    allocations: Range<usize>,
}

pub(super) struct Threads<'a> {
    profile: &'a Profile,
    metric: Metric,
    samples: Vec<Row>,
    allocations: Vec<Row>,
    all: Vec<ThreadOf>,
}

impl<'a> Threads<'a> {
    /// Asks for the places of all stacks.
    pub(super) fn of(profile: &'a Profile, metric: Metric, shared: &mut Shared<'a>) -> Self {
        Self::of_heaviest(profile, metric, shared, ROWS)
    }

    /// Tells so many weights apart. Of those in the same part of a thread's time, the lighter ones are one for each class.
    fn of_heaviest(
        profile: &'a Profile,
        metric: Metric,
        shared: &mut Shared<'a>,
        most: usize,
    ) -> Self {
        let is_time = metric.unit() == Unit::Nanoseconds;
        let (part_ns, pieces) = pieces(profile, metric);
        let mut heaviest = Heaviest::of(&pieces, most);
        let memory = if is_time { Metric::Alloc.weights(profile) } else { Vec::new() };
        let mut ids: Vec<ThreadId> = pieces.iter().map(|piece| piece.thread).collect();
        ids.extend(memory.iter().map(|weight| weight.thread));
        ids.sort_unstable();
        ids.dedup();
        let (mut samples, mut allocations, mut all) = (Vec::new(), Vec::new(), Vec::new());
        let mut pieces = pieces.chunk_by(|a, b| a.thread == b.thread).peekable();
        let mut memory = memory.chunk_by(|a, b| a.thread == b.thread).peekable();
        for id in ids {
            let firsts = (samples.len(), allocations.len());
            let life = life(profile, id);
            let mut weight = 0u64;
            let own = pieces.next_if(|own| own[0].thread == id).unwrap_or_default();
            for part in own.chunk_by(|a, b| a.part == b.part) {
                let window = part_ns.map_or(life, |length| window(profile, part[0].part, length));
                let mut others: BTreeMap<Option<Class>, u64> = BTreeMap::new();
                let first = samples.len();
                for piece in part {
                    weight = weight.saturating_add(piece.weight);
                    if heaviest.takes(piece) {
                        let stack = shared.stack(piece.stack, piece.class);
                        samples.push(Row::new(stack, piece.class, piece.weight));
                    } else {
                        let other = others.entry(piece.class).or_default();
                        *other = other.saturating_add(piece.weight);
                    }
                }
                for (class, weight) in others {
                    samples.push(Row::new(shared.other(class), class, weight));
                }
                let rows = &mut samples[first..];
                let weights: Vec<u64> = rows.iter().map(|row| row.weight).collect();
                let times = spread(weights.iter().copied(), window);
                rows.iter_mut().zip(times).for_each(|(row, time_ns)| row.time_ns = time_ns);
            }
            let own = memory.next_if(|own| own[0].thread == id).unwrap_or_default();
            for (one, time_ns) in own.iter().zip(spread(own.iter().map(|w| w.weight), life)) {
                let stack = shared.stack(one.stack, None);
                allocations.push(Row { stack, time_ns, weight: one.weight, is_cpu: false });
            }
            all.push(ThreadOf {
                id,
                process: thread_of(profile, id).1.map(|process| process.id),
                pid: String::new(),
                tid: String::new(),
                is_main: false,
                weight,
                samples: firsts.0..samples.len(),
                allocations: firsts.1..allocations.len(),
            });
        }
        let mut threads = Self { profile, metric, samples, allocations, all };
        threads.identify();
        threads
    }

    /// Groups threads by process, with numbers that no other process or thread has, and finds the main ones.
    fn identify(&mut self) {
        let is_first = |thread: &ThreadOf| {
            let (known, process) = thread_of(self.profile, thread.id);
            known.zip(process).is_some_and(|(thread, process)| thread.tid == process.pid)
        };
        self.all.sort_by_cached_key(|thread| {
            (thread.process.map_or(u32::MAX, ProcessId::number), !is_first(thread), thread.id)
        });
        let (mut pids, mut tids) = (HashSet::new(), HashSet::new());
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut previous: Option<Option<ProcessId>> = None;
        let mut pid = String::new();
        for thread in &mut self.all {
            let (known, process) = thread_of(self.profile, thread.id);
            thread.is_main = previous != Some(thread.process);
            if thread.is_main {
                let number = process.map_or(0, |process| process.pid);
                pid = unused(&mut pids, &mut numbers, number);
                previous = Some(thread.process);
            }
            thread.pid.clone_from(&pid);
            let number = known.map_or_else(|| thread.id.number(), |known| known.tid);
            thread.tid = unused(&mut tids, &mut numbers, number);
        }
    }

    /// The heaviest threads by their place, the heaviest first.
    pub(super) fn heaviest(&self, most: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.all.len()).collect();
        places.sort_by_key(|at| Reverse(self.all[*at].weight));
        places.truncate(most);
        places
    }

    /// The footprint of all processes together, as a track of the first.
    pub(super) fn footprint(&self) -> Option<Counter> {
        let points = &self.profile.footprint.timeline;
        let first = self.all.first().filter(|_| !points.is_empty())?;
        let before = std::iter::once(0).chain(points.iter().map(|point| point.bytes));
        let count = points.iter().zip(before).map(|(point, before)| {
            i64::try_from(i128::from(point.bytes) - i128::from(before)).unwrap_or(i64::MAX)
        });
        Some(Counter {
            name: "malloc",
            category: "Memory",
            description: "Bytes held by all processes together",
            pid: first.pid.clone(),
            main_thread_index: 0,
            samples: CounterSamples {
                length: points.len(),
                time: points.iter().map(|point| milliseconds(point.time.as_nanos())).collect(),
                count: count.collect(),
            },
        })
    }
}

/// A number as text, with another one behind it if it was there before.
fn unused(used: &mut HashSet<String>, numbers: &mut HashMap<String, u32>, number: u32) -> String {
    let name = number.to_string();
    if used.insert(name.clone()) {
        return name;
    }
    let next = numbers.entry(name.clone()).or_default();
    *next += 1;
    format!("{name}.{next}")
}

/// The times between which a thread was there, nanoseconds.
fn life(profile: &Profile, id: ThreadId) -> (u64, u64) {
    let found = profile.threads.binary_search_by_key(&id, |(thread, _)| thread.id);
    let known = found.ok().map(|at| &profile.threads[at]);
    let begin = known.map_or(0, |(thread, _)| thread.time.as_nanos());
    let end = known.and_then(|(_, end)| end.as_ref()).map_or(profile.elapsed, |end| end.time);
    (begin, end.as_nanos().max(begin))
}

fn window(profile: &Profile, part: u32, length: u64) -> (u64, u64) {
    let begin = u64::from(part).saturating_mul(length);
    (begin, begin.saturating_add(length).min(profile.elapsed.as_nanos()).max(begin))
}

/// Times within a window at which one weight after the other is used up.
fn spread(
    weights: impl Iterator<Item = u64> + Clone,
    (begin, end): (u64, u64),
) -> impl Iterator<Item = u64> {
    let whole: u128 = weights.clone().map(u128::from).sum();
    weights.scan(0u128, move |reached, weight| {
        *reached += u128::from(weight);
        let part = *reached as f64 / whole.max(1) as f64 * (end - begin) as f64;
        Some(begin + (part as u64).min(end - begin))
    })
}

/// Field names are the format's.
#[derive(Serialize)]
pub(super) struct Counter {
    name: &'static str,
    category: &'static str,
    description: &'static str,
    pid: String,
    #[serde(rename = "mainThreadIndex")]
    main_thread_index: usize,
    samples: CounterSamples,
}

#[derive(Serialize)]
struct CounterSamples {
    length: usize,
    time: Vec<f64>,
    count: Vec<i64>,
}

impl Serialize for Threads<'_> {
    /// One thread is made at a time.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all.iter().map(|thread| Entry { threads: self, thread }))
    }
}

struct Entry<'a> {
    threads: &'a Threads<'a>,
    thread: &'a ThreadOf,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { threads, thread } = *self;
        let profile = threads.profile;
        let (known, process) = thread_of(profile, thread.id);
        let (begin, end) = life(profile, thread.id);
        let started = process.map_or(0, |process| process.time.as_nanos());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &name(known, process, thread))?;
        map.serialize_entry("isMainThread", &thread.is_main)?;
        map.serialize_entry("processType", "default")?;
        map.serialize_entry("processName", &process.map(process_name))?;
        map.serialize_entry("processStartupTime", &milliseconds(started))?;
        map.serialize_entry("processShutdownTime", &())?;
        map.serialize_entry("registerTime", &milliseconds(begin))?;
        map.serialize_entry("unregisterTime", &milliseconds(end))?;
        map.serialize_entry("pausedRanges", &[0u8; 0])?;
        map.serialize_entry("pid", &thread.pid)?;
        map.serialize_entry("tid", &thread.tid)?;
        let columns = &["data", "name", "startTime", "endTime", "phase", "category"];
        map.serialize_entry("markers", &Empty(columns))?;
        let unit = threads.metric.unit();
        map.serialize_entry("samples", &Rows(&threads.samples[thread.samples.clone()], unit))?;
        if !thread.allocations.is_empty() {
            let rows = Rows(&threads.allocations[thread.allocations.clone()], Unit::Bytes);
            map.serialize_entry("nativeAllocations", &rows)?;
        }
        map.end()
    }
}

/// The page gives the first thread of a process the process's name.
fn name(known: Option<&Thread>, process: Option<&Process>, thread: &ThreadOf) -> String {
    let name = thread_name(known, thread.id);
    match process.filter(|_| thread.is_main) {
        Some(process) => format!("{} / {name}", process_name(process)),
        None => name,
    }
}

struct Rows<'a>(&'a [Row], Unit);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(rows, unit) = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &rows.len())?;
        map.serialize_entry("stack", &Column(rows.iter().map(|row| row.stack)))?;
        map.serialize_entry("time", &Column(rows.iter().map(|row| milliseconds(row.time_ns))))?;
        match unit {
            Unit::Nanoseconds => {
                let weights = rows.iter().map(|row| milliseconds(row.weight));
                map.serialize_entry("weight", &Column(weights))?;
                map.serialize_entry("weightType", "tracing-ms")?;
                // Of the time since the last row.
                let cpu = rows.iter().map(|row| if row.is_cpu { row.weight } else { 0 });
                map.serialize_entry("threadCPUDelta", &Column(cpu))?;
            }
            Unit::Bytes => {
                map.serialize_entry("weight", &Column(rows.iter().map(|row| row.weight)))?;
                map.serialize_entry("weightType", "bytes")?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::TimeSum;
    use crate::record::{Frame, Function, Lang};
    use crate::tables::{StackNode, Tables};

    #[test]
    fn times_follow_the_weights_and_stay_within_the_window() {
        let times = |weights: &[u64], window| -> Vec<u64> {
            spread(weights.iter().copied(), window).collect()
        };
        assert_eq!(times(&[1, 2, 1], (100, 500)), [200, 400, 500]);
        assert_eq!(times(&[5, 5], (7, 7)), [7, 7]);
        let all = times(&[u64::MAX; 5], (3, u64::MAX));
        assert!(all.is_sorted() && all[0] > 3 && all[4] == u64::MAX);
    }

    #[test]
    fn lighter_stacks_of_a_part_are_one_of_their_class() {
        let mut tables = Tables::default();
        let name = tables.push_string(b"f");
        let function = Function { name, file: name, first_line: 1, lang: Lang::Python };
        let function = tables.push_function(function);
        let mut profile = Profile::default();
        for (line, class) in
            [(1, Class::Python), (2, Class::Gc), (3, Class::Gc), (4, Class::Python)]
        {
            let frame = tables.push_frame(Frame { function, line });
            profile.time.push(TimeSum {
                thread: ThreadId::new(0),
                stack: Some(tables.push_stack(StackNode { parent: None, frame })),
                class,
                weight_ns: 10 * u64::from(line % 4),
                samples: 1,
                weight_squares: 1,
            });
        }
        profile.tables = tables;
        let mut shared = Shared::new(&profile.tables);
        let threads = Threads::of_heaviest(&profile, Metric::Cpu, &mut shared, 1);
        let rows: Vec<_> = threads.samples.iter().map(|row| (row.stack, row.weight)).collect();
        assert_eq!(rows, [(0, 30), (1, 10), (2, 20)]);
        assert_eq!(threads.all[0].weight, 60);
        let file = serde_json::to_value(&shared).unwrap();
        let names = &file["stringArray"];
        let name = |stack: usize| {
            let frame = &file["stackTable"]["frame"][stack];
            let function = &file["frameTable"]["func"][frame.as_u64().unwrap() as usize];
            let name = &file["funcTable"]["name"][function.as_u64().unwrap() as usize];
            names[name.as_u64().unwrap() as usize].as_str().unwrap().to_owned()
        };
        assert_eq!([0, 1, 2].map(name), ["f", "[other]", "[other]"]);
    }

    #[test]
    fn no_two_have_the_same_number() {
        let (mut used, mut numbers) = (HashSet::new(), HashMap::new());
        let names: Vec<String> =
            [7, 8, 7, 7].into_iter().map(|n| unused(&mut used, &mut numbers, n)).collect();
        assert_eq!(names, ["7", "8", "7.1", "7.2"]);
    }
}
