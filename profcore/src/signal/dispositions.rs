//! The program's own dispositions of the signals we took: it sees, sets and keeps them as if we were not
//! there, and a signal that is not ours does to it what it would have done.
//!
//! The kernel's disposition of SIGSEGV, SIGBUS and our signal is always our entry. What the program sets
//! (`sigaction` and `signal` are interposed) is kept here and followed by [`deliver`].

use super::context::{Context, Info};
use super::{alternate, entry, handler, number};
use crate::process;
use crate::sys::sigset::{self, Action, FAULTS, Masked};
use crate::sys::syscall;
use core::ffi::c_int;
use core::sync::atomic::{AtomicU64, Ordering, fence};

const SA_RESTORER: u64 = 0x0400_0000;
const SIGINFO: u64 = libc::SA_SIGINFO as u64;
const ONSTACK: u64 = libc::SA_ONSTACK as u64;
const RESTART: u64 = libc::SA_RESTART as u64;
const NODEFER: u64 = libc::SA_NODEFER as u64;
const RESETHAND: u64 = libc::SA_RESETHAND as u32 as u64;
/// The flags that the kernel knows; it clears all others, which is how programs ask what it knows.
const KNOWN: u64 = (libc::SA_NOCLDSTOP | libc::SA_NOCLDWAIT) as u64
    | SIGINFO
    | 0x800 // SA_EXPOSE_TAGBITS
    | SA_RESTORER
    | ONSTACK
    | RESTART
    | NODEFER
    | RESETHAND;
const UNMASKABLE: u64 = sigset::bit(libc::SIGKILL) | sigset::bit(libc::SIGSTOP);

/// Versions of a disposition that are kept: a reader meets a torn one only if this many are set while it
/// copies one.
const KEPT: u64 = 8;

/// One signal's disposition. Handlers read it without a lock, at any moment: a writer fills the next
/// version's place and then names it.
struct Disposition {
    version: AtomicU64,
    kept: [[AtomicU64; 3]; KEPT as usize],
    writing: AtomicU64,
}

impl Disposition {
    const fn new() -> Self {
        Self {
            version: AtomicU64::new(0),
            kept: [const { [const { AtomicU64::new(0) }; 3] }; KEPT as usize],
            writing: AtomicU64::new(0),
        }
    }

    fn read(&self) -> Action {
        loop {
            // Acquire: pairs with the Release in `write`.
            let version = self.version.load(Ordering::Acquire);
            let [handler, flags, mask] = self.kept[(version % KEPT) as usize]
                .each_ref()
                .map(|word| word.load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            if self.version.load(Ordering::Relaxed) - version < KEPT - 1 {
                return Action { handler: handler as usize, flags, restorer: 0, mask };
            }
        }
    }

    fn write(&self, action: &Action) {
        let next = self.version.load(Ordering::Relaxed) + 1;
        let words = [action.handler as u64, action.flags, action.mask];
        for (to, word) in self.kept[(next % KEPT) as usize].iter().zip(words) {
            to.store(word, Ordering::Relaxed);
        }
        self.version.store(next, Ordering::Release);
    }

    /// Calls `change` with the present disposition and sets the one it returns. Writers wait for each other
    /// with all signals blocked, so none waits for a thread that its own handler interrupted.
    fn change(&self, signal: i32, change: impl FnOnce(Action) -> Option<Action>) -> Action {
        let _quiet = Masked::block(!0);
        while self.writing.swap(1, Ordering::Acquire) != 0 {
            syscall::sched_yield();
        }
        let old = self.read();
        if let Some(new) = change(old) {
            self.write(&new);
            follow(signal, &new);
        }
        self.writing.store(0, Ordering::Release);
        old
    }
}

static SEGMENT: Disposition = Disposition::new();
static BUS: Disposition = Disposition::new();
static TICK: Disposition = Disposition::new();

/// The disposition of a signal that we took.
fn of(signal: i32) -> Option<&'static Disposition> {
    let place = match signal {
        libc::SIGSEGV => &SEGMENT,
        libc::SIGBUS => &BUS,
        signal if signal != 0 && signal == number() => &TICK,
        _ => return None,
    };
    // Version 0: not taken yet.
    (place.version.load(Ordering::Relaxed) != 0).then_some(place)
}

/// In a forked child, on its only thread: another one may have been setting a disposition.
pub(crate) fn forked_child() {
    for place in [&SEGMENT, &BUS, &TICK] {
        place.writing.store(0, Ordering::Relaxed);
    }
    if sigset::FAULTS_AWAY.load(Ordering::Relaxed) != 0 {
        follow_all();
        sigset::FAULTS_AWAY.store(0, Ordering::Relaxed);
    }
    alternate::forked_child();
}

/// The signals that we took and the program ignores. A vfork child (not `own`) may have set the kernel's itself.
fn ignored(own: bool) -> impl Iterator<Item = i32> {
    [libc::SIGSEGV, libc::SIGBUS, number()].into_iter().filter(move |&signal| {
        let is_ours = |action: Action| action.handler == address();
        of(signal).is_some_and(|place| place.read().handler == libc::SIG_IGN)
            && (own || sigset::action(signal).is_ok_and(is_ours))
    })
}

/// Our handler's.
fn address() -> usize {
    entry::entry as *const () as usize
}

/// Before an exec or a spawn: what the program ignores the kernel ignores, too, so that it passes it on to the new
/// image, where it resets handlers. No guarded read may fault until [`take_back`], which is to be called if this is true. In a
/// vfork child dispositions are its own, but not memory.
pub fn pass_on(own: bool) -> bool {
    if ignored(own).next().is_none() {
        return false;
    }
    if own {
        sigset::FAULTS_AWAY.fetch_add(1, Ordering::SeqCst);
    }
    for signal in ignored(own) {
        let ignore = Action { handler: libc::SIG_IGN, ..Action::default() };
        // SAFETY: ignoring calls nothing.
        let _ = unsafe { sigset::set_action(signal, &ignore) };
    }
    true
}

/// After a spawn, or an exec that failed: signals are taken our way again.
pub fn take_back(own: bool) {
    if !own {
        return follow_all();
    }
    let leave = |from: u32| {
        let swap =
            |to| sigset::FAULTS_AWAY.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        from > 0 && swap(from - 1).is_ok()
    };
    loop {
        let among = sigset::FAULTS_AWAY.load(Ordering::SeqCst);
        // The last one to leave. Who comes just then passes less on, but no fault meets a kernel that ignores it.
        if among <= 1 {
            follow_all();
        }
        if among == 0 || leave(among) {
            return;
        }
    }
}

/// Sets the kernel's dispositions of all signals that we took.
fn follow_all() {
    for signal in [libc::SIGSEGV, libc::SIGBUS, number()] {
        if let Some(place) = of(signal) {
            follow(signal, &place.read());
        }
    }
}

/// Whether the faults' signals have been taken.
pub(super) fn are_taken() -> bool {
    of(libc::SIGBUS).is_some()
}

/// The disposition of a signal that we took, for the program to set. A vfork child has dispositions of its own in the
/// kernel, but its parent's memory: it sets the kernel's, and execs.
fn settable(signal: i32) -> Option<&'static Disposition> {
    of(signal).filter(|_| process::is_own())
}

/// Whether a signal is ours in the kernel.
pub(super) fn is_taken(signal: i32) -> bool {
    of(signal).is_some()
}

/// Takes a signal: its present disposition becomes the program's, ours the kernel's.
pub(super) fn take(signal: i32) {
    let place = match signal {
        libc::SIGSEGV => &SEGMENT,
        libc::SIGBUS => &BUS,
        _ => &TICK,
    };
    if let Ok(present) = sigset::action(signal) {
        place.write(&present);
        follow(signal, &present);
    }
}

/// Sets the kernel's disposition: our entry, with those flags of the program's that act before a handler
/// runs (the stack it runs on, system calls that start again).
fn follow(signal: i32, program: &Action) {
    let mut flags = SIGINFO | ONSTACK | RESTART | SA_RESTORER;
    let is_fault = sigset::bit(signal) & FAULTS != 0;
    if is_fault {
        flags |= NODEFER;
        if program.handler != libc::SIG_DFL && program.handler != libc::SIG_IGN {
            flags &= program.flags | !(ONSTACK | RESTART);
        }
    }
    let ours = Action {
        handler: address(),
        flags,
        restorer: entry::restore as *const () as usize,
        // A handler of the program's that ran amid a tick could leave it by a jump, or fork. A fault's may be on an
        // alternate stack that has no room for a tick: `deliver` lets them in.
        mask: if is_fault { super::mask() } else { !FAULTS },
    };
    // SAFETY: `entry` takes a handler's three arguments (SA_SIGINFO), `restore` is a restorer.
    let _ = unsafe { sigset::set_action(signal, &ours) };
}

/// `sigaction` for the signals we took: the program's view. `None`: not one of them, call the real one.
///
/// # Safety
/// As for `sigaction`: each pointer is null or points to a `struct sigaction`.
pub unsafe fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> Option<c_int> {
    let place = settable(signal)?;
    // SAFETY: not null, so a struct sigaction by the caller's promise; the set's first word is the kernel's.
    let new = (!new.is_null()).then(|| unsafe {
        Action {
            handler: (*new).sa_sigaction,
            flags: (*new).sa_flags as u32 as u64 & KNOWN | SA_RESTORER,
            restorer: 0,
            mask: (&raw const (*new).sa_mask).cast::<u64>().read() & !UNMASKABLE,
        }
    });
    let was = place.change(signal, |_| new);
    if !old.is_null() {
        // SAFETY: as above. Only the kernel's word of the set is written, as libc does.
        unsafe {
            (*old).sa_sigaction = was.handler;
            (*old).sa_flags = was.flags as c_int;
            (&raw mut (*old).sa_mask).cast::<u64>().write(was.mask);
            (*old).sa_restorer =
                (was.flags & SA_RESTORER != 0)
                    .then_some(core::mem::transmute::<unsafe extern "C" fn(), extern "C" fn()>(
                        entry::restore,
                    ));
        }
    }
    Some(0)
}

/// `signal` for the signals we took, with BSD's meaning (the handler stays, system calls start again):
/// the former handler. `None`: not one of them, call the real one.
pub fn signal(signal: c_int, handler: libc::sighandler_t) -> Option<libc::sighandler_t> {
    let flags = RESTART | SA_RESTORER;
    let new = Action { handler, flags, restorer: 0, mask: sigset::bit(signal) };
    Some(settable(signal)?.change(signal, |_| Some(new)).handler)
}

/// System V's `sigset` for the signals we took: sets a handler and unblocks the signal, or blocks it (SIG_HOLD). The
/// former handler, or SIG_HOLD if it was blocked. `None`: not one of them, call the real one.
pub fn sigset(signal: c_int, handler: libc::sighandler_t) -> Option<libc::sighandler_t> {
    const SIG_HOLD: libc::sighandler_t = 2;
    let place = settable(signal)?;
    let (how, old) = if handler == SIG_HOLD {
        (libc::SIG_BLOCK, place.read())
    } else {
        let new = Action { handler, flags: SA_RESTORER, restorer: 0, mask: 0 };
        (libc::SIG_UNBLOCK, place.change(signal, |_| Some(new)))
    };
    let bit = sigset::bit(signal);
    let was_held = sigset::change(how, bit) & bit != 0;
    Some(if was_held { SIG_HOLD } else { old.handler })
}

/// `siginterrupt` for the signals we took: whether system calls end with EINTR at them. False: not one of them.
pub fn siginterrupt(signal: c_int, interrupts: bool) -> bool {
    let Some(place) = settable(signal) else { return false };
    let flags = |old: u64| if interrupts { old & !RESTART } else { old | RESTART };
    place.change(signal, |old| Some(Action { flags: flags(old.flags), ..old }));
    true
}

/// Whether the signal that a `sigwait` of the program's took is a tick of ours: it is counted as lost, and the program
/// must wait on.
pub fn is_tick(signal: c_int, info: &libc::siginfo_t) -> bool {
    let info = Info::of_libc(info);
    if signal <= 0 || signal != number() {
        return false;
    }
    let ours = info.is_tick() || info.perf_event().is_some_and(handler::is_perf_event);
    if ours {
        handler::taken();
    }
    ours
}

/// Takes the tick's signal out of a set of pending ones, unless the program has a use for that signal.
///
/// # Safety
/// `set` must point to a signal set.
pub unsafe fn hide_tick(set: *mut libc::sigset_t) {
    if let Some(place) = of(number())
        && [libc::SIG_DFL, libc::SIG_IGN].contains(&place.read().handler)
    {
        let word = set.cast::<u64>();
        // SAFETY: by the caller; a set's first word holds signals 1 to 64.
        unsafe { word.write(word.read() & !super::mask()) };
    }
}

/// Does what the program's disposition says. Returns its handler, to be jumped to, or 0.
pub(super) fn deliver(signal: i32, info: &Info, context: &Context) -> usize {
    let Some(place) = of(signal) else { return 0 };
    let mut action = place.read();
    let is_handler = |action: &Action| ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.handler);
    if is_handler(&action) && action.flags & RESETHAND != 0 {
        // Of two threads that arrive here, one gets the handler.
        action = place.change(signal, |now| {
            let reset = Action { handler: libc::SIG_DFL, ..now };
            (is_handler(&now) && now.flags & RESETHAND != 0).then_some(reset)
        });
    }
    match action.handler {
        libc::SIG_IGN if !(sigset::bit(signal) & FAULTS != 0 && info.is_forced()) => 0,
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: the default disposition has no functions.
            let _ = unsafe { sigset::set_action(signal, &Action::default()) };
            // Blocked until the handler has returned: the process then ends with the registers and the
            // siginfo of the original signal. A fault would also happen again.
            sigset::change(libc::SIG_BLOCK, sigset::bit(signal));
            sigset::raise(signal, info.as_libc());
            0
        }
        handler => {
            let own = if action.flags & NODEFER != 0 { 0 } else { sigset::bit(signal) };
            let ticks = if alternate::is_scarce(context) { super::mask() } else { 0 };
            // What the kernel would have blocked. The handler's return restores the context's mask.
            sigset::change(libc::SIG_SETMASK, context.mask() | action.mask | own | ticks);
            handler
        }
    }
}

#[cfg(test)]
#[path = "dispositions_tests.rs"]
mod tests;
