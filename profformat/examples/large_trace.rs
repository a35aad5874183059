//! Writes a large trace of time, always the same: `large_trace OUT [SAMPLES] [STACKS]`; 10 million of 100,000 without.
//!
//! Four threads in a program of 3,000 functions of 10 lines each, and 50 native ones; samples of time only. Without
//! numbers given: seven hours at 100 Hz, a prefix tree of 1.2 million nodes, 99,000 stacks that have samples. They are 31
//! frames deep on average, one in five hundred is a recursion of hundreds. A line calls whatever function the dice say, some
//! forty different ones, and every thread does everything: harder on caches and tables than a program, whose lines call
//! one function or a few.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use profformat::ids::{FrameId, StackId};
use profformat::record::{Class, Frame, Function, Header, Lang, Record, Sample};
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

const THREADS: usize = 4;
const FUNCTIONS: usize = 3_000;
const LINES: usize = 10;
const NATIVE: usize = 50;
const TICK: u64 = 10_000_000;

/// Numbers that only look random (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }
}

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1);
    let Some(path) = words.next() else {
        return Err(io::Error::other("usage: large_trace OUT [SAMPLES] [STACKS]"));
    };
    let mut number = |default: usize| words.next().map_or(Ok(default), |word| word.parse());
    let samples = number(10_000_000).map_err(io::Error::other)?;
    let stacks = number(100_000).map_err(io::Error::other)?;
    let header = Header {
        start_unix_ns: 1_700_000_000_000_000_000,
        cpu_interval_ns: TICK,
        command: vec![b"python3".to_vec(), b"app.py".to_vec()],
        tool: "large_trace".to_owned(),
        ..Header::default()
    };
    let out = BufWriter::new(File::create_new(path)?);
    let mut writer = TraceWriter::new(out, &header, Options::default())?;
    let process = writer.process(4242, &["python3", "app.py"])?;
    let mut threads = Vec::new();
    for number in 0..THREADS as u32 {
        threads.push(writer.thread(process, 4242 + number, &format!("Thread-{number}"))?);
    }
    let mut dice = Dice(7);
    let stacks = self::stacks(&mut writer, &mut dice, stacks);
    let mut time = 0;
    for _ in 0..samples {
        time += TICK / THREADS as u64;
        // A few stacks have most of the samples.
        let limit = dice.below(stacks.len()) + 1;
        let (stack, class) = stacks[dice.below(limit)];
        let class = match dice.below(100) {
            0 => Class::Gc,
            1 => Class::Kernel,
            _ => class,
        };
        let sample = Sample {
            time: Timestamp::from_nanos(time),
            thread: threads[dice.below(THREADS)],
            stack: Some(stack),
            weight_ns: TICK + 1_000 * dice.below(50) as u64,
            class,
        };
        writer.write(&Record::Sample(sample))?;
    }
    writer.finish(Timestamp::from_nanos(time))?.flush()
}

/// Different stacks, each with the class that most of its samples have.
fn stacks<W: Write>(
    writer: &mut TraceWriter<W>,
    dice: &mut Dice,
    count: usize,
) -> Vec<(StackId, Class)> {
    let frames: Vec<FrameId> =
        (0..FUNCTIONS * LINES).map(|number| python(writer, number)).collect();
    let natives: Vec<FrameId> = (0..NATIVE).map(|number| native(writer, number)).collect();
    let mut nodes: Vec<(StackId, usize)> = Vec::new();
    let mut stacks = Vec::new();
    while stacks.len() < count {
        let above = nodes.get(dice.below(nodes.len() + 1)).filter(|(_, depth)| *depth < 50);
        let (mut stack, mut depth) =
            above.map_or((None, 0), |(stack, depth)| (Some(*stack), *depth));
        // One in five hundred recurses through a few lines; its depth tells it from the others.
        let is_recursion = stacks.len() % 500 == 499;
        let (more, turn) = if is_recursion {
            (300 + dice.below(500), dice.below(frames.len() - 3))
        } else {
            (1 + dice.below(20), 0)
        };
        for call in 0..more {
            let at = if is_recursion { turn + call % 3 } else { dice.below(frames.len()) };
            stack = Some(writer.stack(stack, frames[at]));
            depth += 1;
            nodes.extend(stack.map(|stack| (stack, depth)));
        }
        let class = if dice.below(4) == 0 { Class::Native } else { Class::Python };
        if class == Class::Native {
            stack = Some(writer.stack(stack, natives[dice.below(NATIVE)]));
        }
        stacks.extend(stack.map(|stack| (stack, class)));
    }
    stacks
}

fn python<W: Write>(writer: &mut TraceWriter<W>, number: usize) -> FrameId {
    let (function, line) = (number / LINES, number % LINES);
    let name = writer.string(format!("Part{}.step{function}", function % 40).as_bytes());
    let folder = if function % 3 == 0 { "/w" } else { "/usr/lib/python3/dist-packages/lib" };
    let file = writer.string(format!("{folder}/module{}.py", function / 10).as_bytes());
    let first_line = (function % 10 * 100 + 1) as u32;
    let function = writer.function(Function { name, file, first_line, lang: Lang::Python });
    writer.frame(Frame { function, line: first_line + line as u32 })
}

fn native<W: Write>(writer: &mut TraceWriter<W>, number: usize) -> FrameId {
    let name = writer.string(format!("work_{number}").as_bytes());
    let file = writer.string(format!("/usr/lib/libwork{}.so", number % 7).as_bytes());
    let function = writer.function(Function { name, file, first_line: 0, lang: Lang::Native });
    writer.frame(Frame { function, line: 0 })
}
