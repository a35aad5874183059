//! Sums by thread, stack and class, as many as are kept.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::ids::{StackId, ThreadId};

/// Sums of threads without their stacks that are kept beside the others.
pub(super) const THREADS: usize = 1 << 16;
/// Stands for the threads beyond.
pub(super) const UNKNOWN: ThreadId = ThreadId::new(u32::MAX);

/// Thread, stack, and a number of the sum's own: the code of the class, the name of the copier, or 0.
pub(super) type Key = (ThreadId, Option<StackId>, u32);

/// Something that is added up by [`Key`].
pub(super) trait Sum {
    fn new(key: Key) -> Self;
    fn key(&self) -> Key;

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
    hasher: DefaultHashBuilder,
    numbers: HashTable<u32>,
    pub(super) all: Vec<T>,
    /// Events that count without their stack.
    pub(super) crowded_out: u64,
}

/// The hash of a key as two words: every sample of a trace is looked up.
#[inline]
fn hash_of(hasher: &DefaultHashBuilder, (thread, stack, number): Key) -> u64 {
    let stack = stack.map_or(0, |stack| u64::from(stack.number()) + 1);
    hasher.hash_one((u64::from(thread.number()) << 32 | u64::from(number), stack))
}

impl<T: Sum> Sums<T> {
    pub(super) fn new(most: usize) -> Self {
        let (hasher, numbers) = (DefaultHashBuilder::default(), HashTable::new());
        Self { most, hasher, numbers, all: Vec::new(), crowded_out: 0 }
    }

    /// The place of the sum that an event counts for.
    #[inline]
    pub(super) fn place(&mut self, key: Key) -> usize {
        let hash = hash_of(&self.hasher, key);
        match self.numbers.find(hash, |number| self.all[*number as usize].key() == key) {
            Some(number) => *number as usize,
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
        let number = self.all.len();
        if number == self.all.capacity() && number >= THREADS {
            // Doubling would leave megabytes unused.
            self.all.reserve_exact(number / 8);
        }
        self.all.push(T::new(key));
        let (all, hasher) = (&self.all, &self.hasher);
        let rehash = |number: &u32| hash_of(hasher, all[*number as usize].key());
        self.numbers.insert_unique(hash, number as u32, rehash);
        number
    }
}
