//! Traces with values that no program would give, the same for the same seed.

use profformat::ids::{FrameId, ProcessId, StackId, StringId, ThreadId};
use profformat::record::*;
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

use crate::example;

const PROCESSES: u32 = 6;
const THREADS: u32 = 40;

/// A generator of random numbers.
struct Random(u64);

impl Random {
    /// Any number.
    fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.any() % end
    }

    /// A number of any length, small ones as often as large ones.
    fn sized(&mut self) -> u64 {
        let shift = self.below(64);
        self.any() >> shift
    }

    fn bytes(&mut self, longest: u64) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| self.any() as u8).collect()
    }
}

/// What events refer to.
struct Defined {
    stacks: Vec<StackId>,
    names: Vec<StringId>,
    processes: u32,
    threads: u32,
}

type Writer = TraceWriter<Vec<u8>>;

/// A trace of at least so many events in blocks of all lengths, in which definitions go on to the end.
pub(crate) fn trace(seed: u64, options: Options, events: u32) -> Vec<u8> {
    let random = &mut Random(seed);
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), options).unwrap();
    let mut defined = Defined { stacks: Vec::new(), names: Vec::new(), processes: 1, threads: 0 };
    writer.write(&example::process(0, None)).unwrap();
    for event in 0..events {
        if event < 500 || random.below(20) == 0 {
            define(&mut writer, random, &mut defined);
        }
        if defined.processes < PROCESSES && random.below(2_000) == 0 {
            let parent = random.below(defined.processes.into()) as u32;
            writer.write(&example::process(defined.processes, Some(parent))).unwrap();
            defined.processes += 1;
            writer.flush().unwrap();
        }
        if defined.threads == 0 || defined.threads < THREADS && random.below(500) == 0 {
            let thread = thread(random, defined.threads, defined.processes);
            writer.write(&thread).unwrap();
            defined.threads += 1;
        }
        writer.write(&record(random, &defined)).unwrap();
        if random.below(6_000) == 0 {
            writer.flush().unwrap();
        }
    }
    let end = Timestamp::from_nanos(random.sized());
    writer.finish(end).unwrap()
}

/// A trace of so many chunks with a note each.
pub(crate) fn notes(count: u32) -> Vec<u8> {
    let mut writer = TraceWriter::new(Vec::new(), &example::header(), example::PLAIN).unwrap();
    for _ in 0..count {
        writer.write(&Record::Note(Vec::new())).unwrap();
        writer.flush().unwrap();
    }
    writer.finish(Timestamp::ZERO).unwrap()
}

/// Defines another stack, and strings, functions and frames on the way.
fn define(writer: &mut Writer, random: &mut Random, defined: &mut Defined) {
    let name = writer.string(&random.bytes(12));
    let file = writer.string(format!("file {}", random.below(50)).as_bytes());
    let lang = [Lang::Python, Lang::Native, Lang::Other][random.below(3) as usize];
    let first_line = random.sized() as u32;
    let function = Function { name, file, first_line, lang };
    let function = match random.below(3) {
        0 => {
            let build_id = writer.string(&random.bytes(20));
            let binary = writer.binary(Binary { path: file, build_id });
            writer.function_of(function, binary)
        }
        _ => writer.function(function),
    };
    let frame = Frame { function, line: random.sized() as u32 };
    let frame = if random.below(4) == 0 { writer.inlined(frame) } else { writer.frame(frame) };
    let parent = match random.below(defined.stacks.len() as u64 + 1) as usize {
        0 => None,
        // The newest one half of the time, for deep stacks.
        any => Some(if any % 2 == 0 {
            *defined.stacks.last().unwrap()
        } else {
            defined.stacks[any - 1]
        }),
    };
    let frame = if random.below(30) == 0 { FrameId::new(0) } else { frame };
    defined.stacks.push(writer.stack(parent, frame));
    if defined.names.len() < 30 {
        defined.names.push(name);
    }
}

fn thread(random: &mut Random, id: u32, processes: u32) -> Record {
    Record::Thread(Thread {
        id: ThreadId::new(id),
        process: ProcessId::new(random.below(processes.into()) as u32),
        tid: random.sized() as u32,
        time: Timestamp::from_nanos(random.sized()),
        name: random.bytes(15),
    })
}

/// Events mostly; any other record now and then.
fn record(random: &mut Random, defined: &Defined) -> Record {
    let time = Timestamp::from_nanos(random.sized());
    let thread = ThreadId::new(random.below(defined.threads.into()) as u32);
    let process = ProcessId::new(random.below(defined.processes.into()) as u32);
    let stack = defined.stacks.get(random.below(defined.stacks.len() as u64 + 1) as usize).copied();
    let (size, weight) = (random.sized(), random.sized());
    let block = if random.below(4) == 0 { 0 } else { random.sized() };
    match random.below(1_000) {
        0..400 => {
            let class = Class::ALL[random.below(6) as usize];
            Record::Sample(Sample { time, thread, stack, weight_ns: weight, class })
        }
        400..600 => {
            let domain = [Domain::Python, Domain::Native][random.below(2) as usize];
            Record::Alloc(Alloc { time, thread, stack, size, weight, domain, block })
        }
        600..680 => Record::Free(Free { time, thread, block }),
        680..740 => {
            Record::Resize(Resize { time, thread, block, old_size: size, new_size: weight })
        }
        740..990 => {
            let name = random.below(defined.names.len() as u64 + 1) as usize;
            let copier = defined.names.get(name).copied().unwrap_or(StringId::new(0));
            Record::Copied(Copied { time, thread, stack, size, weight, copier })
        }
        990 => Record::Inherited(Inherited { time, process, bytes: size }),
        991..993 => {
            let (native_bytes, python_bytes) = (size, weight);
            Record::Footprint(Footprint {
                time,
                process,
                native_bytes,
                python_bytes,
                peak: block % 2 == 0,
            })
        }
        993..996 => {
            let name = defined.names[random.below(defined.names.len() as u64) as usize];
            Record::Counter(Counter { time, process, name, value: size })
        }
        996 => Record::ThreadEnd(ThreadEnd { id: thread, time, cpu_ns: size }),
        997 => {
            let status = random.sized() as i32;
            let all = [
                Outcome::Exited(status),
                Outcome::Killed(status),
                Outcome::Exec,
                Outcome::Gone,
                Outcome::Running,
            ];
            let outcome = all[random.below(5) as usize];
            Record::ProcessEnd(ProcessEnd { id: process, time, outcome, cpu_ns: size })
        }
        _ => Record::Note(random.bytes(40)),
    }
}
