//! What was looked up lately.

use std::collections::HashMap;
use std::hash::Hash;

/// A map of what was asked for lately, whose memory stays as it is once it has been full.
///
/// Two generations: what is asked for is in the young one; when that is full it becomes the old one, and what the old one
/// was is forgotten.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// Entries of a generation.
    most: usize,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// Keeps the last `most` different ones, and up to as many more.
    pub(crate) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), most }
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.most {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, value);
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_lately_is_there() {
        let mut recent = Recent::new(10);
        for key in 0..1000_u64 {
            recent.insert(key, key * 2);
            assert_eq!(recent.get(&0), Some(0), "is asked for all the time");
            for back in 0..9 {
                let known = key.saturating_sub(back);
                assert_eq!(recent.get(&known), Some(known * 2));
            }
            assert!(recent.young.len() + recent.old.len() <= 20);
        }
        assert_eq!(recent.get(&500), None);
        let memory = [recent.young.capacity(), recent.old.capacity()];
        (0..1000).for_each(|key| recent.insert(key, 0));
        assert_eq!([recent.young.capacity(), recent.old.capacity()], memory);
        recent.clear();
        assert_eq!((recent.get(&999), recent.get(&0)), (None, None));
    }
}
