//! Writes a trace of a given size, of a server that never was: for measuring what large traces cost.

use std::cell::Cell;
use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;

use benches::program::{Program, Size};
use benches::random::Random;
use clap::Parser;
use profformat::ids::{StackId, StringId, ThreadId};
use profformat::record::{
    Alloc, Class, Copied, Counter, Domain, Footprint, Free, Header, Outcome, ProcessEnd, Record,
    Sample, ThreadEnd, counter,
};
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

/// Writes a synthetic trace of about a given size.
#[derive(Parser)]
struct Arguments {
    /// Size of the trace: bytes, or with K, M or G
    #[arg(long, default_value = "1G", value_parser = bytes)]
    bytes: u64,
    /// Other numbers make another trace of the same kind
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave chunks uncompressed
    #[arg(long)]
    plain: bool,
    /// The file to write
    out: PathBuf,
}

/// A number with an optional unit.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 10),
        Some(b'M') => (&text[..text.len() - 1], 20),
        Some(b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| "a number and K, M or G".to_string())?;
    number.checked_shl(shift).filter(|size| size >> shift == number).ok_or("too large".into())
}

const SIZE: Size = Size { processes: 4, threads: 6, stacks: 100_000 };
/// Jobs that the threads have: each job has its own part of the stacks, and the threads that have it share them.
const JOBS: usize = 12;
/// Blocks that are live at a time in each process.
const LIVE: u64 = 25_000;
/// Microseconds between two drains of the rings, and how many of them make a second.
const DRAIN: u64 = 50_000;
const DRAINS_A_SECOND: u64 = 1_000_000 / DRAIN;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let written = Rc::new(Cell::new(0));
    let file = Counted { file: File::create(&arguments.out)?, written: Rc::clone(&written) };
    let options = Options { compress: !arguments.plain, ..Options::default() };
    let mut server = Server::begin(file, options, arguments.seed)?;
    while written.get() < arguments.bytes {
        server.drain()?;
    }
    let records = server.end()?;
    println!("{}: {records} records, {} bytes", arguments.out.display(), written.get());
    Ok(())
}

/// A file that knows its length.
struct Counted {
    file: File,
    written: Rc<Cell<u64>>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.written.set(self.written.get() + length as u64);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What goes on in the server.
struct Server {
    writer: TraceWriter<Counted>,
    random: Random,
    program: Program,
    threads: Vec<Busy>,
    counters: [StringId; 3],
    copiers: [StringId; 3],
    /// By process: number and size of each live block.
    live: Vec<Vec<(u64, u64)>>,
    blocks: u64,
    allocated: u64,
    held: u64,
    peak: u64,
    /// Microseconds since the start.
    now: u64,
    records: u64,
}

/// What a thread does.
#[derive(Clone, Copy)]
struct Busy {
    /// Position among the stacks.
    place: u64,
    /// Microseconds up to its last event, and of CPU time.
    clock: u64,
    cpu: u64,
}

impl Server {
    fn begin(file: Counted, options: Options, seed: u64) -> io::Result<Self> {
        let header = Header {
            trace_id: u128::from(seed).to_le_bytes(),
            start_unix_ns: 1_700_000_000_000_000_000,
            cpu_interval_ns: 10_000_000,
            memory_interval: 131_072,
            copy_interval: 1 << 20,
            command: vec![b"python3".to_vec(), b"-m".to_vec(), b"orders.serve".to_vec()],
            tool: concat!("generate ", env!("CARGO_PKG_VERSION")).into(),
            ..Header::default()
        };
        let mut writer = TraceWriter::new(file, &header, options)?;
        let mut random = Random::new(seed);
        let program = Program::define(SIZE, &mut random, &mut writer)?;
        let names = [counter::TICKS, counter::SAMPLES, counter::ALLOC_BYTES];
        Ok(Self {
            counters: names.map(|name| writer.string(name.as_bytes())),
            copiers: ["CPython", "numpy", "libz"].map(|name| writer.string(name.as_bytes())),
            writer,
            random,
            threads: vec![Busy { place: 0, clock: 0, cpu: 0 }; program.threads.len()],
            program,
            live: vec![Vec::new(); SIZE.processes as usize],
            blocks: 0,
            allocated: 0,
            held: 0,
            peak: 0,
            now: 0,
            records: 0,
        })
    }

    /// Everything that happens between two drains, thread by thread.
    fn drain(&mut self) -> io::Result<()> {
        self.now += DRAIN;
        for thread in 0..self.threads.len() {
            while self.threads[thread].clock < self.now {
                self.tick(thread)?;
            }
        }
        if (self.now / DRAIN).is_multiple_of(DRAINS_A_SECOND) {
            self.figures()?;
        }
        Ok(())
    }

    /// A sample of a thread, and what it allocated and copied meanwhile.
    fn tick(&mut self, thread: usize) -> io::Result<()> {
        let id = self.program.threads[thread];
        let weight = 9_900 + self.random.below(200);
        let busy = &mut self.threads[thread];
        busy.clock += weight + self.random.below(3) * self.random.below(20);
        let clock = busy.clock;
        for part in 1..=self.random.below(4) {
            // Before the sample, and in order.
            let time = at(clock - weight + part * (weight / 5));
            self.memory(id, time, thread)?;
        }
        let (stack, class) = (self.stack(thread), self.class(thread));
        if class.on_cpu() {
            self.threads[thread].cpu += weight;
        }
        if self.random.below(10) == 0 && class == Class::Native {
            let size = 4_096 << self.random.below(8);
            let weight = 1 << 20;
            let copier = self.copiers[self.random.below(3) as usize];
            let (time, thread) = (at(clock), id);
            self.put(&Record::Copied(Copied { time, thread, stack, size, weight, copier }))?;
        }
        let weight_ns = weight * 1_000;
        self.put(&Record::Sample(Sample { time: at(clock), thread: id, stack, weight_ns, class }))
    }

    /// An allocation, or a free of some older block when there are many.
    fn memory(&mut self, thread: ThreadId, time: Timestamp, place: usize) -> io::Result<()> {
        let processes = self.live.len();
        // A block is freed in the process that has it, by any thread.
        let live = &mut self.live[thread.index() % processes];
        if self.random.below(2 * LIVE) < live.len() as u64 {
            let at = self.random.below(live.len() as u64) as usize;
            let (block, size) = live.swap_remove(at);
            self.held -= size;
            return self.put(&Record::Free(Free { time, thread, block }));
        }
        self.blocks += 1;
        let size = (16 << self.random.below(14)) + self.random.below(16) * 8;
        live.push((self.blocks, size));
        self.allocated += 131_072;
        self.held += size;
        let domain = self.random.choose(&[Domain::Python, Domain::Python, Domain::Native]);
        let (stack, weight, block) = (self.stack(place), 131_072.max(size), self.blocks);
        self.put(&Record::Alloc(Alloc { time, thread, stack, size, weight, domain, block }))
    }

    /// The next stack of a thread: mostly near the last one, sometimes a hot one, rarely any of its job.
    fn stack(&mut self, thread: usize) -> Option<StackId> {
        let share = self.program.stacks.len() / JOBS;
        let place = match self.random.below(8) {
            0..=4 => (self.threads[thread].place + self.random.below(7)) % share as u64,
            5 | 6 => self.random.below(share as u64 / 100),
            _ => self.random.below(share as u64),
        };
        self.threads[thread].place = place;
        Some(self.program.stacks[thread % JOBS * share + place as usize])
    }

    /// What a thread does in its stack: nearly always the same, but any may have to wait for the interpreter.
    fn class(&mut self, thread: usize) -> Class {
        match self.threads[thread].place % 16 {
            _ if self.random.below(50) == 0 => Class::Gil,
            0..=8 => Class::Python,
            9..=12 => Class::Native,
            13 => Class::Kernel,
            14 => Class::Gc,
            _ => Class::Wait,
        }
    }

    /// Footprints and counters of all processes.
    fn figures(&mut self) -> io::Result<()> {
        let (time, count) = (at(self.now), self.program.processes.len() as u64);
        let native = self.held * 40 / count;
        let peak = native > self.peak;
        self.peak = self.peak.max(native);
        for n in 0..self.program.processes.len() {
            let process = self.program.processes[n];
            let python_bytes = 64 << 20;
            let point = Footprint { time, process, native_bytes: native, python_bytes, peak };
            self.put(&Record::Footprint(point))?;
            let values = [self.now / 10_000, self.now / 10_000, self.allocated / count];
            for (name, value) in self.counters.into_iter().zip(values) {
                self.put(&Record::Counter(Counter { time, process, name, value }))?;
            }
        }
        Ok(())
    }

    /// Ends of everything. Gives the number of records.
    fn end(mut self) -> io::Result<u64> {
        let time = at(self.now + DRAIN);
        for n in 0..self.threads.len() {
            let (id, cpu_ns) = (self.program.threads[n], self.threads[n].cpu * 1_000);
            self.put(&Record::ThreadEnd(ThreadEnd { id, time, cpu_ns }))?;
        }
        let cpu_ns = self.threads.iter().map(|thread| thread.cpu * 1_000).sum::<u64>()
            / self.program.processes.len() as u64;
        for n in 0..self.program.processes.len() {
            let (id, outcome) = (self.program.processes[n], Outcome::Exited(0));
            self.put(&Record::ProcessEnd(ProcessEnd { id, time, outcome, cpu_ns }))?;
        }
        self.writer.finish(time)?;
        Ok(self.records + 1)
    }

    fn put(&mut self, record: &Record) -> io::Result<()> {
        self.records += 1;
        self.writer.write(record)
    }
}

/// A moment so many microseconds after the start.
fn at(micros: u64) -> Timestamp {
    Timestamp::from_nanos(micros * 1_000)
}
