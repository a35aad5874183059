//! Parts that benches and fuzzers drive directly. Not an interface: feature `bench` only.

use crate::event::{Event, decode, frame_word, head_word, kind, stack_word};
use crate::interval::Strata;
use crate::ring::spsc::{Popped, Ring, Share};
use crate::sync::AtomicU64;

/// The line of the instruction at byte `offset`, by the line table of a code object of this version of Python
/// (`Py_Version`'s form). Tables come out of another process's memory, so they may hold anything.
pub fn line(version_hex: u64, table: &[u8], first_line: u32, offset: i32) -> Option<u32> {
    crate::cpython::line(version_hex, table, first_line, offset)
}

/// The sampler by bytes of one thread.
#[derive(Debug)]
pub struct SamplerBench {
    strata: Strata,
    random: u64,
}

impl SamplerBench {
    /// A sampler at its start; other seeds have other sample points.
    pub fn new(seed: u64) -> Self {
        Self { strata: Strata::default(), random: seed }
    }

    /// Passes an allocation of `size` bytes and returns what it weighs, 0 for no sample.
    pub fn take(&mut self, size: u64, interval: u64) -> u64 {
        self.strata.take(size, interval, &mut self.random)
    }
}

/// A ring of its own memory, with both ends in one hand.
#[derive(Debug)]
pub struct RingBench {
    head: AtomicU64,
    tail: AtomicU64,
    words: Vec<AtomicU64>,
    event: Vec<u64>,
}

impl RingBench {
    /// A ring as long as a thread's.
    pub fn new() -> Self {
        let words = crate::session::SLOT_WORDS - crate::session::slot_word::RING;
        Self {
            head: AtomicU64::new(0),
            tail: AtomicU64::new(0),
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            event: Vec::new(),
        }
    }

    fn ring(&self) -> Ring<'_> {
        Ring { head: &self.head, tail: &self.tail, words: &self.words }
    }

    /// Writes a tick with a stack of `frames` new frames; false if the ring is full.
    pub fn push_tick(&mut self, frames: usize) -> bool {
        let len = 5 + frames;
        let Some(mut event) = self.ring().reserve(len, Share::All) else { return false };
        for word in [head_word(len, kind::TICK, 0, 0), 1, 2, 3, stack_word(0, frames, 0, 1, 0)] {
            event.word(word);
        }
        for frame in 0..frames {
            event.word(frame_word(frame as u32, 8));
        }
        event.commit();
        true
    }

    /// Takes an event out and decodes it; the frames of its stack, `None` if the ring is empty.
    pub fn pop(&mut self) -> Option<usize> {
        let mut event = std::mem::take(&mut self.event);
        let popped = self.ring().pop(&mut event);
        let frames = match (popped, decode(&event)) {
            (Popped::Event, Some(Event::Tick { stack, .. })) => Some(stack.new.len()),
            _ => None,
        };
        self.event = event;
        frames
    }
}

impl Default for RingBench {
    fn default() -> Self {
        Self::new()
    }
}
