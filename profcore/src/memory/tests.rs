//! Accounting from the hooks' calls to the events in the ring, each test in a process of its own.

use super::*;
use crate::event::{self, Event};
use crate::harness::{alone, join, total};
use crate::live::Live;
use crate::ring::spsc::Popped;
use crate::session::{LOSSES, Loss, LostKind, control, word};
use crate::stack::Reach;
use crate::sys::sigset;

mod full_ring;
mod interrupted;

const INTERVAL: u64 = 4096;

/// A session that samples memory and copies; the calling thread has a slot in it.
fn session() -> Session {
    let session = join();
    session.word(word::MEMORY_INTERVAL).store(INTERVAL, Relaxed);
    session.word(word::COPY_INTERVAL).store(INTERVAL, Relaxed);
    session.word(word::CONTROL).store(control::MEMORY | control::COPIES, Relaxed);
    session
}

/// What the memory hooks told in the calling thread's ring.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Told {
    Alloc { size: u64, weight: u64, block: u64, python: bool },
    Free { block: u64 },
    Resize { block: u64, old: u64, new: u64 },
    Copy { size: u64, weight: u64 },
}

fn told() -> Vec<Told> {
    let ring = thread::current().expect("the thread has a slot").ring();
    let (mut words, mut told) = (Vec::new(), Vec::new());
    while ring.pop(&mut words) == Popped::Event {
        told.push(match event::decode(&words).expect("an event of ours") {
            Event::Alloc { size, weight, block, python, .. } => {
                Told::Alloc { size, weight, block, python }
            }
            Event::Free { block, .. } => Told::Free { block },
            Event::Resize { block, old_size, new_size, .. } => {
                Told::Resize { block, old: old_size, new: new_size }
            }
            Event::Copy { size, weight, .. } => Told::Copy { size, weight },
            _ => continue,
        });
    }
    told
}

fn lost(session: Session, kind: LostKind, why: Loss) -> u64 {
    let index = slot_word::LOST + kind as usize * LOSSES + why as usize;
    (0..crate::session::SLOTS).map(|slot| session.slot(slot).word(index).load(Relaxed)).sum()
}

/// Blocks that are marked as ended.
fn ended(session: Session) -> Vec<u64> {
    Live::of(session).ended().collect()
}

/// The block followed at an address.
fn found(session: Session, address: u64) -> Option<u64> {
    Live::of(session).find(address).filter(|block| !block.has_ended).map(|block| block.id)
}

/// Bytes held now: totals and what the calling thread has pending.
fn held(session: Session) -> [i64; 2] {
    let slot = thread::current().expect("the thread has a slot");
    [
        (word::FOOTPRINT_NATIVE, slot_word::PENDING_NATIVE),
        (word::FOOTPRINT_PYTHON, slot_word::PENDING_PYTHON),
    ]
    .map(|(sum, pending)| {
        let words = [session.word(sum), slot.word(pending)];
        words.iter().map(|word| word.load(Relaxed) as i64).sum()
    })
}

/// A block that is certainly sampled, and its id.
fn followed(address: usize) -> u64 {
    allocated(address, 10 * INTERVAL as usize, 7);
    match told()[..] {
        [Told::Alloc { block, .. }] if block != 0 => block,
        ref other => panic!("one followed block: {other:?}"),
    }
}

#[test]
fn counters_are_exact_and_weights_add_up() {
    alone(|| {
        let session = session();
        let (mut bytes, mut weights, mut followed) = (0, 0, Vec::new());
        for n in 1..=10_000_usize {
            allocated(n * 4096, n % 500, 7);
            bytes += n as u64 % 500;
            for event in told() {
                let Told::Alloc { size, weight, block, python: false } = event else {
                    panic!("{event:?}")
                };
                assert_eq!(size, n as u64 % 500);
                weights += weight;
                followed.push((n * 4096, block));
            }
        }
        assert_eq!(total(session, Count::AllocBytes), bytes);
        assert_eq!(total(session, Count::AllocCalls), 10_000);
        assert_eq!(total(session, Count::AllocPythonBytes), 0);
        assert!(weights.abs_diff(bytes) <= INTERVAL);
        assert_eq!(held(session), [bytes as i64, 0]);
        assert!(total(session, Count::SelfNanos) > 0);
        let ids: std::collections::HashSet<_> = followed.iter().map(|&(_, block)| block).collect();
        assert_eq!(ids.len(), followed.len());
        assert!(!ids.contains(&0));

        for n in 1..=10_000_usize {
            freeing(n * 4096, n % 500);
        }
        let ended: Vec<_> = followed.iter().map(|&(_, block)| Told::Free { block }).collect();
        assert_eq!(told(), ended);
        assert_eq!(held(session), [0, 0]);
        freeing(4096, 0);
        assert_eq!(told(), [], "an address given back twice tells nothing twice");
    });
}

#[test]
fn copies_are_counted_and_sampled() {
    alone(|| {
        let session = session();
        for _ in 0..1000 {
            copied(100, 7);
        }
        copied(1 << 40, 7);
        let bytes = 100_000 + (1 << 40);
        assert_eq!(total(session, Count::CopyBytes), bytes);
        assert_eq!(total(session, Count::CopyCalls), 1001);
        let mut weights = 0;
        for event in told() {
            let Told::Copy { size, weight } = event else { panic!("{event:?}") };
            assert!(size == 100 || size == 1 << 40);
            weights += weight;
        }
        assert!(weights.abs_diff(bytes) <= INTERVAL);
    });
}

#[test]
fn python_counts_what_was_asked_for_and_holds_what_malloc_gave() {
    alone(|| {
        let session = session();
        for (asked, bytes) in [(0, 16), (1, 16), (16, 16), (17, 32), (512, 512), (513, 513)] {
            let before = total(session, Count::AllocPythonBytes);
            python_allocated(0x1000, asked);
            assert_eq!(total(session, Count::AllocPythonBytes) - before, bytes, "{asked}");
        }
        let before = [Count::AllocBytes, Count::AllocCalls].map(|count| total(session, count));
        thread::python_enter();
        allocated(0x8000, 1000, 7);
        arena_allocated(1 << 20);
        thread::python_leave();
        assert_eq!(
            [Count::AllocBytes, Count::AllocCalls].map(|count| total(session, count)),
            before,
            "malloc inside Python's allocators is not counted again"
        );
        assert_eq!(held(session), [1000, 1 << 20]);
        thread::python_enter();
        freeing(0x8000, 1000);
        arena_freed(1 << 20);
        thread::python_leave();
        assert_eq!(held(session), [0, 0]);
        told();
        python_allocated(0x9000, 10 * INTERVAL as usize);
        let [Told::Alloc { python: true, block, .. }] = told()[..] else { panic!("one sample") };
        python_freeing(0x9000);
        assert_eq!(told(), [Told::Free { block }]);
    });
}

#[test]
fn a_resized_block_stays_the_same_block() {
    alone(|| {
        let session = session();
        let block = followed(0x10_000);
        let bytes = 10 * INTERVAL as usize;
        let live = |address| found(session, address);

        // Refused: it is where it was. While the allocator had it, its address was nobody's.
        let under_way = resizing(0x10_000);
        assert_eq!(live(0x10_000), None);
        resize_failed(under_way);
        assert_eq!(live(0x10_000), Some(block));

        // Smaller, elsewhere: no new bytes.
        let before = total(session, Count::AllocBytes);
        resized(resizing(0x10_000), bytes, 0x20_000, 100, 7);
        assert_eq!(told(), [Told::Resize { block, old: bytes as u64, new: 100 }]);
        assert_eq!(total(session, Count::AllocBytes), before);
        assert_eq!(live(0x10_000), None);

        // Much larger: the growth is sampled as more of the same block.
        resized(resizing(0x20_000), 100, 0x30_000, 100 + bytes, 7);
        let [Told::Resize { block: resized_block, .. }, Told::Alloc { size, block: grown, .. }] =
            told()[..]
        else {
            panic!("a resize and its growth")
        };
        assert_eq!((resized_block, grown, size), (block, block, bytes as u64));
        assert_eq!(total(session, Count::AllocBytes), before + bytes as u64);

        // Resized to nothing: that is its end.
        resize_freed(resizing(0x30_000), 100 + bytes);
        assert_eq!(told(), [Told::Free { block }]);
        assert_eq!(held(session), [0, 0]);

        // A block that was not followed is, once its growth is sampled.
        resized(resizing(0x40_000), 0, 0x40_000, bytes, 7);
        let [Told::Alloc { block: other, .. }] = told()[..] else { panic!("one sample") };
        assert!(other != 0 && other != block);
        freeing(0x40_000, bytes);
        assert_eq!(told(), [Told::Free { block: other }]);
    });
}

#[test]
fn a_python_block_moves_within_malloc_and_is_new_in_an_arena() {
    alone(|| {
        let session = session();
        let bytes = 10 * INTERVAL as usize;
        python_allocated(0x10_000, bytes);
        let [Told::Alloc { block, .. }] = told()[..] else { panic!("one sample") };
        let before = total(session, Count::AllocPythonBytes);

        // Through malloc: the inner call says how large it was.
        let under_way = python_resizing(0x10_000);
        thread::python_enter();
        resized(resizing(0x10_000), bytes, 0x20_000, bytes + 16, 7);
        thread::python_leave();
        python_resized(under_way, 0x20_000, bytes + 16);
        assert_eq!(total(session, Count::AllocPythonBytes) - before, 16);
        let told_now = told();
        let old = bytes as u64;
        assert_eq!(told_now[0], Told::Resize { block, old, new: old + 16 });

        // In an arena, in place: nothing happened.
        python_resized(python_resizing(0x20_000), 0x20_000, 8);
        assert_eq!(told(), []);
        // Elsewhere: another block.
        let before = total(session, Count::AllocPythonBytes);
        python_resized(python_resizing(0x20_000), 0x30_000, 40);
        assert_eq!(told()[0], Told::Free { block });
        assert_eq!(total(session, Count::AllocPythonBytes) - before, 48);
        assert_eq!(found(session, 0x20_000), None);
    });
}

#[test]
fn the_peak_is_the_most_that_was_held() {
    alone(|| {
        let session = session();
        allocated(0x1000, 1 << 20, 7);
        arena_allocated(3 << 20);
        assert_eq!(session.word(word::PEAK_BYTES).load(Relaxed), 4 << 20);
        assert_eq!(session.word(word::PEAK_PYTHON).load(Relaxed), 3 << 20);
        let time = session.word(word::PEAK_TIME).load(Relaxed);
        assert!(time > 0);
        freeing(0x1000, 1 << 20);
        allocated(0x1000, 1 << 19, 7);
        assert_eq!(session.word(word::PEAK_BYTES).load(Relaxed), 4 << 20);
        assert_eq!(session.word(word::PEAK_TIME).load(Relaxed), time);
        // More was given back than was ever counted: blocks older than the session.
        freeing(0x2000, 64 << 20);
        allocated(0x1000, 1 << 19, 7);
        assert_eq!(session.word(word::PEAK_BYTES).load(Relaxed), 4 << 20);
    });
}

#[test]
fn a_hook_inside_a_hook_counts_but_tells_nothing() {
    alone(|| {
        let session = session();
        let block = followed(0x10_000);
        let before = total(session, Count::AllocBytes);
        let busy = thread::enter();
        allocated(0x20_000, 2 * INTERVAL as usize, 7);
        copied(2 * INTERVAL as usize, 7);
        freeing(0x10_000, 10);
        drop(busy);
        assert_eq!(told(), []);
        assert_eq!(total(session, Count::AllocBytes) - before, 2 * INTERVAL);
        assert_eq!(lost(session, LostKind::Alloc, Loss::Reentered), 1);
        assert_eq!(lost(session, LostKind::Copy, Loss::Reentered), 1);
        assert_eq!(ended(session), [block]);
    });
}

#[test]
fn switched_off_counts_without_samples() {
    alone(|| {
        let session = session();
        session.word(word::CONTROL).store(0, Relaxed);
        for _ in 0..100 {
            allocated(0x1000, 100_000, 7);
            copied(100_000, 7);
        }
        assert_eq!(told(), []);
        assert_eq!(total(session, Count::AllocBytes), 10_000_000);
        assert_eq!(total(session, Count::CopyBytes), 10_000_000);
        let losses = [LostKind::Alloc, LostKind::Copy].map(|kind| lost(session, kind, Loss::Off));
        assert_eq!(losses, [0, 0], "nothing was to be sampled, so nothing is lost");
    });
}

#[test]
fn threads_without_a_slot_count_in_nobodys() {
    alone(|| {
        let session = session();
        let block = followed(0x10_000);
        let before = total(session, Count::AllocBytes);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    thread::born();
                    thread::ending();
                    for _ in 0..1000 {
                        allocated(0x50_000, 5000, 7);
                        freeing(0x50_000, 5000);
                        copied(3, 7);
                    }
                    freeing(0x10_000, 10 * INTERVAL as usize);
                    allocated(0x10_000, 10 * INTERVAL as usize, 7);
                });
            }
        });
        let nobody =
            |count: Count| session.slot(0).word(slot_word::COUNTERS + count as usize).load(Relaxed);
        let bytes = 4 * (1000 * 5000 + 10 * INTERVAL);
        assert_eq!(nobody(Count::AllocBytes), bytes);
        assert_eq!(nobody(Count::AllocCalls), 4004);
        assert_eq!(nobody(Count::CopyBytes), 12_000);
        assert_eq!(total(session, Count::AllocBytes), before + bytes);
        assert_eq!(held(session), [10 * INTERVAL as i64, 0]);
        assert_eq!(ended(session), [block], "nobody's word of it");
        freeing(0x10_000, 10 * INTERVAL as usize);
        assert_eq!(told(), [Told::Free { block }], "the next end at that address tells it too");
    });
}

#[test]
fn a_dormant_process_counts_nothing_and_does_not_mind() {
    alone(|| {
        allocated(0x1000, 100, 7);
        resized(resizing(0x1000), 100, 0x2000, 200, 7);
        resize_failed(resizing(0x2000));
        resize_freed(resizing(0x2000), 200);
        freeing(0x1000, 100);
        copied(100, 7);
        python_allocated(0x1000, 100);
        python_resized(python_resizing(0x1000), 0x2000, 100);
        python_freeing(0x2000);
        arena_allocated(100);
        arena_freed(100);
        assert!(thread::current().is_none());
    });
}

#[test]
fn an_allocation_without_python_is_sampled_on_its_own_stack() {
    alone(|| {
        let session = session();
        session.word(word::CONTROL).fetch_or(control::NATIVE, Relaxed);
        let slot = thread::current().expect("the thread has a slot");
        assert!(Reach::own_stack(slot).is_some());
        let top = slot.word(slot_word::STACK_TOP);
        // The kernel would kill for a fault: nothing may be let through.
        sigset::FAULTS_AWAY.store(1, Relaxed);
        let _ = followed(0x10_000);
        assert_eq!(lost(session, LostKind::Alloc, Loss::SignalBlocked), 0);
        // On another stack it may read nothing for certain.
        let above = top.load(Relaxed);
        top.store(4096, Relaxed);
        assert!(Reach::own_stack(slot).is_none());
        allocated(0x20_000, 10 * INTERVAL as usize, 7);
        assert_eq!(told(), []);
        assert_eq!(lost(session, LostKind::Alloc, Loss::SignalBlocked), 1);
        top.store(above, Relaxed);
        sigset::FAULTS_AWAY.store(0, Relaxed);
        allocated(0x20_000, 10 * INTERVAL as usize, 7);
        assert_eq!(told().len(), 1);
    });
}
