//! What was sampled lately, within a budget of memory: the oldest goes first.
//!
//! Samples lie in segments of a second. Stacks and sets of labels are kept once each, for as long as a sample has them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use super::samples::{Kept, Samples, Segment};
use super::snapshot::{LabelWords, Snapshot, What};

/// Part of the memory that blocks may take which are held: one in this many.
const LIVE_SHARE: u64 = 2;
/// How many samples of one block are kept apart. More than that count with the last one.
const PARTS: usize = 16;
/// For how many nanoseconds a block's end is remembered: the ring of the thread that freed it may be emptied before that of
/// the one that allocated it.
const ENDED: u64 = 2_000_000_000;
/// How many ends are remembered in that time.
const MOST_ENDED: usize = 1 << 14;
/// Bytes of a sample, of an entry in a map, and of what an `Arc` and its allocation take up.
const SAMPLE: u64 = size_of::<Kept>() as u64;
const ENTRY: u64 = 32;
const SHARED: u64 = 32;

/// The process's CPU clock, and that of the profiler's thread, at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clocks {
    pub(super) time_ns: u64,
    pub(super) process_ns: u64,
    pub(super) own_ns: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct History {
    keep_ns: u64,
    most: u64,
    segments: VecDeque<Arc<Segment>>,
    clocks: VecDeque<Clocks>,
    first: Option<Clocks>,
    stacks: HashSet<Arc<[u64]>>,
    labels: HashSet<Arc<LabelWords>>,
    /// Sampled blocks that are held, by block: what was sampled when it was made, and each time when it grew.
    live: HashMap<u64, Vec<Kept>>,
    /// Samples of them.
    live_samples: u64,
    /// Blocks that have ended lately, and when that was taken note of, in that order.
    ended: HashSet<u64>,
    ends: VecDeque<(u64, u64)>,
    /// Bytes of stacks.
    stack_bytes: u64,
    /// Samples in all segments.
    samples: u64,
    /// Blocks that found no room among those that are held, and samples that went before their time.
    pub(super) live_refused: u64,
    pub(super) forgotten: u64,
}

impl History {
    pub(super) fn new(keep_ns: u64, most: u64) -> Self {
        Self {
            keep_ns,
            most,
            segments: VecDeque::new(),
            clocks: VecDeque::new(),
            first: None,
            stacks: HashSet::new(),
            labels: HashSet::new(),
            live: HashMap::new(),
            live_samples: 0,
            ended: HashSet::new(),
            ends: VecDeque::new(),
            stack_bytes: 0,
            samples: 0,
            live_refused: 0,
            forgotten: 0,
        }
    }

    /// The one copy of a stack.
    pub(super) fn stack(&mut self, addresses: &[u64]) -> Arc<[u64]> {
        let (stack, is_new) = one_of(&mut self.stacks, addresses, |stack| stack.into());
        if is_new {
            self.stack_bytes += bytes_of(&stack);
        }
        stack
    }

    /// The one copy of a set of labels; `None` for none at all.
    pub(super) fn labels(&mut self, words: &LabelWords) -> Option<Arc<LabelWords>> {
        let any = words.iter().any(|&word| word != 0);
        any.then(|| one_of(&mut self.labels, words, |words| Arc::new(*words)).0)
    }

    /// A sample was taken. Those of a thread come in order; threads a little mixed.
    pub(super) fn push(&mut self, kept: Kept) {
        let fits = |segment: &&mut Segment| kept.time_ns < segment.end();
        // What a snapshot has stays as it is.
        match self.segments.back_mut().and_then(Arc::get_mut).filter(fits) {
            Some(segment) => segment.samples.push(kept),
            None => {
                let segment = Segment { began: kept.time_ns, samples: vec![kept] };
                self.segments.push_back(Arc::new(segment));
            }
        }
        self.samples += 1;
    }

    /// A sampled block is held from now on, or has grown: either way the sample stands for bytes that are new.
    pub(super) fn hold(&mut self, block: u64, kept: Kept) {
        if self.ended.contains(&block) {
            return;
        }
        if (self.live_samples + 1) * (SAMPLE + ENTRY) > self.most / LIVE_SHARE {
            self.live_refused += 1;
            return;
        }
        let parts = self.live.entry(block).or_default();
        let is_full = parts.len() >= PARTS;
        let same = |part: &&mut Kept| is_full || Arc::ptr_eq(&part.stack, &kept.stack);
        if let Some(part) = parts.iter_mut().rev().find(same)
            && let (What::Alloc { bytes, .. }, What::Alloc { bytes: more, .. }) =
                (&mut part.what, kept.what)
        {
            *bytes = bytes.saturating_add(more);
        } else {
            parts.push(kept);
            self.live_samples += 1;
        }
    }

    /// A sampled block is not held any more.
    pub(super) fn release(&mut self, block: u64) {
        if let Some(parts) = self.live.remove(&block) {
            self.live_samples -= parts.len() as u64;
        }
        if self.ended.insert(block) {
            self.ends.push_back((self.clocks.back().map_or(0, |clocks| clocks.time_ns), block));
        }
    }

    /// A sampled block has another size. Samples stand for bytes; those of a block that grows are all still there, and
    /// what is new has samples of its own.
    pub(super) fn resize(&mut self, block: u64, old_size: u64, new_size: u64) {
        if new_size >= old_size {
            return;
        }
        for part in self.live.get_mut(&block).into_iter().flatten() {
            if let What::Alloc { bytes, .. } = &mut part.what {
                let scaled = u128::from(*bytes) * u128::from(new_size) / u128::from(old_size);
                *bytes = scaled as u64;
            }
        }
    }

    /// Forgets ends from so long ago that nothing of those blocks is on its way any more.
    fn forget_ends(&mut self, now: u64) {
        let is_old = |&(time, _): &(u64, u64)| now.saturating_sub(time) > ENDED;
        while self.ends.len() > MOST_ENDED || self.ends.front().is_some_and(is_old) {
            if let Some((_, block)) = self.ends.pop_front() {
                self.ended.remove(&block);
            }
        }
    }

    /// Notes the clocks, and lets go of what is too old or too much.
    pub(super) fn settle(&mut self, clocks: Clocks) {
        self.first.get_or_insert(clocks);
        self.clocks.push_back(clocks);
        self.forget_ends(clocks.time_ns);
        let oldest = clocks.time_ns.saturating_sub(self.keep_ns);
        let mut has_gone = false;
        while let Some(segment) = self.segments.front() {
            let is_old = segment.end() < oldest;
            if !is_old && (self.bytes() <= self.most || self.segments.len() == 1) {
                break;
            }
            let gone = segment.samples.len() as u64;
            self.samples -= gone;
            self.forgotten += if is_old { 0 } else { gone };
            self.segments.pop_front();
            has_gone = true;
            if !is_old {
                // What that leaves is to be known before more goes.
                self.sweep();
            }
        }
        if has_gone {
            self.sweep();
        }
        // A single second may be too much as well: its newer half stays.
        if self.bytes() > self.most
            && let Some(segment) = self.segments.front_mut()
        {
            let half = segment.samples.len() / 2;
            Arc::make_mut(segment).samples.drain(..half);
            self.samples -= half as u64;
            self.forgotten += half as u64;
            self.sweep();
        }
        // One from before stays, to count from.
        while self.clocks.get(1).is_some_and(|clocks| clocks.time_ns <= oldest) {
            self.clocks.pop_front();
        }
    }

    /// What the clocks have gone on by since the first time.
    pub(super) fn passed(&self) -> Clocks {
        let (Some(first), Some(last)) = (self.first, self.clocks.back()) else {
            return Clocks::default();
        };
        Clocks {
            time_ns: last.time_ns.saturating_sub(first.time_ns),
            process_ns: last.process_ns.saturating_sub(first.process_ns),
            own_ns: last.own_ns.saturating_sub(first.own_ns),
        }
    }

    /// Bytes that all of it takes up, about.
    pub(super) fn bytes(&self) -> u64 {
        let entries = (self.stacks.len() + self.labels.len()) as u64 * ENTRY;
        let live = self.live_samples * (SAMPLE + ENTRY) + self.ends.len() as u64 * ENTRY;
        self.samples * SAMPLE + self.stack_bytes + entries + live
    }

    /// Lets go of stacks and labels that no sample has any more.
    fn sweep(&mut self) {
        self.stacks.retain(|stack| Arc::strong_count(stack) > 1);
        self.labels.retain(|words| Arc::strong_count(words) > 1);
        self.stack_bytes = self.stacks.iter().map(bytes_of).sum();
    }

    /// The part since `from`: samples, blocks that are held, clocks.
    pub(super) fn since(&self, from: u64) -> Snapshot {
        let samples = Samples::since(self.segments.iter(), from);
        let live = self.live.values().flatten().cloned().collect();
        let mut snapshot = Snapshot { from_ns: from, samples, live, ..Snapshot::default() };
        snapshot.cpu_ns = self.cpu_since(from);
        if let Some(now) = self.clocks.back() {
            let then = self.clocks_at(from);
            snapshot.own_cpu_ns = now.own_ns.saturating_sub(then.own_ns);
        }
        snapshot
    }

    /// CPU nanoseconds of the process since a moment.
    pub(super) fn cpu_since(&self, from: u64) -> u64 {
        let now = self.clocks.back().map_or(0, |clocks| clocks.process_ns);
        now.saturating_sub(self.clocks_at(from).process_ns)
    }

    /// The clocks at a moment, in proportion between two known ones.
    fn clocks_at(&self, time_ns: u64) -> Clocks {
        let after = self.clocks.partition_point(|clocks| clocks.time_ns <= time_ns);
        let (Some(left), Some(right)) =
            (self.clocks.get(after.saturating_sub(1)), self.clocks.get(after))
        else {
            return self.clocks.back().copied().unwrap_or_default();
        };
        let whole = right.time_ns.saturating_sub(left.time_ns).max(1);
        let part = time_ns.saturating_sub(left.time_ns).min(whole);
        let between = |a: u64, b: u64| {
            let grown = u128::from(b.saturating_sub(a)) * u128::from(part) / u128::from(whole);
            a + grown as u64
        };
        Clocks {
            time_ns,
            process_ns: between(left.process_ns, right.process_ns),
            own_ns: between(left.own_ns, right.own_ns),
        }
    }
}

fn bytes_of(stack: &Arc<[u64]>) -> u64 {
    SHARED + 8 * stack.len() as u64
}

/// The one copy in `known`, and whether it is new.
fn one_of<T: ?Sized + Eq + Hash>(
    known: &mut HashSet<Arc<T>>,
    value: &T,
    share: impl FnOnce(&T) -> Arc<T>,
) -> (Arc<T>, bool) {
    if let Some(known) = known.get(value) {
        return (known.clone(), false);
    }
    let new = share(value);
    known.insert(new.clone());
    (new, true)
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
