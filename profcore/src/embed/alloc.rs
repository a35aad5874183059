//! An allocator around the program's, which says what happened: to a profiler that runs, to whoever measures.
//!
//! ```text
//!   alloc -> STATE = 0 ----------------> inner allocator
//!            STATE > 0 -> inner allocator -> embedded::usual_allocated -> embedded::allocated
//!                                         -> measure::allocated
//! ```
//!
//! A block's bytes are always its layout's, so what is freed is what was allocated. Nothing here panics, locks,
//! allocates or touches errno, except as the inner allocator does.

use super::{ignore, measure};
use crate::memory::{self, Resizing, embedded, uncounted};
use crate::thread;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Who wants to hear: [`ACTIVE`], [`THREADS`], and [`MEASURER`] times the measures that are under way on any thread.
pub(super) static STATE: AtomicU32 = AtomicU32::new(0);
/// A profiler runs that samples allocations.
pub(super) const ACTIVE: u32 = 1;
/// One runs that does not, but wants to know of threads: those that live shortly are met by nobody else.
pub(super) const THREADS: u32 = 2;
/// One measure.
pub(super) const MEASURER: u32 = 4;

/// Says whether a profiler runs that samples allocations: from its start to its stop. One that does not has no use for
/// being told.
///
/// Frees of followed blocks pass unseen while none does. Such a block stays in the table of followed blocks until
/// another is followed at its address, which takes its place and tells its end.
pub(super) fn set_active(active: bool) {
    set(ACTIVE, active);
}

/// Says whether a profiler runs that wants to know of threads and of nothing else.
pub(super) fn set_watching_threads(watching: bool) {
    set(THREADS, watching);
}

/// No profiler runs.
pub(super) fn forget_profiler() {
    set(ACTIVE | THREADS, false);
}

fn set(bit: u32, is_set: bool) {
    if is_set {
        STATE.fetch_or(bit, Relaxed);
    } else {
        STATE.fetch_and(!bit, Relaxed);
    }
}

/// A global allocator that the profiler can watch: `A` does the work.
///
/// Until a profiler starts, it costs a load and a branch for each call.
///
/// ```
/// use profcore::embed::SampledAlloc;
///
/// #[global_allocator]
/// static ALLOC: SampledAlloc = SampledAlloc::system();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SampledAlloc<A = System>(A);

impl SampledAlloc<System> {
    /// Around the system's allocator.
    pub const fn system() -> Self {
        Self(System)
    }
}

impl<A> SampledAlloc<A> {
    /// Around another allocator, which must not be one of these itself: each would count.
    pub const fn new(inner: A) -> Self {
        Self(inner)
    }
}

// SAFETY: `A` does the work, with the caller's arguments; what is told about it changes no block and does not unwind.
unsafe impl<A: GlobalAlloc> GlobalAlloc for SampledAlloc<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { self.0.alloc(layout) };
        let state = STATE.load(Relaxed);
        if state != 0 {
            allocated(state, block, layout.size());
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { self.0.alloc_zeroed(layout) };
        let state = STATE.load(Relaxed);
        if state != 0 {
            allocated(state, block, layout.size());
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let state = STATE.load(Relaxed);
        if state != 0 {
            freeing(state, block, layout.size());
        }
        // SAFETY: the caller's promise.
        unsafe { self.0.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let state = STATE.load(Relaxed);
        if state == 0 {
            // SAFETY: the caller's promise.
            return unsafe { self.0.realloc(block, layout, size) };
        }
        let resize = Resize::begin(state, block, layout.size());
        // SAFETY: the caller's promise.
        let moved = unsafe { self.0.realloc(block, layout, size) };
        resize.end(moved, size);
        moved
    }
}

#[inline(always)]
fn allocated(state: u32, block: *mut u8, bytes: usize) {
    if block.is_null() {
        return;
    }
    if state & ACTIVE != 0 && !embedded::usual_allocated(bytes) {
        unusual_allocated(block.addr(), bytes);
    }
    if state & THREADS != 0 {
        thread::meet();
    }
    if state >= MEASURER {
        measure::allocated(bytes);
    }
}

/// Tells of a block, with the address that this returns to: the profile's stack begins there, not among our own frames.
#[cold]
#[unsafe(naked)]
extern "C" fn unusual_allocated(address: usize, bytes: usize) {
    core::arch::naked_asm!("mov rdx, qword ptr [rsp]", "jmp {told}", told = sym allocated_for)
}

extern "C" fn allocated_for(address: usize, bytes: usize, caller: usize) {
    if !ignore::is_ignored() {
        embedded::allocated(address, bytes, caller);
    }
}

/// As [`unusual_allocated`], of a resize.
#[cold]
#[unsafe(naked)]
extern "C" fn resized(resizing: &mut Option<Resizing>, old: usize, address: usize, bytes: usize) {
    core::arch::naked_asm!("mov r8, qword ptr [rsp]", "jmp {told}", told = sym resized_for)
}

extern "C" fn resized_for(
    resizing: &mut Option<Resizing>,
    old: usize,
    address: usize,
    bytes: usize,
    caller: usize,
) {
    if let Some(resizing) = resizing.take() {
        embedded::resized(resizing, old, address, bytes, caller);
    }
}

/// Before the inner allocator has the block: from then on its address can be another's.
#[inline(always)]
fn freeing(state: u32, block: *mut u8, bytes: usize) {
    if state & ACTIVE != 0 && !embedded::usual_freeing(block.addr()) {
        unusual_freeing(block.addr());
    }
    if state & THREADS != 0 {
        thread::meet();
    }
    if state >= MEASURER {
        measure::freed(bytes);
    }
}

#[cold]
#[inline(never)]
fn unusual_freeing(address: usize) {
    if ignore::is_ignored() {
        uncounted::freeing(address);
    } else {
        embedded::freeing(address);
    }
}

/// A resize that is under way.
struct Resize {
    state: u32,
    old_bytes: usize,
    /// What the profiler is to hear, if one runs; and whether its bytes count.
    told: Option<(Resizing, bool)>,
}

impl Resize {
    #[inline]
    fn begin(state: u32, block: *mut u8, old_bytes: usize) -> Self {
        let told = (state & ACTIVE != 0).then(|| match ignore::is_ignored() {
            true => (uncounted::resizing(block.addr()), false),
            false => (memory::resizing(block.addr()), true),
        });
        Self { state, old_bytes, told }
    }

    #[inline]
    fn end(self, moved: *mut u8, bytes: usize) {
        match self.told {
            Some((resizing, _)) if moved.is_null() => memory::resize_failed(resizing),
            Some((resizing, true)) => {
                resized(&mut Some(resizing), self.old_bytes, moved.addr(), bytes);
            }
            Some((resizing, false)) => uncounted::resized(resizing, moved.addr()),
            None => {}
        }
        if self.state >= MEASURER && !moved.is_null() {
            measure::resized(self.old_bytes, bytes);
        }
    }
}

#[cfg(test)]
#[path = "alloc_tests.rs"]
mod tests;
