//! Events as a drain of the collector's rings gives them: a few of each thread in turn.

use benches::program::{Program, Size};
use benches::random::Random;
use profformat::ids::{StackId, ThreadId};
use profformat::record::{Alloc, Class, Domain, Free, Header, MemoryEvent, Sample};
use profformat::units::Timestamp;
use profformat::{Options, TraceWriter};

use crate::events::Event;
use crate::load::{Definitions, Load};

const SIZE: Size = Size { processes: 1, threads: 8, stacks: 5_000 };
/// Events of a thread in a drain: ticks of 100 Hz, twenty drains a second.
const DRAIN: usize = 5;
/// Blocks that are live at a time.
const LIVE: usize = 1_000;

/// What every thread did last, and the blocks of all.
struct Source {
    random: Random,
    program: Program,
    /// By thread: microseconds.
    clocks: Vec<u64>,
    /// By thread: position among the program's stacks.
    places: Vec<u64>,
    live: Vec<u64>,
    blocks: u64,
}

/// Samples, `count` of them.
pub(crate) fn samples(count: usize) -> Load<Sample> {
    load(count, Source::sample)
}

/// Allocations, and as many frees.
pub(crate) fn memory(count: usize) -> Load<MemoryEvent> {
    load(count, Source::memory)
}

fn load<E: Event>(count: usize, next: fn(&mut Source, usize) -> E) -> Load<E> {
    let (mut source, definitions) = Source::new();
    let mut events = Vec::with_capacity(count);
    let threads = source.program.threads.len();
    let order = (0..threads).flat_map(|thread| [thread; DRAIN]).cycle();
    events.extend(order.take(count).map(|thread| next(&mut source, thread)));
    Load::new("synthetic", definitions, events)
}

impl Source {
    fn new() -> (Self, Definitions) {
        let header =
            Header { cpu_interval_ns: 10_000_000, memory_interval: 131_072, ..Header::default() };
        let mut writer = TraceWriter::new(Vec::new(), &header, Options::default()).expect("memory");
        let mut random = Random::new(1);
        let program = Program::define(SIZE, &mut random, &mut writer).expect("memory");
        let trace = writer.finish(Timestamp::ZERO).expect("memory");
        let threads = program.threads.len();
        let source = Self {
            random,
            program,
            clocks: vec![0; threads],
            places: vec![0; threads],
            live: Vec::new(),
            blocks: 0,
        };
        (source, Definitions::read(&trace, |_| {}))
    }

    /// The next moment of a thread, `busy` microseconds after its last one at least.
    fn time(&mut self, thread: usize, busy: u64) -> Timestamp {
        self.clocks[thread] += busy + self.random.below(40);
        Timestamp::from_nanos(self.clocks[thread] * 1_000)
    }

    /// Half of the events stay near the stack of the one before.
    fn stack(&mut self, thread: usize) -> Option<StackId> {
        let stacks = self.program.stacks.len() as u64;
        let place = &mut self.places[thread];
        *place = match self.random.below(2) {
            0 => (*place + self.random.below(9)) % stacks,
            _ => self.random.below(stacks),
        };
        Some(self.program.stacks[*place as usize])
    }

    fn sample(&mut self, thread: usize) -> Sample {
        // 100 Hz, on a kernel whose tick is 4 ms.
        let weight = 8_000 + 4_000 * self.random.below(2) + self.random.below(60);
        Sample {
            time: self.time(thread, weight),
            thread: ThreadId::new(thread as u32),
            stack: self.stack(thread),
            weight_ns: weight * 1_000,
            class: Class::ALL[[0, 0, 0, 1, 2, 3][self.random.below(6) as usize]],
        }
    }

    fn memory(&mut self, thread: usize) -> MemoryEvent {
        let (time, thread_id) = (self.time(thread, 5_000), ThreadId::new(thread as u32));
        if self.live.len() >= LIVE && self.random.below(2) == 0 {
            let place = self.random.below(self.live.len() as u64) as usize;
            let block = self.live.swap_remove(place);
            return MemoryEvent::Free(Free { time, thread: thread_id, block });
        }
        self.blocks += 1;
        self.live.push(self.blocks);
        MemoryEvent::Alloc(Alloc {
            time,
            thread: thread_id,
            stack: self.stack(thread),
            size: 16 << self.random.below(12),
            weight: 131_072,
            domain: Domain::Python,
            block: self.blocks,
        })
    }
}
