//! Blocks of events.

use super::{Decoder, count, ended};
use crate::payload::{CopiesV1, MemoryV1, SamplesV1, row};
use crate::record::{Alloc, Class, Copied, Domain, Free, MemoryEvent, Resize, Sample};
use crate::wire::cursor::{Cursor, What};

const NO_THREAD: What = "an event names a thread that its block does not list";

impl Decoder {
    pub(super) fn samples(&mut self, block: &SamplesV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        let mut rows = Cursor::new(block.rows, entries)?;
        let mut stacks = Cursor::new(block.stacks, entries)?;
        let mut weights = Cursor::new(block.weights, entries)?;
        let mut times = Cursor::new(block.times, entries)?;
        self.local_threads(block.threads, block.time)?;
        self.samples.reserve(entries as usize);
        for _ in 0..entries {
            let code = rows.next()?;
            let last = self.threads.get_mut((code / row::RADIX) as usize).ok_or(NO_THREAD)?;
            let class = Class::ALL.get((code % row::RADIX) as usize).ok_or("a class is unknown")?;
            let stack = self.known.stack(stacks.delta(&mut last.stack)?)?;
            let weight = weights.delta(&mut last.weight)?;
            last.time = last.time.wrapping_add(weight);
            let time = times.delta(&mut last.time)?;
            let thread = last.id;
            self.samples.push(Sample {
                time: self.time(time),
                thread,
                stack,
                weight_ns: weight.saturating_mul(self.unit),
                class: *class,
            });
        }
        ended(&[rows, stacks, weights, times])
    }

    pub(super) fn memory(&mut self, block: &MemoryV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        let mut rows = Cursor::new(block.rows, entries)?;
        let mut times = Cursor::new(block.times, entries)?;
        let mut stacks = Cursor::open(block.stacks);
        let mut sizes = Cursor::open(block.sizes);
        let mut weights = Cursor::open(block.weights);
        let mut blocks = Cursor::new(block.blocks, entries)?;
        self.local_threads(block.threads, block.time)?;
        self.memory.reserve(entries as usize);
        let (mut last_weight, mut last_block) = (0, 0);
        for _ in 0..entries {
            let code = rows.next()?;
            let last = self.threads.get_mut((code / row::RADIX) as usize).ok_or(NO_THREAD)?;
            let thread = last.id;
            let time = times.delta(&mut last.time)?;
            let mut block = last_block;
            let block = blocks.delta(&mut block)?;
            let code = code % row::RADIX;
            let event = match code {
                row::ALLOC_PYTHON | row::ALLOC_NATIVE => {
                    if block != 0 {
                        last_block = block;
                    }
                    MemoryEvent::Alloc(Alloc {
                        stack: self.known.stack(stacks.delta(&mut last.stack)?)?,
                        time: self.time(time),
                        thread,
                        size: sizes.next()?,
                        weight: weights.delta(&mut last_weight)?,
                        domain: if code == row::ALLOC_PYTHON {
                            Domain::Python
                        } else {
                            Domain::Native
                        },
                        block,
                    })
                }
                row::FREE => MemoryEvent::Free(Free { time: self.time(time), thread, block }),
                row::RESIZE => MemoryEvent::Resize(Resize {
                    time: self.time(time),
                    thread,
                    block,
                    old_size: sizes.next()?,
                    new_size: sizes.next()?,
                }),
                _ => return Err("a memory event is of an unknown kind"),
            };
            self.memory.push(event);
        }
        ended(&[rows, times, stacks, sizes, weights, blocks])
    }

    pub(super) fn copies(&mut self, block: &CopiesV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        let mut rows = Cursor::new(block.rows, entries)?;
        let mut times = Cursor::new(block.times, entries)?;
        let mut stacks = Cursor::new(block.stacks, entries)?;
        let mut sizes = Cursor::new(block.sizes, entries)?;
        let mut weights = Cursor::new(block.weights, entries)?;
        self.local_threads(block.threads, block.time)?;
        self.copies.reserve(entries as usize);
        let mut last_weight = 0;
        for _ in 0..entries {
            let index = usize::try_from(rows.next()?).map_err(|_| NO_THREAD)?;
            let last = self.threads.get_mut(index).ok_or(NO_THREAD)?;
            let thread = last.id;
            let time = times.delta(&mut last.time)?;
            let stack = self.known.stack(stacks.delta(&mut last.stack)?)?;
            self.copies.push(Copied {
                time: self.time(time),
                thread,
                stack,
                size: sizes.next()?,
                weight: weights.delta(&mut last_weight)?,
            });
        }
        ended(&[rows, times, stacks, sizes, weights])
    }
}
