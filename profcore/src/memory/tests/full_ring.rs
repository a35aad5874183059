//! What becomes of allocations, copies and ends of blocks that a ring has no room for.

use super::*;
use crate::ring::spsc::{MAX_EVENT_WORDS, Share};

#[test]
fn what_the_ring_cannot_take_is_carried_and_ends_are_marked() {
    alone(|| {
        let session = session();
        let block = followed(0x10_000);
        let ring = thread::current().expect("has a slot").ring();
        let (size, most) = (4 * INTERVAL as usize, MAX_EVENT_WORDS);
        let before = total(session, Count::AllocBytes);
        let mut address = 0x100_000;
        let mut allocate = || {
            address += 4096;
            allocated(address, size, 7);
            address as u64
        };
        while ring.reserve(most, Share::All).is_some() {
            allocate();
        }
        // As many again as can have had room, and more.
        let last = (0..50_000).map(|_| allocate()).last().unwrap_or_default();
        assert_eq!(found(session, last), None, "a block nobody heard of is not followed");
        freeing(0x10_000, 10 * INTERVAL as usize);
        assert_eq!(ended(session), [block]);
        copied(1000 * INTERVAL as usize, 7);
        for kind in [LostKind::Alloc, LostKind::Copy] {
            assert_eq!(lost(session, kind, Loss::RingFull), 0);
        }
        assert!(ring.reserve(500, Share::All).is_some(), "a tick has room");
        let weight = |told: Vec<Told>| -> u64 {
            let weights = told.into_iter().map(|event| match event {
                Told::Alloc { weight, .. } => weight,
                other => panic!("{other:?}"),
            });
            weights.sum()
        };
        let mut weights = weight(told());
        allocate();
        let next = weight(told());
        assert!(next > 1000 * INTERVAL, "takes over what had no room: {next}");
        weights += next;
        let bytes = total(session, Count::AllocBytes) - before;
        assert!(weights.abs_diff(bytes) <= INTERVAL, "{weights} of {bytes}");
        copied(INTERVAL as usize, 7);
        let [Told::Copy { size, weight }] = told()[..] else { panic!("one copy") };
        assert_eq!(size, INTERVAL);
        assert!(weight.abs_diff(1001 * INTERVAL) <= INTERVAL, "{weight}");
        freeing(0x10_000, 16);
        assert_eq!(told(), [Told::Free { block }], "told by the next end at that address");
        assert_eq!(ended(session), [0; 0]);
    });
}

#[test]
fn a_table_that_is_freed_at_once_leaves_room_for_what_is_allocated_then() {
    alone(|| {
        let session = session();
        let size = 2 * INTERVAL as usize;
        let address = |n: usize| 0x100_000 + n * 4096;
        let mut blocks = Vec::new();
        for n in 0..4000 {
            allocated(address(n), size, 7);
            blocks.extend(told());
        }
        (0..4000).for_each(|n| freeing(address(n), size));
        let before = total(session, Count::AllocBytes);
        (4000..4400).for_each(|n| allocated(address(n), size, 7));
        let bytes = total(session, Count::AllocBytes) - before;
        let (mut weights, mut frees) = (0, 0);
        for event in told() {
            match event {
                Told::Alloc { weight, .. } => weights += weight,
                Told::Free { .. } => frees += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(weights.abs_diff(bytes) <= 64 * INTERVAL, "{weights} of {bytes}");
        assert!(frees < 4000 && frees + ended(session).len() == blocks.len());
    });
}

#[test]
fn a_ring_that_nobody_drains_gets_fewer_and_heavier_samples() {
    alone(|| {
        let session = session();
        let (blocks, size) = (5_000, INTERVAL);
        for n in 1..=blocks {
            allocated(n * 4096, size as usize, 7);
            freeing(n * 4096, size as usize);
            copied(size as usize, 7);
        }
        assert_eq!(lost(session, LostKind::Alloc, Loss::RingFull), 0);
        assert_eq!(lost(session, LostKind::Copy, Loss::RingFull), 0);
        let (mut allocs, mut copies, mut events) = (0, 0, 0);
        for event in told() {
            events += 1;
            match event {
                Told::Alloc { weight, .. } => allocs += weight,
                Told::Copy { weight, .. } => copies += weight,
                _ => {}
            }
        }
        let slot = thread::current().expect("the thread has a slot");
        let carried = [slot_word::ALLOC_CARRIED, slot_word::COPY_CARRIED];
        let [not_told, not_copied] = carried.map(|word| slot.word(word).load(Relaxed));
        let bytes = blocks as u64 * size;
        for weights in [allocs + not_told, copies + not_copied] {
            assert!(weights.abs_diff(bytes) <= INTERVAL, "{weights} of {bytes}");
        }
        assert!(events < blocks / 4, "{events} of {blocks}");
    });
}

#[test]
fn a_block_at_the_address_of_an_ended_one_is_another() {
    alone(|| {
        let session = session();
        let block = followed(0x10_000);
        let busy = thread::enter();
        freeing(0x10_000, 10);
        drop(busy);
        assert_eq!((told(), ended(session)), (vec![], vec![block]));
        // No sample point is near: not sampled, and resized.
        let slot = thread::current().expect("the thread has a slot");
        slot.word(slot_word::ALLOC_POINT).store(u64::MAX, Relaxed);
        allocated(0x10_000, 1, 7);
        let under_way = resizing(0x10_000);
        assert!(!under_way.is_followed());
        resized(under_way, 1, 0x20_000, 2, 7);
        assert_eq!((told(), ended(session)), (vec![Told::Free { block }], vec![]));
    });
}
