//! Unwind tables: from a frame's instruction to its caller, without a library, an allocation or a lock.
//!
//! The collector reads a module's call frame information when a stack has first passed it, and leaves what
//! it says here, in session memory, in a form that a handler can search. So the profiled process never parses
//! anything, and a library that is loaded late needs no hook: its first stack asks for it.
//!
//! ```text
//!   words       what
//!   0           modules published
//!   1..5        addresses without a module, asked for by handlers; 0: none
//!   5           times that a module was withdrawn or came back
//!   6           not 0: nobody is to be asked for the time being
//!   8           512 modules of four words: start, end, load base, first row | rows << 32
//!   8 + 2048    rows: offset from the load base in the high half, rule in the low half; sorted in each module
//! ```
//!
//! Modules are only ever added; one whose library was unloaded is withdrawn, and counts again if that comes back to its
//! place. A row's rule holds from its offset to the next row's.
//!
//! Searching a table touches as many cold lines of memory as it takes steps, for each frame, and the outer frames of a
//! thread are the same ones at each tick: so a thread keeps the rules that it found in a small cache of its own.

mod lookup;
#[cfg(all(test, loom))]
mod model;
mod rule;
#[cfg(all(test, not(loom)))]
mod tests;

use crate::session::{Session, area};
use crate::sync::{AtomicU64, Ordering};
pub(crate) use lookup::Lookup;
pub(crate) use rule::Rule;
#[cfg(not(loom))]
pub(crate) use rule::SavedBp;

/// Most modules.
const MODULES: usize = if cfg!(loom) { 2 } else { 512 };
/// Rows of all modules (16 MiB).
const ROWS: usize = if cfg!(loom) { 4 } else { 1 << 21 };
/// Places for addresses that are asked for.
const WANTED: usize = if cfg!(loom) { 1 } else { 4 };

const WANTED_AT: usize = 1;
const CHANGES: usize = 5;
const HUSHED: usize = 6;
const MODULES_AT: usize = 8;
const MODULE_WORDS: usize = 4;
const ROWS_AT: usize = MODULES_AT + MODULES * MODULE_WORDS;
/// Words of the whole area.
pub(crate) const WORDS: usize = ROWS_AT + ROWS;

/// A view of the area.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    words: &'static [AtomicU64],
}

/// A module, as a lookup found it.
#[derive(Clone, Copy, Debug)]
struct Module {
    start: u64,
    end: u64,
    load_base: u64,
    rows: &'static [AtomicU64],
}

impl Tables {
    pub(crate) fn of(session: Session) -> Self {
        Self { words: session.area(area::UNWIND, WORDS) }
    }

    #[inline]
    fn load(self, at: usize) -> u64 {
        self.words[at].load(Ordering::Relaxed)
    }

    /// Begins the lookups of a walk, by a thread that has a cache (zeros at first) or none.
    pub(crate) fn lookup(self, cache: &[AtomicU64]) -> Lookup<'_> {
        // Acquire: what was published is written, and what was withdrawn is: a rule that is kept under this number must not
        // be of before.
        let changes = self.words[CHANGES].load(Ordering::Acquire);
        let modules = self.words[0].load(Ordering::Acquire).wrapping_add(changes);
        Lookup { tables: self, last: None, cache, modules, has_asked: false }
    }

    fn module(self, pc: u64) -> Option<Module> {
        // Acquire: what was published is written.
        let count = (self.words[0].load(Ordering::Acquire) as usize).min(MODULES);
        // Newest first: an address may have belonged to an earlier one.
        (0..count).rev().find_map(|index| {
            let at = MODULES_AT + index * MODULE_WORDS;
            let (start, end) = (self.load(at), self.load(at + 1));
            if !(start..end).contains(&pc) {
                return None;
            }
            let packed = self.load(at + 3);
            let (first, len) = (packed as u32 as usize, (packed >> 32) as usize);
            let rows = self.words[ROWS_AT..].get(first..first.checked_add(len)?)?;
            Some(Module { start, end, load_base: self.load(at + 2), rows })
        })
    }

    /// Asks for the module of `pc`, if anybody may be asked.
    #[cold]
    fn want(self, pc: u64) -> bool {
        let may_ask = self.load(HUSHED) == 0;
        if may_ask {
            let at = WANTED_AT + (pc >> 12) as usize % WANTED;
            self.words[at].store(pc, Ordering::Relaxed);
        }
        may_ask
    }

    /// Says whether asking is of no use for the time being: what was asked for last was no code.
    #[cfg(any(test, feature = "embed"))]
    pub(crate) fn hush(self, is_hushed: bool) {
        self.words[HUSHED].store(is_hushed.into(), Ordering::Relaxed);
    }

    /// The addresses asked for since the last time.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn take_wanted(self) -> impl Iterator<Item = u64> {
        let cells = &self.words[WANTED_AT..WANTED_AT + WANTED];
        cells.iter().map(|cell| cell.swap(0, Ordering::Relaxed)).filter(|&pc| pc != 0)
    }

    /// Modules published.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn published(self) -> usize {
        self.load(0) as usize
    }

    /// Withdraws a module, of which the number and the first address are given: something else stands there.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn withdraw(self, number: usize, start: u64) {
        self.set_end(number, start);
    }

    /// Has a withdrawn module count again.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn bring_back(self, number: usize, end: u64) {
        self.set_end(number, end);
    }

    /// A single store: a handler sees the module as it was or as it is.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    fn set_end(self, number: usize, end: u64) {
        if number < MODULES {
            self.words[MODULES_AT + number * MODULE_WORDS + 1].store(end, Ordering::Relaxed);
            self.words[CHANGES].fetch_add(1, Ordering::Release);
        }
    }

    /// Publishes a module. Rows are (offset, rule bits), sorted. False: there is no room left.
    #[cfg(any(test, feature = "record", feature = "embed"))]
    pub(crate) fn publish(
        self,
        range: core::ops::Range<u64>,
        load_base: u64,
        rows: &[(u32, u32)],
    ) -> bool {
        let count = self.words[0].load(Ordering::Relaxed) as usize;
        let first = match count.checked_sub(1) {
            None => 0,
            Some(last) if count < MODULES => {
                let packed = self.load(MODULES_AT + last * MODULE_WORDS + 3);
                packed as u32 as usize + (packed >> 32) as usize
            }
            Some(_) => return false,
        };
        // A module that does not fit is published without rows, so that nobody asks for it again.
        let fits = first.checked_add(rows.len()).is_some_and(|end| end <= ROWS);
        let rows = if fits { rows } else { &[] };
        for (cell, &(offset, rule)) in self.words[ROWS_AT + first.min(ROWS)..].iter().zip(rows) {
            cell.store(u64::from(offset) << 32 | u64::from(rule), Ordering::Relaxed);
        }
        let at = MODULES_AT + count * MODULE_WORDS;
        let packed = first as u64 | (rows.len() as u64) << 32;
        for (index, value) in [range.start, range.end, load_base, packed].into_iter().enumerate() {
            self.words[at + index].store(value, Ordering::Relaxed);
        }
        self.words[0].store(count as u64 + 1, Ordering::Release);
        fits
    }
}
