//! What `TraceReader` says of a trace, in the form of `read_trace.py`.

use std::collections::BTreeMap;

use profformat::TraceReader;
use profformat::ids::{FrameId, FunctionId, ProcessId, StackId, StringId};
use profformat::record::*;
use profformat::tables::Tables;
use serde_json::{Value, json};

/// Sums by name, modulo 2^64.
type Sums = BTreeMap<String, u64>;

fn add(sums: &mut Sums, name: impl Into<String>, number: u64) {
    let sum = sums.entry(name.into()).or_default();
    *sum = sum.wrapping_add(number);
}

/// A character for each byte, so that no two texts become one.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn texts(all: &[Vec<u8>]) -> Vec<String> {
    all.iter().map(|bytes| text(bytes)).collect()
}

/// 0 for none, as in the file.
fn of(stack: Option<StackId>) -> u64 {
    stack.map_or(0, |stack| u64::from(stack.number()) + 1)
}

#[derive(Default)]
struct Totals {
    processes: Vec<Value>,
    threads: Vec<Value>,
    samples: Sums,
    classes: Sums,
    by_thread: Sums,
    by_stack: BTreeMap<Option<StackId>, u64>,
    memory: Sums,
    copies: Sums,
    footprints: BTreeMap<String, (u64, u64, Footprint)>,
    counters: BTreeMap<(ProcessId, StringId), Counter>,
    ends: Vec<Value>,
    notes: Vec<String>,
    end: Option<u64>,
}

impl Totals {
    fn add(&mut self, record: Record) {
        match record {
            Record::Process(process) => self.processes.push(json!([
                process.parent.map_or(0, |parent| parent.number() + 1),
                process.pid,
                process.time.as_nanos(),
                u8::from(process.profiled),
                text(process.python.as_bytes()),
                texts(&process.command),
            ])),
            Record::Thread(thread) => {
                let (process, time) = (thread.process.number(), thread.time.as_nanos());
                self.threads.push(json!([process, thread.tid, time, text(&thread.name)]));
            }
            Record::Sample(sample) => self.sample(&sample),
            Record::Alloc(alloc) => self.alloc(&alloc),
            Record::Free(Free { time, thread, block }) => {
                self.memory("free", time.as_nanos(), thread.number(), block);
            }
            Record::Resize(Resize { time, thread, block, old_size, new_size }) => {
                self.memory("resize", time.as_nanos(), thread.number(), block);
                add(&mut self.memory, "bytes before", old_size);
                add(&mut self.memory, "bytes after", new_size);
            }
            Record::Copied(copied) => {
                let sums = &mut self.copies;
                add(sums, "count", 1);
                add(sums, "times", copied.time.as_nanos());
                add(sums, "threads", copied.thread.number().into());
                add(sums, "stacks", of(copied.stack));
                add(sums, "sizes", copied.size);
                add(sums, "weights", copied.weight);
                add(sums, "copiers", copied.copier.number().into());
            }
            Record::Footprint(point) => {
                let process = point.process.number().to_string();
                let (points, peaks, last) = self.footprints.entry(process).or_insert((0, 0, point));
                *points += 1;
                *peaks += u64::from(point.peak);
                *last = point;
            }
            Record::Inherited(Inherited { time, process, bytes }) => {
                self.ends.push(json!(["inherited", process.number(), time.as_nanos(), bytes]));
            }
            Record::Counter(counter) => {
                self.counters.insert((counter.process, counter.name), counter);
            }
            Record::ThreadEnd(ThreadEnd { id, time, cpu_ns }) => {
                self.ends.push(json!(["thread", id.number(), time.as_nanos(), cpu_ns]));
            }
            Record::ProcessEnd(ProcessEnd { id, time, outcome, cpu_ns }) => {
                let outcome = match outcome {
                    Outcome::Exited(status) => format!("exited {status}"),
                    Outcome::Killed(signal) => format!("killed {signal}"),
                    Outcome::Exec => "exec 0".into(),
                    Outcome::Gone => "gone 0".into(),
                    Outcome::Running => "running 0".into(),
                };
                self.ends.push(json!(["process", id.number(), time.as_nanos(), outcome, cpu_ns]));
            }
            Record::Note(note) => self.notes.push(text(&note)),
            Record::End(time) => self.end = Some(time.as_nanos()),
            other => panic!("the oracle does not know {other:?}"),
        }
    }

    fn sample(&mut self, sample: &Sample) {
        add(&mut self.samples, "count", 1);
        add(&mut self.samples, "times", sample.time.as_nanos());
        add(&mut self.samples, "ns", sample.weight_ns);
        add(&mut self.classes, sample.class.name(), sample.weight_ns);
        add(&mut self.by_thread, sample.thread.number().to_string(), sample.weight_ns);
        let of_stack = self.by_stack.entry(sample.stack).or_default();
        *of_stack = of_stack.wrapping_add(sample.weight_ns);
    }

    fn alloc(&mut self, alloc: &Alloc) {
        let kind = match alloc.domain {
            Domain::Python => "python",
            Domain::Native => "native",
        };
        self.memory(kind, alloc.time.as_nanos(), alloc.thread.number(), alloc.block);
        add(&mut self.memory, format!("{kind} bytes"), alloc.size);
        add(&mut self.memory, "weights", alloc.weight);
        add(&mut self.memory, "stacks", of(alloc.stack));
    }

    fn memory(&mut self, kind: &str, time: u64, thread: u32, block: u64) {
        add(&mut self.memory, kind, 1);
        add(&mut self.memory, "times", time);
        add(&mut self.memory, "threads", thread.into());
        add(&mut self.memory, "blocks", block);
    }
}

/// Names of the functions of a stack, root first.
fn rendered(tables: &Tables, stack: Option<StackId>) -> String {
    let name = |frame| {
        let function = tables.function(tables.frame(frame).unwrap().function).unwrap();
        text(tables.string(function.name))
    };
    let mut names: Vec<String> = tables.walk(stack).map(name).collect();
    names.reverse();
    names.join(";")
}

fn sums_of_dictionaries(tables: &Tables) -> Value {
    let (mut functions, mut frames, mut depths) = ([0_u64; 5], [0_u64; 3], Vec::<u64>::new());
    let mut binaries = [0_u64; 2];
    for binary in tables.binaries() {
        binaries[0] += u64::from(binary.path.number());
        binaries[1] += u64::from(binary.build_id.number());
    }
    for (id, function) in (0..).map(FunctionId::new).zip(tables.functions()) {
        functions[4] += u64::from(tables.binary_of(id).number());
        functions[0] += u64::from(function.name.number());
        functions[1] += u64::from(function.file.number());
        functions[2] += u64::from(function.first_line);
        functions[3] += match function.lang {
            Lang::Python => 0,
            Lang::Native => 1,
            Lang::Other => 2,
        };
    }
    for (id, frame) in (0..).map(FrameId::new).zip(tables.frames()) {
        frames[2] += u64::from(tables.is_inlined(id));
        frames[0] += u64::from(frame.function.number());
        frames[1] += u64::from(frame.line);
    }
    for node in tables.stacks() {
        depths.push(node.parent.map_or(0, |parent| depths[parent.index()]) + 1);
    }
    let strings = (0..tables.counts()[0] as u32).map(|id| tables.string(StringId::new(id)).len());
    json!([strings.sum::<usize>(), functions, frames, depths.iter().sum::<u64>(), binaries])
}

/// All totals. Panics when the reader sees damage other than a missing end.
pub(crate) fn totals(bytes: &[u8]) -> Value {
    let mut reader = TraceReader::new(bytes).unwrap();
    let mut totals = Totals::default();
    while let Some(record) = reader.next_record() {
        totals.add(record.unwrap());
    }
    let (header, damage, tables) = (reader.header(), *reader.damage(), reader.tables());
    assert_eq!(damage.missing, 0);
    let mut by_name = Sums::new();
    for (&stack, &ns) in &totals.by_stack {
        add(&mut by_name, rendered(tables, stack), ns);
    }
    let last = |(points, peaks, point): &(u64, u64, Footprint)| {
        json!([points, peaks, point.time.as_nanos(), point.native_bytes, point.python_bytes])
    };
    let counters = totals.counters.iter().map(|((process, name), last)| {
        let key = format!("{} {}", process.number(), text(tables.string(*name)));
        (key, json!([last.time.as_nanos(), last.value]))
    });
    let [strings, functions, frames, stacks] = tables.counts();
    let sums = sums_of_dictionaries(tables);
    let (major, minor) = reader.version();
    let about = (!header.tool.is_empty()).then(|| json!([header.tool, texts(&header.command)]));
    let trace_id: String = header.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "version": format!("{major}.{minor}"),
        "header": {
            "unix_ns": header.start_unix_ns,
            "monotonic_ns": header.start_monotonic_ns,
            "cpu_interval_ns": header.cpu_interval_ns,
            "memory_interval": header.memory_interval,
            "copy_interval": header.copy_interval,
            "unit": reader.time_unit_ns(),
            "trace_id": trace_id,
        },
        "about": about,
        "unknown": damage.unknown,
        "unsupported": damage.unsupported,
        "complete": damage.complete,
        "cut": (damage.bytes > 0).then(|| bytes.len() as u64 - damage.bytes),
        "dictionaries": {
            "Strings": strings,
            "Binaries": tables.binaries().len(),
            "Functions": functions,
            "Frames": frames,
            "Stacks": stacks,
            "Processes": totals.processes.len(),
            "Threads": totals.threads.len(),
        },
        "bytes of strings": sums[0],
        "sums of binaries": sums[4],
        "sums of functions": sums[1],
        "sums of frames": sums[2],
        "depths of stacks": sums[3],
        "processes": totals.processes,
        "threads": totals.threads,
        "samples": totals.samples,
        "classes": totals.classes,
        "threads ns": totals.by_thread,
        "stacks ns": by_name,
        "memory": totals.memory,
        "copies": totals.copies,
        "footprints": totals.footprints.iter().map(|(id, point)| (id.clone(), last(point))).collect::<BTreeMap<_, _>>(),
        "counters": counters.collect::<BTreeMap<_, _>>(),
        "ends": totals.ends,
        "notes": totals.notes,
        "end": totals.end,
    })
}
