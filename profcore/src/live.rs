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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn words(count: usize) -> Vec<AtomicU64> {
        (0..count).map(|_| AtomicU64::new(0)).collect()
    }

    fn alive(id: u64) -> Option<Followed> {
        Some(Followed { id, has_ended: false })
    }

    struct Memory {
        filter: Vec<AtomicU64>,
        table: Vec<AtomicU64>,
    }

    impl Memory {
        fn new() -> Self {
            Self { filter: words(FILTER_WORDS), table: words(2 * LIVE_ENTRIES) }
        }

        fn live(&self) -> Live<'_> {
            Live { filter: &self.filter, table: &self.table }
        }

        fn is_empty(&self) -> bool {
            self.filter.iter().all(|word| word.load(Relaxed) == 0)
                && self.table.iter().step_by(2).all(|word| word.load(Relaxed) == 0)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((0_u64..200, any::<bool>()), 1..600)) {
            let memory = Memory::new();
            let (live, mut oracle) = (memory.live(), HashMap::new());
            for (id, (place, insert)) in (1_u64..).zip(steps) {
                let address = (place + 1) * 48;
                if insert {
                    let expected = match oracle.insert(address, id) {
                        Some(old) => Inserted::Replaced(old),
                        None => Inserted::Followed,
                    };
                    prop_assert_eq!(live.insert(address, id), expected);
                } else {
                    prop_assert_eq!(live.remove(address), oracle.remove(&address).and_then(alive));
                }
                for (&address, &id) in &oracle {
                    prop_assert!(live.may_hold(address));
                    prop_assert_eq!(live.find(address), alive(id));
                }
            }
            for address in oracle.into_keys() {
                live.remove(address);
            }
            prop_assert!(memory.is_empty(), "the filter forgets what the table forgets");
        }
    }

    #[test]
    fn fills_well_and_says_when_it_is_full() {
        let memory = Memory::new();
        let live = memory.live();
        let mut refused = 0;
        for n in 1..=LIVE_ENTRIES as u64 {
            let inserted = live.insert(n * 64, n);
            refused += u64::from(inserted == Inserted::Full);
            if n as usize == LIVE_ENTRIES * 70 / 100 {
                assert_eq!(refused, 0, "no refusal below 70 % load");
            }
            if n as usize == LIVE_ENTRIES * 85 / 100 {
                assert!(refused < n / 200, "{refused} refused at 85 % load");
            }
        }
        assert!(refused > 0 && refused < LIVE_ENTRIES as u64 / 10, "{refused}");
        let kept = (1..=LIVE_ENTRIES as u64).filter(|n| live.find(n * 64) == alive(*n)).count();
        assert_eq!(kept as u64 + refused, LIVE_ENTRIES as u64);
    }

    #[test]
    fn a_stuck_counter_never_denies_a_followed_block() {
        let memory = Memory::new();
        let live = memory.live();
        // Addresses 8 MiB apart have one counter in common.
        let addresses: Vec<u64> = (1..=300).map(|n| n << 23 | 0x80).collect();
        for &address in &addresses {
            assert_eq!(live.insert(address, address), Inserted::Followed);
        }
        for &address in &addresses[..299] {
            assert_eq!(live.remove(address), alive(address));
            assert!(live.may_hold(addresses[299]));
        }
        assert_eq!(live.find(0x80), None);
        assert_eq!((live.find(0), live.remove(0)), (None, None));
        let neighbors = memory.filter[0].load(Relaxed) & !0xff00;
        assert_eq!(neighbors, 0, "the bytes beside it were not touched");
    }

    #[test]
    fn an_ended_block_keeps_its_entry_until_the_address_is_asked_for() {
        let memory = Memory::new();
        let live = memory.live();
        for id in 1..=9 {
            live.insert(64 * id, id);
        }
        for id in [3, 5, 7] {
            live.mark_ended(64 * id);
        }
        live.mark_ended(64 * 100);
        let ended = |live: Live<'_>| {
            let mut ids: Vec<u64> = live.ended().collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ended(live), [3, 5, 7]);
        assert_eq!(live.find(64 * 3), Some(Followed { id: 3, has_ended: true }));
        assert_eq!(live.remove(64 * 3), Some(Followed { id: 3, has_ended: true }));
        assert_eq!(live.insert(64 * 5, 20), Inserted::Replaced(5));
        assert_eq!(live.find(64 * 5), alive(20));
        assert_eq!(ended(live), [7]);
    }

    #[test]
    fn threads_hand_blocks_over_and_none_is_lost() {
        // Each thread inserts addresses of its own and passes every other one to its neighbor for removal;
        // the channel is the program's hand-over of a block.
        const THREADS: u64 = 4;
        const BLOCKS: u64 = 20_000;
        let memory = Memory::new();
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..THREADS).map(|_| std::sync::mpsc::sync_channel::<(u64, u64)>(64)).unzip();
        std::thread::scope(|scope| {
            for (thread, received) in (0..THREADS).zip(receivers) {
                let next = senders[((thread + 1) % THREADS) as usize].clone();
                let live = memory.live();
                scope.spawn(move || {
                    for n in 0..BLOCKS {
                        let address = (n % 97 * THREADS + thread + 1) * 16;
                        let id = n * THREADS + thread + 1;
                        // The neighbor may still hold this address: then it is not ours to use yet.
                        if live.find(address).is_none() {
                            assert_eq!(live.insert(address, id), Inserted::Followed);
                            assert!(live.may_hold(address));
                            if n % 2 == 0 || next.try_send((address, id)).is_err() {
                                assert_eq!(live.remove(address), alive(id));
                            }
                        }
                        while let Ok((address, id)) = received.try_recv() {
                            assert!(live.may_hold(address));
                            assert_eq!(live.remove(address), alive(id));
                        }
                    }
                    drop(next);
                    while let Ok((address, id)) = received.recv() {
                        assert_eq!(live.remove(address), alive(id));
                    }
                });
            }
            drop(senders);
        });
        assert!(memory.is_empty());
    }

    #[test]
    fn of_two_who_free_the_same_block_one_gets_it() {
        let memory = Memory::new();
        let live = memory.live();
        for id in 1..2000 {
            live.insert(4096, id);
            let both = std::thread::scope(|scope| {
                let other = scope.spawn(|| live.remove(4096));
                [live.remove(4096), other.join().unwrap()]
            });
            let both: Vec<u64> = both.into_iter().flatten().map(|block| block.id).collect();
            assert_eq!(both, [id]);
        }
        assert!(memory.is_empty());
    }
}

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
