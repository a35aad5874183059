//! `malloc` and its family. Every argument, however odd, goes to the next function as it came; what is told
//! to `profcore::memory` is what that function did.

use super::python;
use crate::{bootstrap, next};
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use profcore::memory;

type Block = *mut c_void;

const ALIGNMENT: usize = 16;
const PAGE: usize = 4096;

/// Tells about a block that was handed out.
#[inline(never)]
pub(super) extern "C" fn handed_out(block: Block, caller: usize) -> Block {
    if !block.is_null() && memory::watches_blocks() {
        // SAFETY: the next allocator has just returned it.
        memory::allocated(block.addr(), unsafe { next::usable(block) }, caller);
        python::look_again();
        cool_down();
    }
    block
}

/// After something was told: it may have been the last that is wanted.
fn cool_down() {
    if !memory::watches_blocks() {
        next::choose_hot_paths();
    }
}

/// A block from before there is a next allocator.
#[cold]
fn early(bytes: Option<usize>, alignment: usize) -> Block {
    let block = match bytes {
        Some(bytes) if alignment.is_power_of_two() => bootstrap::allocate(bytes, alignment),
        _ => null_mut(),
    };
    if block.is_null() {
        set_errno(libc::ENOMEM);
    }
    block
}

fn set_errno(value: c_int) {
    // SAFETY: errno is the calling thread's own int.
    unsafe { libc::__errno_location().write(value) };
}

/// Hands out a block by a next function, looked up first if need be.
macro_rules! allocate {
    ($name:ident($($argument:expr),*), caller: $caller:expr, early: $bytes:expr, $alignment:expr) => {{
        match next::sure(next::$name) {
            // SAFETY: the program's own arguments, passed on as they came.
            Some(next) => handed_out(unsafe { next($($argument),*) }, $caller),
            None => early($bytes, $alignment),
        }
    }};
}

/// Where `hot::malloc` does not go on.
pub(super) unsafe extern "C" fn malloc(bytes: usize, caller: usize) -> Block {
    allocate!(malloc(bytes), caller: caller, early: Some(bytes), ALIGNMENT)
}

pub(super) unsafe extern "C" fn calloc(count: usize, bytes: usize, caller: usize) -> Block {
    allocate!(calloc(count, bytes), caller: caller, early: count.checked_mul(bytes), ALIGNMENT)
}

pub(super) unsafe extern "C" fn aligned_alloc(
    alignment: usize,
    bytes: usize,
    caller: usize,
) -> Block {
    allocate!(aligned_alloc(alignment, bytes), caller: caller, early: Some(bytes), alignment)
}

pub(super) unsafe extern "C" fn memalign(alignment: usize, bytes: usize, caller: usize) -> Block {
    allocate!(memalign(alignment, bytes), caller: caller, early: Some(bytes), alignment)
}

pub(super) unsafe extern "C" fn valloc(bytes: usize, caller: usize) -> Block {
    allocate!(valloc(bytes), caller: caller, early: Some(bytes), PAGE)
}

pub(super) unsafe extern "C" fn pvalloc(bytes: usize, caller: usize) -> Block {
    let whole = bytes.checked_next_multiple_of(PAGE);
    allocate!(pvalloc(bytes), caller: caller, early: whole, PAGE)
}

pub(super) unsafe extern "C" fn posix_memalign(
    into: *mut Block,
    alignment: usize,
    bytes: usize,
    caller: usize,
) -> c_int {
    let Some(next) = next::sure(next::posix_memalign) else {
        if !alignment.is_power_of_two() || !alignment.is_multiple_of(size_of::<usize>()) {
            return libc::EINVAL;
        }
        let block = bootstrap::allocate(bytes, alignment);
        if block.is_null() {
            return libc::ENOMEM;
        }
        // SAFETY: the program's own place for the result.
        unsafe { into.write(block) };
        return 0;
    };
    // SAFETY: the program's own arguments, passed on as they came.
    let result = unsafe { next(into, alignment, bytes) };
    if result == 0 {
        // SAFETY: the call succeeded, so a block was stored there.
        handed_out(unsafe { into.read() }, caller);
    }
    result
}

/// `free` under its other names: what the program calls by that one, which libc's functions of these names do too.
pub(super) unsafe extern "C" fn free_alias(block: Block) {
    match next::sure(next::programs_free) {
        // SAFETY: the program's own argument.
        Some(programs) => unsafe { programs(block) },
        // SAFETY: as above.
        None => unsafe { free(block) },
    }
}

/// Where `hot::free` does not go on.
pub(super) unsafe extern "C" fn free(block: Block) {
    if block.is_null() || bootstrap::owns(block) {
        return;
    }
    if memory::watches_blocks() {
        // SAFETY: the program gives back a block that it holds.
        memory::freeing(block.addr(), unsafe { next::usable(block) });
        cool_down();
    }
    if let Some(next) = next::sure(next::free) {
        // SAFETY: the program's own argument.
        unsafe { next(block) };
    }
}

pub(super) unsafe extern "C" fn realloc(block: Block, bytes: usize, caller: usize) -> Block {
    if block.is_null() {
        return allocate!(realloc(block, bytes), caller: caller, early: Some(bytes), ALIGNMENT);
    }
    if bootstrap::owns(block) {
        // SAFETY: a block of the pool, which the program holds.
        return unsafe { move_from_bootstrap(block, bytes, caller) };
    }
    let Some(next) = next::sure(next::realloc) else {
        set_errno(libc::ENOMEM);
        return null_mut();
    };
    if !memory::watches_blocks() {
        // SAFETY: the program's own arguments.
        return unsafe { next(block, bytes) };
    }
    let address = block.addr();
    // SAFETY: the program holds the block.
    let old_bytes = unsafe { next::usable(block) };
    let resizing = memory::resizing(address);
    // SAFETY: the program's own arguments.
    let moved = unsafe { next(block, bytes) };
    if !moved.is_null() {
        // SAFETY: the next allocator has just returned it.
        memory::resized(resizing, old_bytes, moved.addr(), unsafe { next::usable(moved) }, caller);
    } else if bytes == 0 {
        memory::resize_freed(resizing, old_bytes);
    } else {
        memory::resize_failed(resizing);
    }
    moved
}

pub(super) unsafe extern "C" fn reallocarray(
    block: Block,
    count: usize,
    bytes: usize,
    caller: usize,
) -> Block {
    // libc's calls the `realloc` that the program calls, be it ours or one of the program's own, whose blocks only that
    // one knows.
    if let Some(next) = next::sure(next::reallocarray) {
        // SAFETY: the program's own arguments.
        return unsafe { next(block, count, bytes) };
    }
    match count.checked_mul(bytes) {
        // SAFETY: as above.
        Some(bytes) => unsafe { realloc(block, bytes, caller) },
        None => {
            set_errno(libc::ENOMEM);
            null_mut()
        }
    }
}

pub(super) unsafe extern "C" fn malloc_usable_size(block: Block) -> usize {
    if block.is_null() {
        return 0;
    }
    if bootstrap::owns(block) {
        // SAFETY: a block of the pool.
        return unsafe { bootstrap::size(block) };
    }
    // SAFETY: the program's own argument.
    next::sure(next::malloc_usable_size).map_or(0, |next| unsafe { next(block) })
}

/// Resizes a block of the pool: it moves to the next allocator, and what it took stays taken.
///
/// # Safety
/// `block` must be a block of the pool.
#[cold]
unsafe fn move_from_bootstrap(block: Block, bytes: usize, caller: usize) -> Block {
    if bytes == 0 {
        return null_mut();
    }
    // SAFETY: takes a number.
    let moved = unsafe { malloc(bytes, caller) };
    if !moved.is_null() {
        // SAFETY: two blocks that do not overlap, each at least as long as the shorter size.
        unsafe { super::copy::early(moved, block, bytes.min(bootstrap::size(block))) };
    }
    moved
}
