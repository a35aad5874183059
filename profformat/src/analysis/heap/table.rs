//! Where entries of a list stand, by hash.
//!
//! One word of eight bytes a slot: half of the hash and the position. So a lookup touches one cache line where a map
//! with keys and values touches two or three, and nearly never an entry that is not the wanted one.

use std::hash::{BuildHasher, Hash};
use std::hint::black_box;

use hashbrown::DefaultHashBuilder;

/// A word that stands for no entry. No position is `u32::MAX`.
const EMPTY: u64 = u64::MAX;
/// Slots of an empty table, a power of two.
const SLOTS: usize = 1 << 10;

/// Positions by hash: open addressing, linear probing, at most half of the slots taken. The hash is seeded at
/// random, for the keys are a stranger's.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<u64>,
    len: usize,
    hasher: DefaultHashBuilder,
}

/// A slot that has a word. It is one until the next change of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot(usize);

impl Table {
    pub(super) fn new() -> Self {
        Self { slots: vec![EMPTY; SLOTS], len: 0, hasher: DefaultHashBuilder::default() }
    }

    /// The hash of a key, as the other functions want it.
    #[inline]
    pub(super) fn hash(&self, key: impl Hash) -> u32 {
        (self.hasher.hash_one(key) >> 32) as u32
    }

    /// Looks at the words that lookups of these hashes look at first, to have them in the cache. Nothing else is done
    /// meanwhile, for a processor can only wait for as many words at once as it has instructions in view.
    pub(super) fn touch(&self, hashes: impl Iterator<Item = u32>) {
        black_box(hashes.fold(0, |all, hash| all ^ self.slots[self.home(hash)]));
    }

    /// The position that [`Self::find`] most likely finds.
    #[inline]
    pub(super) fn guess(&self, hash: u32) -> Option<u32> {
        self.find(hash, |_| true).map(|(_, at)| at)
    }

    /// The position of the first entry of this hash that `is` the wanted one, and its slot.
    #[inline]
    pub(super) fn find(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<(Slot, u32)> {
        let mut slot = self.home(hash);
        loop {
            let word = self.slots[slot];
            if word == EMPTY {
                return None;
            }
            let at = word as u32;
            if (word >> 32) as u32 == hash && is(at) {
                return Some((Slot(slot), at));
            }
            slot = self.behind(slot);
        }
    }

    /// Adds an entry that is not there.
    pub(super) fn insert(&mut self, hash: u32, at: u32) {
        if 2 * (self.len + 1) > self.slots.len() {
            self.grow();
        }
        self.len += 1;
        self.put(word(hash, at));
    }

    /// Changes the position of an entry.
    pub(super) fn replace(&mut self, slot: Slot, at: u32) {
        let old = self.slots[slot.0];
        self.slots[slot.0] = old & !u64::from(u32::MAX) | u64::from(at);
    }

    /// Removes an entry. Those behind it move up, so that every one can still be reached from its home.
    pub(super) fn remove(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let (mut hole, mut next) = (slot.0, slot.0);
        loop {
            next = self.behind(next);
            let word = self.slots[next];
            if word == EMPTY {
                break;
            }
            let home = self.home((word >> 32) as u32);
            let (from_home, from_hole) =
                (next.wrapping_sub(home) & mask, next.wrapping_sub(hole) & mask);
            if from_home >= from_hole {
                self.slots[hole] = word;
                hole = next;
            }
        }
        self.slots[hole] = EMPTY;
        self.len -= 1;
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        // There are never more slots than a hash has values: positions are of 32 bits.
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }

    #[inline]
    fn behind(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }

    fn put(&mut self, word: u64) {
        let mut slot = self.home((word >> 32) as u32);
        while self.slots[slot] != EMPTY {
            slot = self.behind(slot);
        }
        self.slots[slot] = word;
    }

    #[cold]
    fn grow(&mut self) {
        let more = vec![EMPTY; 2 * self.slots.len()];
        for word in std::mem::replace(&mut self.slots, more) {
            if word != EMPTY {
                self.put(word);
            }
        }
    }
}

fn word(hash: u32, at: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(at)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::Table;

    proptest! {
        /// Few hashes, so that many entries share a home, at both ends of the table.
        #[test]
        fn it_finds_what_a_map_finds(
            steps in prop::collection::vec((0u32..64, any::<bool>(), any::<u32>()), 0..4_000),
        ) {
            let mut table = Table::new();
            let mut map: HashMap<u32, u32> = HashMap::new();
            let mut keys: Vec<u32> = Vec::new();
            for (key, remove, hashes) in steps {
                let hash = (key / 3).wrapping_mul(u32::MAX / 20);
                let found = table.find(hash, |at| keys[at as usize] == key);
                prop_assert_eq!(found.map(|(_, at)| at), map.get(&key).copied());
                let next = keys.len() as u32;
                match found {
                    Some((slot, _)) if remove => {
                        table.remove(slot);
                        map.remove(&key);
                    }
                    Some((slot, _)) => {
                        keys.push(key);
                        table.replace(slot, next);
                        map.insert(key, next);
                    }
                    None => {
                        keys.push(key);
                        table.insert(hash, next);
                        map.insert(key, next);
                    }
                }
                // Others, so that the table grows.
                if hashes % 2 == 0 {
                    keys.push(1_000 + hashes % 5_000);
                    let key = keys[keys.len() - 1];
                    let hash = table.hash(key);
                    if table.find(hash, |at| keys[at as usize] == key).is_none() {
                        table.insert(hash, keys.len() as u32 - 1);
                        map.insert(key, keys.len() as u32 - 1);
                    }
                }
            }
            for (key, at) in map {
                let hash =
                    if key < 64 { (key / 3).wrapping_mul(u32::MAX / 20) } else { table.hash(key) };
                let found = table.find(hash, |at| keys[at as usize] == key);
                prop_assert_eq!(found.map(|(_, at)| at), Some(at));
            }
        }
    }
}
