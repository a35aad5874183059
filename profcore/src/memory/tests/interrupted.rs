//! What becomes of bytes and samples when a handler of the program's comes amid a hook, or leaves it by a jump.

use super::*;

/// The only sample that was told: its size and its weight.
#[track_caller]
fn only() -> (u64, u64) {
    match told()[..] {
        [Told::Alloc { size, weight, .. } | Told::Copy { size, weight }] => (size, weight),
        ref others => panic!("one sample, not {others:?}"),
    }
}

#[test]
fn a_sample_that_cannot_be_told_stays_with_the_next() {
    alone(|| {
        let session = session();
        let size = 4 * INTERVAL;
        let busy = thread::enter();
        for n in 1..=10 {
            allocated(n * 4096, size as usize, 7);
            copied(size as usize, 7);
        }
        drop(busy);
        assert_eq!(told(), []);
        for kind in [LostKind::Alloc, LostKind::Copy] {
            assert_eq!(lost(session, kind, Loss::Reentered), 10);
        }
        allocated(0x10_0000, size as usize, 7);
        let alloc = only();
        copied(size as usize, 7);
        for (told, weight) in [alloc, only()] {
            assert_eq!(told, size);
            assert!(weight.abs_diff(11 * size) <= INTERVAL, "{weight}");
        }
    });
}

#[test]
fn bytes_that_a_jump_left_behind_weigh_on_the_next_sample() {
    alone(|| {
        session();
        copied(INTERVAL as usize, 7);
        let before: u64 = told().len() as u64 * INTERVAL;
        let slot = thread::current().expect("the thread has a slot");
        slot.add(Count::CopyBytes, 100 * INTERVAL);
        copied(1, 7);
        let (size, weight) = only();
        assert_eq!(size, 1);
        assert!((before + weight).abs_diff(101 * INTERVAL) <= INTERVAL, "{weight}");
    });
}
