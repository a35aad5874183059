//! `memcpy` and its family.
//!
//! Both versions of `memcpy` bind to one entry. The old one (GLIBC_2.2.5) is `memmove` by contract, so the
//! next `memmove` serves both. These run before anything is set up, even before the shim's own relocation
//! (a resolver of another library may copy): until the constructor has run they touch nothing but their
//! arguments and one address of ours.

use crate::next;
use core::arch::asm;
use core::ffi::c_void;
use profcore::memory;

type To = *mut c_void;
type From = *const c_void;

/// The next functions' type but for the checked forms' last argument.
type Copy = unsafe extern "C" fn(To, From, usize) -> To;

/// Tells about a copy and makes it.
///
/// # Safety
/// As for `memmove`.
#[inline(always)]
unsafe fn copy(next: Copy, to: To, from: From, bytes: usize, caller: usize) -> To {
    if !memory::watches_copies() || memory::usual_copied(bytes) {
        // SAFETY: the program's own arguments.
        return unsafe { next(to, from, bytes) };
    }
    // SAFETY: as above.
    unsafe { copy_unusual(to, from, bytes, next, caller) }
}

/// Takes the first three arguments where they are.
///
/// # Safety
/// As for `memmove`.
#[inline(never)]
unsafe fn copy_unusual(to: To, from: From, bytes: usize, next: Copy, caller: usize) -> To {
    copied(bytes, caller);
    // SAFETY: the program's own arguments.
    unsafe { next(to, from, bytes) }
}

fn copied(bytes: usize, caller: usize) {
    if memory::watches_copies() {
        memory::copied(bytes, caller);
        if !memory::watches_copies() {
            next::choose_hot_paths();
        }
    }
}

/// Where `hot::memmove` does not go on.
pub(super) unsafe extern "C" fn memmove(to: To, from: From, bytes: usize, caller: usize) -> To {
    let Some(next) = next::memmove() else {
        // SAFETY: the program's own arguments.
        return unsafe { early(to, from, bytes) };
    };
    // SAFETY: the program's own arguments.
    unsafe { copy(next, to, from, bytes, caller) }
}

pub(super) unsafe extern "C" fn mempcpy(to: To, from: From, bytes: usize, caller: usize) -> To {
    let Some(next) = next::mempcpy() else {
        // SAFETY: the program's own arguments.
        return unsafe { early(to, from, bytes) }.wrapping_byte_add(bytes);
    };
    // SAFETY: the program's own arguments.
    unsafe { copy(next, to, from, bytes, caller) }
}

/// The forms that check the room at `to` (and end the program if it is too small).
macro_rules! checked {
    ($name:ident, $next:ident, $after:expr) => {
        pub(super) unsafe extern "C" fn $name(
            to: To,
            from: From,
            bytes: usize,
            room: usize,
            caller: usize,
        ) -> To {
            if next::$next().is_none() {
                if bytes <= room {
                    // SAFETY: the program's own arguments.
                    return unsafe { early(to, from, bytes) }.wrapping_byte_add($after(bytes));
                }
                next::resolve();
            }
            let Some(next) = next::$next() else { end_at_once() };
            if memory::watches_copies() && !memory::usual_copied(bytes) {
                copied(bytes, caller);
            }
            // SAFETY: the program's own arguments.
            unsafe { next(to, from, bytes, room) }
        }
    };
}

checked!(memcpy_chk, __memcpy_chk, |_| 0);
checked!(memmove_chk, __memmove_chk, |_| 0);
checked!(mempcpy_chk, __mempcpy_chk, |bytes| bytes);

/// Copies without any function: the compiler would turn a loop into a call of `memcpy`, which is us.
///
/// # Safety
/// As for `memmove`.
#[cold]
pub(super) unsafe fn early(to: To, from: From, bytes: usize) -> To {
    if to.addr().wrapping_sub(from.addr()) >= bytes {
        // SAFETY: upwards, no byte is overwritten before it was read.
        unsafe {
            asm!(
                "rep movsb",
                inout("rcx") bytes => _, inout("rdi") to => _, inout("rsi") from => _,
                options(nostack, preserves_flags),
            );
        }
    } else {
        let last = bytes.wrapping_sub(1);
        // SAFETY: downwards, from the last byte on, no byte is overwritten before it was read; the
        // direction flag is clear again afterwards, as the ABI wants it.
        unsafe {
            asm!(
                "std", "rep movsb", "cld",
                inout("rcx") bytes => _,
                inout("rdi") to.wrapping_byte_add(last) => _,
                inout("rsi") from.wrapping_byte_add(last) => _,
                options(nostack),
            );
        }
    }
    to
}

/// What `__chk_fail` does, where there is no libc to ask.
#[cold]
fn end_at_once() -> ! {
    // SAFETY: an illegal instruction ends the program, which is about to write out of bounds.
    unsafe { asm!("ud2", options(noreturn, nomem, nostack)) }
}
