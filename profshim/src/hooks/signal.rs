//! Signal dispositions: for the signals that the profiler handles too, the program sees and sets its own by
//! `profcore::signal::dispositions`; all others go to the next function untouched.

use crate::next;
use core::ffi::c_int;
use libc::{SIG_ERR, sighandler_t};
use profcore::signal::dispositions;

type Action = libc::sigaction;

pub(super) unsafe extern "C" fn sigaction(
    signal: c_int,
    new: *const Action,
    old: *mut Action,
) -> c_int {
    if next::sigaction().is_none() {
        next::resolve();
    }
    let Some(next) = next::sigaction() else { return -1 };
    // SAFETY: the program's own arguments.
    match unsafe { dispositions::sigaction(next, signal, new, old) } {
        Some(result) => result,
        // SAFETY: as above.
        None => unsafe { next(signal, new, old) },
    }
}

pub(super) unsafe extern "C" fn signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
    // SAFETY: the program's own arguments.
    unsafe { set(signal, handler, libc::SA_RESTART, true) }.unwrap_or_else(|| {
        // SAFETY: as above.
        next::signal().map_or(SIG_ERR, |next| unsafe { next(signal, handler) })
    })
}

pub(super) unsafe extern "C" fn sysv_signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
    // SAFETY: the program's own arguments.
    unsafe { set(signal, handler, libc::SA_RESETHAND | libc::SA_NODEFER, false) }.unwrap_or_else(
        // SAFETY: as above.
        || next::sysv_signal().map_or(SIG_ERR, |next| unsafe { next(signal, handler) }),
    )
}

/// Does what `signal` does, by the virtual dispositions; `None` if this signal has none.
///
/// # Safety
/// As for `sigaction`.
unsafe fn set(
    signal: c_int,
    handler: sighandler_t,
    flags: c_int,
    masks_itself: bool,
) -> Option<sighandler_t> {
    if next::sigaction().is_none() {
        next::resolve();
    }
    let next = next::sigaction()?;
    if handler == SIG_ERR || !(1..=64).contains(&signal) {
        return None;
    }
    // SAFETY: zeros are a good action: default, no flags, empty mask.
    let mut action: Action = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    if masks_itself {
        // SAFETY: a mask of our own and a signal number in range.
        unsafe { libc::sigaddset(&raw mut action.sa_mask, signal) };
    }
    // SAFETY: as above.
    let mut old: Action = unsafe { core::mem::zeroed() };
    // SAFETY: both actions are ours; the handler is the program's.
    match unsafe { dispositions::sigaction(next, signal, &raw const action, &raw mut old) }? {
        0 => Some(old.sa_sigaction),
        _ => Some(SIG_ERR),
    }
}
