//! `measure` in a program whose global allocator is a `SampledAlloc`, without a profiler.

use profcore::embed::SampledAlloc;
use profcore::embed::test::{Measured, measure};
use proptest::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

#[global_allocator]
static ALLOC: SampledAlloc = SampledAlloc::system();

/// Counts its calls, and refuses what it is told to.
#[derive(Default)]
struct CountingInner {
    calls: AtomicUsize,
    refuses: AtomicBool,
}

impl CountingInner {
    fn call(&self, work: impl FnOnce() -> *mut u8) -> *mut u8 {
        self.calls.fetch_add(1, Relaxed);
        if self.refuses.load(Relaxed) { std::ptr::null_mut() } else { work() }
    }
}

// SAFETY: the system's allocator does the work, or nobody.
unsafe impl GlobalAlloc for &CountingInner {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.call(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.calls.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.call(|| unsafe { System.realloc(block, layout, size) })
    }
}

fn bytes(size: usize) -> Layout {
    Layout::from_size_align(size, 16).expect("a small size")
}

fn measured<R>(f: impl FnOnce() -> R) -> (R, Measured) {
    measure(f).expect("the allocator is installed")
}

/// What is done to one of a few places, each of which holds a block or none.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A new block, if there is none.
    Alloc {
        size: usize,
        zeroed: bool,
    },
    /// Another size.
    Realloc {
        size: usize,
    },
    Free,
}

const PLACES: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Do {
    place: usize,
    step: Step,
    /// The inner allocator has no memory left.
    refuses: bool,
}

fn steps() -> impl Strategy<Value = Vec<Do>> {
    let size = 1..2000_usize;
    let step = prop_oneof![
        3 => (size.clone(), any::<bool>()).prop_map(|(size, zeroed)| Step::Alloc { size, zeroed }),
        3 => prop_oneof![size, Just(500)].prop_map(|size| Step::Realloc { size }),
        2 => Just(Step::Free),
    ];
    let one = (0..PLACES, step, proptest::bool::weighted(0.1));
    proptest::collection::vec(
        one.prop_map(|(place, step, refuses)| Do { place, step, refuses }),
        0..60,
    )
}

/// Does one step, if it fits what the place holds.
fn act(
    alloc: &SampledAlloc<&CountingInner>,
    places: &mut [Option<(*mut u8, usize)>; PLACES],
    step: Do,
) {
    let place = &mut places[step.place];
    match (step.step, *place) {
        (Step::Alloc { size, zeroed }, None) => {
            // SAFETY: the size is not 0.
            let block = unsafe {
                if zeroed { alloc.alloc_zeroed(bytes(size)) } else { alloc.alloc(bytes(size)) }
            };
            *place = (!block.is_null()).then_some((block, size));
        }
        (Step::Realloc { size }, Some((block, old))) => {
            // SAFETY: the block was allocated with this layout; the size is not 0.
            let moved = unsafe { alloc.realloc(block, bytes(old), size) };
            if !moved.is_null() {
                *place = Some((moved, size));
            }
        }
        (Step::Free, Some((block, size))) => {
            // SAFETY: the block was allocated with this layout.
            unsafe { alloc.dealloc(block, bytes(size)) };
            *place = None;
        }
        _ => {}
    }
}

/// What a measure of the steps must say, in the plainest way: by the sizes held after each.
fn oracle(held: &mut [usize; PLACES], steps: &[Do]) -> Measured {
    let sum = |held: &[usize; PLACES]| held.iter().sum::<usize>() as i64;
    let begin = sum(held);
    let mut figures = Measured::default();
    for step in steps {
        let size = &mut held[step.place];
        let new = match step.step {
            Step::Free => 0,
            Step::Alloc { size: new, .. } if *size == 0 && !step.refuses => new,
            Step::Realloc { size: new } if *size != 0 && !step.refuses => new,
            _ => *size,
        };
        if new > *size {
            figures.allocated += (new - *size) as u64;
            figures.allocations += 1;
        }
        if new < *size {
            figures.freed += (*size - new) as u64;
            figures.frees += 1;
        }
        *size = new;
        figures.peak = figures.peak.max((sum(held) - begin).max(0) as u64);
    }
    figures.held = sum(held) - begin;
    figures
}

proptest! {
    #[test]
    fn figures_are_those_of_the_oracle(before in steps(), first in steps(), inner in steps(), last in steps()) {
        let counting = CountingInner::default();
        let alloc = SampledAlloc::new(&counting);
        let mut places = [None; PLACES];
        let mut run = |steps: &[Do]| {
            for &step in steps {
                counting.refuses.store(step.refuses, Relaxed);
                act(&alloc, &mut places, step);
            }
        };
        run(&before);
        let (inner_figures, outer_figures) = measured(|| {
            run(&first);
            let ((), inner_figures) = measured(|| run(&inner));
            run(&last);
            inner_figures
        });
        run(&std::array::from_fn::<_, PLACES, _>(|place| Do { place, step: Step::Free, refuses: false }));

        let mut held = [0; PLACES];
        oracle(&mut held, &before);
        let mut at_inner = held;
        oracle(&mut at_inner, &first);
        prop_assert_eq!(inner_figures, oracle(&mut at_inner, &inner));
        let all = [first, inner, last].concat();
        prop_assert_eq!(outer_figures, oracle(&mut held, &all));
    }
}

#[test]
fn a_failed_realloc_counts_as_nothing() {
    let counting = CountingInner::default();
    let alloc = SampledAlloc::new(&counting);
    // SAFETY: the size is not 0.
    let block = unsafe { alloc.alloc(bytes(64)) };
    // SAFETY: a block of 64 bytes.
    unsafe { block.write_bytes(7, 64) };
    counting.refuses.store(true, Relaxed);
    // SAFETY: the block was allocated with this layout.
    let (moved, figures) = measured(|| unsafe { alloc.realloc(block, bytes(64), 6400) });
    assert!(moved.is_null());
    assert_eq!(figures, Measured::default());
    // SAFETY: the block is where it was.
    assert_eq!(unsafe { std::slice::from_raw_parts(block, 64) }, [7; 64]);
    // SAFETY: as above.
    let ((), figures) = measured(|| unsafe { alloc.dealloc(block, bytes(64)) });
    assert_eq!((figures.freed, figures.frees, figures.held), (64, 1, -64));
    assert_eq!(counting.calls.load(Relaxed), 3);
}

#[test]
fn collections_count_as_they_should() {
    let (vec, figures) = measured(|| {
        let mut vec = Vec::<u8>::with_capacity(100);
        vec.resize(100, 1);
        vec.reserve_exact(200);
        vec.shrink_to_fit();
        black_box(vec)
    });
    let mut expected = Measured::default();
    (expected.allocated, expected.allocations) = (300, 2);
    (expected.freed, expected.frees) = (200, 1);
    (expected.peak, expected.held) = (300, 100);
    assert_eq!(figures, expected);
    assert_eq!(measured(|| ()).1, Measured::default(), "the probe is not in it");
    let ((), figures) = measured(|| drop(vec));
    assert_eq!((figures.freed, figures.held, figures.peak), (100, -100, 0));
    let line = "allocated 300 bytes in 2 calls, freed 200 in 1, peak 300, held 100";
    assert_eq!(expected.to_string(), line);
}

#[test]
fn a_panic_leaves_everything_in_order() {
    let ((), figures) = measured(|| {
        let caught = std::panic::catch_unwind(|| {
            measured(|| std::panic::resume_unwind(black_box(Box::new([0_u8; 50]))))
        });
        drop(caught.map(|((), _)| ()));
    });
    // The payload, and what the runtime adds to it.
    assert!(figures.allocated >= 50 && figures.held == 0, "{figures}");
    let (kept, figures) = measured(|| black_box(Box::new([0_u8; 50])));
    assert_eq!((figures.allocated, figures.peak), (50, 50));
    drop(kept);
}

#[test]
fn other_threads_are_not_in_it() {
    let (runs, ends) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Relaxed) {
                drop(black_box(Box::new([0_u8; 100])));
                runs.store(true, Relaxed);
            }
        });
        let (kept, figures) = measured(|| {
            while !runs.load(Relaxed) {
                std::hint::spin_loop();
            }
            for _ in 0..10_000 {
                drop(black_box(Box::new([0_u8; 9])));
            }
            black_box(Box::new([0_u8; 7]))
        });
        ends.store(true, Relaxed);
        assert_eq!((figures.allocated, figures.allocations, figures.peak), (90_007, 10_001, 9));
        drop(kept);
    });
}

/// Measures when it is dropped, which is when the thread's locals go.
struct AtEnd;

thread_local! {
    static FIRST: AtEnd = const { AtEnd };
    static SECOND: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
}

static MEASURED_AT_END: AtomicUsize = AtomicUsize::new(0);

impl Drop for AtEnd {
    fn drop(&mut self) {
        let (_, figures) = measured(|| black_box(vec![1_u8; 40]));
        MEASURED_AT_END.fetch_add(figures.allocated as usize, Relaxed);
    }
}

extern "C" fn after_all(_: *mut libc::c_void) {
    drop(black_box(vec![1_u8; 33]));
    let (block, figures) = measured(|| black_box(vec![1_u8; 2]));
    drop(block);
    MEASURED_AT_END.fetch_add(1000 * figures.allocated as usize, Relaxed);
}

#[test]
fn a_thread_allocates_to_its_very_end() {
    let mut key = 0;
    // SAFETY: the destructor is a function of this program, which stays.
    assert_eq!(unsafe { libc::pthread_key_create(&mut key, Some(after_all)) }, 0);
    // A measure elsewhere, so that the thread's calls are looked at.
    let ((), _) = measured(|| {
        let thread = std::thread::spawn(move || {
            SECOND.set(Some(black_box(vec![0; 100])));
            FIRST.with(|_| ());
            let value = std::ptr::without_provenance(1);
            // SAFETY: the key is valid; nobody looks at the value.
            assert_eq!(unsafe { libc::pthread_setspecific(key, value) }, 0);
        });
        thread.join().expect("it does not panic");
    });
    assert_eq!(MEASURED_AT_END.load(Relaxed), 2040);
}
