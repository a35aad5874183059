//! What was allocated, by thread and stack.

use std::hint::black_box;

use super::table::Table;
use crate::analysis::estimate::Calls;
use crate::analysis::sums::{THREADS, UNKNOWN};
use crate::analysis::{MEMORY_SUMS, MemorySum};
use crate::ids::{StackId, ThreadId};
use crate::record::{Alloc, Domain};

/// What one thread allocated in one stack.
#[derive(Debug)]
#[repr(align(64))]
struct Sum {
    thread: ThreadId,
    stack: Option<StackId>,
    samples: u64,
    alloc_bytes: u64,
    alloc_python_bytes: u64,
    calls: Calls,
}

/// What of it was live. This stands by itself, for the end of a block changes nothing else; and no sum stands in two
/// cache lines.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Held {
    end_bytes: u64,
    end_blocks: u64,
    peak_bytes: u64,
    peak_blocks: u64,
}

/// Sums of allocations.
#[derive(Debug)]
pub(super) struct Sums {
    index: Table,
    sums: Vec<Sum>,
    /// By sum.
    held: Vec<Held>,
    /// By sum: bytes that were freed at once. Most blocks of most programs are not, so this is seldom looked at.
    churn: Vec<u64>,
    /// Allocations that count without their stack.
    pub(super) crowded_out: u64,
}

impl Sums {
    pub(super) fn new() -> Self {
        Self {
            index: Table::new(),
            sums: Vec::new(),
            held: Vec::new(),
            churn: Vec::new(),
            crowded_out: 0,
        }
    }

    /// The hash of an allocation, as the other functions want it.
    #[inline]
    pub(super) fn hash(&self, alloc: &Alloc) -> u32 {
        self.index.hash((alloc.thread, alloc.stack))
    }

    /// Brings closer what allocations of these hashes look at.
    pub(super) fn touch(&self, hashes: &[u32]) {
        self.index.touch(hashes.iter().copied());
        let found = hashes.iter().filter_map(|hash| self.index.guess(*hash));
        let looks =
            found.map(|at| self.sums[at as usize].samples ^ self.held[at as usize].end_bytes);
        black_box(looks.fold(0, |all, one| all ^ one));
    }

    /// Brings closer what ends of blocks with these sums look at.
    pub(super) fn touch_held(&self, sums: impl Iterator<Item = u32>) {
        black_box(sums.fold(0, |all, at| all ^ self.held[at as usize].end_bytes));
    }

    /// Counts an allocation, whose hash [`Self::hash`] gave, and tells its sum.
    #[inline]
    pub(super) fn alloc(&mut self, alloc: &Alloc, hash: u32) -> u32 {
        let at = match self.find(alloc.thread, alloc.stack, hash) {
            Some(at) => at,
            None => self.add(alloc.thread, alloc.stack, hash),
        };
        let sum = &mut self.sums[at as usize];
        sum.samples += 1;
        sum.alloc_bytes = sum.alloc_bytes.saturating_add(alloc.weight);
        if alloc.domain == Domain::Python {
            sum.alloc_python_bytes = sum.alloc_python_bytes.saturating_add(alloc.weight);
        }
        sum.calls.add(alloc.weight, alloc.size);
        at
    }

    /// Replaces what a block adds to the bytes that are live at the end.
    #[inline]
    pub(super) fn set_live(&mut self, at: u32, old: u64, new: u64) {
        let Held { end_bytes, end_blocks, .. } = &mut self.held[at as usize];
        change(end_bytes, end_blocks, old, new);
    }

    /// Replaces what a block adds to the bytes that were live at the peak.
    #[inline]
    pub(super) fn set_peak(&mut self, at: u32, old: u64, new: u64) {
        let Held { peak_bytes, peak_blocks, .. } = &mut self.held[at as usize];
        change(peak_bytes, peak_blocks, old, new);
    }

    /// Bytes that were freed at once.
    #[inline]
    pub(super) fn add_churn(&mut self, at: u32, bytes: u64) {
        if bytes > 0 {
            let churn = &mut self.churn[at as usize];
            *churn = churn.saturating_add(bytes);
        }
    }

    /// The thread and the stack of a sum.
    pub(super) fn key(&self, at: u32) -> (ThreadId, Option<StackId>) {
        let sum = &self.sums[at as usize];
        (sum.thread, sum.stack)
    }

    /// Thread, stack and live bytes of every sum.
    pub(super) fn live(&self) -> impl Iterator<Item = (ThreadId, Option<StackId>, u64)> {
        let sums = self.sums.iter().zip(&self.held);
        sums.map(|(sum, held)| (sum.thread, sum.stack, held.end_bytes))
    }

    /// The sums by thread and stack, in that order. `gone` tells threads of which nothing was live at the peak.
    pub(super) fn finish(self, gone: impl Fn(ThreadId) -> bool) -> Vec<MemorySum> {
        let Self { sums, held, churn, index, .. } = self;
        drop(index);
        let sums = sums.into_iter().zip(held).zip(churn);
        let mut sums: Vec<MemorySum> = sums
            .map(|((sum, held), churn_bytes)| {
                let gone = gone(sum.thread);
                MemorySum {
                    thread: sum.thread,
                    stack: sum.stack,
                    samples: sum.samples,
                    alloc_bytes: sum.alloc_bytes,
                    alloc_count: sum.calls.round(),
                    alloc_python_bytes: sum.alloc_python_bytes,
                    live_at_peak_bytes: if gone { 0 } else { held.peak_bytes },
                    live_at_peak_blocks: if gone { 0 } else { held.peak_blocks },
                    live_at_end_bytes: held.end_bytes,
                    live_at_end_blocks: held.end_blocks,
                    churn_bytes,
                }
            })
            .collect();
        sums.sort_unstable_by_key(|s| (s.thread, s.stack));
        sums
    }

    #[inline]
    fn find(&self, thread: ThreadId, stack: Option<StackId>, hash: u32) -> Option<u32> {
        let is = |at| {
            let sum: &Sum = &self.sums[at as usize];
            sum.thread == thread && sum.stack == stack
        };
        self.index.find(hash, is).map(|(_, at)| at)
    }

    /// The sum of a key that has none: its own, or once there are [`MEMORY_SUMS`] others its thread's without a stack,
    /// or once there are too many threads as well the unknown thread's.
    #[cold]
    fn add(&mut self, thread: ThreadId, stack: Option<StackId>, hash: u32) -> u32 {
        let is_full = match (thread, stack) {
            (UNKNOWN, None) => false,
            (_, None) => self.sums.len() >= MEMORY_SUMS + THREADS,
            _ => self.sums.len() >= MEMORY_SUMS,
        };
        if is_full {
            self.crowded_out += u64::from(stack.is_some());
            let thread = if stack.is_some() { thread } else { UNKNOWN };
            let hash = self.index.hash((thread, None::<StackId>));
            return match self.find(thread, None, hash) {
                Some(at) => at,
                None => self.add(thread, None, hash),
            };
        }
        let at = self.sums.len() as u32;
        self.index.insert(hash, at);
        self.held.push(Held::default());
        self.churn.push(0);
        self.sums.push(Sum {
            thread,
            stack,
            samples: 0,
            alloc_bytes: 0,
            alloc_python_bytes: 0,
            calls: Calls::default(),
        });
        at
    }
}

/// Replaces a block's bytes in a sum; a block of no bytes is no block.
#[inline]
fn change(bytes: &mut u64, blocks: &mut u64, old: u64, new: u64) {
    *bytes = bytes.saturating_sub(old).saturating_add(new);
    *blocks = blocks.saturating_sub(u64::from(old > 0)) + u64::from(new > 0);
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sum_has_one_cache_line_of_each_kind() {
        assert_eq!([size_of::<super::Sum>(), align_of::<super::Sum>()], [64, 64]);
        assert_eq!([size_of::<super::Held>(), align_of::<super::Held>()], [32, 32]);
    }
}
