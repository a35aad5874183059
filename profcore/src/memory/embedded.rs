//! Blocks of a program that profiles itself, as its allocator tells of them. The bytes that are held are not summed up: nobody
//! asks, and threads that free what others allocate would have to settle them every few blocks.
//!
//! The `usual` forms are the hot path, inlined into the program's allocator. One word of the thread's block answers whether
//! the thread has a slot and its blocks count there.

use super::sample::{self, Origin, Resizing};
use super::{ALLOCATIONS, count, end, grow, nobody_counted, nobody_frees, pass};
use crate::process;
use crate::session::Count;
use crate::thread;

/// [`allocated`] for a thread whose blocks count in its slot, with no sample point in the bytes.
#[inline(always)]
pub(crate) fn usual_allocated(bytes: usize) -> bool {
    let Some(slot) = thread::counting() else { return false };
    let usual = pass(slot, ALLOCATIONS, bytes);
    if usual {
        slot.add(Count::AllocCalls, 1);
    }
    usual
}

/// [`freeing`] for such a thread, of a block that is not followed: there is nothing to do.
#[inline(always)]
pub(crate) fn usual_freeing(address: usize) -> bool {
    let session = process::session().filter(|_| thread::counting().is_some());
    session.is_some_and(|session| !sample::may_be_followed(session, address))
}

/// See [`allocated`](super::allocated).
pub(crate) fn allocated(address: usize, bytes: usize, caller: usize) {
    match thread::current() {
        Some(slot) => count(slot, address, bytes, Origin::Native { caller }),
        None => nobody_counted(bytes as u64),
    }
}

/// See [`freeing`](super::freeing).
pub(crate) fn freeing(address: usize) {
    match thread::current() {
        Some(slot) => end(slot, address),
        None => nobody_frees(address),
    }
}

/// See [`resized`](super::resized).
pub(crate) fn resized(
    resizing: Resizing,
    old_bytes: usize,
    address: usize,
    bytes: usize,
    caller: usize,
) {
    match thread::current() {
        Some(slot) => grow(slot, resizing, old_bytes, address, bytes, Origin::Native { caller }),
        None => nobody_counted(bytes.saturating_sub(old_bytes) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{alone, join};
    use crate::live::Live;
    use crate::session::{Session, Slot, slot_word};
    use crate::sync::Ordering::Relaxed;

    const POINT: u64 = 4096;

    /// A slot of the calling thread that is far from everything unusual.
    fn session() -> (Session, Slot) {
        let session = join();
        let slot = thread::current().expect("the thread has a slot");
        slot.word(slot_word::ALLOC_POINT).store(POINT, Relaxed);
        (session, slot)
    }

    /// Counted bytes and calls.
    fn counted(slot: Slot) -> [u64; 2] {
        let count = |count| slot.word(slot_word::COUNTERS + count as usize).load(Relaxed);
        [Count::AllocBytes, Count::AllocCalls].map(count)
    }

    #[test]
    fn what_is_usual_is_counted() {
        alone(|| {
            let (_, slot) = session();
            assert!(usual_allocated(100));
            assert!(usual_allocated(28));
            assert!(usual_freeing(0x1000));
            assert_eq!(counted(slot), [128, 2]);
            assert!(usual_allocated(POINT as usize - 129));
            assert!(!usual_allocated(1), "the sample point");
        });
    }

    #[test]
    fn what_is_not_usual_changes_nothing() {
        alone(|| {
            let (session, slot) = session();
            let before = counted(slot);
            let unusual = |why: &str| {
                assert!(!usual_allocated(8), "{why}");
                assert!(!usual_freeing(0x1000), "{why}");
                assert_eq!(counted(slot), before, "{why}");
            };
            thread::python_enter();
            unusual("inside Python's allocators");
            thread::python_leave();
            thread::ignore();
            unusual("an ignored thread");
            thread::heed();
            thread::set(None);
            unusual("no slot");
            thread::set(Some(slot));

            assert!(!usual_allocated(POINT as usize), "a sample point in the bytes");
            Live::of(session).insert(0x1000, 1);
            assert!(!usual_freeing(0x1000), "a followed block");
            assert_eq!(counted(slot), before);
        });
    }
}
