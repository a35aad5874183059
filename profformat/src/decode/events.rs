//! Blocks of events.

use alloc::vec::Vec;
use core::iter;

use super::{Decoder, Last, Unit, count};
use crate::ids::{StackId, ThreadId};
use crate::known::Known;
use crate::limit;
use crate::payload::{CopiesV1, MemoryV1, SamplesV1, row};
use crate::record::{Alloc, Class, Copied, Domain, Free, MemoryEvent, Resize, Sample};
use crate::units::Timestamp;
use crate::wire::cursor::{SHORT, What};
use crate::wire::values::delta;

const NO_THREAD: What = "an event names a thread that its block does not list";
const LEFT_OVER: What = "a column is too long";

/// Classes by code; the last two are not used.
const CLASSES: [Class; 8] = {
    let mut classes = [Class::Wait; row::RADIX as usize];
    let mut code = 0;
    while code < Class::ALL.len() {
        classes[code] = Class::ALL[code];
        code += 1;
    }
    classes
};

impl Decoder {
    pub(super) fn samples(&mut self, block: &SamplesV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        self.local_threads(block.threads, block.time)?;
        let [rows, stacks, weights, times, ..] = &mut self.columns;
        let stacks = stacks.read(block.stacks, entries)?;
        let weights = weights.read(block.weights, entries)?;
        let times = times.read(block.times, entries)?;
        let columns = stacks.iter().zip(weights).zip(times);
        let block_samples = BlockSamples {
            threads: &mut self.threads,
            known: &mut self.known,
            unit: self.unit,
            wrong: Ok(()),
        };
        if block.rows.len() == entries as usize {
            // A byte each, as when there are few threads.
            let rows = block.rows.iter().map(|row| u64::from(*row));
            return block_samples.decode(rows.zip(columns), &mut self.samples);
        }
        let rows = rows.read(block.rows, entries)?;
        block_samples.decode(rows.iter().copied().zip(columns), &mut self.samples)
    }

    pub(super) fn memory(&mut self, block: &MemoryV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        self.local_threads(block.threads, block.time)?;
        let [rows, times, stacks, sizes, weights, blocks] = &mut self.columns;
        let rows = rows.read(block.rows, entries)?;
        let times = times.read(block.times, entries)?;
        let mut stacks = stacks.read_all(block.stacks, entries)?.iter();
        let mut sizes = sizes.read_all(block.sizes, 2 * limit::ENTRIES)?.iter();
        let mut weights = weights.read_all(block.weights, entries)?.iter();
        let blocks = blocks.read(block.blocks, entries)?;
        self.memory.reserve(entries as usize);
        let (mut last_weight, mut last_block) = (0, 0);
        for ((&code, &time), &block) in rows.iter().zip(times).zip(blocks) {
            let last = self.threads.get_mut((code / row::RADIX) as usize).ok_or(NO_THREAD)?;
            let thread = last.id;
            let time = self.unit.time(delta(time, &mut last.time));
            let mut before = last_block;
            let block = delta(block, &mut before);
            let code = code % row::RADIX;
            self.memory.push(match code {
                row::ALLOC_PYTHON | row::ALLOC_NATIVE => {
                    if block != 0 {
                        last_block = block;
                    }
                    let stack = delta(*stacks.next().ok_or(SHORT)?, &mut last.stack);
                    let python = code == row::ALLOC_PYTHON;
                    MemoryEvent::Alloc(Alloc {
                        time,
                        thread,
                        stack: self.known.stack(stack)?,
                        size: *sizes.next().ok_or(SHORT)?,
                        weight: delta(*weights.next().ok_or(SHORT)?, &mut last_weight),
                        domain: if python { Domain::Python } else { Domain::Native },
                        block,
                    })
                }
                row::FREE => MemoryEvent::Free(Free { time, thread, block }),
                row::RESIZE => MemoryEvent::Resize(Resize {
                    time,
                    thread,
                    block,
                    old_size: *sizes.next().ok_or(SHORT)?,
                    new_size: *sizes.next().ok_or(SHORT)?,
                }),
                _ => return Err("a memory event is of an unknown kind"),
            });
        }
        let left = stacks.len() + sizes.len() + weights.len();
        if left > 0 { Err(LEFT_OVER) } else { Ok(()) }
    }

    /// Version 1 does not say whose code copied.
    pub(super) fn copies(
        &mut self,
        block: &CopiesV1<'_>,
        copiers_told: Option<&[u8]>,
    ) -> Result<(), What> {
        let entries = count(block.count)?;
        self.local_threads(block.threads, block.time)?;
        let [rows, times, stacks, sizes, weights, copiers] = &mut self.columns;
        let rows = rows.read(block.rows, entries)?;
        let times = times.read(block.times, entries)?;
        let stacks = stacks.read(block.stacks, entries)?;
        let sizes = sizes.read(block.sizes, entries)?;
        let weights = weights.read(block.weights, entries)?;
        let copiers = match copiers_told {
            Some(column) => copiers.read(column, entries)?,
            None => &[],
        };
        let copiers = copiers.iter().chain(iter::repeat(&0));
        self.copies.reserve(entries as usize);
        let (mut last_weight, mut last_copier) = (0, 0);
        let columns = rows.iter().zip(times).zip(stacks).zip(sizes).zip(weights).zip(copiers);
        for (((((&index, &time), &stack), &size), &weight), &copier) in columns {
            let index = usize::try_from(index).map_err(|_| NO_THREAD)?;
            let last = self.threads.get_mut(index).ok_or(NO_THREAD)?;
            self.copies.push(Copied {
                time: self.unit.time(delta(time, &mut last.time)),
                thread: last.id,
                stack: self.known.stack(delta(stack, &mut last.stack))?,
                size,
                weight: delta(weight, &mut last_weight),
                copier: self.known.string(delta(copier, &mut last_copier))?,
            });
        }
        Ok(())
    }
}

/// What the samples of a block are made with.
struct BlockSamples<'d> {
    threads: &'d mut [Last],
    known: &'d mut Known,
    unit: Unit,
    wrong: Result<(), What>,
}

impl BlockSamples<'_> {
    /// Decodes rows of (row, ((stack, weight), time)). `extend` asks for memory once, which `push` cannot do; so
    /// what is wrong is told at the end.
    #[inline]
    fn decode<'c>(
        mut self,
        rows: impl Iterator<Item = (u64, ((&'c u64, &'c u64), &'c u64))>,
        samples: &mut Vec<Sample>,
    ) -> Result<(), What> {
        let unit = self.unit;
        let stacks = self.known.stack_count();
        samples.extend(rows.map(|(row, ((&stack, &weight), &time))| {
            let Some(last) = self.threads.get_mut((row / row::RADIX) as usize) else {
                return self.nothing(NO_THREAD);
            };
            let weight = delta(weight, &mut last.weight);
            last.time = last.time.wrapping_add(weight);
            let time = unit.time(delta(time, &mut last.time));
            let thread = last.id;
            let coded = delta(stack, &mut last.stack);
            let stack = coded.checked_sub(1).map(|id| StackId::new(id as u32));
            let class = CLASSES[(row % row::RADIX) as usize];
            if coded > stacks || row % row::RADIX >= Class::ALL.len() as u64 {
                return self.unusual(
                    row,
                    coded,
                    Sample { time, thread, stack, weight_ns: unit.nanos(weight), class },
                );
            }
            Sample { time, thread, stack, weight_ns: unit.nanos(weight), class }
        }));
        self.wrong
    }

    /// A sample whose stack is not defined, or whose class is unknown.
    #[cold]
    fn unusual(&mut self, row: u64, stack: u64, sample: Sample) -> Sample {
        if row % row::RADIX >= Class::ALL.len() as u64 {
            return self.nothing("a class is unknown");
        }
        match self.known.stack(stack) {
            Ok(stack) => Sample { stack, ..sample },
            Err(what) => self.nothing(what),
        }
    }

    /// Stands for a sample that cannot be decoded, until its block is thrown away.
    #[cold]
    fn nothing(&mut self, what: What) -> Sample {
        self.wrong = Err(what);
        let (time, thread) = (Timestamp::ZERO, ThreadId::new(0));
        Sample { time, thread, stack: None, weight_ns: 0, class: Class::Python }
    }
}
