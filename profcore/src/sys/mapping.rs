//! Shared mappings as words.

use super::syscall::{Errno, call};
use core::sync::atomic::AtomicU64;

/// Maps the first `words` words of a descriptor, shared with whoever else maps it. The mapping stays for
/// ever unless [`unmap`] takes it away.
///
/// Errors: the kernel's, and EINVAL if the file is shorter than that: touching what lies behind the end of
/// a file would kill the program with SIGBUS.
pub(crate) fn map_shared(fd: i32, words: usize) -> Result<&'static [AtomicU64], Errno> {
    check_length(fd, words)?;
    // SAFETY: a new mapping at an address that the kernel chooses touches no existing memory.
    let address = unsafe { map(0, words, libc::MAP_SHARED, fd) }?;
    let first = core::ptr::with_exposed_provenance::<AtomicU64>(address);
    // SAFETY: the mapping is page-aligned, long enough and stays until `unmap`; every access to it is
    // atomic, on our side and by contract on the other.
    Ok(unsafe { core::slice::from_raw_parts(first, words) })
}

/// Maps `words` zeros of this process alone, for ever.
#[cfg(feature = "embed")]
pub(crate) fn map_private(words: usize) -> Result<&'static [AtomicU64], Errno> {
    // SAFETY: as in `map_shared`.
    let address = unsafe { map(0, words, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1) }?;
    let first = core::ptr::with_exposed_provenance::<AtomicU64>(address);
    // SAFETY: as in `map_shared`; nobody unmaps it.
    Ok(unsafe { core::slice::from_raw_parts(first, words) })
}

/// Maps a stack of so many bytes, for ever, and a page below it that none may touch. Its lowest address.
#[cfg(feature = "embed")]
pub(crate) fn map_stack(bytes: usize) -> Result<usize, Errno> {
    const PAGE: usize = 4096;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
    // SAFETY: as in `map_shared`.
    let address = unsafe { map(0, (PAGE + bytes) / 8, flags, -1) }?;
    let nothing = libc::PROT_NONE as usize;
    // SAFETY: the mapping's own first page, which nobody has used.
    let fenced = unsafe { call(libc::SYS_mprotect, [address, PAGE, nothing]) };
    if let Err(error) = fenced {
        // SAFETY: the whole mapping, which nobody has used.
        let _ = unsafe { call(libc::SYS_munmap, [address, PAGE + bytes]) };
        return Err(error);
    }
    Ok(address + PAGE)
}

/// Puts the descriptor's words in the place of `old`, in one step: references to `old` stay good and see
/// the new words. On an error `old` is as it was.
pub(crate) fn map_over(fd: i32, old: &'static [AtomicU64]) -> Result<(), Errno> {
    check_length(fd, old.len())?;
    let address = old.as_ptr().expose_provenance();
    // SAFETY: replaces words that are only read and written as atomics by others of that kind.
    unsafe { map(address, old.len(), libc::MAP_SHARED | libc::MAP_FIXED, fd) }.map(drop)
}

/// Puts zeros of this process alone in the place of `old`: references to it stay good.
pub(crate) fn zeros_over(old: &'static [AtomicU64]) {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: as in `map_over`.
    let _ = unsafe { map(old.as_ptr().expose_provenance(), old.len(), flags, -1) };
}

/// Takes a mapping away.
///
/// # Safety
/// `words` is what [`map_shared`] returned, and nothing refers to it any more.
pub(crate) unsafe fn unmap(words: &'static [AtomicU64]) {
    let arguments = [words.as_ptr().expose_provenance(), size_of_val(words)];
    // SAFETY: the caller's promise.
    let _ = unsafe { call(libc::SYS_munmap, arguments) };
}

fn check_length(fd: i32, words: usize) -> Result<(), Errno> {
    // SAFETY: no memory is passed.
    let length = unsafe { call(libc::SYS_lseek, [fd as usize, 0, libc::SEEK_END as usize]) }?;
    if length < words * 8 { Err(Errno(libc::EINVAL)) } else { Ok(()) }
}

/// # Safety
/// With MAP_FIXED, what lies at the address must be ours to replace.
unsafe fn map(at: usize, words: usize, flags: i32, fd: i32) -> Result<usize, Errno> {
    let protection = (libc::PROT_READ | libc::PROT_WRITE) as usize;
    let flags = (flags | libc::MAP_NORESERVE) as usize;
    // SAFETY: the caller's promise.
    unsafe { call(libc::SYS_mmap, [at, words * 8, protection, flags, fd as usize, 0]) }
}
