//! The kernel's own clock function, in the page it maps into every process.
//!
//! A system call costs a microsecond on some virtual machines, and every event has a time. The vDSO's
//! `clock_gettime` only reads a page that the kernel keeps, trying again if it was changed meanwhile: no lock,
//! no allocation, no errno, so it may run in a handler (rule R1).

use crate::sync::Ordering;
use core::ffi::c_int;
use core::sync::atomic::AtomicUsize;

type Clock = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> c_int;

/// Address of the function, 0 if the kernel has none or it was not looked for.
static CLOCK: AtomicUsize = AtomicUsize::new(0);

/// Looks for the function. For the constructor: it asks the loader.
pub(crate) fn find() {
    let (library, name) = (c"linux-vdso.so.1", c"__vdso_clock_gettime");
    // SAFETY: terminated strings; the object is loaded already if it exists, so no code of it runs.
    let address = unsafe {
        let handle = libc::dlopen(library.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        if handle.is_null() { handle } else { libc::dlsym(handle, name.as_ptr()) }
    };
    CLOCK.store(address.expose_provenance(), Ordering::Relaxed);
}

/// A clock in nanoseconds; `None` if it takes a system call.
#[inline]
pub(crate) fn clock(id: libc::clockid_t) -> Option<u64> {
    let address = CLOCK.load(Ordering::Relaxed);
    if address == 0 {
        return None;
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: not 0 means that `find` found this function; it writes one timespec into our local.
    let result = unsafe {
        let clock =
            core::mem::transmute::<*const (), Clock>(core::ptr::with_exposed_provenance(address));
        clock(id, &raw mut time)
    };
    (result == 0)
        .then(|| (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_system_call() {
        find();
        let before = crate::sys::syscall::clock(libc::CLOCK_MONOTONIC);
        let Some(now) = clock(libc::CLOCK_MONOTONIC) else { return };
        let after = crate::sys::syscall::clock(libc::CLOCK_MONOTONIC);
        assert!((before..=after).contains(&now));
    }
}
