//! Signal masks and kernel dispositions, in the kernel's own form: 64 bits, signal n at bit n - 1.

use super::syscall::{Errno, call};
use core::sync::atomic::{AtomicU32, Ordering};

const SIGSET_BYTES: usize = 8;

/// The bit of a signal (1 to 64).
#[inline]
pub(crate) const fn bit(signal: i32) -> u64 {
    1 << ((signal - 1) as u32 & 63)
}

/// SIGSEGV and SIGBUS: what a guarded read can raise.
pub(crate) const FAULTS: u64 = bit(libc::SIGSEGV) | bit(libc::SIGBUS);

/// Not 0 while the kernel may ignore faults' signals in the place of our handler: it kills for them then.
pub(crate) static FAULTS_AWAY: AtomicU32 = AtomicU32::new(0);

/// Sets the calling thread's mask and returns the old one.
pub(crate) fn change(how: i32, mask: u64) -> u64 {
    let mut old = 0u64;
    let arguments = [
        how as usize,
        (&raw const mask).expose_provenance(),
        (&raw mut old).expose_provenance(),
        SIGSET_BYTES,
    ];
    // SAFETY: the kernel reads and writes one 8-byte set each.
    let _ = unsafe { call(libc::SYS_rt_sigprocmask, arguments) };
    old
}

/// Takes the pending signals of `mask` away from the calling thread, which blocks them: at most as many as may be
/// queued.
pub(crate) fn discard(mask: u64) {
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let arguments = [
        (&raw const mask).expose_provenance(),
        0,
        (&raw const now).expose_provenance(),
        SIGSET_BYTES,
    ];
    for _ in 0..MOST_PENDING {
        // SAFETY: the kernel reads one set and one timespec, and is told to write no siginfo.
        let taken = unsafe { call(libc::SYS_rt_sigtimedwait, arguments) };
        if mask == 0 || taken.is_err_and(|error| error != Errno(libc::EINTR)) {
            return;
        }
    }
}

/// Bounds [`discard`]: more ticks than the collector ever pays in advance.
const MOST_PENDING: usize = 100_000;

/// Lets faults through that `mask`, the thread's present one, blocks; false, and nothing done, if one is waiting behind
/// it, or if there is no handler at the moment.
pub(crate) fn open_faults(mask: u64) -> bool {
    if FAULTS_AWAY.load(Ordering::Relaxed) != 0 {
        return false;
    }
    if mask & FAULTS == 0 {
        return true;
    }
    if pending() & mask & FAULTS != 0 {
        return false;
    }
    change(libc::SIG_UNBLOCK, FAULTS);
    true
}

/// The signals that wait for the calling thread, or its process, to unblock them.
fn pending() -> u64 {
    let mut set = 0u64;
    let arguments = [(&raw mut set).expose_provenance(), SIGSET_BYTES, 0, 0];
    // SAFETY: the kernel writes one 8-byte set.
    let _ = unsafe { call(libc::SYS_rt_sigpending, arguments) };
    set
}

/// The calling thread's mask, changed for a scope.
#[derive(Debug)]
pub(crate) struct Masked {
    old: u64,
    here: core::marker::PhantomData<*const ()>,
}

impl Masked {
    /// Whether signals of `mask` were blocked before.
    pub(crate) fn had(&self, mask: u64) -> bool {
        self.old & mask != 0
    }

    /// Blocks the signals of `mask` as well.
    pub(crate) fn block(mask: u64) -> Self {
        Self { old: change(libc::SIG_BLOCK, mask), here: core::marker::PhantomData }
    }

    /// Blocks all signals but those of faults, for guarded reads: a fault whose signal is blocked kills the process.
    /// The second is false if the program blocks one of these that somebody has sent: it must not arrive, so it stays
    /// blocked.
    pub(crate) fn faults_only() -> (Self, bool) {
        let old = change(libc::SIG_BLOCK, !FAULTS);
        let masked = Self { old, here: core::marker::PhantomData };
        (masked, open_faults(old))
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        change(libc::SIG_SETMASK, self.old);
    }
}

/// The kernel's `struct sigaction`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) handler: usize,
    pub(crate) flags: u64,
    pub(crate) restorer: usize,
    pub(crate) mask: u64,
}

/// Reads the kernel's disposition of a signal.
pub(crate) fn action(signal: i32) -> Result<Action, Errno> {
    let mut old = Action::default();
    let arguments = [signal as usize, 0, (&raw mut old).expose_provenance(), SIGSET_BYTES];
    // SAFETY: the kernel writes one sigaction.
    unsafe { call(libc::SYS_rt_sigaction, arguments) }.map(|_| old)
}

/// Sets the kernel's disposition of a signal.
///
/// # Safety
/// The handler and the restorer must be functions of the forms the kernel calls.
pub(crate) unsafe fn set_action(signal: i32, new: &Action) -> Result<(), Errno> {
    let arguments =
        [signal as usize, core::ptr::from_ref(new).expose_provenance(), 0, SIGSET_BYTES];
    // SAFETY: the kernel reads one sigaction; the functions in it are the caller's promise.
    unsafe { call(libc::SYS_rt_sigaction, arguments) }.map(drop)
}

/// Sends a signal to the calling thread with the given siginfo (128 bytes), whatever its code.
pub(crate) fn raise(signal: i32, info: &libc::siginfo_t) {
    let (pid, tid) = (super::syscall::getpid() as usize, super::syscall::gettid() as usize);
    let arguments = [pid, tid, signal as usize, core::ptr::from_ref(info).expose_provenance()];
    // SAFETY: the kernel reads one siginfo.
    let _ = unsafe { call(libc::SYS_rt_tgsigqueueinfo, arguments) };
}
