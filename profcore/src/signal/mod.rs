//! The signal path: a timer's tick becomes an event.
//!
//! The contract; SAFETY comments and the handler name its rules. **R1** no lock, no allocation, no libc but
//! raw system calls and the interpreter's own `pthread_getspecific`, no loader, no dynamic TLS. **R2** errno
//! is kept (nothing here can touch it); less than 1 KiB of stack; too little alternate stack drops the
//! sample. **R3** what a thread shares with its own handler is atomic, with compiler fences. **R4** foreign
//! memory is read through `sys::probe` only; its faults are mended here before the program's own disposition
//! of SIGSEGV and SIGBUS is followed. **R5** one free real-time signal, never given back: a late tick must
//! find a handler. **R6** a timer per thread on its CPU clock; the weight of a sample is that clock, as its
//! expiries tell it, since the last sample that was kept. **R7** blocked threads get no signals. **R8** ticks = samples + losses.
//! **R9** nothing grows.
//!
//! Stations: `entry` is what the kernel calls; `context` reads what was interrupted; `handler` is the tick; `timer`
//! arms it; `expiry` tells what it stands for; `guard` slows it down; `dispositions` stands in for the program's own
//! handlers of the signals we took; `alternate` keeps ticks from stacks that are too small for them; `lent` has stacks
//! for threads without any.

#[expect(unsafe_code, reason = "reads and writes the program's own sigaction structs")]
pub mod alternate;
#[expect(unsafe_code, reason = "reads and changes what the kernel put on the stack")]
mod context;
#[expect(
    unsafe_code,
    reason = "sets handlers, and reads and writes the program's own sigaction structs"
)]
pub mod dispositions;
#[expect(unsafe_code, reason = "is called by the kernel")]
mod entry;
mod expiry;
mod guard;
pub(crate) mod handler;
#[cfg(feature = "embed")]
#[expect(unsafe_code, reason = "sets the stacks that handlers run on")]
pub(crate) mod lent;
pub(crate) mod timer;

#[cfg(test)]
#[expect(unsafe_code, reason = "faults, raises signals and counts what the handler does")]
mod tests;

use crate::sys::sigset;
use core::sync::atomic::{AtomicI32, Ordering};

/// The real-time signal in use; 0: none yet.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// The signal that ticks come by; 0 before [`install`], and if every real-time signal was taken.
#[inline]
pub(crate) fn number() -> i32 {
    SIGNAL.load(Ordering::Relaxed)
}

/// The mask of that signal; 0 without one.
pub(crate) fn mask() -> u64 {
    match number() {
        0 => 0,
        signal => sigset::bit(signal),
    }
}

/// Installs the handlers of SIGSEGV, SIGBUS and a free real-time signal, whose number it returns (0: all have
/// handlers, and there will be no ticks). Handlers stay for ever; later calls change nothing.
pub(crate) fn install() -> i32 {
    if dispositions::are_taken() {
        return number();
    }
    let (signal, is_blocked) = choose();
    SIGNAL.store(signal, Ordering::Relaxed);
    dispositions::take(libc::SIGSEGV);
    dispositions::take(libc::SIGBUS);
    if signal != 0 {
        dispositions::take(signal);
        alternate::take_handlers();
        alternate::measure(is_blocked);
    }
    signal
}

/// Installs the handler of the tick alone, for a program that profiles itself: its own handlers stay as they are, and
/// only what is known to be there may be read. As [`install`] otherwise.
#[cfg(feature = "embed")]
pub(crate) fn install_tick() -> i32 {
    if number() == 0 {
        let (signal, is_blocked) = choose();
        if signal != 0 {
            SIGNAL.store(signal, Ordering::Relaxed);
            dispositions::take(signal);
            alternate::measure(is_blocked);
        }
    }
    number()
}

/// A signal that nobody has a handler of, 0 if there is none, and whether the calling thread blocks it.
fn choose() -> (i32, bool) {
    let mask = sigset::change(libc::SIG_BLOCK, 0);
    let is_blocked = |signal: i32| mask & sigset::bit(signal) != 0;
    let handler = |signal: i32| sigset::action(signal).ok().map(|action| action.handler);
    // Programs count from either end (SIGRTMIN + 0, 1, ..., SIGRTMAX); glibc keeps 32 and 33. One that is ignored does,
    // and one that is blocked, too: other threads may open it, and those that do not tell their time at their end.
    let free = (44..64)
        .chain(35..44)
        .filter(|&signal| [Some(libc::SIG_DFL), Some(libc::SIG_IGN)].contains(&handler(signal)))
        .min_by_key(|&signal| (is_blocked(signal), handler(signal) != Some(libc::SIG_DFL)));
    let signal = free.unwrap_or(0);
    (signal, signal != 0 && is_blocked(signal))
}
