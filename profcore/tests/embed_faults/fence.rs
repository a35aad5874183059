//! An allocator that nobody may call from the profiler's handler or from the slow path of its hooks.

use profcore::embed::test::is_sampling;
use std::alloc::{GlobalAlloc, Layout, System};

pub(crate) struct Fenced;

fn check() {
    if is_sampling() {
        let text = "allocation inside the handler or a hook\n";
        // SAFETY: writes a constant and ends the process.
        unsafe {
            libc::write(2, text.as_ptr().cast(), text.len());
            libc::abort();
        }
    }
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Fenced {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        check();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        check();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        check();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }
}
