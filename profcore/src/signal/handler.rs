//! The tick: one observation of the thread that was interrupted.

use super::context::Context;
use super::guard::{self, Measure};
use super::{expiry, timer};
#[cfg(feature = "embed")]
use crate::embed::{call, labels};
use crate::event::{flag, head_word, kind};
use crate::process;
use crate::ring::spsc::Share;
use crate::session::{
    Count, Loss, LostKind, PERF_REFUSED, Session, Slot, control, slot_word, word,
};
use crate::stack::{self, Reach, Registers};
use crate::sync::Ordering;
use crate::sys::sigset;
use crate::sys::{probe, syscall};
use crate::thread;

/// Whether CPU time is sampled at the moment.
#[inline]
pub(crate) fn is_on(session: Session) -> bool {
    session.word(word::CONTROL).load(Ordering::Relaxed) & control::CPU != 0
}

/// Whether ticks of this perf event (its descriptor in the collector + 1) are for the calling thread.
pub(super) fn is_perf_event(event: u64) -> bool {
    let Some(session) = process::session() else { return false };
    if session.word(word::CONTROL).load(Ordering::Relaxed) & control::PERF == 0 {
        return false;
    }
    // The last ones find a thread that has given its slot up.
    thread::existing().is_none_or(|slot| {
        let own = slot.word(slot_word::PERF).load(Ordering::Relaxed);
        own == event || own == PERF_REFUSED
    })
}

/// The program took a tick away before it could arrive.
pub(super) fn taken() {
    if let Some(slot) = thread::existing() {
        slot.add(Count::Ticks, 1);
        expiry::doubt(slot);
        slot.lose(LostKind::Tick, Loss::SignalBlocked);
    }
}

/// The timer of ours with this id has expired. With a perf event the thread needs it no more.
pub(super) fn timer_tick(timer: i32, overruns: u32, context: &Context) {
    let foreign = thread::existing().filter(|&slot| !timer::is_of(slot, timer));
    // Its expiries are not the slot's, and those of the slot's own stand for what this one has told.
    foreign.into_iter().for_each(expiry::doubt);
    tick(overruns, context);
    foreign.into_iter().for_each(expiry::doubt);
    if let Some(session) = process::session()
        && let Some(slot) = thread::existing()
        && slot.word(slot_word::PERF).load(Ordering::Relaxed) != 0
    {
        timer::disarm(session, slot);
        expiry::doubt(slot);
    }
}

/// A tick for this thread. Every way out of here counts one tick, and one sample or one loss (R8).
pub(super) fn tick(overruns: u32, context: &Context) {
    let Some(session) = process::session() else { return };
    let Some(slot) = thread::existing().or_else(|| thread::move_in(session)) else {
        // Not ours to claim one here.
        return lose_for_nobody(session);
    };
    slot.add(Count::Ticks, 1);
    if overruns != 0 {
        slot.add(Count::Overruns, overruns.into());
    }
    let at = expiry::arrived(slot, overruns);
    let Some(_busy) = thread::enter() else {
        return slot.lose(LostKind::Tick, Loss::Reentered);
    };
    if context.is_stack_low() {
        return slot.lose(LostKind::Tick, Loss::AltstackLow);
    }
    if !is_on(session) {
        return slot.lose(LostKind::Tick, Loss::Off);
    }
    // The kernel kills for a fault whose signal is blocked. The handler's return restores the mask.
    if !process::is_embedded() && !sigset::open_faults(context.mask()) {
        return slot.lose(LostKind::Tick, Loss::SignalBlocked);
    }
    let measure = Measure::begin(slot);
    let clock = match &measure {
        Some(measure) => Some(measure.clock()),
        None => expiry::is_in_doubt(slot).then(syscall::thread_cpu),
    };
    let at = clock.map_or(at, |clock| expiry::correct(slot, at, clock));
    let pc = context.pc();
    let flags = if is_behind_system_call(pc) { flag::KERNEL } else { 0 };
    sample(session, slot, Some(context.registers()), at, flags, overruns);
    if let Some(measure) = measure {
        measure.end(slot);
        guard::look(session, slot, measure.clock());
    }
}

/// Counts a tick of a thread without a slot, or a thread that will have none for want of one.
pub(crate) fn lose_for_nobody(session: Session) {
    // Slot 0 has many writers.
    let nobody = session.slot(0);
    let ticks = nobody.word(slot_word::COUNTERS + Count::Ticks as usize);
    ticks.fetch_add(1, Ordering::Relaxed);
    nobody.lose(LostKind::Tick, Loss::NoSlot);
}

/// Samples the calling thread outside the handler, for the rest of its clock, which it returns. The caller has counted the
/// tick, holds the busy flag, has our signal blocked and, unless the program profiles itself, the faults' signals open.
pub(crate) fn sample_rest(session: Session, slot: Slot) -> u64 {
    let clock = syscall::thread_cpu();
    sample(session, slot, None, clock, flag::REST, 0);
    clock
}

/// Samples the calling thread for the time that is unaccounted for when its CPU clock says `clock`.
fn sample(
    session: Session,
    slot: Slot,
    registers: Option<Registers>,
    clock: u64,
    flags: u8,
    overruns: u32,
) {
    const BEFORE_STACK: usize = 4;
    let began = syscall::monotonic();
    let last = slot.word(slot_word::LAST_CPU);
    let told = last.load(Ordering::Relaxed);
    let weight = clock.saturating_sub(told);
    let reach = Reach::of_handler(slot, registers);
    let stack = stack::capture(session, slot, registers, reach);
    #[cfg(feature = "embed")]
    if !labels::tell(slot, began, Share::All) {
        return slot.lose(LostKind::Tick, Loss::RingFull);
    }
    let len = BEFORE_STACK + stack.words();
    match slot.ring().reserve(len, Share::All) {
        Some(mut room) => {
            room.word(head_word(len, kind::TICK, flags, overruns));
            room.word(began);
            room.word(weight);
            room.word(registers.map_or(0, |registers| registers.pc as u64));
            stack.write(&mut room);
            room.commit();
            stack.committed(slot);
            // Only now: the weight of a sample that was lost goes to the next one. Where the expiries had run ahead of
            // the clock, what was told too much is not told again.
            last.store(clock.max(told), Ordering::Relaxed);
            slot.add(Count::Samples, 1);
            #[cfg(feature = "embed")]
            call::if_due(session, slot, stack.has_asked);
        }
        None => slot.lose(LostKind::Tick, Loss::RingFull),
    }
}

/// Whether the two bytes before `pc` are a system call instruction: the thread was in the kernel.
#[inline]
fn is_behind_system_call(pc: usize) -> bool {
    let mut bytes = [0; 2];
    // Where a read must not fail, none is made that might leave the page that is being executed.
    let may_read = !process::is_embedded() || pc % 4096 >= 2;
    may_read && probe::copy(pc.wrapping_sub(2), &mut bytes) && bytes == [0x0f, 0x05]
}
