//! A static library for a C program: it reads a trace and writes it again. It has a panic handler of its own, which
//! would not link beside the standard library's.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;

use profformat::units::Timestamp;
use profformat::{Block, Options, TraceReader, TraceWriter};

unsafe extern "C" {
    fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
    fn abort() -> !;
}

struct Malloc;

// SAFETY: the C library's allocator gives blocks of the size and alignment asked for, or null.
unsafe impl GlobalAlloc for Malloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let alignment = layout.align().max(size_of::<usize>());
        // SAFETY: the alignment is a power of two and divides the size.
        unsafe { aligned_alloc(alignment, layout.size().next_multiple_of(alignment)).cast() }
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: `block` came from `alloc`.
        unsafe { free(block.cast()) }
    }
}

#[global_allocator]
static MALLOC: Malloc = Malloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: `abort` may be called at any time.
    unsafe { abort() }
}

/// The weights of all samples of a trace, read from a copy that was written here; `u64::MAX` when it is no sound trace.
///
/// # Safety
/// `bytes` must point to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn total_weight(bytes: *const u8, length: usize) -> u64 {
    // SAFETY: the caller's promise.
    let bytes = unsafe { core::slice::from_raw_parts(bytes, length) };
    let copy = copied(bytes).unwrap_or_default();
    weight(bytes).filter(|weight| self::weight(&copy) == Some(*weight)).unwrap_or(u64::MAX)
}

fn weight(bytes: &[u8]) -> Option<u64> {
    let mut reader = TraceReader::new(bytes).ok()?.strict();
    let mut sum = 0;
    while let Some(block) = reader.next_block() {
        if let Block::Samples(samples) = block.ok()? {
            sum += samples.iter().map(|sample| sample.weight_ns).sum::<u64>();
        }
    }
    Some(sum)
}

fn copied(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    profformat::recover::recover(bytes, &mut out, false).ok()?;
    // A writer by itself, too.
    let header = TraceReader::new(&out).ok()?.header().clone();
    let empty = TraceWriter::new(Vec::new(), &header, Options::default()).ok()?;
    weight(&empty.finish(Timestamp::ZERO).ok()?).map(|_| out)
}
