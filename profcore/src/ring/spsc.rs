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

/// How much of a ring a kind of event may take. The many leave room for the few, which weigh more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// Ticks, and the words about a thread.
    All,
    /// Samples of allocations and of copies.
    SevenEighths,
    /// Ends of blocks: a whole table of them comes at once.
    Half,
}

impl Share {
    /// The words of `capacity` that it leaves free.
    #[inline]
    fn leaves(self, capacity: u64) -> u64 {
        match self {
            Self::All => 0,
            Self::SevenEighths => capacity / 8,
            Self::Half => capacity / 2,
        }
    }
}

impl<'a> Ring<'a> {
    /// Room for an event of `len` words, or `None` when its share of the ring is full. Called by the owning thread
    /// only.
    #[inline]
    pub(crate) fn reserve(self, len: usize, share: Share) -> Option<Reserved<'a>> {
        let capacity = self.words.len() as u64;
        let kept = share.leaves(capacity);
        let head = self.head.load(Ordering::Relaxed);
        // Acquire: pairs with the Release in `pop`; words before `tail` have been read.
        let tail = self.tail.load(Ordering::Acquire);
        let used = head.wrapping_sub(tail);
        if used > capacity || capacity - used < len as u64 + kept {
            return None;
        }
        let index = (head % capacity) as usize;
        Some(Reserved { ring: self, index, end: head.wrapping_add(len as u64) })
    }

    /// Whether more than a quarter of it is taken. For the consumer and the owning thread.
    #[inline]
    pub(crate) fn is_crowded(self) -> bool {
        self.used() > self.words.len() as u64 / 4
    }

    /// How many of its words are taken.
    #[inline]
    pub(crate) fn used(self) -> u64 {
        let (head, tail) = (self.head.load(Ordering::Relaxed), self.tail.load(Ordering::Relaxed));
        // What the other side may have written over is a full ring.
        head.wrapping_sub(tail).min(self.words.len() as u64)
    }

    /// How many eighths of it are taken. For the owning thread.
    #[inline]
    pub(crate) fn eighths(self) -> usize {
        8 * self.used() as usize / self.words.len().max(1)
    }

    /// Goes back to the first word, so that owners who tell little touch little memory. Called by the consumer only, of
    /// an empty ring that has no producer.
    pub(crate) fn begin_again(self) {
        self.head.store(0, Ordering::Relaxed);
        self.tail.store(0, Ordering::Relaxed);
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    struct Memory {
        head: AtomicU64,
        tail: AtomicU64,
        words: Vec<AtomicU64>,
    }

    impl Memory {
        fn new(capacity: usize, start: u64) -> Self {
            Self {
                head: AtomicU64::new(start),
                tail: AtomicU64::new(start),
                words: (0..capacity).map(|_| AtomicU64::new(u64::MAX)).collect(),
            }
        }

        fn ring(&self) -> Ring<'_> {
            Ring { head: &self.head, tail: &self.tail, words: &self.words }
        }
    }

    fn push(ring: Ring<'_>, event: &[u64], share: Share) -> bool {
        let Some(mut room) = ring.reserve(event.len(), share) else { return false };
        event.iter().for_each(|&word| room.word(word));
        room.commit();
        true
    }

    fn event(len: usize, seed: u64) -> Vec<u64> {
        (0..len as u64)
            .map(|at| if at == 0 { len as u64 | seed << 16 } else { seed + at })
            .collect()
    }

    proptest! {
        #[test]
        fn behaves_as_a_bounded_queue(
            capacity in 1_usize..40,
            // Also just below the point where a count of words would wrap around.
            start in prop_oneof![Just(0), 0_u64..1_000, Just(u64::MAX - (u64::MAX % 720_720) - 720_720)],
            steps in proptest::collection::vec((0_usize..5, 1_usize..12, 0_u64..1 << 40), 0..200),
        ) {
            let memory = Memory::new(capacity, start);
            let ring = memory.ring();
            let mut oracle: VecDeque<Vec<u64>> = VecDeque::new();
            let mut popped = Vec::new();
            for (step, len, seed) in steps {
                let used: usize = oracle.iter().map(Vec::len).sum();
                prop_assert_eq!(ring.is_crowded(), used > capacity / 4);
                prop_assert_eq!(ring.used(), used as u64);
                prop_assert_eq!(ring.eighths(), 8 * used / capacity);
                if let Some((share, kept)) = [
                    (Share::All, 0),
                    (Share::SevenEighths, capacity / 8),
                    (Share::Half, capacity / 2),
                ]
                .get(step)
                {
                    let event = event(len, seed);
                    let fits = used + len + kept <= capacity;
                    prop_assert_eq!(push(ring, &event, *share), fits);
                    if fits {
                        oracle.push_back(event);
                    }
                } else if let Some(expected) = oracle.pop_front() {
                    prop_assert_eq!(ring.pop(&mut popped), Popped::Event);
                    prop_assert_eq!(&popped, &expected);
                } else {
                    prop_assert_eq!(ring.pop(&mut popped), Popped::Empty);
                }
            }
        }

        #[test]
        fn pop_is_total(head in any::<u64>(), tail in any::<u64>(), word in any::<u64>()) {
            let memory = Memory::new(8, 0);
            memory.head.store(head, Ordering::Relaxed);
            memory.tail.store(tail, Ordering::Relaxed);
            memory.words.iter().for_each(|cell| cell.store(word, Ordering::Relaxed));
            let mut event = Vec::new();
            prop_assert!(memory.ring().eighths() <= 8);
            for _ in 0..10 {
                if memory.ring().pop(&mut event) == Popped::Empty {
                    return Ok(());
                }
            }
            prop_assert!(false, "eight words held more than eight events");
        }
    }

    #[test]
    fn an_event_that_was_not_committed_is_not_there() {
        let memory = Memory::new(8, 6);
        let mut room = memory.ring().reserve(2, Share::All).expect("the ring is empty");
        room.word(2);
        room.word(5);
        let mut event = Vec::new();
        assert_eq!(memory.ring().pop(&mut event), Popped::Empty);
        room.commit();
        assert_eq!(memory.ring().pop(&mut event), Popped::Event);
        assert_eq!(event, [2, 5]);
    }

    #[test]
    fn two_threads_see_every_event_once_and_whole() {
        const EVENTS: u64 = 50_000;
        let memory = Memory::new(23, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for seed in 0..EVENTS {
                    let event = event(1 + (seed % 7) as usize, seed);
                    while !push(memory.ring(), &event, Share::All) {
                        std::thread::yield_now();
                    }
                }
            });
            let mut popped = Vec::new();
            for seed in 0..EVENTS {
                while memory.ring().pop(&mut popped) == Popped::Empty {
                    std::thread::yield_now();
                }
                assert_eq!(popped, event(1 + (seed % 7) as usize, seed));
            }
        });
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::Arc;

    struct Memory {
        head: AtomicU64,
        tail: AtomicU64,
        words: [AtomicU64; 3],
        steps: AtomicU64,
    }

    impl Memory {
        fn ring(&self) -> Ring<'_> {
            Ring { head: &self.head, tail: &self.tail, words: &self.words }
        }
    }

    fn take(memory: &Memory, seen: &mut Vec<u64>) {
        memory.steps.fetch_add(1, Ordering::Relaxed);
        let mut event = Vec::new();
        match memory.ring().pop(&mut event) {
            Popped::Event => {
                assert_eq!(event, [2 | event[1] << 16, event[1]], "torn");
                seen.push(event[1]);
            }
            Popped::Empty => {}
            Popped::Corrupt => panic!("an event was visible before its words"),
        }
    }

    /// Three words and events of two: the second event wraps around, and fits only after the first was
    /// taken.
    ///
    /// loom goes back only from an access to the one before it, so that the producer's own load of `head`
    /// hides the consumer's from its store. Both sides therefore also count their steps in one relaxed word,
    /// which orders nothing and makes loom try every sequence of steps.
    #[test]
    fn fifo_nothing_torn_full_counted_wrap_around() {
        let outcomes = std::sync::Mutex::new(std::collections::BTreeSet::new());
        let outcomes = std::sync::Arc::new(outcomes);
        let all = outcomes.clone();
        loom::model(move || {
            let zero = || AtomicU64::new(0);
            let memory = Arc::new(Memory {
                head: zero(),
                tail: zero(),
                words: [zero(), zero(), zero()],
                steps: zero(),
            });
            let consumer = {
                let memory = memory.clone();
                loom::thread::spawn(move || {
                    let mut seen = Vec::new();
                    take(&memory, &mut seen);
                    take(&memory, &mut seen);
                    seen
                })
            };
            let mut lost = 0;
            for value in [16, 32, 48] {
                memory.steps.fetch_add(1, Ordering::Relaxed);
                match memory.ring().reserve(2, Share::All) {
                    None => lost += 1,
                    Some(mut room) => {
                        room.word(2 | value << 16);
                        room.word(value);
                        room.commit();
                    }
                }
            }
            let mut seen = consumer.join().expect("no panic");
            take(&memory, &mut seen);
            take(&memory, &mut seen);
            assert!(seen.is_sorted(), "order");
            assert_eq!(seen.len() + lost, 3, "each event is either seen or counted as lost");
            all.lock().expect("no panic").insert(seen);
        });
        // The model is worth something only if it took these turns.
        let outcomes = outcomes.lock().expect("no panic");
        for turn in [vec![16], vec![16, 32], vec![16, 48], vec![16, 32, 48]] {
            assert!(outcomes.contains(&turn), "{turn:?} of {outcomes:?}");
        }
    }
}
