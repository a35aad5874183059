//! Sums by thread, stack and class, as many as are kept.
//!
//! Every sample of a trace is looked up here, and a large run has more sums than a cache holds. So a slot of the index
//! is one word of four bytes, place and part of the hash, and what a batch of lookups needs is brought closer first.

use std::hash::BuildHasher;
use std::hint::black_box;

use hashbrown::DefaultHashBuilder;

use crate::ids::{StackId, ThreadId};

/// Sums of threads without their stacks that are kept beside the others.
pub(super) const THREADS: usize = 1 << 16;
/// Stands for the threads beyond.
pub(super) const UNKNOWN: ThreadId = ThreadId::new(u32::MAX);

/// How many lookups are made at once at most.
pub(super) const BATCH: usize = 64;

/// The part of a slot that is the place of a sum; the rest is the hash's.
const PLACE: u32 = (1 << 21) - 1;
/// A slot of no sum: no place is as large.
const EMPTY: u32 = u32::MAX;
/// Slots of an empty index, a power of two.
const SLOTS: usize = 1 << 10;

/// Thread, stack, and a number of the sum's own: the code of the class, the name of the copier, or 0.
pub(super) type Key = (ThreadId, Option<StackId>, u32);

/// Something that is added up by [`Key`].
pub(super) trait Sum {
    fn new(key: Key) -> Self;
    fn key(&self) -> Key;

    /// A look at all of it, to have it in the cache.
    fn look(&self) -> u64 {
        self.key().2.into()
    }

    /// The key of the sum that stands for this one's thread where there are too many stacks. Of those there must be few.
    fn without_stack((thread, _, number): Key) -> Key {
        (thread, None, number)
    }
}

/// Sums in the order in which they were met. What comes for another stack when there are `most` counts for its
/// thread, without a stack: a trace made on purpose could have a stack for every event.
#[derive(Debug)]
pub(super) struct Sums<T> {
    most: usize,
    /// Seeded at random, for the keys are a stranger's.
    hasher: DefaultHashBuilder,
    /// Open addressing, linear probing, three of five slots taken at most.
    slots: Vec<u32>,
    pub(super) all: Vec<T>,
    /// Events that count without their stack.
    pub(super) crowded_out: u64,
}

impl<T: Sum> Sums<T> {
    pub(super) fn new(most: usize) -> Self {
        debug_assert!(most + 2 * THREADS < PLACE as usize, "places have bits enough");
        let (hasher, slots) = (DefaultHashBuilder::default(), vec![EMPTY; SLOTS]);
        Self { most, hasher, slots, all: Vec::new(), crowded_out: 0 }
    }

    /// The hash of a key, as the other functions want it.
    #[inline]
    pub(super) fn hash(&self, (thread, stack, number): Key) -> u64 {
        let stack = stack.map_or(0, |stack| u64::from(stack.number()) + 1);
        self.hasher.hash_one((u64::from(thread.number()) << 32 | u64::from(number), stack))
    }

    /// Looks at what lookups of these hashes look at, to have it in the cache. Nothing else is done meanwhile, for a
    /// processor can only wait for as many words at once as it has instructions in view.
    pub(super) fn touch(&self, hashes: &[u64]) {
        black_box(hashes.iter().fold(0, |all, hash| all ^ self.slots[self.home(*hash)]));
        let found = hashes.iter().filter_map(|hash| self.find(*hash, |_| true));
        black_box(found.fold(0, |all, at| all ^ self.all[at].look()));
    }

    /// The place of the sum that an event counts for.
    #[inline]
    pub(super) fn place(&mut self, key: Key) -> usize {
        self.place_of(key, self.hash(key))
    }

    /// The same for a key whose hash is known.
    #[inline]
    pub(super) fn place_of(&mut self, key: Key, hash: u64) -> usize {
        match self.find(hash, |at| self.all[at].key() == key) {
            Some(at) => at,
            None => self.another(key, hash),
        }
    }

    #[cold]
    fn another(&mut self, key: Key, hash: u64) -> usize {
        let (thread, stack, _) = key;
        let is_full = match key {
            (UNKNOWN, None, _) => false,
            (_, None, _) => self.all.len() >= self.most + THREADS,
            _ => self.all.len() >= self.most,
        };
        if is_full {
            self.crowded_out += u64::from(stack.is_some());
            let thread = if stack.is_some() { thread } else { UNKNOWN };
            let (_, stack, number) = T::without_stack(key);
            return self.place((thread, stack, number));
        }
        let at = self.all.len();
        if at == self.all.capacity() && at >= THREADS {
            // Doubling would leave megabytes unused.
            self.all.reserve_exact(at / 8);
        }
        if 5 * (at + 1) > 3 * self.slots.len() {
            self.grow();
        }
        self.all.push(T::new(key));
        self.put(hash, at);
        at
    }

    /// The first place of this hash that `is` the wanted one.
    #[inline]
    fn find(&self, hash: u64, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mut slot = self.home(hash);
        loop {
            let word = self.slots[slot];
            if word == EMPTY {
                return None;
            }
            let at = (word & PLACE) as usize;
            if word & !PLACE == mark(hash) && is(at) {
                return Some(at);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        // There are fewer slots than half a hash has values.
        (((hash >> 32) * self.slots.len() as u64) >> 32) as usize
    }

    fn put(&mut self, hash: u64, at: usize) {
        let mut slot = self.home(hash);
        while self.slots[slot] != EMPTY {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = mark(hash) | at as u32;
    }

    fn grow(&mut self) {
        // The old ones are of no use: what they have of the hashes is not enough.
        let count = 2 * self.slots.len();
        self.slots = Vec::new();
        self.slots = vec![EMPTY; count];
        for at in 0..self.all.len() {
            self.put(self.hash(self.all[at].key()), at);
        }
    }
}

/// The part of a hash that stands in a slot.
#[inline]
fn mark(hash: u64) -> u32 {
    hash as u32 & !PLACE
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{Key, Sum, Sums, THREADS};
    use crate::ids::{StackId, ThreadId};

    struct Count(Key);

    impl Sum for Count {
        fn new(key: Key) -> Self {
            Self(key)
        }

        fn key(&self) -> Key {
            self.0
        }
    }

    #[test]
    fn every_key_has_one_place_while_there_come_more() {
        let mut sums: Sums<Count> = Sums::new(1 << 20);
        let mut known: HashMap<Key, usize> = HashMap::new();
        for n in 0..300_000_u32 {
            let stack = (n % 3 > 0).then(|| StackId::new(n.wrapping_mul(2_654_435_761) >> 16));
            let key = (ThreadId::new(n % 2), stack, n % 5 % 2);
            let hash = sums.hash(key);
            sums.touch(&[hash]);
            let next = known.len();
            assert_eq!(sums.place_of(key, hash), *known.entry(key).or_insert(next));
        }
        assert!(known.len() > THREADS && known.len() == sums.all.len());
        assert!(known.into_iter().all(|(key, at)| sums.all[at].0 == key && sums.place(key) == at));
    }
}
