//! What rounding to the trace's unit of time has left of the weights of threads.
//!
//! Threads come and go: an entry is there from the first time that something is left until the thread has ended, so a
//! program may start as many as it likes.

use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::encode::Unit;
use crate::ids::ThreadId;

/// Nanoseconds that are owed to threads, by thread.
#[derive(Debug, Default)]
pub(super) struct Carries {
    hasher: DefaultHashBuilder,
    owed: HashTable<Owed>,
}

#[derive(Debug)]
struct Owed {
    thread: ThreadId,
    /// Of samples off and on CPU.
    nanos: [u64; 2],
}

impl Carries {
    /// A weight in whole units, with what earlier ones of the thread have left over.
    #[inline]
    pub(super) fn round(&mut self, thread: ThreadId, on_cpu: bool, weight: u64, unit: Unit) -> u64 {
        if unit.0 <= 1 {
            return weight;
        }
        let hash = self.hasher.hash_one(thread);
        let hasher = &self.hasher;
        let entry = self.owed.entry(
            hash,
            |owed| owed.thread == thread,
            |owed| hasher.hash_one(owed.thread),
        );
        let mut entry = entry.or_insert(Owed { thread, nanos: [0; 2] });
        let carry = &mut entry.get_mut().nanos[usize::from(on_cpu)];
        let weight = weight.saturating_add(*carry);
        let whole = unit.of(weight) * unit.0;
        *carry = weight - whole;
        whole
    }

    /// The thread has ended. If a sample comes all the same, the sum of its thread is right to two units.
    pub(super) fn forget(&mut self, thread: ThreadId) {
        let hash = self.hasher.hash_one(thread);
        if let Ok(entry) = self.owed.find_entry(hash, |owed| owed.thread == thread) {
            entry.remove();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.owed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_carried_and_forgotten_at_the_end() {
        let mut carries = Carries::default();
        let (one, other) = (ThreadId::new(1), ThreadId::new(2));
        let unit = Unit(1000);
        assert_eq!(carries.round(one, true, 1700, unit), 1000);
        assert_eq!(carries.round(other, true, 400, unit), 0);
        assert_eq!(carries.round(one, false, 400, unit), 0, "off CPU is apart");
        assert_eq!(carries.round(one, true, 300, unit), 1000);
        assert_eq!(carries.len(), 2);
        carries.forget(one);
        carries.forget(one);
        assert_eq!(carries.round(one, false, 700, unit), 0);
        assert_eq!(carries.round(other, true, 600, unit), 1000);
        assert_eq!(carries.round(one, true, 1234, Unit(1)), 1234);
    }
}
