//! Which allocations and copies become samples, and what each stands for: a thread's position on the axis of its bytes,
//! and how much room its ring has.

use crate::interval::{Strata, thin};
use crate::process;
use crate::session::{Count, Slot, control, slot_word, word};
use crate::stack;
use crate::sync::Ordering::Relaxed;
use crate::sys::syscall;

/// A sample that is to be told.
#[derive(Clone, Copy)]
#[must_use = "a sample that is not told stays with the next one"]
pub(super) struct Due {
    sampler: Sampler,
    /// What it leaves to the next one.
    left: u64,
}

/// Moves a byte sampler of the slot on by `bytes`, which were counted: the sample that is to be told, if one is.
///
/// A handler of the program's can come at any point of this, and do the same for bytes of its own, or never return. All
/// bytes up to the counter's value weigh on whoever moves the point; a weight stands in the slot until it is told. A jump
/// between the point's move and the weight's addition, a few instructions, takes one stratum with it.
pub(super) fn weigh(slot: Slot, sampler: Sampler, bytes: usize) -> Option<Due> {
    let session = process::session()?;
    let [point, rest, random] =
        [sampler.point, sampler.point + 1, slot_word::RANDOM].map(|word| slot.word(word));
    let on = session.word(word::CONTROL).load(Relaxed) & sampler.switch != 0;
    let interval = if on { session.word(sampler.interval).load(Relaxed) } else { 0 };
    let mut state = random.load(Relaxed);
    if state == 0 {
        state = syscall::monotonic() ^ (slot.words().as_ptr().addr() as u64) << 24;
    }
    let weight = loop {
        let next = point.load(Relaxed);
        // With the bytes that are new.
        let total = slot.word(slot_word::COUNTERS + sampler.bytes as usize).load(Relaxed);
        let before = total.wrapping_sub(bytes as u64);
        // Bytes behind the point that have not moved it are those of somebody who was interrupted.
        let before = if next == 0 { before } else { before.min(next - 1) };
        let left = next.saturating_sub(before);
        let mut strata = Strata { left, rest: rest.load(Relaxed) };
        let weight = strata.take(total.wrapping_sub(before), interval, &mut state);
        let moved = total.saturating_add(strata.left);
        if point.compare_exchange(next, moved, Relaxed, Relaxed).is_ok() {
            rest.store(strata.rest, Relaxed);
            break weight;
        }
    };
    slot.word(sampler.carried).fetch_add(weight, Relaxed);
    let halvings = HALVINGS[slot.ring().eighths().min(8)];
    let left = thin(weight, interval, halvings, &mut state);
    random.store(state, Relaxed);
    // Ticks have no Python frames before this, so it must not hang on memory being sampled.
    if stack::warm_up() && !on {
        super::stop_watching(sampler.switch);
    }
    left.map(|left| Due { sampler, left })
}

impl Due {
    /// Takes the weight of the sample over, 0 if another one just did. Right before it is told: of a thread that is
    /// interrupted before that, and does not come back, the next sample takes it.
    pub(super) fn take(self, slot: Slot) -> u64 {
        let carried = slot.word(self.sampler.carried);
        let all = carried.swap(0, Relaxed);
        let left = self.left.min(all);
        carried.fetch_add(left, Relaxed);
        all - left
    }

    /// Gives a weight back that was not told: the next sample takes it over.
    pub(super) fn carry(self, slot: Slot, weight: u64) {
        slot.word(self.sampler.carried).fetch_add(weight, Relaxed);
    }
}

/// How often the rate of samples is halved in a ring of which so many eighths are taken. Whoever fills it faster than
/// it is drained gets fewer samples, each of which stands for more, instead of losing some: what is lost is lost to the
/// lines that were at work then. A line cannot gain or lose by that, for how full the ring is says nothing about who
/// meets the next sample point.
const HALVINGS: [u32; 9] = [0, 0, 0, 0, 1, 3, 5, 8, 8];

/// Which of the slot's byte samplers, and what steers it.
#[derive(Clone, Copy)]
pub(super) struct Sampler {
    /// Slot word; the next word is its `rest`.
    point: usize,
    /// Slot word of the weight that the next sample takes over.
    carried: usize,
    /// What is counted.
    bytes: Count,
    interval: usize,
    switch: u64,
}

pub(super) const ALLOCATIONS: Sampler = Sampler {
    point: slot_word::ALLOC_POINT,
    carried: slot_word::ALLOC_CARRIED,
    bytes: Count::AllocBytes,
    interval: word::MEMORY_INTERVAL,
    switch: control::MEMORY,
};
pub(super) const COPIES: Sampler = Sampler {
    point: slot_word::COPY_POINT,
    carried: slot_word::COPY_CARRIED,
    bytes: Count::CopyBytes,
    interval: word::COPY_INTERVAL,
    switch: control::COPIES,
};

const _: () = assert!(slot_word::ALLOC_REST == slot_word::ALLOC_POINT + 1);
const _: () = assert!(slot_word::COPY_REST == slot_word::COPY_POINT + 1);
