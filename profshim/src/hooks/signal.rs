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
    // SAFETY: the program's own arguments.
    if let Some(result) = unsafe { dispositions::sigaction(signal, new, old) } {
        return result;
    }
    // SAFETY: as above.
    next::sure(next::sigaction).map_or(-1, |next| unsafe { next(signal, new, old) })
}

pub(super) unsafe extern "C" fn signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
    if handler != SIG_ERR
        && let Some(old) = dispositions::signal(signal, handler)
    {
        return old;
    }
    // SAFETY: the program's own arguments.
    next::sure(next::signal).map_or(SIG_ERR, |next| unsafe { next(signal, handler) })
}

/// System V's: the handler runs once, and does not block its own signal.
pub(super) unsafe extern "C" fn sysv_signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
    // SAFETY: zeros are a good action: default, no flags, empty mask.
    let (mut new, mut old): (Action, Action) = unsafe { core::mem::zeroed() };
    new.sa_sigaction = handler;
    new.sa_flags = libc::SA_RESETHAND | libc::SA_NODEFER;
    if handler != SIG_ERR
        // SAFETY: both actions are ours; the handler is the program's.
        && unsafe { dispositions::sigaction(signal, &raw const new, &raw mut old) } == Some(0)
    {
        return old.sa_sigaction;
    }
    // SAFETY: the program's own arguments.
    next::sure(next::sysv_signal).map_or(SIG_ERR, |next| unsafe { next(signal, handler) })
}
