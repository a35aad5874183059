//! Followed blocks: which addresses belong to sampled blocks that are still alive.
//!
//! ```text
//!   filter   65,536 byte counters, one for each 128 bytes of address space (modulo 8 MiB)
//!   table    16,384 buckets of 8 entries (address, block id); an address may stand in either of two
//! ```
//!
//! The filter answers nearly every `free` by one load; the table is only looked at when it says "maybe".
//! Both are lock-free and of fixed size. A full pair of buckets refuses the block.
//!
//! An address is inserted after the allocator has returned it and removed before the allocator gets it
//! back, by the one thread that owns the block at that moment. The program's own hand-over of the block
//! orders the two, so relaxed operations do; only an entry that goes from one block to another is contended.
//!
//! A block whose end cannot be told at once (many end together, and the ring is full) is marked as ended and keeps
//! its entry. The collector finds the mark; so does whoever gives that address back next.

use crate::session::{FILTER_WORDS, LIVE_ENTRIES, Session, area};
use crate::sync::AtomicU64;
use crate::sync::Ordering::{Acquire, Relaxed, Release};

/// Entries of a bucket: two cache lines.
const BUCKET: usize = if cfg!(loom) { 2 } else { 8 };
const BUCKETS: usize = LIVE_ENTRIES / BUCKET;
/// The filter is bytes: one for each `1 << FILTER_SHIFT` bytes of address space, modulo its length.
pub(crate) const FILTER_SHIFT: usize = 7;
/// A counter that has reached this stays there: how many addresses it stands for is no longer known.
const STUCK: u64 = 0xff;

/// Set in the id of a block that has ended.
const ENDED: u64 = 1 << 63;

/// A block in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    pub(crate) id: u64,
    /// It has ended, and nobody told yet: what has its address now is another block, which is not followed.
    pub(crate) has_ended: bool,
}

impl Followed {
    fn of(word: u64) -> Self {
        Self { id: word & !ENDED, has_ended: word & ENDED != 0 }
    }
}

/// What [`Live::insert`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// The block is followed.
    Followed,
    /// The block is followed; the address stood for this other block, whose end nobody saw.
    Replaced(u64),
    /// No room: the block is not followed.
    Full,
}

/// A view of the table and its filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live<'a> {
    filter: &'a [AtomicU64],
    table: &'a [AtomicU64],
}

impl Live<'static> {
    /// The table of a session.
    #[inline]
    pub(crate) fn of(session: Session) -> Self {
        Self {
            filter: session.area(area::LIVE_FILTER, FILTER_WORDS),
            table: session.area(area::LIVE_TABLE, 2 * LIVE_ENTRIES),
        }
    }
}

impl Live<'_> {
    /// False if `address` is certainly not followed.
    #[inline]
    pub(crate) fn may_hold(self, address: u64) -> bool {
        let (word, shift) = place(address);
        self.filter[word].load(Relaxed) >> shift & STUCK != 0
    }

    /// Follows the block `id` (not 0) at `address` (not 0).
    pub(crate) fn insert(self, address: u64, id: u64) -> Inserted {
        if let Some(entry) = self.entry(address) {
            let ended = Followed::of(self.table[entry + 1].swap(id, Relaxed));
            return Inserted::Replaced(ended.id);
        }
        loop {
            let [first, second] = buckets(address).map(|bucket| self.vacant(bucket));
            // The emptier bucket, which keeps pairs from filling up early.
            let vacant = if first.0 >= second.0 { first.1 } else { second.1 };
            let Some(entry) = vacant else { return Inserted::Full };
            // Acquire: pairs with the Release in `remove`; the id of whoever had the entry is not written after ours.
            if self.table[entry].compare_exchange(0, address, Acquire, Relaxed).is_ok() {
                self.table[entry + 1].store(id, Relaxed);
                self.count(address, 1);
                return Inserted::Followed;
            }
        }
    }

    /// The block followed at `address`.
    pub(crate) fn find(self, address: u64) -> Option<Followed> {
        self.entry(address).map(|entry| Followed::of(self.table[entry + 1].load(Relaxed)))
    }

    /// Marks the block at `address` as ended.
    pub(crate) fn mark_ended(self, address: u64) {
        if let Some(entry) = self.entry(address) {
            self.table[entry + 1].fetch_or(ENDED, Relaxed);
        }
    }

    /// Ids of all blocks that are marked as ended. For the collector: it looks at the whole table.
    pub(crate) fn ended(self) -> impl Iterator<Item = u64> {
        let blocks = self.table.chunks_exact(2).filter(|entry| entry[0].load(Relaxed) != 0);
        let blocks = blocks.map(|entry| Followed::of(entry[1].load(Relaxed)));
        blocks.filter(|block| block.has_ended).map(|block| block.id)
    }

    /// Stops following the block at `address` and returns it.
    pub(crate) fn remove(self, address: u64) -> Option<Followed> {
        let entry = self.entry(address)?;
        let block = Followed::of(self.table[entry + 1].load(Relaxed));
        if block.has_ended {
            // Who takes the entry next stands in it for a moment before its id does. The collector has been told of this end,
            // and sees this before it is told of another one by this thread.
            self.table[entry + 1].fetch_and(!ENDED, Relaxed);
        }
        // Fails if the program frees the same address on two threads at once: one of them gets the id.
        // Release: see `insert`.
        self.table[entry].compare_exchange(address, 0, Release, Relaxed).ok()?;
        self.count(address, -1);
        Some(block)
    }

    /// Index of the entry that holds `address`.
    fn entry(self, address: u64) -> Option<usize> {
        buckets(address)
            .into_iter()
            .flat_map(entries)
            .find(|&entry| self.table[entry].load(Relaxed) == address)
            .filter(|_| address != 0) // which would be any vacant entry
    }

    /// Number of vacant entries in a bucket, and the first.
    fn vacant(self, bucket: usize) -> (usize, Option<usize>) {
        let mut vacant = entries(bucket).filter(|&entry| self.table[entry].load(Relaxed) == 0);
        let first = vacant.next();
        (vacant.count() + usize::from(first.is_some()), first)
    }

    /// Adds to the filter's counter for `address`.
    fn count(self, address: u64, change: i64) {
        let (word, shift) = place(address);
        let _ = self.filter[word].fetch_update(Relaxed, Relaxed, |bytes| {
            let counter = bytes >> shift & STUCK;
            // A counter at zero has nothing to take away: it was written by somebody else.
            let keep = counter == STUCK || (change < 0 && counter == 0);
            let step = (change as u64).wrapping_shl(shift);
            Some(if keep { bytes } else { bytes.wrapping_add(step) })
        });
    }
}

/// Word and bit of the filter's counter for an address.
#[inline]
fn place(address: u64) -> (usize, u32) {
    let index = (address >> FILTER_SHIFT) as usize;
    (index / 8 % FILTER_WORDS, (index % 8 * 8) as u32)
}

/// The two buckets of an address, which may be the same one.
fn buckets(address: u64) -> [usize; 2] {
    let mixed = (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    [mixed >> 48, mixed >> 24].map(|bits| bits as usize % BUCKETS)
}

/// Indices of a bucket's entries in the table's words.
fn entries(bucket: usize) -> impl Iterator<Item = usize> {
    (0..BUCKET).map(move |entry| 2 * (bucket * BUCKET + entry))
}

#[cfg(all(test, not(loom)))]
#[path = "live_tests.rs"]
mod tests;

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::Arc;

    struct Memory {
        filter: [AtomicU64; FILTER_WORDS],
        table: [AtomicU64; 2 * LIVE_ENTRIES],
    }

    impl Memory {
        fn new() -> Arc<Self> {
            let zero = |_| AtomicU64::new(0);
            Arc::new(Self { filter: std::array::from_fn(zero), table: std::array::from_fn(zero) })
        }

        fn live(&self) -> Live<'_> {
            Live { filter: &self.filter, table: &self.table }
        }
    }

    /// One byte of the filter counts both.
    const ADDRESSES: [u64; 2] = [0x1000, 0x1010];

    fn model(model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    #[test]
    fn two_blocks_of_one_counter_are_followed_and_let_go() {
        model(|| {
            let memory = Memory::new();
            let other = {
                let memory = memory.clone();
                loom::thread::spawn(move || {
                    let live = memory.live();
                    assert_eq!(live.insert(ADDRESSES[1], 2), Inserted::Followed);
                    assert!(live.may_hold(ADDRESSES[1]));
                })
            };
            let live = memory.live();
            assert_eq!(live.insert(ADDRESSES[0], 1), Inserted::Followed);
            assert!(live.may_hold(ADDRESSES[0]), "the other one cannot hide it");
            assert_eq!(live.remove(ADDRESSES[0]).map(|block| block.id), Some(1));
            other.join().expect("no panic");
            assert!(live.may_hold(ADDRESSES[1]));
            assert_eq!(live.remove(ADDRESSES[1]).map(|block| block.id), Some(2));
            assert!(!live.may_hold(ADDRESSES[1]));
        });
    }

    #[test]
    fn of_two_who_free_a_block_one_gets_it() {
        model(|| {
            let memory = Memory::new();
            memory.live().insert(ADDRESSES[0], 1);
            let other = {
                let memory = memory.clone();
                loom::thread::spawn(move || memory.live().remove(ADDRESSES[0]))
            };
            let mine = memory.live().remove(ADDRESSES[0]);
            let both = [mine, other.join().expect("no panic")];
            assert_eq!(both.iter().flatten().count(), 1);
            assert!(!memory.live().may_hold(ADDRESSES[0]));
        });
    }

    #[test]
    fn a_mark_that_was_taken_away_is_not_the_next_blocks() {
        model(|| {
            let memory = Memory::new();
            let told = Arc::new(AtomicU64::new(0));
            memory.live().insert(ADDRESSES[0], 1);
            memory.live().mark_ended(ADDRESSES[0]);
            let program = {
                let (memory, told) = (memory.clone(), told.clone());
                loom::thread::spawn(move || {
                    let removed = memory.live().remove(ADDRESSES[0]);
                    assert_eq!(removed, Some(Followed { id: 1, has_ended: true }));
                    told.fetch_add(1, crate::sync::Ordering::Release);
                    memory.live().insert(ADDRESSES[0], 2);
                })
            };
            if told.load(crate::sync::Ordering::Acquire) == 1 {
                assert_eq!(memory.live().ended().collect::<Vec<_>>(), []);
            }
            program.join().expect("no panic");
        });
    }

    #[test]
    fn the_collector_sees_a_mark_that_it_was_told_of() {
        model(|| {
            let memory = Memory::new();
            let told = Arc::new(AtomicU64::new(0));
            memory.live().insert(ADDRESSES[0], 1);
            let program = {
                let (memory, told) = (memory.clone(), told.clone());
                loom::thread::spawn(move || {
                    memory.live().mark_ended(ADDRESSES[0]);
                    // As `memory::sample` does.
                    told.fetch_add(1, crate::sync::Ordering::Release);
                    memory.live().insert(ADDRESSES[1], 2);
                })
            };
            if told.load(crate::sync::Ordering::Acquire) == 1 {
                assert_eq!(memory.live().ended().collect::<Vec<_>>(), [1]);
            }
            program.join().expect("no panic");
            assert_eq!(memory.live().ended().collect::<Vec<_>>(), [1]);
        });
    }
}
