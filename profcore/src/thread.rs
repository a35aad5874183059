//! A thread's own view of profiling: its slot, its busy flag, its birth and its end.

#[cfg(feature = "embed")]
use crate::embed::{call, labels};
use crate::event::{head_word, kind};
use crate::process;
use crate::ring::registry::{self, Owner, State};
use crate::ring::spsc::Share;
use crate::session::{
    Count, FILTER_WORDS, Loss, LostKind, PERF_REFUSED, SLOTS, Session, Slot, area, slot_word, word,
};
#[cfg(feature = "embed")]
use crate::signal::lent;
use crate::signal::{self, alternate, handler, timer};
use crate::sync::Ordering;
use crate::sys::signal_stack::SignalStack;
use crate::sys::sigset::{FAULTS, Masked};
use crate::sys::{syscall, tls};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, compiler_fence};

/// The calling thread's slot. Claims one if it has none yet (a thread that was not born through
/// `pthread_create`). `None`: the process is dormant, all slots are taken, or the thread is past its end;
/// callers count on slot 0 then.
#[inline]
pub(crate) fn current() -> Option<Slot> {
    let block = tls::block();
    match block.slot() {
        Some(slot) => Some(slot),
        None => claim_late(block),
    }
}

/// The calling thread's slot if it already has one. What the handler uses: it never claims.
#[inline]
pub(crate) fn existing() -> Option<Slot> {
    tls::block().slot()
}

/// The calling thread's slot if what it allocates natively is counted there: it has one, is not inside Python's
/// allocators and is not ignored.
#[cfg(feature = "embed")]
#[inline(always)]
pub(crate) fn counting() -> Option<Slot> {
    tls::block().counting()
}

/// Whether the calling thread's allocations are passed by.
#[cfg(feature = "embed")]
#[inline(always)]
pub(crate) fn is_ignored() -> bool {
    tls::block().ignored() != 0
}

/// Passes the calling thread's allocations by until [`heed`] was called as often as this.
#[cfg(any(test, feature = "embed"))]
#[inline]
pub(crate) fn ignore() {
    let block = tls::block();
    block.set_ignored(block.ignored().wrapping_add(1));
}

/// Takes an [`ignore`] back.
#[cfg(any(test, feature = "embed"))]
#[inline]
pub(crate) fn heed() {
    let block = tls::block();
    block.set_ignored(block.ignored().wrapping_sub(1));
}

/// Holding it means: this thread's slot is being worked on, a signal handler must not.
#[derive(Debug)]
pub(crate) struct Busy {
    block: &'static tls::Block,
    /// Belongs to this thread.
    here: PhantomData<*const ()>,
}

/// Takes the calling thread's busy flag; `None` if it is taken.
#[inline]
pub(crate) fn enter() -> Option<Busy> {
    let block = tls::block();
    // A handler that comes between load and store leaves the flag as it found it.
    if block.busy.load(Ordering::Relaxed) != 0 {
        return None;
    }
    block.busy.store(1, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst); // rule R3
    Some(Busy { block, here: PhantomData })
}

impl Drop for Busy {
    #[inline]
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst); // rule R3
        self.block.busy.store(0, Ordering::Relaxed);
    }
}

/// Whether the calling thread is inside a hook's slow path or a handler of ours.
pub(crate) fn is_busy() -> bool {
    tls::block().busy.load(Ordering::Relaxed) != 0
}

/// Enters one of Python's allocators.
#[inline]
pub fn python_enter() {
    let block = tls::block();
    block.set_python_depth(block.python_depth().wrapping_add(1));
}

/// Leaves it.
#[inline]
pub fn python_leave() {
    let block = tls::block();
    block.set_python_depth(block.python_depth().wrapping_sub(1));
}

/// How deep the calling thread is in Python's allocators.
#[inline]
pub(crate) fn python_depth() -> u32 {
    tls::block().python_depth()
}

/// A thread begins: to be called on it before its own code. Nothing happens in a dormant process.
pub fn born() {
    if let Some(session) = process::session() {
        settle(session, tls::block(), Since::Birth);
    }
}

/// A thread ends: to be called on it after its own code. Its last sample is written, its timer deleted, its
/// slot given up. Hooks that it passes after this count on slot 0.
pub fn ending() {
    let block = tls::block();
    let (Some(session), Some(slot)) = (process::session(), block.slot()) else {
        block.state.store(tls::DEAD, Ordering::Relaxed);
        #[cfg(feature = "embed")]
        lent::take_back(block);
        return;
    };
    // Blocked before the timer goes: a tick that is already on its way then finds no slot, and is counted.
    let quiet = Masked::block(if process::is_embedded() { !FAULTS } else { signal::mask() });
    note_blocked(session, slot, &quiet);
    timer::disarm(session, slot);
    let clock = write_rest(session, slot).unwrap_or_else(syscall::thread_cpu);
    let time = syscall::monotonic();
    if let Some(mut room) = slot.ring().reserve(3, Share::All) {
        room.word(head_word(3, kind::THREAD_END, 0, 0));
        room.word(time);
        room.word(clock);
        room.commit();
    }
    block.state.store(tls::DEAD, Ordering::Relaxed);
    block.set_slot(None);
    compiler_fence(Ordering::SeqCst); // rule R3
    #[cfg(feature = "embed")]
    lent::take_back(block);
    let state = slot.word(slot_word::STATE);
    registry::retire(state, registry::owner(state));
    #[cfg(feature = "embed")]
    call::one_has_ended(session);
    if slot.word(slot_word::PERF).load(Ordering::Relaxed) != 0 {
        // Only the collector can end those ticks: they stay blocked for the little that is left of the thread.
        core::mem::forget(quiet);
    }
}

/// At a thread's end, before its rest is written; `quiet` has blocked our signal: counts the thread if it had blocked
/// that itself and so been without ticks for long.
pub(crate) fn note_blocked(session: Session, slot: Slot, quiet: &Masked) {
    /// Ticks that may be late or not yet sent.
    const FEW: u64 = 10;
    if !quiet.had(signal::mask()) || !handler::is_on(session) {
        return;
    }
    let load = |index: usize| slot.word(index).load(Ordering::Relaxed);
    let untold = syscall::thread_cpu().saturating_sub(load(slot_word::LAST_CPU));
    if untold > load(slot_word::INTERVAL).saturating_mul(FEW) {
        session.word(word::TICKS_BLOCKED).fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes the rest of the thread's clock since its last sample as a last sample, with the stack it has now, and says what
/// that clock says, if it was read. The caller has blocked our signal.
pub(crate) fn write_rest(session: Session, slot: Slot) -> Option<u64> {
    if signal::mask() == 0 || !handler::is_on(session) {
        return None;
    }
    slot.add(Count::Ticks, 1);
    let Some(_busy) = enter() else {
        slot.lose(LostKind::Tick, Loss::Reentered);
        return None;
    };
    if process::is_embedded() {
        // Nothing is read there that might not be, and all other signals are blocked already.
        return Some(handler::sample_rest(session, slot));
    }
    // A fault whose signal is blocked would kill, and a thread may block what it likes.
    match Masked::faults_only() {
        (_quiet, true) => Some(handler::sample_rest(session, slot)),
        (_, false) => {
            slot.lose(LostKind::Tick, Loss::SignalBlocked);
            None
        }
    }
}

/// The calling thread is the profiler's own: it never gets a slot, or has no use any more for one that it has got by a hook
/// that it has passed. True if it has got one.
#[cfg(feature = "embed")]
pub(crate) fn is_nobodys() -> bool {
    let block = tls::block();
    let had_one = block.slot().is_some();
    block.state.store(tls::DEAD, Ordering::Relaxed);
    block.set_slot(None);
    had_one
}

/// In a forked child: the slot is the parent thread's, in the parent's session. Whether a hook's slow path
/// was under way (then the program forked in a signal handler of its own).
pub(crate) fn forget() -> bool {
    let block = tls::block();
    block.set_slot(None);
    block.state.store(tls::UNBORN, Ordering::Relaxed);
    is_busy()
}

/// Gives the calling thread a slot, so that a test need not join a session.
#[cfg(test)]
pub(crate) fn set(slot: Option<Slot>) {
    let session = process::session().expect("a test that has a slot has joined a session");
    tls::block().set_slot(slot.map(|slot| (slot, session.area(area::LIVE_FILTER, FILTER_WORDS))));
}

/// From where on a thread's CPU time is ours to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// All of it.
    Birth,
    /// From now: what it did before, nobody saw.
    Now,
}

#[cold]
fn claim_late(block: &'static tls::Block) -> Option<Slot> {
    if block.state.load(Ordering::Relaxed) != tls::UNBORN {
        return None;
    }
    let session = process::session()?;
    // A vfork child runs on its parent's memory and thread block: it may use what its parent thread has, but
    // must not claim in its own name.
    if !process::is_own() {
        return None;
    }
    // A program that profiles itself has looked at all threads that are older.
    let since = if process::is_embedded() { Since::Birth } else { Since::Now };
    settle(session, block, since);
    block.slot()
}

/// Gives the calling thread a slot if it has had none yet.
#[cfg(feature = "embed")]
#[inline]
pub(crate) fn meet() {
    let block = tls::block();
    if block.state.load(Ordering::Relaxed) == tls::UNBORN {
        claim_late(block);
    }
}

/// Takes the slot that was claimed on behalf of the calling thread, if there is one. For a tick that finds a thread
/// without a slot.
#[cold]
pub(crate) fn move_in(session: Session) -> Option<Slot> {
    let block = tls::block();
    if !process::is_embedded() || block.state.load(Ordering::Relaxed) != tls::UNBORN {
        return None;
    }
    let (number, owner) = claimed_for(session, syscall::gettid())?;
    furnish(session, block, session.slot(number), owner);
    block.slot()
}

/// The slot that was claimed on behalf of a thread which has not moved in yet.
fn claimed_for(session: Session, tid: u32) -> Option<(usize, Owner)> {
    #[cfg(feature = "embed")]
    if session.word(word::CLAIMED_FOR).load(Ordering::Relaxed) == 0 {
        return None;
    }
    let high = session.word(word::SLOTS_HIGH).load(Ordering::Relaxed) as usize;
    (1..high.min(SLOTS)).find_map(|number| {
        let slot = session.slot(number);
        let owner = registry::owner(slot.word(slot_word::STATE));
        let is_its = owner.state == State::Live && owner.tid == tid && !has_moved_in(slot, owner);
        is_its.then_some((number, owner))
    })
}

/// Whether the thread that owns a slot uses it.
pub(crate) fn has_moved_in(slot: Slot, owner: Owner) -> bool {
    slot.word(slot_word::MOVED_IN).load(Ordering::Relaxed) == u64::from(owner.generation)
}

/// Claims a slot on behalf of another thread of the process, whose CPU clock says `clock` and which moves in at its
/// first tick. False: all slots are taken.
#[cfg(feature = "embed")]
pub(crate) fn claim_for(session: Session, tid: u32, clock: u64) -> bool {
    session.word(word::CLAIMED_FOR).fetch_add(1, Ordering::Relaxed);
    let Some((slot, _)) = claim(session, tid, clock) else { return false };
    timer::disarm(session, slot);
    match clock {
        // It may be short, and all of its time is to be told.
        0 => timer::arm_soon(session, slot, tid),
        _ => timer::arm(session, slot, tid),
    }
    true
}

/// Makes a slot free again whose owner has retired, see [`registry::reclaim`].
pub(crate) fn reclaim(session: Session, number: usize, owner: Owner) {
    if registry::reclaim(session.slot(number).word(slot_word::STATE), owner) {
        session.word(word::FREE_FROM).fetch_min(number as u64, Ordering::Relaxed);
    }
}

/// Claims a slot for a thread whose CPU clock says `clock`.
fn claim(session: Session, tid: u32, clock: u64) -> Option<(Slot, Owner)> {
    // A slot's state is far from the next one's: to read those of many is what a short thread would do most.
    let free_from = session.word(word::FREE_FROM);
    let hint = free_from.load(Ordering::Relaxed);
    let first = (hint as usize).clamp(1, SLOTS);
    let numbers = (first..SLOTS).chain(1..first);
    let states = numbers.map(|number| (number, session.slot(number).word(slot_word::STATE)));
    let (number, owner) = registry::claim(session.word(word::SLOTS_HIGH), states, tid)?;
    // Not if one below has become free meanwhile.
    let next = number as u64 + 1;
    let _ = free_from.compare_exchange(hint, next, Ordering::Relaxed, Ordering::Relaxed);
    let slot = session.slot(number);
    let set = |index, value| slot.word(index).store(value, Ordering::Relaxed);
    set(slot_word::LAST_CPU, clock);
    set(slot_word::LAST_DEPTH, 0);
    set(slot_word::THREAD_STATE, 0);
    set(slot_word::STACK_TOP, 0);
    set(slot_word::STACK_LOW, 0);
    set(slot_word::LOW_ALTERNATE, 0);
    set(slot_word::INTERVAL, session.word(word::CPU_INTERVAL_NS).load(Ordering::Relaxed));
    set(slot_word::GUARD_CPU, 0);
    set(slot_word::GUARD_STRIKES, 0);
    // Never 0, and different for threads born in the same nanosecond.
    set(slot_word::RANDOM, mix(syscall::monotonic() ^ u64::from(tid) << 40) | 1);
    Some((slot, owner))
}

/// Makes a slot that was claimed for the calling thread its own. Whether it may be lent an alternate signal stack: it has
/// none, and its end will be told.
fn furnish(session: Session, block: &'static tls::Block, slot: Slot, owner: Owner) -> bool {
    let set = |index, value| slot.word(index).store(value, Ordering::Relaxed);
    set(slot_word::THREAD_POINTER, tls::thread_pointer());
    set(slot_word::STACK_TOP, tls::stack_top(owner.tid == syscall::getpid()));
    #[cfg(feature = "embed")]
    labels::begin_owner();
    let signal_stack = SignalStack::current();
    let is_low = alternate::settle(session, slot, signal_stack);
    set(slot_word::PERF, if is_low { PERF_REFUSED } else { 0 });
    set(slot_word::MOVED_IN, owner.generation.into());
    block.set_slot(Some((slot, session.area(area::LIVE_FILTER, FILTER_WORDS))));
    block.state.store(tls::LIVE, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst); // rule R3
    if is_low {
        timer::disarm(session, slot);
    }
    ask_for_end() && signal_stack.is_none()
}

/// Number of the `pthread_key` whose destructor tells a thread's end, plus one; 0: ends are told by others.
static END_KEY: AtomicU32 = AtomicU32::new(0);

/// Has the ends of threads told that get a slot from now on, by a destructor of the C library's. To be called once.
#[cfg(feature = "embed")]
pub(crate) fn tell_ends() {
    if let Some(key) = tls::end_key(ending) {
        END_KEY.store(key + 1, Ordering::Relaxed);
    }
}

/// Has the calling thread's end told; false if that can't be had, or ends are told by others.
fn ask_for_end() -> bool {
    END_KEY.load(Ordering::Relaxed).checked_sub(1).is_some_and(tls::ask_for_end)
}

/// Claims a slot for the calling thread and arms its timer.
pub(crate) fn settle(session: Session, block: &'static tls::Block, since: Since) {
    // A handler of the program's that allocates must not find the thread half settled.
    let _quiet = Masked::block(!FAULTS);
    if block.state.load(Ordering::Relaxed) != tls::UNBORN {
        return;
    }
    let tid = syscall::gettid();
    if process::is_embedded()
        && let Some((number, owner)) = claimed_for(session, tid)
    {
        return lend(block, furnish(session, block, session.slot(number), owner));
    }
    let clock = match since {
        Since::Birth => 0,
        Since::Now => syscall::thread_cpu(),
    };
    let Some((slot, owner)) = claim(session, tid, clock) else {
        if process::is_embedded() {
            handler::lose_for_nobody(session);
        }
        block.state.store(tls::DEAD, Ordering::Relaxed);
        return;
    };
    lend(block, furnish(session, block, slot, owner));
    // A former owner that died unseen could not delete its timer.
    timer::disarm(session, slot);
    timer::arm(session, slot, tid);
    // Release: a collector that sees this sees the words above.
    slot.word(slot_word::PERF_FOR).store(owner.generation.into(), Ordering::Release);
}

/// Lends the calling thread an alternate signal stack if it may be lent one. Not in a handler: the kernel puts back at its
/// return what there was at its call.
fn lend(block: &tls::Block, may: bool) {
    #[cfg(feature = "embed")]
    if may {
        lent::lend(block);
    }
    #[cfg(not(feature = "embed"))]
    let _ = (block, may);
}

/// The finalizer of SplitMix64: every bit of the input changes about half of the output.
pub(crate) fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
#[path = "thread_tests.rs"]
mod tests;
