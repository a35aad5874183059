//! The hot path of native blocks for hooks that are Rust: [`hot`](super::hot) says what it does, and when.
//!
//! One word of the thread's block answers whether the thread has a slot and its blocks count there.

use super::footprint::{self, Holder};
use super::{ALLOCATIONS, pass, sample};
use crate::process;
use crate::session::Count;
use crate::sync::Ordering::Relaxed;
use crate::thread;

/// [`allocated`](super::allocated) for a thread whose blocks count in its slot, with no sample point in the bytes, while
/// its part of the footprint stays small.
#[inline(always)]
pub fn usual_allocated(bytes: usize) -> bool {
    let Some(slot) = thread::counting() else { return false };
    let Some(pending) = footprint::in_batch(slot, Holder::Native, bytes as i64) else {
        return false;
    };
    let usual = pass(slot, ALLOCATIONS, bytes);
    if usual {
        slot.word(Holder::Native.pending()).store(pending, Relaxed);
        slot.add(Count::AllocCalls, 1);
    }
    usual
}

/// [`freeing`](super::freeing) for such a thread, of a block that is not followed.
#[inline(always)]
pub fn usual_freeing(address: usize, bytes: usize) -> bool {
    let Some(slot) = thread::counting() else { return false };
    let Some(session) = process::session() else { return false };
    let change = (bytes as i64).wrapping_neg();
    let Some(pending) = footprint::in_batch(slot, Holder::Native, change) else { return false };
    let usual = !sample::may_be_followed(session, address);
    if usual {
        slot.word(Holder::Native.pending()).store(pending, Relaxed);
    }
    usual
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{alone, join};
    use crate::live::Live;
    use crate::memory::footprint::BATCH;
    use crate::session::{Session, Slot, slot_word};

    const POINT: u64 = 4096;

    /// A slot of the calling thread that is far from everything unusual.
    fn session() -> (Session, Slot) {
        let session = join();
        let slot = thread::current().expect("the thread has a slot");
        slot.word(slot_word::ALLOC_POINT).store(POINT, Relaxed);
        (session, slot)
    }

    /// Counted bytes, calls, and what is pending of the footprint.
    fn counted(slot: Slot) -> [u64; 3] {
        let count = |count| slot_word::COUNTERS + count as usize;
        let words = [count(Count::AllocBytes), count(Count::AllocCalls), slot_word::PENDING_NATIVE];
        words.map(|word| slot.word(word).load(Relaxed))
    }

    #[test]
    fn what_is_usual_is_counted() {
        alone(|| {
            let (_, slot) = session();
            assert!(usual_allocated(100));
            assert!(usual_allocated(28));
            assert_eq!(counted(slot), [128, 2, 128]);
            assert!(usual_freeing(0x1000, 100));
            assert_eq!(counted(slot), [128, 2, 28]);
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
                assert!(!usual_freeing(0x1000, 8), "{why}");
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
            assert!(!usual_freeing(0x1000, 8), "a followed block");
            slot.word(slot_word::ALLOC_POINT).store(u64::MAX, Relaxed);
            assert!(!usual_allocated(BATCH as usize + 1), "a footprint to be settled");
            assert!(!usual_freeing(0x2000, BATCH as usize + 1), "a footprint to be settled");
            assert_eq!(counted(slot), before);
            assert!(usual_allocated(BATCH as usize) && usual_freeing(0x2000, 2 * BATCH as usize));
        });
    }
}
