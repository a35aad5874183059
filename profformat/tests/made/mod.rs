//! Traces made from a seed, and what a trace says without its ids.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use std::collections::BTreeMap;

use profformat::ids::*;
use profformat::record::*;
use profformat::tables::Tables;
use profformat::units::Timestamp;
use profformat::{Options, TraceReader, TraceWriter};
use proptest::prelude::*;

/// A trace to be made.
#[derive(Clone, Debug)]
pub struct Made {
    pub seed: u64,
    pub unit: u32,
    pub start_unix_ns: u64,
    pub start_monotonic_ns: u64,
    pub intervals: [u64; 3],
    pub events: usize,
    pub compress: bool,
}

impl Made {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            unit: 1_000,
            start_unix_ns: 1_700_000_000_000_000_000,
            start_monotonic_ns: 5_000_000_000,
            intervals: [10_000_000, 131_072, 1_048_576],
            events: 400,
            compress: false,
        }
    }
}

/// Any trace; its clocks are those of one boot or not.
pub fn made() -> impl Strategy<Value = Made> {
    let units = prop::sample::select(vec![1, 250, 1_000, 1_500]);
    let starts = (0..40_000_000_000_u64, prop_oneof![Just(0), 0..9_000_000_000_000_u64]);
    (any::<u64>(), units, starts, any::<[bool; 3]>(), 0..600_usize, any::<bool>()).prop_map(
        |(seed, unit, (start, set), measured, events, compress)| {
            let base = Made::new(seed);
            let intervals = [0, 1, 2].map(|i| base.intervals[i] * u64::from(measured[i]));
            let start_unix_ns = base.start_unix_ns + start + set;
            let start_monotonic_ns = base.start_monotonic_ns + start;
            Made { unit, start_unix_ns, start_monotonic_ns, intervals, events, compress, ..base }
        },
    )
}

/// Numbers that only look random (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// The bytes of the trace: two processes, more of both and of threads on the way, pids and tids that no other seed has.
pub fn trace(made: &Made) -> Vec<u8> {
    Maker::new(made).make(made.events)
}

struct Maker {
    writer: TraceWriter<Vec<u8>>,
    dice: Dice,
    unit: u64,
    time: u64,
    base: u32,
    processes: u32,
    threads: u32,
    stacks: Vec<StackId>,
    counted: BTreeMap<(u32, u64), u64>,
    block: u64,
}

impl Maker {
    fn new(made: &Made) -> Self {
        let mut trace_id = [7; 16];
        trace_id[..8].copy_from_slice(&made.seed.to_le_bytes());
        let [cpu_interval_ns, memory_interval, copy_interval] = made.intervals;
        let header = Header {
            trace_id,
            start_unix_ns: made.start_unix_ns,
            start_monotonic_ns: made.start_monotonic_ns,
            cpu_interval_ns,
            memory_interval,
            copy_interval,
            command: vec![b"app".to_vec(), made.seed.to_string().into_bytes()],
            tool: "test".into(),
        };
        let options = Options { compress: made.compress, time_unit_ns: made.unit };
        Self {
            writer: TraceWriter::new(Vec::new(), &header, options).unwrap(),
            dice: Dice(made.seed),
            unit: made.unit.into(),
            time: 0,
            base: (made.seed % 1_000_000) as u32 * 1_000,
            processes: 0,
            threads: 0,
            stacks: Vec::new(),
            counted: BTreeMap::new(),
            block: 0,
        }
    }

    fn make(mut self, events: usize) -> Vec<u8> {
        self.process();
        self.process();
        self.thread();
        for _ in 0..events {
            self.time += self.dice.below(40_000_000) / self.unit * self.unit;
            let record = self.event();
            self.writer.write(&record).unwrap();
            match self.dice.below(100) {
                0 => self.process(),
                1..=4 => self.thread(),
                5..=14 => self.writer.flush().unwrap(),
                _ => {}
            }
        }
        self.ends();
        self.writer.finish(Timestamp::from_nanos(self.time)).unwrap()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.time)
    }

    fn process(&mut self) {
        let id = self.processes;
        self.processes += 1;
        let process = Process {
            id: ProcessId::new(id),
            parent: id.checked_sub(1).map(ProcessId::new),
            pid: self.base + id,
            time: self.now(),
            command: vec![b"python3".to_vec(), vec![id as u8]],
            python: "3.11.7".into(),
            profiled: true,
        };
        self.writer.write(&Record::Process(process)).unwrap();
    }

    fn thread(&mut self) {
        let id = self.threads;
        self.threads += 1;
        let process = ProcessId::new(self.dice.below(self.processes.into()) as u32);
        let thread = Thread {
            id: ThreadId::new(id),
            process,
            tid: self.base + id,
            time: self.now(),
            name: b"worker".to_vec(),
        };
        self.writer.write(&Record::Thread(thread)).unwrap();
    }

    /// A stack, often one that is there already; other seeds have many of the same.
    fn stack(&mut self) -> Option<StackId> {
        if self.stacks.is_empty() || self.dice.below(4) == 0 {
            let number = self.dice.below(40) as u32;
            let name = self.writer.string(format!("f{}", number / 4).as_bytes());
            let file = self.writer.string(format!("m{}.py", number / 8).as_bytes());
            let lang = [Lang::Python, Lang::Native][(number / 4 % 2) as usize];
            let function = Function { name, file, first_line: number / 4, lang };
            let binary = match lang {
                Lang::Native => {
                    let path = self.writer.string(format!("lib{}.so", number / 16).as_bytes());
                    let build_id = [number as u8 / 16, 0xff].repeat(number as usize / 16 * 10);
                    let build_id = self.writer.string(&build_id);
                    self.writer.binary(Binary { path, build_id })
                }
                _ => BinaryId::NONE,
            };
            let function = self.writer.function_of(function, binary);
            let frame = Frame { function, line: number };
            let frame = match lang == Lang::Native && number.is_multiple_of(3) {
                true => self.writer.inlined(frame),
                false => self.writer.frame(frame),
            };
            let parent = self.dice.below(self.stacks.len() as u64 + 1) as usize;
            let parent = parent.checked_sub(1).map(|at| self.stacks[at]);
            let stack = self.writer.stack(parent, frame);
            self.stacks.push(stack);
        }
        let at = self.dice.below(self.stacks.len() as u64 + 1) as usize;
        at.checked_sub(1).map(|at| self.stacks[at])
    }

    fn event(&mut self) -> Record {
        // Threads are drained one after the other.
        let late = self.dice.below(10_000_000) / self.unit * self.unit;
        let time = Timestamp::from_nanos(self.time.saturating_sub(late));
        let thread = ThreadId::new(self.dice.below(self.threads.into()) as u32);
        let process = ProcessId::new(self.dice.below(self.processes.into()) as u32);
        let kind = self.dice.below(8);
        let stack = if matches!(kind, 0 | 1 | 4) { self.stack() } else { None };
        let [size, weight] = [0, 1].map(|_| self.dice.below(1_000_000));
        match kind {
            0 => {
                let weight_ns = weight * self.unit;
                let class = Class::ALL[self.dice.below(6) as usize];
                Record::Sample(Sample { time, thread, stack, weight_ns, class })
            }
            1 => {
                self.block += 1;
                let domain = if size % 2 == 0 { Domain::Python } else { Domain::Native };
                let block = self.block;
                Record::Alloc(Alloc { time, thread, stack, size, weight, domain, block })
            }
            2 => Record::Free(Free { time, thread, block: self.dice.below(self.block + 1) }),
            3 => {
                let block = self.dice.below(self.block + 1);
                Record::Resize(Resize { time, thread, block, old_size: size, new_size: weight })
            }
            4 => {
                let names = [&b""[..], b"CPython", b"numpy", b"libz"];
                let copier = self.writer.string(names[size as usize % names.len()]);
                Record::Copied(Copied { time, thread, stack, size, weight, copier })
            }
            5 => {
                let (time, peak) = (self.now(), size % 3 == 0);
                let (native_bytes, python_bytes) = (size, weight);
                Record::Footprint(Footprint { time, process, native_bytes, python_bytes, peak })
            }
            6 => Record::Inherited(Inherited { time: self.now(), process, bytes: size }),
            _ => {
                let which = self.dice.below(3);
                let name = self.writer.string([b"ticks", b"calls", b"bytes"][which as usize]);
                let value = self.counted.entry((process.number(), which)).or_default();
                *value += size;
                let (time, value) = (Timestamp::from_nanos(self.time), *value);
                Record::Counter(Counter { time, process, name, value })
            }
        }
    }

    /// Half of the threads and processes end before the trace does.
    fn ends(&mut self) {
        for id in (0..self.threads).step_by(2) {
            let end = ThreadEnd { id: ThreadId::new(id), time: self.now(), cpu_ns: 5 };
            self.writer.write(&Record::ThreadEnd(end)).unwrap();
        }
        for id in (0..self.processes).step_by(2) {
            let (id, time) = (ProcessId::new(id), self.now());
            let end = ProcessEnd { id, time, outcome: Outcome::Exited(3), cpu_ns: 7 };
            self.writer.write(&Record::ProcessEnd(end)).unwrap();
        }
        self.writer.write(&Record::Note(b"a blind spot".to_vec())).unwrap();
        self.time += 1_000_000 / self.unit * self.unit;
    }
}

/// A trace read whole.
pub struct Told {
    pub header: Header,
    pub records: Vec<Record>,
    pub tables: Tables,
    pids: BTreeMap<ProcessId, u32>,
    threads: BTreeMap<ThreadId, (u32, ProcessId)>,
}

impl Told {
    pub fn of(bytes: &[u8]) -> Self {
        let mut reader = TraceReader::new(bytes).unwrap();
        let records: Vec<Record> = reader.records().map(|record| record.unwrap()).collect();
        let mut told = Self {
            header: reader.header().clone(),
            tables: reader.into_tables(),
            pids: BTreeMap::new(),
            threads: BTreeMap::new(),
            records: Vec::new(),
        };
        for record in &records {
            match record {
                Record::Process(process) => drop(told.pids.insert(process.id, process.pid)),
                Record::Thread(thread) => {
                    told.threads.insert(thread.id, (thread.tid, thread.process));
                }
                _ => {}
            }
        }
        told.records = records;
        told
    }

    fn pid(&self, id: ProcessId) -> u32 {
        self.pids[&id]
    }

    pub fn thread(&self, id: ThreadId) -> String {
        let (tid, process) = self.threads[&id];
        format!("{tid} of {}", self.pid(process))
    }

    pub fn stack(&self, stack: Option<StackId>) -> String {
        let tables = &self.tables;
        let names = tables.walk(stack).map(|id| {
            let frame = tables.frame(id).unwrap();
            let function = tables.function(frame.function).unwrap();
            let Function { name, file, first_line, lang } = function;
            let (name, file) = (tables.text(name), tables.text(file));
            let Binary { path, build_id } =
                tables.binary(tables.binary_of(frame.function)).unwrap();
            let (path, build_id) = (tables.text(path), tables.string(build_id));
            let inlined = if tables.is_inlined(id) { " inlined" } else { "" };
            let line = frame.line;
            format!("{name} {file}:{first_line}:{line} {lang:?} {path} {build_id:?}{inlined}")
        });
        names.collect::<Vec<_>>().join(";")
    }

    /// What a record says, names in place of ids, its time moved by `shift` nanoseconds.
    pub fn say(&self, record: &Record, shift: i128) -> String {
        let time = record.time().map_or(0, |time| i128::from(time.as_nanos()) + shift);
        let said = match record {
            Record::Process(p) => {
                let parent = p.parent.map(|parent| self.pid(parent));
                format!("{parent:?} {} {:?} {} {}", p.pid, p.command, p.python, p.profiled)
            }
            Record::ProcessEnd(e) => format!("{} {:?} {}", self.pid(e.id), e.outcome, e.cpu_ns),
            Record::Thread(t) => format!("{} {:?}", self.thread(t.id), t.name),
            Record::ThreadEnd(e) => format!("{} {}", self.thread(e.id), e.cpu_ns),
            Record::Sample(s) => {
                let (thread, stack) = (self.thread(s.thread), self.stack(s.stack));
                format!("{thread} {stack} {} {:?}", s.weight_ns, s.class)
            }
            Record::Alloc(a) => {
                let (thread, stack) = (self.thread(a.thread), self.stack(a.stack));
                format!("{thread} {stack} {} {} {:?} {}", a.size, a.weight, a.domain, a.block)
            }
            Record::Free(f) => format!("{} {}", self.thread(f.thread), f.block),
            Record::Resize(r) => {
                format!("{} {} {} {}", self.thread(r.thread), r.block, r.old_size, r.new_size)
            }
            Record::Copied(c) => {
                let (thread, stack) = (self.thread(c.thread), self.stack(c.stack));
                format!("{thread} {stack} {} {} {}", c.size, c.weight, self.tables.text(c.copier))
            }
            Record::Footprint(f) => {
                let pid = self.pid(f.process);
                format!("{pid} {} {} {}", f.native_bytes, f.python_bytes, f.peak)
            }
            Record::Counter(c) => {
                format!("{} {} {}", self.pid(c.process), self.tables.text(c.name), c.value)
            }
            Record::Inherited(i) => format!("{} {}", self.pid(i.process), i.bytes),
            Record::Note(note) => String::from_utf8_lossy(note).into_owned(),
            other => format!("{other:?}"),
        };
        format!("{} {time} {said}", family(record))
    }

    /// Figures that must not change: weights of samples by class and stack, bytes allocated and copied by stack, last
    /// values of counters by name.
    pub fn sums(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        let mut last = BTreeMap::new();
        let mut add = |what: String, value: u64| *sums.entry(what).or_insert(0) += value;
        for record in &self.records {
            match record {
                Record::Sample(s) => {
                    add(format!("{:?} {}", s.class, self.stack(s.stack)), s.weight_ns);
                    add("samples".into(), 1);
                }
                Record::Alloc(a) => add(format!("alloc {}", self.stack(a.stack)), a.weight),
                Record::Copied(c) => add(format!("copied {}", self.stack(c.stack)), c.weight),
                Record::Free(_) => add("frees".into(), 1),
                Record::Resize(_) => add("resizes".into(), 1),
                Record::Counter(c) => drop(last.insert((c.process, c.name), c.value)),
                _ => {}
            }
        }
        for ((_, name), value) in last {
            add(format!("counter {}", self.tables.text(name)), value);
        }
        sums
    }
}

/// Records whose order among each other is kept.
pub fn family(record: &Record) -> &'static str {
    match record {
        Record::Sample(_) => "sample",
        Record::Alloc(_) | Record::Free(_) | Record::Resize(_) => "memory",
        Record::Copied(_) => "copied",
        Record::Footprint(_) => "footprint",
        Record::Inherited(_) => "inherited",
        Record::Counter(_) => "counter",
        Record::Process(_) => "process",
        Record::Thread(_) => "thread",
        Record::ProcessEnd(_) => "process end",
        Record::ThreadEnd(_) => "thread end",
        Record::Note(_) => "note",
        _ => "end",
    }
}
