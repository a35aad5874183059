//! Single-producer, single-consumer ring of variable-length events made of words.

use crate::sync::{AtomicU64, Ordering};

/// Most words of one event: a tick with the deepest stack.
pub(crate) const MAX_EVENT_WORDS: usize = 1024;

/// A view of a ring that lives in shared memory. Word 0 of an event holds its length in the low 16 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring<'a> {
    pub(crate) head: &'a AtomicU64,
    pub(crate) tail: &'a AtomicU64,
    pub(crate) words: &'a [AtomicU64],
}

/// An event being written; nothing of it is visible before [`Reserved::commit`].
#[derive(Debug)]
pub(crate) struct Reserved<'a> {
    ring: Ring<'a>,
    index: usize,
    end: u64,
}

/// What [`Ring::pop`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Popped {
    /// Nothing to take.
    Empty,
    /// One event was copied into the buffer.
    Event,
    /// The length word was impossible; everything up to the head was given up.
    Corrupt,
}

impl<'a> Ring<'a> {
    /// Room for an event of `len` words, or `None` when the ring is full. Called by the owning thread only.
    #[inline]
    pub(crate) fn reserve(self, len: usize) -> Option<Reserved<'a>> {
        let capacity = self.words.len() as u64;
        let head = self.head.load(Ordering::Relaxed);
        // Acquire: pairs with the Release in `pop`; words before `tail` have been read.
        let tail = self.tail.load(Ordering::Acquire);
        let used = head.wrapping_sub(tail);
        if used > capacity || capacity - used < len as u64 {
            return None;
        }
        let index = (head % capacity) as usize;
        Some(Reserved { ring: self, index, end: head.wrapping_add(len as u64) })
    }

    /// Takes the oldest event into `event`. Called by the consumer only.
    pub(crate) fn pop(self, event: &mut Vec<u64>) -> Popped {
        let capacity = self.words.len() as u64;
        // Acquire: pairs with the Release in `commit`; the words before `head` are complete.
        let head = self.head.load(Ordering::Acquire);
        let tail = self.tail.load(Ordering::Relaxed);
        let available = head.wrapping_sub(tail);
        if available == 0 {
            return Popped::Empty;
        }
        let mut index = (tail % capacity) as usize;
        let len = self.words[index].load(Ordering::Relaxed) & 0xffff;
        if available > capacity || len == 0 || len > available || len > MAX_EVENT_WORDS as u64 {
            self.tail.store(head, Ordering::Release);
            return Popped::Corrupt;
        }
        event.clear();
        for _ in 0..len {
            event.push(self.words[index].load(Ordering::Relaxed));
            index += 1;
            if index == self.words.len() {
                index = 0;
            }
        }
        // Release: pairs with the Acquire in `reserve`; the words above have been read.
        self.tail.store(tail.wrapping_add(len), Ordering::Release);
        Popped::Event
    }
}

impl Reserved<'_> {
    /// Writes the next word.
    #[inline]
    pub(crate) fn word(&mut self, word: u64) {
        if let Some(cell) = self.ring.words.get(self.index) {
            cell.store(word, Ordering::Relaxed);
        }
        self.index += 1;
        if self.index == self.ring.words.len() {
            self.index = 0;
        }
    }

    /// Makes the event visible. Every reserved word must have been written.
    #[inline]
    pub(crate) fn commit(self) {
        // Release: pairs with the Acquire in `pop`.
        self.ring.head.store(self.end, Ordering::Release);
    }
}
