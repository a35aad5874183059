//! `mmap` and its family: what the program and its libraries map. libc's own `malloc` and the dynamic linker do not
//! pass here.
//!
//! Before there is a next function, the kernel is called: `bootstrap` maps then.

use crate::next;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use profcore::memory::{self, Backing};

type Block = *mut c_void;

fn has_failed(mapping: Block) -> bool {
    mapping.addr() == usize::MAX
}

/// `mmap64` too: offsets have 64 bits in both.
pub(super) unsafe extern "C" fn mmap(
    at: Block,
    bytes: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> Block {
    let mapping = match next::sure(next::mmap) {
        // SAFETY: the program's own arguments, passed on as they came.
        Some(next) => unsafe { next(at, bytes, protection, flags, file, offset) },
        None => core::ptr::with_exposed_provenance_mut(
            // SAFETY: as above; libc's function does nothing but call the kernel and set errno.
            unsafe {
                libc::syscall(libc::SYS_mmap, at, bytes, protection, flags, file, offset) as usize
            },
        ),
    };
    if !has_failed(mapping) {
        let is_anonymous = flags & libc::MAP_ANONYMOUS != 0;
        let backing = if is_anonymous { Backing::Anonymous } else { Backing::File };
        memory::mapped(bytes, backing, flags & libc::MAP_FIXED != 0);
    }
    mapping
}

pub(super) unsafe extern "C" fn munmap(at: Block, bytes: usize) -> c_int {
    let result = match next::sure(next::munmap) {
        // SAFETY: the program's own arguments.
        Some(next) => unsafe { next(at, bytes) },
        // SAFETY: as above.
        None => unsafe { libc::syscall(libc::SYS_munmap, at, bytes) as c_int },
    };
    if result == 0 {
        memory::unmapped(bytes);
    }
    result
}

/// The last argument is there for some flags only; it is passed on as it came.
pub(super) unsafe extern "C" fn mremap(
    at: Block,
    old_bytes: usize,
    bytes: usize,
    flags: c_int,
    to: Block,
) -> Block {
    let mapping = match next::sure(next::mremap) {
        // SAFETY: the program's own arguments.
        Some(next) => unsafe { next(at, old_bytes, bytes, flags, to) },
        None => core::ptr::with_exposed_provenance_mut(
            // SAFETY: as above.
            unsafe { libc::syscall(libc::SYS_mremap, at, old_bytes, bytes, flags, to) as usize },
        ),
    };
    if !has_failed(mapping) {
        if flags & libc::MREMAP_FIXED != 0 {
            memory::unmapped(bytes);
        }
        let stays = flags & libc::MREMAP_DONTUNMAP != 0;
        memory::remapped(if stays { 0 } else { old_bytes }, bytes);
    }
    mapping
}

pub(super) unsafe extern "C" fn sbrk(increment: isize) -> Block {
    let Some(next) = next::sure(next::sbrk) else {
        return null_mut::<c_void>().wrapping_byte_sub(1);
    };
    // SAFETY: the program's own argument.
    let before = unsafe { next(increment) };
    if !has_failed(before) {
        moved(increment);
    }
    before
}

pub(super) unsafe extern "C" fn brk(end: Block) -> c_int {
    let Some(next) = next::sure(next::brk) else { return -1 };
    let before = present_end();
    // SAFETY: the program's own argument.
    let result = unsafe { next(end) };
    if result == 0 {
        moved(present_end().wrapping_sub(before) as isize);
    }
    result
}

/// Where the heap ends. An increment of 0 moves nothing and cannot fail.
fn present_end() -> usize {
    // SAFETY: takes a number.
    next::sbrk().map_or(0, |sbrk| unsafe { sbrk(0) }.addr())
}

/// The end of the heap moved by so many bytes.
fn moved(bytes: isize) {
    match bytes {
        0 => {}
        1.. => memory::mapped(bytes.unsigned_abs(), Backing::Anonymous, false),
        _ => memory::unmapped(bytes.unsigned_abs()),
    }
}
