//! A small trace with every kind of record, the same at every call.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use profformat::ids::{BinaryId, FrameId, FunctionId, ProcessId, StackId, StringId, ThreadId};
use profformat::record::*;
use profformat::units::Timestamp;
use profformat::{Options, TraceReader, TraceWriter};

pub const PLAIN: Options = Options { compress: false, time_unit_ns: 1_000 };

pub fn at(micros: u64) -> Timestamp {
    Timestamp::from_nanos(micros * 1_000)
}

pub fn header() -> Header {
    Header {
        trace_id: *b"0123456789abcdef",
        start_unix_ns: 1_700_000_000_000_000_000,
        start_monotonic_ns: 5_000_000_000,
        cpu_interval_ns: 10_000_000,
        memory_interval: 131_072,
        copy_interval: 1_048_576,
        command: vec![b"python3".to_vec(), b"app.py".to_vec()],
        tool: "prof 0.1.0".into(),
    }
}

pub fn process(id: u32, parent: Option<u32>) -> Record {
    Record::Process(Process {
        id: ProcessId::new(id),
        parent: parent.map(ProcessId::new),
        pid: 4_000 + id,
        time: at(10 + u64::from(id)),
        command: vec![b"python3".to_vec(), b"".to_vec(), b"app \xff.py".to_vec()],
        python: if parent.is_none() { "3.11.7".into() } else { String::new() },
        profiled: parent.is_none(),
    })
}

pub fn thread(id: u32) -> Record {
    Record::Thread(Thread {
        id: ThreadId::new(id),
        process: ProcessId::new(0),
        tid: 4_000 + id,
        time: at(20),
        name: if id == 0 { b"MainThread".to_vec() } else { Vec::new() },
    })
}

/// Two functions called from each other; the stacks `main` and `main;work`.
pub fn stacks<W: std::io::Write>(writer: &mut TraceWriter<W>) -> [StackId; 2] {
    let mut parent = None;
    [("main", 3), ("work", 12)].map(|(name, line)| {
        let (name, file) = (writer.string(name.as_bytes()), writer.string(b"app.py"));
        let function =
            writer.function(Function { name, file, first_line: line - 2, lang: Lang::Python });
        let frame = writer.frame(Frame { function, line });
        let stack = writer.stack(parent, frame);
        parent = Some(stack);
        stack
    })
}

/// A native function in a library, and one that is inlined into it. No event is in them.
fn native<W: std::io::Write>(writer: &mut TraceWriter<W>) {
    let path = writer.string(b"/usr/lib/libz.so.1");
    let build_id = writer.string(b"\x00\x01\xfe\xff\x0a");
    let binary = writer.binary(Binary { path, build_id });
    let mut frame = |name: &str, line, inlined| {
        let [name, file] = [name, "deflate.c"].map(|text| writer.string(text.as_bytes()));
        let function = Function { name, file, first_line: 0, lang: Lang::Native };
        let function = writer.function_of(function, binary);
        let frame = Frame { function, line };
        if inlined { writer.inlined(frame) } else { writer.frame(frame) }
    };
    let [outer, inner] = [frame("deflate", 900, false), frame("longest_match", 1_200, true)];
    let stack = writer.stack(None, outer);
    writer.stack(Some(stack), inner);
}

/// Every kind of record but definitions and the end, `rounds` times, in the order in which a reader gives
/// them when they fit in one block each.
pub fn events(stacks: [StackId; 2], [name, copier]: [StringId; 2], rounds: u64) -> Vec<Record> {
    let thread = |i: u64| ThreadId::new((i % 2) as u32);
    let process = ProcessId::new(0);
    let rounds = 0..rounds;
    let mut all = Vec::new();
    all.extend(rounds.clone().map(|i| {
        Record::Sample(Sample {
            time: at(10_000 * (i + 1)),
            thread: thread(i),
            stack: if i % 5 == 4 { None } else { Some(stacks[(i % 2) as usize]) },
            weight_ns: 9_990_000 + 1_000 * (i % 7),
            class: Class::ALL[(i % 6) as usize],
        })
    }));
    all.extend(rounds.clone().flat_map(|i| {
        let time = at(10_000 * (i + 1) + 500);
        let alloc = Alloc {
            time,
            thread: thread(i),
            stack: Some(stacks[1]),
            size: 512 + i,
            weight: 131_072,
            domain: if i % 2 == 0 { Domain::Python } else { Domain::Native },
            block: if i % 3 == 2 { 0 } else { i + 1 },
        };
        let (thread, block) = (alloc.thread, i + 1);
        let resize = Resize { time, thread, block, old_size: 512 + i, new_size: 100 };
        [Record::Alloc(alloc), Record::Resize(resize), Record::Free(Free { time, thread, block })]
    }));
    all.extend(rounds.clone().map(|i| {
        Record::Copied(Copied {
            time: at(10_000 * (i + 1) + 700),
            thread: thread(i),
            stack: Some(stacks[0]),
            size: 4_096,
            weight: 1_048_576,
            copier: if i % 4 == 3 { StringId::new(0) } else { copier },
        })
    }));
    if rounds.end > 0 {
        let inherited = Inherited { time: at(50_000), process, bytes: 700_000 };
        all.push(Record::Inherited(inherited));
    }
    all.extend(rounds.clone().map(|i| {
        Record::Footprint(Footprint {
            time: at(50_000 * i),
            process,
            native_bytes: 1_000_000 + 1_000 * i,
            python_bytes: 2_000_000 - 1_000 * i,
            peak: i % 2 == 1,
        })
    }));
    all.extend(
        rounds.map(|i| {
            Record::Counter(Counter { time: at(50_000 * i), process, name, value: 100 * i })
        }),
    );
    all
}

pub fn ends() -> Vec<Record> {
    let outcomes = [Outcome::Exited(-1), Outcome::Killed(9), Outcome::Exec, Outcome::Gone];
    let mut all: Vec<_> = [0, 1]
        .map(|id| {
            Record::ThreadEnd(ThreadEnd {
                id: ThreadId::new(id),
                time: at(900_000),
                cpu_ns: 1_234_567,
            })
        })
        .into();
    all.extend(outcomes.into_iter().chain([Outcome::Running]).zip([0, 1, 1, 1, 1]).map(
        |(outcome, id)| {
            let time = at(900_000);
            Record::ProcessEnd(ProcessEnd { id: ProcessId::new(id), time, outcome, cpu_ns: 7 })
        },
    ));
    all.push(Record::Note(b"a static child was not seen".to_vec()));
    all
}

/// The records of the example in the order in which a reader gives them, and its bytes.
pub fn trace(options: Options, rounds: u64) -> (Vec<Record>, Vec<u8>) {
    let mut writer = TraceWriter::new(Vec::new(), &header(), options).unwrap();
    let mut records = vec![process(0, None), process(1, Some(0)), thread(0), thread(1)];
    let stacks = stacks(&mut writer);
    if rounds > 0 {
        native(&mut writer);
    }
    let name = writer.string(counter::TICKS.as_bytes());
    // Without copies there is no copier.
    let copier = writer.string(if rounds > 0 { b"CPython" } else { b"" });
    records.extend(events(stacks, [name, copier], rounds));
    records.extend(ends());
    for record in &records {
        writer.write(record).unwrap();
    }
    records.push(Record::End(at(1_000_000)));
    (records, writer.finish(at(1_000_000)).unwrap())
}

/// What a trace says, one line for each entry, made so that a change of the reader shows.
pub fn dump(bytes: &[u8]) -> String {
    let mut reader = TraceReader::new(bytes).unwrap();
    let mut out = format!("{:?}\n", reader.header());
    let (mut seen, mut seen_binaries) = ([0; 4], 0);
    while let Some(record) = reader.next_record() {
        let tables = reader.tables();
        let counts = tables.counts();
        for number in seen[0]..counts[0] {
            let id = StringId::new(number as u32);
            out += &format!("string {number} {:?}\n", tables.text(id));
        }
        for (number, function) in tables.functions().iter().enumerate().skip(seen[1]) {
            out += &format!("function {number} {function:?}\n");
        }
        for (number, frame) in tables.frames().iter().enumerate().skip(seen[2]) {
            out += &format!("frame {number} {frame:?}\n");
        }
        for (number, node) in tables.stacks().iter().enumerate().skip(seen[3]) {
            out += &format!("stack {number} {node:?}\n");
        }
        // What a version does not tell is left out, so that its text stays that of the day it was written.
        for (number, binary) in tables.binaries().iter().enumerate().skip(seen_binaries.max(1)) {
            out += &format!("binary {number} {binary:?}\n");
        }
        for number in seen[1]..counts[1] {
            let binary = tables.binary_of(FunctionId::new(number as u32));
            if binary != BinaryId::NONE {
                out += &format!("function {number} of {binary:?}\n");
            }
        }
        for number in seen[2]..counts[2] {
            if tables.is_inlined(FrameId::new(number as u32)) {
                out += &format!("frame {number} is inlined\n");
            }
        }
        seen_binaries = tables.binaries().len();
        seen = counts;
        // As above.
        let told = format!("{:?}\n", record.unwrap()).replace(", copier: StringId(0)", "");
        out += &told;
    }
    out += &format!("{:?}\n", reader.damage());
    out
}
