//! Memory for callers that come before the next allocator is known.
//!
//! Looking it up may allocate (the dynamic linker's error messages do). Those few blocks come from a static
//! pool, and from one mapping when that is used up. They are zero, are never used twice, and are told from
//! all others by their address.

use crate::next;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const POOL: usize = 64 * 1024;
/// Size of the mapping; its pages cost memory only when used.
const RESERVE: usize = 16 << 20;
/// In front of each block: its size. As long as the alignment every block has.
const HEADER: usize = 16;

#[repr(C, align(4096))]
struct Pool(UnsafeCell<[u8; POOL]>);

// SAFETY: the bytes are handed out in pieces that do not overlap, and not touched otherwise.
unsafe impl Sync for Pool {}

static MEMORY: Pool = Pool(UnsafeCell::new([0; POOL]));
static POOL_USED: AtomicUsize = AtomicUsize::new(0);
/// Address of the mapping while there is none: it would be the kernel's. Not 0, because the heap of a program
/// at a fixed address can begin within the first [`RESERVE`] bytes.
const NOWHERE: usize = usize::MAX - RESERVE;
/// Address of the mapping, or [`NOWHERE`].
static RESERVE_AT: AtomicUsize = AtomicUsize::new(NOWHERE);
static RESERVE_USED: AtomicUsize = AtomicUsize::new(0);

/// True if `block` came from [`allocate`].
pub(crate) fn owns(block: *const c_void) -> bool {
    let pool = MEMORY.0.get().addr();
    block.addr().wrapping_sub(pool) < POOL
        || block.addr().wrapping_sub(RESERVE_AT.load(Relaxed)) < RESERVE
}

/// A zeroed block aligned to `alignment`, a power of two; null if it does not fit.
#[cold]
pub(crate) fn allocate(bytes: usize, alignment: usize) -> *mut c_void {
    let alignment = alignment.max(HEADER);
    let Some(needed) = bytes.checked_add(HEADER + alignment).filter(|&needed| needed <= RESERVE)
    else {
        return null_mut();
    };
    let piece = take(&POOL_USED, MEMORY.0.get().cast(), POOL, needed)
        .or_else(|| take(&RESERVE_USED, reserve()?, RESERVE, needed));
    let Some(piece) = piece else { return null_mut() };
    next::note_early_block();
    let address = (piece.addr() + HEADER).next_multiple_of(alignment);
    let block = piece.with_addr(address);
    // SAFETY: `needed` covers the way to the aligned address, the header in front of it, and the block.
    unsafe { block.sub(HEADER).cast::<usize>().write(bytes) };
    block.cast()
}

/// Size of a block, as it was asked for.
///
/// # Safety
/// [`owns`] must have said yes.
pub(crate) unsafe fn size(block: *const c_void) -> usize {
    // SAFETY: every block of ours has its size in front.
    unsafe { block.byte_sub(HEADER).cast::<usize>().read() }
}

/// The next `needed` bytes of an area.
fn take(used: &AtomicUsize, area: *mut u8, len: usize, needed: usize) -> Option<*mut u8> {
    let at = used
        .fetch_update(Relaxed, Relaxed, |at| at.checked_add(needed).filter(|&end| end <= len))
        .ok()?;
    Some(area.wrapping_add(at))
}

/// The mapping, made at its first use.
fn reserve() -> Option<*mut u8> {
    let known = RESERVE_AT.load(Relaxed);
    if known != NOWHERE {
        return Some(core::ptr::with_exposed_provenance_mut(known));
    }
    // SAFETY: an anonymous mapping at a place of the kernel's choice touches nobody's memory.
    let mapping = unsafe {
        libc::mmap(
            null_mut(),
            RESERVE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if mapping == libc::MAP_FAILED {
        return None;
    }
    match RESERVE_AT.compare_exchange(NOWHERE, mapping.expose_provenance(), Relaxed, Relaxed) {
        Ok(_) => Some(mapping.cast()),
        Err(first) => {
            // SAFETY: another thread was first; nobody has seen this mapping.
            unsafe { libc::munmap(mapping, RESERVE) };
            Some(core::ptr::with_exposed_provenance_mut(first))
        }
    }
}
