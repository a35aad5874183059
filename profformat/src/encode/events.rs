//! Blocks of events.

use super::{Scratch, Unit};
use crate::codec;
use crate::ids::StackId;
use crate::payload::{CopiesV1, CopiesV2, MemoryV1, SamplesV1, row};
use crate::record::{Copied, Domain, MemoryEvent, Sample};

pub(crate) fn samples(samples: &[Sample], unit: Unit, scratch: &mut Scratch) {
    let ([rows, stacks, weights, times, ..], threads, payload) = scratch.begin();
    let base = samples.first().map_or(0, |sample| unit.time(sample.time));
    for sample in samples {
        let (index, last) = threads.find(sample.thread.number(), base);
        rows.put(index * row::RADIX + u64::from(sample.class.code()));
        stacks.put_delta(&mut last.stack, stack(sample.stack));
        let weight = unit.of(sample.weight_ns);
        weights.put_delta(&mut last.weight, weight);
        // A thread that runs all the time is sampled again after one weight.
        last.time = last.time.wrapping_add(weight);
        let time = unit.time(sample.time);
        times.put_delta(&mut last.time, time);
        threads.extent.time(time);
    }
    let value = SamplesV1 {
        count: samples.len() as u32,
        time: base,
        threads: threads.ids.bytes(),
        rows: rows.bytes(),
        stacks: stacks.bytes(),
        weights: weights.bytes(),
        times: times.bytes(),
    };
    codec::encode(&value, payload);
}

pub(crate) fn memory(events: &[MemoryEvent], unit: Unit, scratch: &mut Scratch) {
    let ([rows, times, stacks, sizes, weights, blocks, ..], threads, payload) = scratch.begin();
    let base = events.first().map_or(0, |event| unit.time(event.time()));
    let (mut last_weight, mut last_block) = (0, 0);
    for event in events {
        let time = unit.time(event.time());
        threads.extent.time(time);
        let (index, last) = threads.find(event.thread().number(), base);
        times.put_delta(&mut last.time, time);
        let code = match event {
            MemoryEvent::Alloc(alloc) => {
                stacks.put_delta(&mut last.stack, stack(alloc.stack));
                sizes.put(alloc.size);
                weights.put_delta(&mut last_weight, alloc.weight);
                block(blocks, &mut last_block, alloc.block);
                match alloc.domain {
                    Domain::Python => row::ALLOC_PYTHON,
                    Domain::Native => row::ALLOC_NATIVE,
                }
            }
            MemoryEvent::Free(free) => {
                let mut previous = last_block;
                blocks.put_delta(&mut previous, free.block);
                row::FREE
            }
            MemoryEvent::Resize(resize) => {
                let mut previous = last_block;
                blocks.put_delta(&mut previous, resize.block);
                sizes.put(resize.old_size);
                sizes.put(resize.new_size);
                row::RESIZE
            }
        };
        rows.put(index * row::RADIX + code);
    }
    let value = MemoryV1 {
        count: events.len() as u32,
        time: base,
        threads: threads.ids.bytes(),
        rows: rows.bytes(),
        times: times.bytes(),
        stacks: stacks.bytes(),
        sizes: sizes.bytes(),
        weights: weights.bytes(),
        blocks: blocks.bytes(),
    };
    codec::encode(&value, payload);
}

pub(crate) fn copies(copies: &[Copied], unit: Unit, scratch: &mut Scratch) {
    let ([rows, times, stacks, sizes, weights, copiers, ..], threads, payload) = scratch.begin();
    let base = copies.first().map_or(0, |copied| unit.time(copied.time));
    let (mut last_weight, mut last_copier) = (0, 0);
    for copied in copies {
        let time = unit.time(copied.time);
        threads.extent.time(time);
        let (index, last) = threads.find(copied.thread.number(), base);
        rows.put(index);
        times.put_delta(&mut last.time, time);
        stacks.put_delta(&mut last.stack, stack(copied.stack));
        sizes.put(copied.size);
        weights.put_delta(&mut last_weight, copied.weight);
        copiers.put_delta(&mut last_copier, copied.copier.number().into());
    }
    let copies = CopiesV1 {
        count: copies.len() as u32,
        time: base,
        threads: threads.ids.bytes(),
        rows: rows.bytes(),
        times: times.bytes(),
        stacks: stacks.bytes(),
        sizes: sizes.bytes(),
        weights: weights.bytes(),
    };
    codec::encode(&CopiesV2 { copies, copiers: copiers.bytes() }, payload);
}

/// 0 for no stack, else one more than its number.
#[inline]
fn stack(stack: Option<StackId>) -> u64 {
    stack.map_or(0, |stack| u64::from(stack.number()) + 1)
}

/// A block of an allocation. New blocks have rising ids; 0, not followed, must not disturb them.
#[inline]
fn block(column: &mut crate::wire::columns::Column, last: &mut u64, block: u64) {
    let mut previous = *last;
    column.put_delta(&mut previous, block);
    if block != 0 {
        *last = block;
    }
}
