//! Signals: for those that the profiler handles too, the program sees and sets its own dispositions by
//! `profcore::signal::dispositions`. All others go to the next function, but for handlers that ask for the alternate
//! stack: `profcore::signal::alternate` keeps ticks out of those. A thread that blocks all signals and takes them one by
//! one gets no tick.

use crate::next;
use core::ffi::c_int;
use core::ptr::null_mut;
use libc::{SIG_ERR, SIG_IGN, sighandler_t, siginfo_t, sigset_t, stack_t, timespec};
use profcore::process;
use profcore::signal::{alternate, dispositions};

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
    let Some(next) = next::sure(next::sigaction) else { return -1 };
    // SAFETY: as above.
    let set = |new: *const Action, old: *mut Action| unsafe { next(signal, new, old) };
    // SAFETY: as above.
    unsafe { alternate::sigaction(signal, new, old, set) }
}

pub(super) unsafe extern "C" fn signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
    if handler != SIG_ERR
        && let Some(old) = dispositions::signal(signal, handler)
    {
        return old;
    }
    // SAFETY: the program's own arguments.
    let old = next::sure(next::signal).map_or(SIG_ERR, |next| unsafe { next(signal, handler) });
    alternate::shown(signal, old)
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
    let old =
        next::sure(next::sysv_signal).map_or(SIG_ERR, |next| unsafe { next(signal, handler) });
    alternate::shown(signal, old)
}

pub(super) unsafe extern "C" fn sigset(signal: c_int, handler: sighandler_t) -> sighandler_t {
    if handler != SIG_ERR
        && let Some(old) = dispositions::sigset(signal, handler)
    {
        return old;
    }
    // SAFETY: the program's own arguments.
    let old = next::sure(next::sigset).map_or(SIG_ERR, |next| unsafe { next(signal, handler) });
    alternate::shown(signal, old)
}

pub(super) unsafe extern "C" fn sigignore(signal: c_int) -> c_int {
    // SAFETY: zeros are a good action: default, no flags, empty mask.
    let mut new: Action = unsafe { core::mem::zeroed() };
    new.sa_sigaction = SIG_IGN;
    // SAFETY: an action of ours, which calls nothing.
    if let Some(result) = unsafe { dispositions::sigaction(signal, &raw const new, null_mut()) } {
        return result;
    }
    // SAFETY: the program's own argument.
    next::sure(next::sigignore).map_or(-1, |next| unsafe { next(signal) })
}

pub(super) unsafe extern "C" fn siginterrupt(signal: c_int, interrupts: c_int) -> c_int {
    if dispositions::siginterrupt(signal, interrupts != 0) {
        return 0;
    }
    // SAFETY: the program's own arguments.
    next::sure(next::siginterrupt).map_or(-1, |next| unsafe { next(signal, interrupts) })
}

/// A thread whose alternate stack is too small for a tick has no clock while it has that.
pub(super) unsafe extern "C" fn sigaltstack(new: *const stack_t, old: *mut stack_t) -> c_int {
    let Some(next) = next::sure(next::sigaltstack) else { return -1 };
    if new.is_null() {
        // SAFETY: the program's own arguments.
        return unsafe { next(new, old) };
    }
    alternate::before(new);
    // SAFETY: as above.
    let result = unsafe { next(new, old) };
    alternate::after();
    result
}

/// Calls `wait` until it takes a signal that is not a tick. Ticks come while a thread runs, so what a time limit is for
/// begins when those that were there already are gone.
///
/// # Safety
/// `info` must be null or the program's place for what is known of the signal.
unsafe fn wait_on(info: *mut siginfo_t, wait: impl Fn(*mut siginfo_t) -> c_int) -> c_int {
    // SAFETY: zeros are a good siginfo.
    let mut own: siginfo_t = unsafe { core::mem::zeroed() };
    let place = if info.is_null() { &raw mut own } else { info };
    loop {
        let signal = wait(place);
        // SAFETY: a siginfo that is ours or the program's.
        if signal <= 0 || !dispositions::is_tick(signal, unsafe { &*place }) {
            return signal;
        }
    }
}

pub(super) unsafe extern "C" fn sigtimedwait(
    set: *const sigset_t,
    info: *mut siginfo_t,
    limit: *const timespec,
) -> c_int {
    let Some(next) = next::sure(next::sigtimedwait) else { return -1 };
    if !process::is_active() {
        // SAFETY: the program's own arguments.
        return unsafe { next(set, info, limit) };
    }
    // SAFETY: as above.
    unsafe { wait_on(info, |info| next(set, info, limit)) }
}

pub(super) unsafe extern "C" fn sigwaitinfo(set: *const sigset_t, info: *mut siginfo_t) -> c_int {
    let Some(next) = next::sure(next::sigwaitinfo) else { return -1 };
    if !process::is_active() {
        // SAFETY: the program's own arguments.
        return unsafe { next(set, info) };
    }
    // SAFETY: as above.
    unsafe { wait_on(info, |info| next(set, info)) }
}

/// Goes by `sigwaitinfo`, which tells who sent the signal; other than that it returns its error, and is not
/// interrupted.
pub(super) unsafe extern "C" fn sigwait(set: *const sigset_t, into: *mut c_int) -> c_int {
    let Some(next) = next::sure(next::sigwait) else { return libc::EINVAL };
    let Some(wait) = next::sigwaitinfo().filter(|_| process::is_active()) else {
        // SAFETY: the program's own arguments.
        return unsafe { next(set, into) };
    };
    // SAFETY: errno is the calling thread's own int.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { errno.read() };
    loop {
        // SAFETY: the program's own set.
        let signal = unsafe { wait_on(null_mut(), |info| wait(set, info)) };
        // SAFETY: as above.
        let error = unsafe { errno.replace(before) };
        if signal > 0 {
            // SAFETY: the program's own place for the result.
            unsafe { into.write(signal) };
            return 0;
        }
        if error != libc::EINTR {
            return error;
        }
    }
}

pub(super) unsafe extern "C" fn sigpending(set: *mut sigset_t) -> c_int {
    let Some(next) = next::sure(next::sigpending) else { return -1 };
    // SAFETY: the program's own argument.
    let result = unsafe { next(set) };
    if result == 0 && process::is_active() {
        // SAFETY: the call succeeded, so it is a set.
        unsafe { dispositions::hide_tick(set) };
    }
    result
}
