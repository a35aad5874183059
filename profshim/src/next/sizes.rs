//! How large a block of the next allocator is.

use super::{free, malloc, malloc_usable_size};
use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, Ordering};

/// Whether the next `malloc_usable_size` is of the library that the next `malloc` is of: otherwise nobody knows how
/// large a block is, and asking could touch memory that is not there.
pub(super) static SIZES_KNOWN: AtomicBool = AtomicBool::new(false);
/// Whether the next `malloc` is glibc's own, whose blocks have their size in front.
pub(super) static SIZE_IN_FRONT: AtomicBool = AtomicBool::new(false);

/// Usable size of a block of the next allocator; 0 if that is not known.
///
/// # Safety
/// `block` must be a live block of it.
pub(crate) unsafe fn usable(block: *mut c_void) -> usize {
    if SIZE_IN_FRONT.load(Ordering::Relaxed) {
        // SAFETY: glibc's own block, by `resolve`.
        return unsafe { size_in_front(block) };
    }
    if !SIZES_KNOWN.load(Ordering::Relaxed) {
        return 0;
    }
    // SAFETY: a live block, by the caller.
    malloc_usable_size().map_or(0, |next| unsafe { next(block) })
}

/// Bits in the word in front of a glibc block, which is its chunk's size otherwise.
pub(crate) const MAPPED: usize = 2;
pub(crate) const FLAGS: usize = 7;

/// What `malloc_usable_size` of glibc says.
///
/// # Safety
/// `block` must be a live block of glibc's.
unsafe fn size_in_front(block: *mut c_void) -> usize {
    // SAFETY: every block has that word in front.
    let size = unsafe { block.cast::<usize>().sub(1).read() };
    // Of its chunk a block has all but that word and, being a mapping, the one before it: nothing follows then.
    (size & !FLAGS).wrapping_sub(if size & MAPPED == 0 { 8 } else { 16 })
}

/// Tries blocks of both kinds: a debugging or future glibc may lay them out in another way.
pub(super) fn sizes_agree() -> bool {
    let (Some(malloc), Some(free), Some(usable)) = (malloc(), free(), malloc_usable_size()) else {
        return false;
    };
    [1, 24, 1000, 1 << 20].into_iter().all(|bytes| {
        // SAFETY: a block of our own, looked at while it lives and given back once.
        unsafe {
            let block = malloc(bytes);
            let agrees = !block.is_null() && size_in_front(block) == usable(block);
            free(block);
            agrees
        }
    })
}

/// Asks valgrind whether it is there. It puts another `malloc` in the place of glibc's own, behind the same address,
/// and takes it for a mistake to look in front of a block.
pub(super) fn is_under_valgrind() -> bool {
    const RUNNING_ON_VALGRIND: usize = 0x1001;
    let request = [RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0];
    let answer: usize;
    // SAFETY: a real processor rotates rdi back to what it was and exchanges rbx for itself; valgrind takes just these
    // instructions for a request at rax, reads it, and answers in rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request.as_ptr(),
            inout("rdx") 0_usize => answer,
            options(nostack),
        );
    }
    answer != 0
}
