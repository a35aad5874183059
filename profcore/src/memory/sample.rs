//! The sampled part of the memory hooks: events, stacks, followed blocks.
//!
//! All of it runs with the thread's busy flag taken, so that a tick does not write into a ring in which an
//! event is half made. Order, so that no thread can tell a block's life wrongly:
//!
//! - a block is followed after the allocator handed it out and before the program sees it;
//! - it is no longer followed before the allocator gets it back;
//! - an end that cannot be told at once (its share of the ring is full, hook inside a hook) is marked in the table of
//!   followed blocks: the collector finds it there, or the next one to give that address back tells it.

use super::sampler::{ALLOCATIONS, COPIES, Due, weigh};
use crate::cpython;
#[cfg(feature = "embed")]
use crate::embed::{call, labels};
use crate::event::{flag, head_word, kind};
use crate::live::{Followed, Inserted, Live};
use crate::process;
use crate::ring::spsc::Share;
use crate::session::{Count, Loss, LostKind, Session, Slot, control, word};
use crate::stack::{self, Reach, Registers};
use crate::sync::Ordering::{Relaxed, Release};
use crate::sys::sigset::Masked;
use crate::sys::syscall;
use crate::thread;

/// Words of an event before its own ones: head and time.
const PREFIX: usize = 2;

/// Where a block came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Native { caller: usize },
    Python,
}

impl Origin {
    fn is_native(self) -> bool {
        matches!(self, Self::Native { .. })
    }
}

/// A block between the moment before and the moment after the allocator resized it.
#[derive(Debug)]
#[must_use = "the block is not followed until the end of the resize is told"]
pub struct Resizing {
    pub(super) address: u64,
    /// Id of the block, 0 if it is not followed.
    pub(super) block: u64,
    /// Just before the allocator was called; of followed blocks only.
    pub(super) time: u64,
}

impl Resizing {
    /// A resize of a block that is not followed.
    #[inline]
    pub(super) fn not_followed(address: usize) -> Self {
        Self { address: address as u64, block: 0, time: 0 }
    }

    #[inline]
    pub(super) fn is_followed(&self) -> bool {
        self.block != 0
    }

    #[inline]
    pub(super) fn address(&self) -> usize {
        self.address as usize
    }
}

/// False if the block at `address` is certainly not followed.
#[inline]
pub(super) fn may_be_followed(session: Session, address: usize) -> bool {
    Live::of(session).may_hold(address as u64)
}

/// A sampled part of a thread's work: its slot, its session, and the time it began.
struct Work {
    session: Session,
    slot: Slot,
    time: u64,
    /// What a walk of native frames may read.
    reach: Reach,
    // In this order: a handler of the program's that comes in between and leaves by a jump must not leave the flag set.
    _busy: thread::Busy,
    _quiet: Option<Masked>,
}

impl Work {
    /// `None` inside another hook or handler of this thread, or without a session.
    fn begin(slot: Slot) -> Option<Self> {
        Self::begin_with(slot, Reach::EVERYWHERE, None)
    }

    fn begin_with(slot: Slot, reach: Reach, quiet: Option<Masked>) -> Option<Self> {
        let session = process::session()?;
        let busy = thread::enter()?;
        Some(Self { session, slot, time: syscall::monotonic(), reach, _busy: busy, _quiet: quiet })
    }

    /// As [`Work::begin`], for an allocation whose stack has native frames. They may lead anywhere, and a read that fails
    /// on a thread that blocks faults would kill it: faults are let through. Where there is nothing else to read than the
    /// thread's own stack, frames are followed there instead, which costs no system call.
    fn begin_native(slot: Slot) -> Result<Self, Loss> {
        if process::is_embedded() {
            let here = Registers::here();
            let reach = Reach::of_handler(slot, Some(here));
            return Self::begin_with(slot, reach, None).ok_or(Loss::Reentered);
        }
        match Reach::own_stack(slot).filter(|_| cpython::installed().is_none()) {
            Some(reach) => Self::begin_with(slot, reach, None).ok_or(Loss::Reentered),
            None => Self::begin_masked(slot),
        }
    }

    /// As [`Work::begin_native`], for a copy, which a handler of the program's may leave by a jump: with signals blocked.
    fn begin_masked(slot: Slot) -> Result<Self, Loss> {
        let (quiet, open) = Masked::faults_only();
        if !open {
            return Err(Loss::SignalBlocked);
        }
        Self::begin_with(slot, Reach::EVERYWHERE, Some(quiet)).ok_or(Loss::Reentered)
    }

    /// As [`Work::begin`], for an allocation whose stack has none.
    fn begin_python(slot: Slot) -> Result<Self, Loss> {
        Self::begin(slot).ok_or(Loss::Reentered)
    }

    /// How the work of an allocation begins.
    fn of(origin: Origin) -> fn(Slot) -> Result<Self, Loss> {
        if origin.is_native() { Self::begin_native } else { Self::begin_python }
    }

    fn live(&self) -> Live<'static> {
        Live::of(self.session)
    }

    fn is_on(&self, what: u64) -> bool {
        self.session.word(word::CONTROL).load(Relaxed) & what != 0
    }

    /// Writes an event without a stack; false if its share of the ring is full.
    fn tell(&self, kind: u8, time: u64, words: &[u64], share: Share) -> bool {
        let len = PREFIX + words.len();
        let Some(mut event) = self.slot.ring().reserve(len, share) else { return false };
        event.word(head_word(len, kind, 0, 0));
        event.word(time);
        for &word in words {
            event.word(word);
        }
        event.commit();
        #[cfg(feature = "embed")]
        call::if_due(self.session, self.slot, false);
        true
    }

    /// Tells the end of a block; false if there is no room.
    fn tell_end(&self, time: u64, block: u64) -> bool {
        self.tell(kind::FREE, time, &[block], Share::Half)
    }

    /// Writes an event with the thread's stack, with native frames if code that is not Python's asked; false if the
    /// ring is full.
    fn tell_with_stack(&self, kind: u8, flags: u8, words: &[u64]) -> bool {
        stack::warm_up();
        // Small objects of Python are its lines': their native frames would say the same each time.
        let registers = (flags & flag::PYTHON == 0).then(Registers::here);
        let walk = |reach| stack::capture(self.session, self.slot, registers, reach);
        let mut stack = walk(registers.map_or(self.reach, |at| self.reach.down_to(at.sp)));
        if stack.is_outside && !process::is_embedded() {
            let (_quiet, open) = Masked::faults_only();
            if open {
                stack = walk(Reach::EVERYWHERE);
            }
        }
        #[cfg(feature = "embed")]
        if !labels::tell(self.slot, self.time, Share::SevenEighths) {
            return false;
        }
        let len = PREFIX + words.len() + stack.words();
        let Some(mut event) = self.slot.ring().reserve(len, Share::SevenEighths) else {
            return false;
        };
        event.word(head_word(len, kind, flags, 0));
        event.word(self.time);
        for &word in words {
            event.word(word);
        }
        stack.write(&mut event);
        event.commit();
        stack.committed(self.slot);
        #[cfg(feature = "embed")]
        call::if_due(self.session, self.slot, stack.has_asked);
        true
    }

    /// Follows `block` at `address`; false if there is no room.
    fn follow(&self, address: u64, block: u64) -> bool {
        match self.live().insert(address, block) {
            Inserted::Followed => true,
            Inserted::Replaced(ended) => {
                // Nothing of it is left to be marked.
                if !self.tell(kind::FREE, self.time, &[ended], Share::SevenEighths) {
                    self.slot.lose(LostKind::Alloc, Loss::RingFull);
                }
                true
            }
            Inserted::Full => {
                self.session.word(word::LIVE_FULL).fetch_add(1, Relaxed);
                false
            }
        }
    }

    /// Tells a sampled allocation of `size` bytes at `address`, and follows it: as `block`, which is
    /// followed already, or as a new block if that is 0.
    fn tell_allocation(&self, address: u64, block: u64, size: u64, due: Due, origin: Origin) {
        let weight = due.take(self.slot);
        if weight == 0 {
            return;
        }
        let new = match block {
            0 => self.session.word(word::NEXT_BLOCK).fetch_add(1, Relaxed).wrapping_add(1),
            _ => 0,
        };
        let followed = new != 0 && self.follow(address, new);
        let named = if followed { new } else { block };
        let (flags, pc) = match origin {
            Origin::Native { caller } => (0, caller as u64),
            Origin::Python => (flag::PYTHON, 0),
        };
        if !self.tell_with_stack(kind::ALLOC, flags, &[size, weight, named, pc]) {
            due.carry(self.slot, weight);
            if followed {
                self.live().remove(address);
            }
        }
    }

    /// Tells a sampled copy of `size` bytes.
    fn tell_copy(&self, size: u64, caller: u64, due: Due) {
        let weight = due.take(self.slot);
        if weight != 0 && !self.tell_with_stack(kind::COPY, 0, &[size, weight, caller]) {
            due.carry(self.slot, weight);
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let spent = syscall::monotonic().saturating_sub(self.time);
        self.slot.add(Count::SelfNanos, spent);
    }
}

/// Begins to tell a sample of this kind, or counts it as lost.
fn begin(
    slot: Slot,
    kind: LostKind,
    switch: u64,
    work: fn(Slot) -> Result<Work, Loss>,
) -> Option<Work> {
    let work =
        work(slot).and_then(|work| if work.is_on(switch) { Ok(work) } else { Err(Loss::Off) });
    work.inspect_err(|&why| slot.lose(kind, why)).ok()
}

/// A sample point was met by a new block.
#[cold]
#[inline(never)]
pub(super) fn allocated(slot: Slot, address: usize, bytes: usize, origin: Origin) {
    if let Some(due) = weigh(slot, ALLOCATIONS, bytes)
        && let Some(work) = begin(slot, LostKind::Alloc, control::MEMORY, Work::of(origin))
    {
        work.tell_allocation(address as u64, 0, bytes as u64, due, origin);
    }
}

/// A sample point was met by a copy.
#[cold]
#[inline(never)]
pub(super) fn copied(slot: Slot, bytes: usize, caller: usize) {
    if let Some(due) = weigh(slot, COPIES, bytes)
        && let Some(work) = begin(slot, LostKind::Copy, control::COPIES, Work::begin_masked)
    {
        work.tell_copy(bytes as u64, caller as u64, due);
    }
}

/// A block that may be followed is about to be freed.
#[cold]
#[inline(never)]
pub(super) fn freeing(slot: Slot, address: usize) {
    let Some(session) = process::session() else { return };
    let live = Live::of(session);
    let Some(block) = live.find(address as u64) else { return };
    // What the interpreter takes down on its way out was held to the end: its free is not told.
    let is_told = cpython::is_finalizing()
        || Work::begin(slot).is_some_and(|work| work.tell_end(work.time, block.id));
    if is_told {
        live.remove(address as u64);
    } else if !block.has_ended {
        mark_ended(session, address as u64, syscall::monotonic());
    }
}

/// The same on a thread without a slot.
#[cold]
#[inline(never)]
pub(super) fn freeing_by_nobody(session: Session, address: usize) {
    let block = Live::of(session).find(address as u64);
    if block.is_some_and(|block| !block.has_ended) {
        mark_ended(session, address as u64, syscall::monotonic());
    }
}

/// Leaves word that the block at `address` has ended.
fn mark_ended(session: Session, address: u64, time: u64) {
    Live::of(session).mark_ended(address);
    session.word(word::LAST_END_MARKED).store(time, Relaxed);
    // Release: whoever sees the count sees the mark.
    session.word(word::ENDS_MARKED).fetch_add(1, Release);
}

/// Stops following the block at `address` for the time of a resize.
#[cold]
#[inline(never)]
pub(super) fn lift(slot: Slot, address: usize) -> Resizing {
    let not_followed = Resizing::not_followed(address);
    let Some(session) = process::session() else { return not_followed };
    match Live::of(session).find(address as u64) {
        Some(Followed { has_ended: true, .. }) => {
            freeing(slot, address);
            not_followed
        }
        Some(Followed { id, .. }) if Live::of(session).remove(address as u64).is_some() => {
            Resizing { address: address as u64, block: id, time: syscall::monotonic() }
        }
        _ => not_followed,
    }
}

/// Follows a block again that was lifted and has not changed; false if there is no room.
#[cold]
#[inline(never)]
pub(super) fn put_back(resizing: Resizing) -> bool {
    let Some(session) = process::session() else { return false };
    // The entry it had may be taken meanwhile: then its end will not be told.
    let is_followed = Live::of(session).insert(resizing.address, resizing.block) != Inserted::Full;
    if !is_followed {
        session.word(word::LIVE_FULL).fetch_add(1, Relaxed);
    }
    is_followed
}

/// A lifted block has ended.
#[cold]
#[inline(never)]
pub(super) fn lifted_ended(slot: Slot, resizing: Resizing) {
    let is_told =
        Work::begin(slot).is_some_and(|work| work.tell_end(resizing.time, resizing.block));
    if let Some(session) = process::session().filter(|_| !is_told) {
        let (address, time) = (resizing.address, resizing.time);
        if put_back(resizing) {
            mark_ended(session, address, time);
        }
    }
}

/// A block was resized that is followed, or whose growth is sampled (`growth` > 0), or both.
#[cold]
#[inline(never)]
pub(super) fn resized(
    slot: Slot,
    resizing: Resizing,
    old_bytes: usize,
    address: usize,
    bytes: usize,
    growth: usize,
    origin: Origin,
) {
    let due = if growth == 0 { None } else { weigh(slot, ALLOCATIONS, growth) };
    let (address, block) = (address as u64, resizing.block);
    let work = match if due.is_some() { Work::of(origin)(slot) } else { Work::begin_python(slot) } {
        Ok(work) => work,
        Err(why) => {
            slot.lose(LostKind::Alloc, why);
            if block != 0 {
                put_back(Resizing { address, ..resizing });
            }
            return;
        }
    };
    let mut followed = 0;
    if block != 0 {
        // An end that nobody would see is told now: a block that cannot be followed must not look alive.
        followed = if work.follow(address, block) { block } else { 0 };
        let told = match followed {
            0 => work.tell(kind::FREE, work.time, &[block], Share::SevenEighths),
            _ => {
                let words = [block, old_bytes as u64, bytes as u64];
                work.tell(kind::RESIZE, work.time, &words, Share::SevenEighths)
            }
        };
        if !told {
            slot.lose(LostKind::Alloc, Loss::RingFull);
        }
    }
    let Some(due) = due else { return };
    if work.is_on(control::MEMORY) {
        work.tell_allocation(address, followed, growth as u64, due, origin);
    } else {
        slot.lose(LostKind::Alloc, Loss::Off);
    }
}
