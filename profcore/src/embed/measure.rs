//! What a piece of code allocates, exactly: for tests that hold it to a budget.
//!
//! Each thread that measures has books of its own, which only go up; a measure is the difference between its end and its
//! beginning. So measures nest, and an inner one is part of the outer.

use super::alloc::{MEASURER, STATE};
use super::ignore::Ignored;
use std::cell::Cell;
use std::fmt;
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::Relaxed;

/// What one thread allocated and freed through [`SampledAlloc`](super::SampledAlloc) in the course of a measure.
///
/// Bytes are those that the program asked for. A call that resizes a block counts by the difference: as an allocation of
/// the growth, as a free of the shrinkage, as nothing if the size stays; that old and new block may both exist while
/// bytes are copied does not count. Calls that failed count as nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measured {
    /// Bytes.
    pub allocated: u64,
    /// Calls that allocated: new blocks, and blocks that grew.
    pub allocations: u64,
    /// Bytes, also of blocks that were there before.
    pub freed: u64,
    /// Calls that freed: blocks given back, and blocks that shrank.
    pub frees: u64,
    /// Most bytes held at once above what was held at the beginning.
    pub peak: u64,
    /// Bytes held at the end more than at the beginning: `allocated - freed`. A block that another thread freed is held.
    pub held: i64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { allocated, allocations, freed, frees, peak, held } = self;
        write!(
            f,
            "allocated {allocated} bytes in {allocations} calls, freed {freed} in {frees}, \
             peak {peak}, held {held}"
        )
    }
}

/// Allocations cannot be measured: they do not pass [`SampledAlloc`](super::SampledAlloc).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotInstalled;

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "allocations are not seen: add `#[global_allocator] static ALLOC: SampledAlloc = \
             SampledAlloc::system();` to this program",
        )
    }
}

impl std::error::Error for NotInstalled {}

/// Runs `f` and says what the calling thread allocated meanwhile; whether a profiler runs does not matter.
///
/// What other threads do is not in it, threads that `f` starts included (but what starting one allocates here is).
/// Measures nest: the inner one's figures are part of the outer's. If `f` panics, the panic goes on, and a measure
/// around this one is right.
///
/// # Errors
///
/// [`NotInstalled`] if [`SampledAlloc`](super::SampledAlloc) is not the global allocator; `f` has not run then.
///
/// ```
/// use profcore::embed::{SampledAlloc, test::measure};
///
/// #[global_allocator]
/// static ALLOC: SampledAlloc = SampledAlloc::system();
///
/// let (text, measured) = measure(|| "ab".repeat(50))?;
/// assert_eq!(text.len(), 100);
/// assert!(measured.allocated <= 100, "{measured}");
/// # Ok::<(), profcore::embed::test::NotInstalled>(())
/// ```
pub fn measure<R>(f: impl FnOnce() -> R) -> Result<(R, Measured), NotInstalled> {
    if !is_installed() {
        return Err(NotInstalled);
    }
    let measuring = Measuring::begin();
    let result = f();
    Ok((result, measuring.so_far()))
}

/// Whether the program's allocations come by here: one is made to see.
fn is_installed() -> bool {
    // A measure around this one has found out, and must not count the probe.
    if books(|books| books.measures.get()) != 0 {
        return true;
    }
    let measuring = Measuring::begin();
    let _quiet = Ignored::begin();
    drop(black_box(Box::new(black_box(0_u8))));
    measuring.so_far().allocations != 0
}

/// A block of that many bytes was handed out to the calling thread.
#[inline]
pub(super) fn allocated(bytes: usize) {
    books(|books| {
        if books.measures.get() != 0 {
            books.allocate(bytes as u64);
        }
    });
}

/// A block of that many bytes was given back by the calling thread.
#[inline]
pub(super) fn freed(bytes: usize) {
    books(|books| {
        if books.measures.get() != 0 {
            books.free(bytes as u64);
        }
    });
}

/// The calling thread resized a block.
#[inline]
pub(super) fn resized(old_bytes: usize, bytes: usize) {
    if bytes > old_bytes {
        allocated(bytes - old_bytes);
    } else if bytes < old_bytes {
        freed(old_bytes - bytes);
    }
}

/// A thread's sums over all its measures, in bytes and calls.
#[derive(Clone, Copy)]
struct Sums {
    allocated: u64,
    allocations: u64,
    freed: u64,
    frees: u64,
}

impl Sums {
    fn held(self) -> i64 {
        self.allocated.wrapping_sub(self.freed) as i64
    }
}

struct Books {
    /// How many measures are under way, one in the other.
    measures: Cell<u32>,
    sums: Cell<Sums>,
    /// Most that [`Sums::held`] was since the innermost measure began.
    peak: Cell<i64>,
}

impl Books {
    #[inline]
    fn allocate(&self, bytes: u64) {
        let mut sums = self.sums.get();
        sums.allocated = sums.allocated.wrapping_add(bytes);
        sums.allocations = sums.allocations.wrapping_add(1);
        self.sums.set(sums);
        self.peak.set(self.peak.get().max(sums.held()));
    }

    #[inline]
    fn free(&self, bytes: u64) {
        let mut sums = self.sums.get();
        sums.freed = sums.freed.wrapping_add(bytes);
        sums.frees = sums.frees.wrapping_add(1);
        self.sums.set(sums);
    }
}

thread_local! {
    static BOOKS: Books = const {
        Books {
            measures: Cell::new(0),
            sums: Cell::new(Sums { allocated: 0, allocations: 0, freed: 0, frees: 0 }),
            peak: Cell::new(0),
        }
    };
}

// With a destructor, a thread's first allocation would register it, and its last ones would find nothing.
const _: () = assert!(!std::mem::needs_drop::<Books>());

/// The calling thread's books. A thread always has them; what it has no books for does not count.
#[inline]
fn books<R: Default>(look: impl FnOnce(&Books) -> R) -> R {
    BOOKS.try_with(look).unwrap_or_default()
}

/// A measure that is under way on the thread that began it.
struct Measuring {
    before: Sums,
    /// The peak of the measure around this one, so far.
    outer_peak: i64,
    here: PhantomData<*const ()>,
}

impl Measuring {
    fn begin() -> Self {
        STATE.fetch_add(MEASURER, Relaxed);
        BOOKS.with(|books| {
            books.measures.set(books.measures.get() + 1);
            let before = books.sums.get();
            let outer_peak = books.peak.replace(before.held());
            Self { before, outer_peak, here: PhantomData }
        })
    }

    fn so_far(&self) -> Measured {
        let (now, peak) = BOOKS.with(|books| (books.sums.get(), books.peak.get()));
        let before = self.before;
        Measured {
            allocated: now.allocated.wrapping_sub(before.allocated),
            allocations: now.allocations.wrapping_sub(before.allocations),
            freed: now.freed.wrapping_sub(before.freed),
            frees: now.frees.wrapping_sub(before.frees),
            // It was set to what was held at the beginning, and only went up.
            peak: peak.wrapping_sub(before.held()) as u64,
            held: now.held().wrapping_sub(before.held()),
        }
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        books(|books| {
            books.measures.set(books.measures.get() - 1);
            books.peak.set(books.peak.get().max(self.outer_peak));
        });
        STATE.fetch_sub(MEASURER, Relaxed);
    }
}

/// Runs `f` as [`measure`] does, whatever the global allocator is.
#[cfg(test)]
pub(super) fn while_measuring<R>(f: impl FnOnce() -> R) -> R {
    let _measuring = Measuring::begin();
    f()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_allocator_nothing_runs() {
        // The allocator of these tests is another one.
        let mut has_run = false;
        assert_eq!(measure(|| has_run = true), Err(NotInstalled));
        assert!(!has_run);
        assert!(NotInstalled.to_string().lines().count() == 1);
        assert_eq!(BOOKS.with(|books| books.measures.get()), 0);
    }

    #[test]
    fn a_panic_ends_the_measure() {
        crate::harness::alone(|| {
            let caught = std::panic::catch_unwind(|| while_measuring(|| panic!("on purpose")));
            assert!(caught.is_err());
            assert_eq!((books(|books| books.measures.get()), STATE.load(Relaxed)), (0, 0));
        });
    }

    #[test]
    fn an_inner_measure_is_part_of_the_outer() {
        allocated(1000); // nobody measures
        let outer = Measuring::begin();
        allocated(100);
        freed(100);
        let inner = Measuring::begin();
        allocated(70);
        resized(70, 60);
        resized(60, 60);
        let expected =
            Measured { allocated: 70, allocations: 1, freed: 10, frees: 1, peak: 70, held: 60 };
        assert_eq!(inner.so_far(), expected);
        drop(inner);
        assert_eq!(outer.so_far().peak, 100, "from before the inner one");
        let inner = Measuring::begin();
        resized(60, 200);
        freed(300);
        assert_eq!((inner.so_far().peak, inner.so_far().held), (140, -160));
        drop(inner);
        let expected = Measured {
            allocated: 310,
            allocations: 3,
            freed: 410,
            frees: 3,
            peak: 200,
            held: -100,
        };
        assert_eq!(outer.so_far(), expected);
    }
}
