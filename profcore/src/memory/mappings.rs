//! What the program and its libraries map themselves: a kind of its own, never part of the footprint.
//!
//! Exact counters in the session's header, added to at each call. Calls are rare and cost a system call anyway, so
//! there is nothing per thread. Lengths count in whole pages.

use super::is_sampled;
use crate::process;
use crate::session::{Session, word};
use crate::sync::Ordering::Relaxed;
use crate::thread;

const PAGE: usize = 4096;

/// What a mapping shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Zeros, or growth of the heap's end.
    Anonymous,
    /// A file, or a device.
    File,
}

impl Backing {
    fn total(self) -> usize {
        match self {
            Self::Anonymous => word::MAPPED_ANONYMOUS,
            Self::File => word::MAPPED_FILES,
        }
    }
}

/// The session, if this counts: what Python's allocators map are arenas, which are told as such.
fn counting() -> Option<Session> {
    process::session().filter(|_| thread::python_depth() == 0 && is_sampled())
}

/// `bytes` were mapped. `replaces`: at an address that the program chose, in the place of what was there.
pub fn mapped(bytes: usize, backing: Backing, replaces: bool) {
    let Some(session) = counting() else { return };
    if replaces {
        change(session, backing, 0, bytes);
    }
    change(session, backing, bytes, 0);
}

/// `bytes` are not mapped any more.
pub fn unmapped(bytes: usize) {
    if let Some(session) = counting() {
        change(session, Backing::Anonymous, 0, bytes);
    }
}

/// A mapping of `old_bytes` has `bytes` from now on. What it shows is not known: growth counts as anonymous.
pub fn remapped(old_bytes: usize, bytes: usize) {
    let Some(session) = counting() else { return };
    let [old, new] = [old_bytes, bytes].map(pages);
    let (more, less) = (new.saturating_sub(old), old.saturating_sub(new));
    change(session, Backing::Anonymous, more, less);
}

fn pages(bytes: usize) -> usize {
    bytes.saturating_add(PAGE - 1) & !(PAGE - 1)
}

fn change(session: Session, backing: Backing, more: usize, less: usize) {
    let [more, less] = [more, less].map(|bytes| pages(bytes) as u64);
    let add = |at: usize, bytes: u64| session.word(at).fetch_add(bytes, Relaxed);
    add(backing.total(), more);
    add(word::UNMAPPED, less);
    let change = more.wrapping_sub(less);
    let held = add(word::MAPPED_HELD, change).wrapping_add(change) as i64;
    // What was mapped before the session began, or before a fork, is given back without having been counted.
    session.word(word::MAPPED_PEAK).fetch_max(held.max(0) as u64, Relaxed);
}
