//! Figures of a profiler's run.

use std::time::Duration;

use crate::session::{Count, LOSSES, Loss, LostKind, SLOTS, Session, slot_word, word};
use crate::sync::Ordering;

/// What the profiler has counted since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Samples taken.
    pub samples: u64,
    /// Ticks and samples that were lost, and threads without a slot or a timer, by reason; reasons with none are left out.
    pub lost: Vec<(&'static str, u64)>,
    /// CPU time that samples stand for, of the process, and of the profiler's thread in it.
    pub cpu_sampled: Duration,
    /// See [`Stats::cpu_sampled`].
    pub cpu_total: Duration,
    /// See [`Stats::cpu_sampled`].
    pub cpu_own: Duration,
    /// Of [`Stats::cpu_sampled`], what ended threads used after their last own instruction: samples of no thread.
    pub cpu_ended: Duration,
    /// Bytes and calls of allocations that were seen.
    pub allocated: u64,
    /// See [`Stats::allocated`].
    pub allocations: u64,
    /// Bytes between two samples of allocations at the moment: more than asked for where so much is allocated that
    /// samples would cost more than they tell.
    pub alloc_interval: u64,
    /// Samples that went before their time, for want of memory.
    pub forgotten: u64,
    /// Memory that samples take up, about.
    pub memory: u64,
}

impl Stats {
    /// All that was lost, for whatever reason.
    pub fn lost_total(&self) -> u64 {
        self.lost.iter().map(|(_, lost)| lost).sum()
    }
}

/// Sums over all slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    pub(super) allocated: u64,
    pub(super) allocations: u64,
    pub(super) timers_refused: u64,
    /// By reason, in the order of [`Loss::ALL`].
    pub(super) lost: Vec<u64>,
}

impl Counters {
    pub(super) fn of(session: Session) -> Self {
        let high = session.word(word::SLOTS_HIGH).load(Ordering::Relaxed) as usize;
        let sum = |at: usize| {
            let slots = 0..high.clamp(1, SLOTS);
            slots.map(|slot| session.slot(slot).word(at).load(Ordering::Relaxed)).sum::<u64>()
        };
        let lost = |why: Loss| {
            let kinds = [LostKind::Tick, LostKind::Alloc, LostKind::Copy];
            kinds
                .map(|kind| sum(slot_word::LOST + kind as usize * LOSSES + why as usize))
                .iter()
                .sum()
        };
        Self {
            allocated: sum(slot_word::COUNTERS + Count::AllocBytes as usize),
            allocations: sum(slot_word::COUNTERS + Count::AllocCalls as usize),
            timers_refused: session.word(word::TIMER_FAILED).load(Ordering::Relaxed),
            lost: Loss::ALL.map(|(why, _)| lost(why)).to_vec(),
        }
    }
}
