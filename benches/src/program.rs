//! An imagined program: processes, threads, and call stacks through functions with names as real ones have them.

use std::io::{self, Write};

use profformat::TraceWriter;
use profformat::ids::{FrameId, FunctionId, ProcessId, StackId, ThreadId};
use profformat::record::{Frame, Function, Lang, Process, Record, Thread};
use profformat::units::Timestamp;

use crate::random::Random;

/// Lengths of the stacks.
pub const DEPTHS: std::ops::RangeInclusive<usize> = 10..=60;

const FUNCTIONS: u64 = 3_000;
const LINES: u64 = 20;
const PACKAGES: [&str; 12] = [
    "orders",
    "billing",
    "inventory",
    "search",
    "session",
    "numpy",
    "sqlmodel",
    "httpserver",
    "templates",
    "pricing",
    "reports",
    "scheduler",
];
const MODULES: [&str; 10] = [
    "models",
    "views",
    "query",
    "cache",
    "handlers",
    "serializer",
    "client",
    "pipeline",
    "index",
    "core",
];
const CLASSES: [&str; 10] = [
    "Query",
    "Session",
    "Connection",
    "OrderBook",
    "Renderer",
    "Tokenizer",
    "Planner",
    "Matrix",
    "Worker",
    "Router",
];
const VERBS: [&str; 12] = [
    "execute", "fetch", "render", "parse", "update", "merge", "resolve", "encode", "dispatch",
    "collect", "validate", "flush",
];
const NOUNS: [&str; 10] =
    ["row", "rows", "item", "batch", "request", "response", "token", "columns", "tree", "state"];

/// How large a program is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Processes.
    pub processes: u32,
    /// Threads of each process.
    pub threads: u32,
    /// Different stacks.
    pub stacks: usize,
}

/// Ids of a program that a writer knows.
#[derive(Debug)]
pub struct Program {
    /// Its processes.
    pub processes: Vec<ProcessId>,
    /// Threads of all processes; thread `n` belongs to process `n % processes`.
    pub threads: Vec<ThreadId>,
    /// Stacks that were observed, neighbors sharing most of their frames.
    pub stacks: Vec<StackId>,
}

impl Program {
    /// Makes a program up and defines it.
    pub fn define<W: Write>(
        size: Size,
        random: &mut Random,
        writer: &mut TraceWriter<W>,
    ) -> io::Result<Self> {
        let processes: Vec<_> = (0..size.processes).map(ProcessId::new).collect();
        for &id in &processes {
            writer.write(&Record::Process(process(id)))?;
        }
        let threads: Vec<_> = (0..size.processes * size.threads).map(ThreadId::new).collect();
        for &id in &threads {
            let process = processes[id.index() % processes.len()];
            writer.write(&Record::Thread(thread(id, process, id.number() / size.processes)))?;
        }
        let functions: Vec<_> = (0..FUNCTIONS).map(|_| function(random, writer)).collect();
        let stacks = stacks(size.stacks, &functions, random, writer);
        Ok(Self { processes, threads, stacks })
    }
}

fn process(id: ProcessId) -> Process {
    Process {
        id,
        parent: id.number().checked_sub(1).map(|_| ProcessId::new(0)),
        pid: 4_000 + id.number(),
        time: Timestamp::ZERO,
        command: vec![b"python3".to_vec(), b"-m".to_vec(), b"orders.serve".to_vec()],
        python: "3.11.7".into(),
        profiled: true,
    }
}

fn thread(id: ThreadId, process: ProcessId, number: u32) -> Thread {
    let name = match number {
        0 => b"MainThread".to_vec(),
        number => format!("ThreadPoolExecutor-0_{number}").into_bytes(),
    };
    Thread { id, process, tid: 4_000 + id.number(), time: Timestamp::ZERO, name }
}

/// A function; one of eight is native.
fn function<W: Write>(random: &mut Random, writer: &mut TraceWriter<W>) -> FunctionId {
    let package = random.choose(&PACKAGES);
    let (verb, noun) = (random.choose(&VERBS), random.choose(&NOUNS));
    let (name, file, lang) = if random.below(8) == 0 {
        (format!("{package}_{verb}_{noun}"), format!("/usr/lib/lib{package}.so.1"), Lang::Native)
    } else {
        let (class, module) = (random.choose(&CLASSES), random.choose(&MODULES));
        let file = format!("/srv/app/lib/python3.11/site-packages/{package}/{module}.py");
        (format!("{class}.{verb}_{noun}"), file, Lang::Python)
    };
    let (name, file) = (writer.string(name.as_bytes()), writer.string(file.as_bytes()));
    let first_line = if lang == Lang::Python { 1 + random.below(2_000) as u32 } else { 0 };
    writer.function(Function { name, file, first_line, lang })
}

fn frame<W: Write>(
    functions: &[FunctionId],
    random: &mut Random,
    writer: &mut TraceWriter<W>,
) -> FrameId {
    let function = random.choose(functions);
    let first = writer.tables().function(function).map_or(0, |function| function.first_line);
    let line = if first == 0 { 0 } else { first + random.below(LINES) as u32 };
    writer.frame(Frame { function, line })
}

/// Stacks that wander through the program: each keeps most frames of the one before and never occurs twice.
fn stacks<W: Write>(
    count: usize,
    functions: &[FunctionId],
    random: &mut Random,
    writer: &mut TraceWriter<W>,
) -> Vec<StackId> {
    let mut path: Vec<StackId> = Vec::new();
    let mut out: Vec<StackId> = Vec::with_capacity(count);
    while out.len() < count {
        let wander = path.len() + random.below(13) as usize;
        let depth = wander.saturating_sub(6).clamp(*DEPTHS.start(), *DEPTHS.end());
        let kept = depth.min(path.len()).saturating_sub(1 + random.below(7) as usize);
        path.truncate(kept.max(1));
        while path.len() < depth {
            let frame = frame(functions, random, writer);
            path.push(writer.stack(path.last().copied(), frame));
        }
        let leaf = path[depth - 1];
        // A new node has the largest id so far.
        if out.last().is_none_or(|&last| leaf > last) {
            out.push(leaf);
        }
    }
    out
}
