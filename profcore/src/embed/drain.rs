//! From the rings to the history.

use std::collections::HashSet;
use std::sync::Arc;

use super::ended::Ended;
use super::history::History;
use super::samples::{Kept, Named};
use super::snapshot::{LabelWords, What};
use super::threads;
use crate::budget::Budget;
use crate::event::{self, Event, LABELS, StackDelta, flag};
use crate::live::Live;
use crate::ring::registry::{self, Owner, State};
use crate::ring::spsc::Popped;
use crate::session::{SLOTS, Session, Slot, slot_word, word};
use crate::sync::Ordering;
use crate::thread;

/// Most events of one slot in one drain: a thread that is faster than us must not keep us.
const MAX_EVENTS: usize = 4096;
/// A thread that has used fewer intervals of CPU time than this is a short one: what its ticks leave over at its end goes to
/// the next thread that a tick meets for the first time.
const SHORT: u64 = 20;

/// What is known of a slot's owner.
#[derive(Debug, Default)]
struct SlotState {
    owner: Option<Owner>,
    /// `None`: nobody has asked for its name yet.
    thread: Option<Named>,
    labels: LabelWords,
    shared_labels: Option<Arc<LabelWords>>,
    has_ticked: bool,
    /// Of its last tick.
    last_stack: Option<Arc<[u64]>>,
    /// CPU nanoseconds that its samples stand for.
    told_ns: u64,
    /// Its last sample of allocations.
    last_alloc: Option<Kept>,
}

impl SlotState {
    /// The thread. Most short ones are nobody's business, and the kernel looks for a name long.
    fn named(&mut self) -> Named {
        let owner = self.owner;
        let thread = self.thread.get_or_insert_with(|| {
            // That of one that has ended is forgotten.
            let living = owner.filter(|owner| owner.state == State::Live);
            let name = living.map(|owner| threads::name(owner.tid)).unwrap_or_default();
            Arc::new((owner.map_or(0, |owner| owner.tid), name))
        });
        thread.clone()
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Drain {
    slots: Vec<SlotState>,
    budget: Budget,
    event: Vec<u64>,
    ends_marked: u64,
    /// CPU time of short threads that no sample of theirs stands for, and the end of the last of them.
    pool_ns: u64,
    pool_from: Option<Kept>,
    ended: Ended,
    /// Samples taken, and events that were none.
    pub(super) samples: u64,
    pub(super) unreadable: u64,
    /// CPU nanoseconds that samples stand for, and of them those of threads after their last own instruction.
    pub(super) sampled_ns: u64,
    pub(super) ended_ns: u64,
}

impl Drain {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            budget: Budget::of(word::MEMORY_INTERVAL),
            event: Vec::new(),
            ends_marked: 0,
            pool_ns: 0,
            pool_from: None,
            ended: Ended::new(),
            samples: 0,
            unreadable: 0,
            sampled_ns: 0,
            ended_ns: 0,
        }
    }

    /// Takes everything out of the rings.
    pub(super) fn drain(&mut self, session: Session, now: u64, history: &mut History) {
        let high = session.word(word::SLOTS_HIGH).load(Ordering::Relaxed) as usize;
        for number in 1..high.min(SLOTS) {
            if self.slots.len() <= number {
                self.slots.resize_with(number + 1, SlotState::default);
            }
            let slot = session.slot(number);
            let owner = registry::owner(slot.word(slot_word::STATE));
            if owner.state != State::Free {
                self.drain_slot(number, slot, owner, session, now, history);
            }
        }
        self.look_for_ends(session, history);
        self.budget.look(session, now);
    }

    fn drain_slot(
        &mut self,
        number: usize,
        slot: Slot,
        owner: Owner,
        session: Session,
        now: u64,
        history: &mut History,
    ) {
        let is_new = self.slots[number].owner.is_none_or(|o| o.generation != owner.generation);
        let state = &mut self.slots[number];
        if is_new {
            *state = SlotState { owner: Some(owner), ..SlotState::default() };
        } else {
            // It has been there for a while: it shall have its name also if its first sample is its last.
            state.owner = Some(owner);
            state.named();
        }
        let mut event = std::mem::take(&mut self.event);
        let mut is_empty = false;
        for _ in 0..MAX_EVENTS {
            match slot.ring().pop(&mut event) {
                Popped::Empty => {
                    is_empty = true;
                    break;
                }
                Popped::Corrupt => self.unreadable += 1,
                Popped::Event => match event::decode(&event) {
                    Some(event) => self.take(number, &event, session, history),
                    None => self.unreadable += 1,
                },
            }
        }
        self.event = event;
        if owner.state == State::Retired && is_empty {
            // What samples that had no room have left to a next one, which does not come any more.
            let carried = slot.word(slot_word::ALLOC_CARRIED).swap(0, Ordering::Relaxed);
            if let Some(mut kept) = self.slots[number].last_alloc.take().filter(|_| carried > 0)
                && let What::Alloc { bytes, .. } = &mut kept.what
            {
                *bytes = carried;
                kept.time_ns = now;
                history.push(kept);
            }
            self.slots[number].owner = None;
            let clock = slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
            self.ended.gave_slot_up(owner.tid, clock);
            slot.ring().begin_again();
            thread::reclaim(session, number, owner);
        }
    }

    fn take(&mut self, number: usize, event: &Event<'_>, session: Session, history: &mut History) {
        match *event {
            Event::Tick { time, weight_ns, flags, stack, .. } => {
                let rest = flags & flag::REST != 0;
                self.tick(number, time, weight_ns, rest, stack, session, history);
            }
            Event::Alloc { time, size, weight, block, pc, stack, .. } => {
                self.budget.count();
                self.samples += 1;
                let what = What::Alloc { bytes: weight, size };
                // Up to who called the allocator, frames are ours.
                let ours = stack.native.iter().position(|&address| address == pc);
                let native = &stack.native[ours.unwrap_or(0)..];
                let kept = self.kept(number, time, what, StackDelta { native, ..stack }, history);
                if block != 0 {
                    history.hold(block, kept.clone());
                }
                self.slots[number].last_alloc = Some(kept.clone());
                history.push(kept);
            }
            Event::Free { block, .. } => history.release(block),
            Event::Resize { block, old_size, new_size, .. } => {
                history.resize(block, old_size, new_size);
            }
            Event::Labels { words, .. } => {
                let slot = &mut self.slots[number];
                slot.labels = *words;
                slot.shared_labels = history.labels(words);
            }
            Event::ThreadEnd { .. } => self.ended.told_end(),
            Event::Copy { .. } | Event::Exit { .. } => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "an event's parts")]
    fn tick(
        &mut self,
        number: usize,
        time: u64,
        weight_ns: u64,
        is_rest: bool,
        stack: StackDelta<'_>,
        session: Session,
        history: &mut History,
    ) {
        let interval = session.word(word::CPU_INTERVAL_NS).load(Ordering::Relaxed);
        let state = &mut self.slots[number];
        state.told_ns += weight_ns;
        let is_first = !std::mem::replace(&mut state.has_ticked, true);
        let is_short = state.told_ns < interval.saturating_mul(SHORT);
        if is_rest && is_short {
            let kept = self.kept(number, time, What::Cpu { ns: 0 }, stack, history);
            self.pool_ns += weight_ns;
            self.pool_from = Some(kept);
            return;
        }
        let taken_over = if is_first { std::mem::take(&mut self.pool_ns) } else { 0 };
        let ns = weight_ns + taken_over;
        if ns > 0 {
            self.samples += 1;
            self.sampled_ns += ns;
            let mut kept = self.kept(number, time, What::Cpu { ns }, stack, history);
            let last = &mut self.slots[number].last_stack;
            if is_rest {
                // It is told where the thread's own code is over: most of it is of what that did when it was last seen.
                kept.stack = last.take().unwrap_or(kept.stack);
            } else {
                *last = Some(kept.stack.clone());
            }
            history.push(kept);
        }
    }

    fn kept(
        &mut self,
        number: usize,
        time_ns: u64,
        what: What,
        stack: StackDelta<'_>,
        history: &mut History,
    ) -> Kept {
        let slot = &mut self.slots[number];
        let (thread, labels) = (slot.named(), slot.shared_labels.clone());
        Kept { time_ns, what, thread, stack: history.stack(stack.native), labels }
    }

    /// Takes a sample of what the ends of threads took, see [`Ended::look`].
    pub(super) fn look_at_ends(
        &mut self,
        session: Session,
        own: u32,
        now: u64,
        asked: Option<u64>,
        listed: Option<HashSet<u32>>,
        history: &mut History,
    ) {
        if let Some(kept) = self.ended.look(session, own, now, asked, listed, history) {
            if let What::Cpu { ns } = kept.what {
                self.sampled_ns += ns;
                self.ended_ns += ns;
            }
            self.samples += 1;
            history.push(kept);
        }
    }

    /// Sampling goes on after a pause, of which nothing is told.
    pub(super) fn go_on(&mut self) {
        self.ended.begin_again();
    }

    /// Gives what no thread has taken over to the end of the thread that left it last.
    pub(super) fn empty_pool(&mut self, history: &mut History) {
        if let Some(mut kept) = self.pool_from.take().filter(|_| self.pool_ns > 0) {
            let ns = std::mem::take(&mut self.pool_ns);
            self.sampled_ns += ns;
            self.samples += 1;
            kept.what = What::Cpu { ns };
            history.push(kept);
        }
    }

    /// Ends of blocks that had no room in a ring are marked in the live table.
    fn look_for_ends(&mut self, session: Session, history: &mut History) {
        // Acquire: who sees the count sees the marks.
        let marked = session.word(word::ENDS_MARKED).load(Ordering::Acquire);
        if std::mem::replace(&mut self.ends_marked, marked) != marked {
            Live::of(session).ended().for_each(|block| history.release(block));
        }
    }
}

const _: () = assert!(LABELS == size_of::<LabelWords>() / 8);
