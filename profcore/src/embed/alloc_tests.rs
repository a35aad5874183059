//! What a session is told by the allocator, each test in a process of its own.

use super::*;
use crate::embed::ignore_current;
use crate::event::{self, Event};
use crate::harness::{alone, join, total};
use crate::live::Live;
use crate::ring::spsc::Popped;
use crate::session::{Count, SLOTS, Session, control, slot_word, word};
use crate::thread;
use std::cell::Cell;

#[path = "alloc_costs.rs"]
mod costs;

const INTERVAL: usize = 4096;
/// Is certainly sampled.
const LARGE: usize = 10 * INTERVAL;

const ALLOC: SampledAlloc = SampledAlloc::system();

/// A session that samples memory, and tells nothing of CPU time.
fn session(interval: usize) -> Session {
    let session = join();
    session.word(word::MEMORY_INTERVAL).store(interval as u64, Relaxed);
    session.word(word::CONTROL).store(control::MEMORY, Relaxed);
    session
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 16).expect("a small size")
}

fn alloc(size: usize) -> *mut u8 {
    // SAFETY: the size is not 0.
    unsafe { ALLOC.alloc(layout(size)) }
}

fn free(block: *mut u8, size: usize) {
    // SAFETY: a block of `alloc` or `resize`, with its size.
    unsafe { ALLOC.dealloc(block, layout(size)) }
}

fn resize(block: *mut u8, old: usize, size: usize) -> *mut u8 {
    // SAFETY: a block of `alloc` or `resize`, with its size; the new one is not 0.
    unsafe { ALLOC.realloc(block, layout(old), size) }
}

/// What was told in the calling thread's ring.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Told {
    Alloc { size: u64, weight: u64, block: u64 },
    Free { block: u64 },
    Resize { block: u64, old: u64, new: u64 },
}

fn told() -> Vec<Told> {
    let ring = thread::current().expect("the thread has a slot").ring();
    let (mut words, mut told) = (Vec::new(), Vec::new());
    while ring.pop(&mut words) == Popped::Event {
        told.push(match event::decode(&words).expect("an event of ours") {
            Event::Alloc { size, weight, block, python: false, .. } => {
                Told::Alloc { size, weight, block }
            }
            Event::Free { block, .. } => Told::Free { block },
            Event::Resize { block, old_size, new_size, .. } => {
                Told::Resize { block, old: old_size, new: new_size }
            }
            other => panic!("nobody told {other:?}"),
        });
    }
    told
}

/// Id of the block that was just sampled.
fn sampled() -> u64 {
    match told()[..] {
        [Told::Alloc { block, .. }] if block != 0 => block,
        ref other => panic!("one followed block: {other:?}"),
    }
}

/// All that allocations change: counters, slots claimed, blocks, samplers; and the footprint, which is not kept.
fn books(session: Session) -> Vec<u64> {
    let header = [word::SLOTS_HIGH, word::NEXT_BLOCK, word::ENDS_MARKED, word::FOOTPRINT_NATIVE];
    let header = header.map(|index| session.word(index).load(Relaxed));
    let counts = [Count::AllocBytes, Count::AllocCalls].map(|count| total(session, count));
    let slot = |number: usize| {
        let words = [slot_word::HEAD, slot_word::ALLOC_POINT, slot_word::PENDING_NATIVE];
        words.map(|index| session.slot(number).word(index).load(Relaxed))
    };
    let filter = session.area(crate::session::area::LIVE_FILTER, crate::session::FILTER_WORDS);
    let slots = (0..SLOTS).flat_map(slot);
    header
        .into_iter()
        .chain(counts)
        .chain(slots)
        .chain(filter.iter().map(|word| word.load(Relaxed)))
        .collect()
}

/// A life of blocks of all sizes.
fn work() {
    let blocks: Vec<_> = (1..200).map(|n| (alloc(n * 37), n * 37)).collect();
    for (block, size) in blocks {
        let block = resize(block, size, size * 2);
        free(block, size * 2);
    }
}

#[test]
fn without_a_profiler_nothing_in_the_session_changes() {
    alone(|| {
        let session = session(INTERVAL);
        let before = books(session);
        work();
        std::thread::spawn(work).join().expect("only allocates");
        assert!(books(session) == before);
        set_active(true);
        work();
        assert!(books(session) != before, "what is compared is what changes");
        set_active(false);
        let before = books(session);
        STATE.fetch_add(MEASURER, Relaxed);
        work();
        assert!(books(session) == before, "who measures is not the profiler");
    });
}

#[test]
fn counters_are_exact_and_every_followed_block_ends() {
    alone(|| {
        let session = session(INTERVAL);
        set_active(true);
        let (mut bytes, mut weights, mut alive) = (0, 0, Vec::new());
        let mut take = |events: Vec<Told>| {
            for event in events {
                match event {
                    Told::Alloc { weight, block, .. } => {
                        weights += weight;
                        alive.push(block);
                    }
                    Told::Free { block } => alive.retain(|&id| id != block),
                    Told::Resize { block, .. } => assert!(alive.contains(&block)),
                }
            }
            alive.len()
        };
        let mut blocks = Vec::with_capacity(5000);
        for n in 1..=5000 {
            blocks.push((alloc(n % 500 + 1), n % 500 + 1));
            bytes += n as u64 % 500 + 1;
            take(told());
        }
        assert!(take(Vec::new()) > 100);
        for (block, size) in &mut blocks {
            let new = *size * 2 % 700 + 1;
            (*block, bytes) =
                (resize(*block, *size, new), bytes + new.saturating_sub(*size) as u64);
            *size = new;
            take(told());
        }
        for (block, size) in blocks {
            free(block, size);
            take(told());
        }
        assert_eq!(take(Vec::new()), 0);
        assert_eq!(total(session, Count::AllocBytes), bytes);
        assert_eq!(total(session, Count::AllocCalls), 10_000);
        assert!(weights.abs_diff(bytes) <= INTERVAL as u64);
    });
}

#[test]
fn a_thread_gets_a_slot_by_its_first_allocation_and_errno_stays() {
    alone(|| {
        let session = session(INTERVAL);
        set_active(true);
        let thread = std::thread::spawn(|| {
            // SAFETY: the thread's own errno.
            let errno = unsafe { &mut *libc::__errno_location() };
            *errno = 77;
            assert!(thread::existing().is_none());
            let block = alloc(LARGE);
            assert!(thread::existing().is_some());
            let block = resize(block, LARGE, 3 * LARGE);
            free(block, 3 * LARGE);
            assert_eq!(*errno, 77);
            assert_eq!(told().len(), 4, "sampled, moved, growth sampled, freed");
        });
        thread.join().expect("its assertions hold");
        assert_eq!(total(session, Count::AllocBytes), 3 * LARGE as u64);
    });
}

#[test]
fn an_ignored_thread_is_passed_by() {
    alone(|| {
        let session = session(INTERVAL);
        set_active(true);
        let (kept, moved) = (alloc(LARGE), alloc(LARGE));
        let ids = told();
        let [Told::Alloc { block: first, .. }, Told::Alloc { block: second, .. }] = ids[..] else {
            panic!("two followed blocks: {ids:?}")
        };
        let counted = || [Count::AllocBytes, Count::AllocCalls].map(|count| total(session, count));
        let before = (counted(), session.word(word::SLOTS_HIGH).load(Relaxed));
        let quiet = ignore_current();
        work();
        free(alloc(LARGE), LARGE);
        let moved = resize(moved, LARGE, 100 * LARGE);
        let found = Live::of(session).find(moved.addr() as u64);
        assert_eq!(found.map(|block| block.id), Some(second), "it has moved");
        free(kept, LARGE);
        assert_eq!(Live::of(session).ended().collect::<Vec<_>>(), [first], "it has ended");
        let thread = std::thread::spawn(|| {
            let _quiet = ignore_current();
            work();
            assert!(thread::existing().is_none());
        });
        thread.join().expect("its assertion holds");
        assert_eq!((counted(), session.word(word::SLOTS_HIGH).load(Relaxed)), before);
        drop(quiet);
        assert_eq!(told(), []);
        free(moved, 100 * LARGE);
        assert_eq!(told(), [Told::Free { block: second }]);
    });
}

/// Hands out one and the same block, and refuses to resize it.
struct OneBlock(Cell<[u128; 4]>);

// SAFETY: the tests have one block at a time, of no more bytes than there are; nobody writes to it.
unsafe impl GlobalAlloc for OneBlock {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        self.0.as_ptr().cast()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, _: *mut u8, _: Layout, _: usize) -> *mut u8 {
        std::ptr::null_mut()
    }
}

#[test]
fn a_realloc_that_fails_changes_nothing() {
    alone(|| {
        let session = session(1);
        set_active(true);
        let alloc = SampledAlloc::new(OneBlock(Cell::default()));
        // SAFETY: as `OneBlock` says.
        let block = unsafe { alloc.alloc(layout(64)) };
        let id = sampled();
        let before = books(session);
        // SAFETY: as above.
        assert!(unsafe { alloc.realloc(block, layout(64), 128) }.is_null());
        assert!(books(session) == before);
        let quiet = ignore_current();
        // SAFETY: as above.
        assert!(unsafe { alloc.realloc(block, layout(64), 128) }.is_null());
        drop(quiet);
        assert!(books(session) == before);
        // SAFETY: as above.
        unsafe { alloc.dealloc(block, layout(64)) };
        assert_eq!(told(), [Told::Free { block: id }]);
    });
}

#[test]
fn a_block_freed_between_two_runs_is_replaced() {
    alone(|| {
        session(1);
        let alloc = SampledAlloc::new(OneBlock(Cell::default()));
        set_active(true);
        // SAFETY: as `OneBlock` says, here and below.
        let block = unsafe { alloc.alloc(layout(64)) };
        let first = sampled();
        set_active(false);
        // SAFETY: see above.
        unsafe { alloc.dealloc(block, layout(64)) };
        assert_eq!(told(), []);
        set_active(true);
        // SAFETY: see above.
        let block = unsafe { alloc.alloc(layout(32)) };
        let events = told();
        let [Told::Free { block: ended }, Told::Alloc { size: 32, block: second, .. }] = events[..]
        else {
            panic!("the end of the first, then the second: {events:?}")
        };
        assert!(ended == first && second != first);
        // SAFETY: see above.
        unsafe { alloc.dealloc(block, layout(32)) };
        assert_eq!(told(), [Told::Free { block: second }]);
    });
}
