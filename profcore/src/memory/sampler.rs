//! Which allocations and copies become samples, and what each stands for: a thread's position on the axis of its bytes,
//! and how much room its ring has.

use crate::interval::{Strata, thin};
use crate::process;
use crate::session::{Count, Slot, control, slot_word, word};
use crate::stack;
use crate::sync::Ordering::Relaxed;
use crate::sys::syscall;

/// Moves a byte sampler of the slot on by `bytes`, which were counted; the weight of the sample, 0 for none.
pub(super) fn weigh(slot: Slot, sampler: Sampler, bytes: usize) -> u64 {
    let Some(session) = process::session() else { return 0 };
    let [point, rest, random, carried] =
        [sampler.point, sampler.point + 1, slot_word::RANDOM, sampler.carried]
            .map(|word| slot.word(word));
    // With the bytes that are new.
    let total = slot.word(slot_word::COUNTERS + sampler.bytes as usize).load(Relaxed);
    let before = total.wrapping_sub(bytes as u64);
    let on = session.word(word::CONTROL).load(Relaxed) & sampler.switch != 0;
    let interval = if on { session.word(sampler.interval).load(Relaxed) } else { 0 };
    let left = point.load(Relaxed).saturating_sub(before);
    let mut strata = Strata { left, rest: rest.load(Relaxed) };
    let mut state = random.load(Relaxed);
    if state == 0 {
        state = syscall::monotonic() ^ (slot.words().as_ptr().addr() as u64) << 24;
    }
    let weight = strata.take(bytes as u64, interval, &mut state);
    let halvings = HALVINGS[slot.ring().eighths().min(8)];
    let (weight, kept) = thin(weight, carried.load(Relaxed), interval, halvings, &mut state);
    point.store(total.saturating_add(strata.left), Relaxed);
    rest.store(strata.rest, Relaxed);
    carried.store(kept, Relaxed);
    random.store(state, Relaxed);
    // Ticks have no Python frames before this, so it must not hang on memory being sampled.
    if stack::warm_up() && !on {
        super::stop_watching(sampler.switch);
    }
    weight
}

/// How often the rate of samples is halved in a ring of which so many eighths are taken. Whoever fills it faster than
/// it is drained gets fewer samples, each of which stands for more, instead of losing some: what is lost is lost to the
/// lines that were at work then. A line cannot gain or lose by that, for how full the ring is says nothing about who
/// meets the next sample point.
const HALVINGS: [u32; 9] = [0, 0, 0, 0, 1, 3, 5, 8, 8];

/// The ring has no room for a sample of this weight: the next one takes it over.
pub(super) fn carry(slot: Slot, sampler: Sampler, weight: u64) {
    let carried = slot.word(sampler.carried);
    carried.store(carried.load(Relaxed).saturating_add(weight), Relaxed);
}

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
