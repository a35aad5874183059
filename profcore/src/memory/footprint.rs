//! Bytes held at this moment, and the most that were.
//!
//! Each thread collects its changes in its slot and adds them to the session's totals when they exceed
//! [`BATCH`]; so the totals are exact to that much for each thread, and exact when the pending words of all
//! slots are added. A slot's next owner goes on with what is pending.

use crate::process;
use crate::session::{Session, Slot, slot_word, word};
use crate::sync::Ordering::Relaxed;
use crate::sys::syscall;

/// Largest change that a thread keeps to itself.
pub(super) const BATCH: u64 = 64 * 1024;

/// Who holds the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// Callers of `malloc` and its family, Python's allocators for large objects among them.
    Native,
    /// Python's small allocator: its arenas.
    Python,
}

impl Holder {
    fn total(self) -> usize {
        match self {
            Self::Native => word::FOOTPRINT_NATIVE,
            Self::Python => word::FOOTPRINT_PYTHON,
        }
    }

    /// The slot word of what its thread keeps to itself.
    #[inline]
    pub(super) fn pending(self) -> usize {
        match self {
            Self::Native => slot_word::PENDING_NATIVE,
            Self::Python => slot_word::PENDING_PYTHON,
        }
    }
}

/// Adds a change of the bytes held.
pub(super) fn hold(slot: Slot, holder: Holder, change: i64) {
    if let Some(pending) = in_batch(slot, holder, change) {
        return slot.word(holder.pending()).store(pending, Relaxed);
    }
    if let Some(session) = process::session() {
        let pending = slot.word(holder.pending()).swap(0, Relaxed) as i64;
        settle(session, holder, pending.wrapping_add(change));
    }
}

/// What the thread will keep to itself with this change, to be stored in [`Holder::pending`]; `None` if that is too much.
#[inline(always)]
pub(super) fn in_batch(slot: Slot, holder: Holder, change: i64) -> Option<u64> {
    let pending = slot.word(holder.pending()).load(Relaxed).wrapping_add(change as u64);
    // One comparison: below the range wraps around.
    (pending.wrapping_add(BATCH) <= 2 * BATCH).then_some(pending)
}

/// Adds a change to the session's totals, and notes the peak if this makes one.
pub(super) fn settle(session: Session, holder: Holder, change: i64) {
    session.word(holder.total()).fetch_add(change as u64, Relaxed);
    if change <= 0 {
        return;
    }
    let python = session.word(word::FOOTPRINT_PYTHON).load(Relaxed) as i64;
    let native = session.word(word::FOOTPRINT_NATIVE).load(Relaxed) as i64;
    // Blocks older than the session are given back without having been counted: a sum below zero is no peak.
    let held = python.wrapping_add(native).max(0) as u64;
    if session.word(word::PEAK_BYTES).fetch_max(held, Relaxed) < held {
        session.word(word::PEAK_PYTHON).store(python.max(0) as u64, Relaxed);
        session.word(word::PEAK_TIME).store(syscall::monotonic(), Relaxed);
    }
}
