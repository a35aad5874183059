//! Alternate signal stacks: which are too small for a tick, and the program's handlers that run on them.
//!
//! The kernel puts a frame of some 3 KB on the stack before any handler runs, and kills the thread if an alternate
//! stack has no room for it. No handler can look first. So a thread has no clock as long as its alternate stack is too
//! small for a tick ([`before`], [`after`]: `sigaltstack` is interposed), and ticks are blocked while a handler of the
//! program's is on an alternate stack that it leaves little of: such a handler's disposition is ours in the kernel,
//! with the tick's signal in its mask, and [`admit`] opens it again if there is room.

use super::context::{Context, Info};
use super::{dispositions, entry, mask, number};
use crate::exec;
use crate::process;
use crate::session::{Session, Slot, slot_word, word};
use crate::sync::Ordering;
use crate::sys::signal_stack::SignalStack;
use crate::sys::sigset::{self, Masked};
use crate::sys::{probe, syscall};
use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, AtomicUsize};

/// What a tick needs beside the kernel's frame: its own stack, and the frame of a guarded read's fault.
const TICK: usize = 4096;
/// Room that a handler on an alternate stack must leave for ticks to be let in: it goes on to use some of it.
const ROOMY: usize = 20 << 10;
/// The kernel aligns what it puts on a stack: the registers at 64 bytes, the rest at 16.
const ALIGNMENT: usize = 64 + 16;
/// A frame's size where it is not known.
const LARGEST_FRAME: usize = 12 << 10;

/// Bytes that the kernel puts on a stack for a signal.
static FRAME: AtomicUsize = AtomicUsize::new(LARGEST_FRAME);

/// Measures a signal's frame: by one, sent to the calling thread, unless that blocks it. The size that the kernel tells
/// counts registers that only threads with a permission for them have (AMX), and is then three times what others need.
/// For the constructor.
pub(super) fn measure(is_blocked: bool) {
    // SAFETY: reads what the kernel told the process at its start.
    let told = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
    if told != 0 {
        FRAME.store(told, Ordering::Relaxed);
    }
    if is_blocked {
        return;
    }
    sigset::raise(number(), Info::of_mine(number(), measurement()).as_libc());
}

/// What the signal that measures carries.
pub(super) fn measurement() -> usize {
    (&raw const FRAME).expose_provenance()
}

/// That signal has arrived.
pub(super) fn measured(context: &Context) {
    FRAME.store(context.frame_bytes(LARGEST_FRAME) + ALIGNMENT, Ordering::Relaxed);
}

/// Bytes that an alternate stack must have for ticks.
fn least() -> usize {
    FRAME.load(Ordering::Relaxed) + TICK
}

fn is_too_small(stack: SignalStack) -> bool {
    !stack.is_none() && stack.size() < least()
}

/// Before `sigaltstack` sets the stack at `new`: the thread's clock stops if that is too small for its ticks.
pub fn before(new: *const libc::stack_t) {
    let at = new.expose_provenance();
    let Some((session, slot)) = exec::here() else { return };
    // A bad address is for the kernel to refuse.
    if let (Some([[address, flags]]), Some(size)) =
        (probe::words(at), probe::word(at.wrapping_add(16)))
        && is_too_small(SignalStack::of_words([address, flags, size]))
        && !is_low(slot)
    {
        exec::stop_clock(session, slot);
        note(session, slot);
    }
}

/// After `sigaltstack`, whether it did as it was told or not: the clock goes on if the stack there is suits it.
pub fn after() {
    if let Some((session, slot)) = exec::here()
        && is_low(slot)
        && !is_too_small(SignalStack::current())
    {
        slot.word(slot_word::LOW_ALTERNATE).store(0, Ordering::Relaxed);
        exec::start_clock(session, slot);
    }
}

/// For a thread that gets a slot: notes what it has already. Whether that is too small for ticks.
pub(crate) fn settle(session: Session, slot: Slot, stack: SignalStack) -> bool {
    slot.word(slot_word::LOW_ALTERNATE).store(0, Ordering::Relaxed);
    let is_low = is_too_small(stack);
    if is_low {
        note(session, slot);
    }
    is_low
}

fn note(session: Session, slot: Slot) {
    session.word(word::LOW_ALTERNATES).fetch_add(1, Ordering::Relaxed);
    slot.word(slot_word::LOW_ALTERNATE).store(1, Ordering::Relaxed);
}

/// Whether the slot's thread has an alternate stack too small for ticks.
pub(crate) fn is_low(slot: Slot) -> bool {
    slot.word(slot_word::LOW_ALTERNATE).load(Ordering::Relaxed) != 0
}

/// Whether a handler that has begun leaves too little of its alternate stack for ticks amid it.
pub(super) fn is_scarce(context: &Context) -> bool {
    context.alternate_room().is_some_and(|(below, _)| below < ROOMY)
}

/// The program's handlers that ask for the alternate stack, by signal, and [`OWN_MASK`].
static HANDLERS: [AtomicUsize; 65] = [const { AtomicUsize::new(0) }; 65];
/// The program itself blocks the tick's signal while that handler runs.
const OWN_MASK: usize = 1 << 63;
/// Not 0 while a thread changes one of them.
static CHANGING: AtomicU32 = AtomicU32::new(0);

/// The right to change them. Writers wait for each other with all signals blocked, so none waits for a thread that its
/// own handler interrupted.
struct Turn {
    _quiet: Masked,
}

impl Turn {
    fn take() -> Self {
        let quiet = Masked::block(!0);
        while CHANGING.swap(1, Ordering::Acquire) != 0 {
            syscall::sched_yield();
        }
        Self { _quiet: quiet }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        CHANGING.store(0, Ordering::Release);
    }
}

/// In a forked child, on its only thread: another one may have been in its turn.
pub(super) fn forked_child() {
    CHANGING.store(0, Ordering::Relaxed);
}

fn address() -> usize {
    entry::entry_on_alternate as *const () as usize
}

fn wants_alternate(handler: usize, flags: u64) -> bool {
    ![libc::SIG_DFL, libc::SIG_IGN, address()].contains(&handler)
        && flags & libc::SA_ONSTACK as u64 != 0
}

/// `sigaction` for the signals that we have not taken: `set` is the real one. The program sees what it has set.
///
/// # Safety
/// As for `sigaction`: each pointer is null or points to a `struct sigaction`.
pub unsafe fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
    set: impl FnOnce(*const libc::sigaction, *mut libc::sigaction) -> c_int,
) -> c_int {
    let Some(place) = usize::try_from(signal).ok().and_then(|signal| HANDLERS.get(signal)) else {
        return set(new, old);
    };
    // A vfork child's dispositions are its own, the handlers that are noted here its parent's.
    if number() == 0 || !process::is_own() {
        return set(new, old);
    }
    let _turn = Turn::take();
    let before = place.load(Ordering::Relaxed);
    // SAFETY: by the caller: null or a struct sigaction.
    let mut ours = unsafe { new.as_ref() }.copied();
    if let Some(action) = &mut ours
        && wants_alternate(action.sa_sigaction, action.sa_flags as u32 as u64)
    {
        // SAFETY: a set's first word holds signals 1 to 64.
        let blocked = unsafe { &mut *(&raw mut action.sa_mask).cast::<u64>() };
        let own = if *blocked & mask() == 0 { 0 } else { OWN_MASK };
        // Known before it can be called.
        place.store(action.sa_sigaction | own, Ordering::Relaxed);
        *blocked |= mask();
        action.sa_sigaction = address();
    }
    let result = set(ours.as_ref().map_or(core::ptr::null(), core::ptr::from_ref), old);
    if result != 0 {
        place.store(before, Ordering::Relaxed);
        // SAFETY: as above; the call succeeded, so it was written.
    } else if let Some(old) = unsafe { old.as_mut() }
        && old.sa_sigaction == address()
    {
        old.sa_sigaction = before & !OWN_MASK;
        if before & OWN_MASK == 0 {
            // SAFETY: as above.
            let blocked = unsafe { &mut *(&raw mut old.sa_mask).cast::<u64>() };
            *blocked &= !mask();
        }
    }
    result
}

/// A handler as the program knows it: what `signal` and its kin found.
pub fn shown(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    let place = usize::try_from(signal).ok().and_then(|signal| HANDLERS.get(signal));
    match place {
        Some(place) if handler == address() => place.load(Ordering::Relaxed) & !OWN_MASK,
        _ => handler,
    }
}

/// Takes over the handlers that were set before there was a tick's signal.
pub(super) fn take_handlers() {
    for (signal, place) in (1..).zip(&HANDLERS[1..]) {
        let Ok(mut action) = sigset::action(signal) else { continue };
        if dispositions::is_taken(signal) || !wants_alternate(action.handler, action.flags) {
            continue;
        }
        let own = if action.mask & mask() == 0 { 0 } else { OWN_MASK };
        place.store(action.handler | own, Ordering::Relaxed);
        action.handler = address();
        action.mask |= mask();
        // SAFETY: our entry takes a handler's three arguments; the restorer is the one that was set.
        let _ = unsafe { sigset::set_action(signal, &action) };
    }
}

/// A handler of the program's begins on an alternate stack, with the tick's signal blocked: opens it, unless the
/// program wants it blocked or there is little room. Returns the handler. Takes next to nothing of the stack itself.
///
/// # Safety
/// With the arguments of a signal handler.
pub(super) unsafe extern "C" fn admit(signal: c_int, _: *const Info, context: Context) -> usize {
    let place = HANDLERS.get(signal as usize);
    let handler = place.map_or(0, |place| place.load(Ordering::Relaxed));
    if handler & OWN_MASK == 0 && context.mask() & mask() == 0 && !is_scarce(&context) {
        open();
    }
    handler & !OWN_MASK
}

#[cold]
#[inline(never)]
fn open() {
    sigset::change(libc::SIG_UNBLOCK, mask());
}
