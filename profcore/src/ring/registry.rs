//! Which slot belongs to which thread: one state word for each slot.
//!
//! ```text
//!   generation (30) | thread id (32) | state (2)
//!
//!   free --claim (the thread)--> live --retire (the thread, or for a dead one)--> retired
//!    ^                                                                               |
//!    +------------------- reclaim (collector, after draining) -----------------------+
//! ```
//!
//! A claim adds one to the generation, so (slot, generation) names one owner for ever (until 2^30 threads
//! have passed through one slot).
//!
//! Ordering: a retire's Release publishes the owner's last event to the collector's Acquire load of the
//! state word, *before* it drains for the last time; a reclaim's Release publishes the drained ring to the
//! next claim's Acquire.

use crate::sync::{AtomicU64, Ordering};

/// State of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Nobody's.
    Free,
    /// A thread writes to it.
    Live,
    /// Its thread is gone; the ring may still hold events.
    Retired,
}

/// Who has a slot: the state word taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    /// How many owners the slot has had, this one included.
    pub(crate) generation: u32,
    /// The thread's id; 0 in a free slot.
    pub(crate) tid: u32,
    /// What it does with the slot.
    pub(crate) state: State,
}

const GENERATIONS: u32 = 1 << 30;

impl Owner {
    const fn word(self) -> u64 {
        (self.generation as u64) << 34 | (self.tid as u64) << 2 | self.state as u64
    }
}

/// Takes a state word apart. Total: an impossible state counts as free, so that nothing is read from it.
const fn parts(word: u64) -> Owner {
    let state = match word & 3 {
        1 => State::Live,
        2 => State::Retired,
        _ => State::Free,
    };
    Owner { generation: (word >> 34) as u32, tid: (word >> 2) as u32, state }
}

/// Reads a slot's owner. What the owner did before it retired is visible after this.
pub(crate) fn owner(state: &AtomicU64) -> Owner {
    // Acquire: pairs with the Release in `retire`.
    parts(state.load(Ordering::Acquire))
}

/// Takes a free slot for thread `tid`: the first one among `states` (pairs of slot number and state word)
/// that nobody else takes at the same moment. Raises `high` above its number.
pub(crate) fn claim<'a>(
    high: &AtomicU64,
    states: impl IntoIterator<Item = (usize, &'a AtomicU64)>,
    tid: u32,
) -> Option<(usize, Owner)> {
    for (number, state) in states {
        let word = state.load(Ordering::Relaxed);
        let found = parts(word);
        if found.state != State::Free {
            continue;
        }
        let generation = (found.generation + 1) % GENERATIONS;
        let owner = Owner { generation, tid, state: State::Live };
        // Before the claim, so that a collector that sees a live slot's event also sees `high`.
        high.fetch_max(number as u64 + 1, Ordering::Relaxed);
        // Acquire: pairs with the Release in `reclaim`. Release: publishes `high`.
        let claimed =
            state.compare_exchange(word, owner.word(), Ordering::AcqRel, Ordering::Relaxed);
        if claimed.is_ok() {
            return Some((number, owner));
        }
    }
    None
}

/// Gives a slot up: called by its thread after its last event, or on behalf of a thread known to be dead.
/// `false` if the slot is no longer `owner`'s.
pub(crate) fn retire(state: &AtomicU64, owner: Owner) -> bool {
    step(state, Owner { state: State::Live, ..owner }, Owner { state: State::Retired, ..owner })
}

/// Makes a retired slot free again. `owner` must have been read as retired *before* the ring was found
/// empty: read after, it could hide a last event written in between.
pub(crate) fn reclaim(state: &AtomicU64, owner: Owner) -> bool {
    owner.state == State::Retired
        && step(state, owner, Owner { state: State::Free, tid: 0, ..owner })
}

fn step(state: &AtomicU64, from: Owner, to: Owner) -> bool {
    // Release: in `retire` it publishes the last event, in `reclaim` the drained ring.
    state.compare_exchange(from.word(), to.word(), Ordering::Release, Ordering::Relaxed).is_ok()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn numbered(states: &[AtomicU64]) -> impl Iterator<Item = (usize, &AtomicU64)> {
        states.iter().enumerate().skip(1)
    }

    #[test]
    fn a_slot_goes_round() {
        let states: Vec<_> = (0..3).map(|_| AtomicU64::new(0)).collect();
        let high = AtomicU64::new(0);
        let (first, one) = claim(&high, numbered(&states), 4_194_304).expect("two are free");
        assert_eq!((first, one.generation, one.tid), (1, 1, 4_194_304));
        let (second, two) = claim(&high, numbered(&states), u32::MAX).expect("one is free");
        assert_eq!((second, two.tid), (2, u32::MAX));
        assert_eq!(high.load(Ordering::Relaxed), 3);
        assert_eq!(claim(&high, numbered(&states), 9), None, "slot 0 is nobody's");

        assert!(!reclaim(&states[1], owner(&states[1])), "a live slot is not reclaimed");
        assert!(retire(&states[1], one));
        assert!(!retire(&states[1], one), "only once");
        assert_eq!(claim(&high, numbered(&states), 9), None, "retired is not free");
        let retired = owner(&states[1]);
        assert_eq!(retired, Owner { state: State::Retired, ..one });
        assert!(reclaim(&states[1], retired));
        let (again, next) = claim(&high, numbered(&states), 9).expect("one is free again");
        assert_eq!((again, next.generation), (1, 2));
        assert!(!retire(&states[1], one), "the old owner has no say any more");
        assert_eq!(owner(&states[1]), next);
    }

    #[test]
    fn generations_wrap() {
        let last = Owner { generation: GENERATIONS - 1, tid: 0, state: State::Free };
        let states = [AtomicU64::new(0), AtomicU64::new(last.word())];
        let (_, next) = claim(&AtomicU64::new(0), numbered(&states), 5).expect("one is free");
        assert_eq!((next.generation, next.tid), (0, 5));
        assert_eq!(owner(&states[1]), next);
    }

    #[test]
    fn an_impossible_state_is_nobodys() {
        assert_eq!(parts(3).state, State::Free);
        assert!(!reclaim(&AtomicU64::new(3), parts(3)));
    }

    #[test]
    fn many_claimers_share_nothing() {
        const THREADS: usize = 4;
        const ROUNDS: usize = 2_000;
        let states: Vec<_> = (0..3).map(|_| AtomicU64::new(0)).collect();
        let users: Vec<_> = (0..3).map(|_| AtomicUsize::new(0)).collect();
        let high = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for tid in 1..=THREADS as u32 {
                let (states, users, high) = (&states, &users, &high);
                scope.spawn(move || {
                    let mut done = 0;
                    while done < ROUNDS {
                        let Some((number, mine)) = claim(high, numbered(states), tid) else {
                            std::thread::yield_now();
                            continue;
                        };
                        assert_eq!(users[number].fetch_add(1, Ordering::SeqCst), 0);
                        users[number].fetch_sub(1, Ordering::SeqCst);
                        assert!(retire(&states[number], mine));
                        assert!(reclaim(&states[number], owner(&states[number])));
                        done += 1;
                    }
                });
            }
        });
        let owners: u32 = states[1..].iter().map(|state| owner(state).generation).sum();
        assert_eq!(owners as usize, THREADS * ROUNDS);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::ring::spsc::{Popped, Ring, Share};
    use loom::sync::Arc;

    struct Shared {
        high: AtomicU64,
        states: [AtomicU64; 2],
        head: AtomicU64,
        tail: AtomicU64,
        words: [AtomicU64; 4],
        /// See the ring's model.
        steps: AtomicU64,
    }

    impl Shared {
        fn new() -> Arc<Self> {
            let zero = || AtomicU64::new(0);
            Arc::new(Self {
                high: zero(),
                states: [zero(), zero()],
                head: zero(),
                tail: zero(),
                words: [zero(), zero(), zero(), zero()],
                steps: zero(),
            })
        }

        fn ring(&self) -> Ring<'_> {
            Ring { head: &self.head, tail: &self.tail, words: &self.words }
        }

        fn push(&self, value: u64) {
            let mut room =
                self.ring().reserve(2, Share::All).expect("the ring was drained or is new");
            room.word(2);
            room.word(value);
            room.commit();
        }
    }

    #[test]
    fn two_claimers_never_share() {
        loom::model(|| {
            let shared = Shared::new();
            let claimers: Vec<_> = [1, 2]
                .map(|tid| {
                    let shared = shared.clone();
                    loom::thread::spawn(move || {
                        claim(&shared.high, shared.states.iter().enumerate(), tid)
                            .map(|(number, _)| number)
                    })
                })
                .into();
            let mut got: Vec<_> =
                claimers.into_iter().map(|claimer| claimer.join().expect("no panic")).collect();
            got.sort();
            // A claimer that loses a race goes on to the next slot, so both get one.
            assert_eq!(got, [Some(0), Some(1)]);
            assert_eq!(shared.high.load(Ordering::Relaxed), 2);
        });
    }

    fn drain(shared: &Shared, seen: &mut Vec<u64>) {
        shared.steps.fetch_add(1, Ordering::Relaxed);
        let before = owner(&shared.states[0]);
        let mut event = Vec::new();
        loop {
            match shared.ring().pop(&mut event) {
                Popped::Event => seen.push(event[1]),
                Popped::Empty => break,
                Popped::Corrupt => panic!("an event was visible before its words"),
            }
        }
        if before.state == State::Retired {
            let last = u64::from(before.tid) * 16;
            assert_eq!(seen.last(), Some(&last), "what a retired owner wrote last is there");
            shared.ring().begin_again();
            assert!(reclaim(&shared.states[0], before));
        }
    }

    #[test]
    fn a_slot_changes_hands_without_losing_an_event() {
        let outcomes = std::sync::Mutex::new(std::collections::BTreeSet::new());
        let outcomes = std::sync::Arc::new(outcomes);
        let all = outcomes.clone();
        loom::model(move || {
            let shared = Shared::new();
            // Each thread, if it gets the one slot, writes an event and retires; nobody waits.
            let use_it = |shared: &Shared, tid: u32| {
                shared.steps.fetch_add(1, Ordering::Relaxed);
                let only = shared.states.iter().enumerate().take(1);
                let Some((number, mine)) = claim(&shared.high, only, tid) else { return 0 };
                shared.push(u64::from(tid) * 16);
                shared.steps.fetch_add(1, Ordering::Relaxed);
                assert!(retire(&shared.states[number], mine));
                1
            };
            let collector = {
                let shared = shared.clone();
                loom::thread::spawn(move || {
                    let mut seen = Vec::new();
                    drain(&shared, &mut seen);
                    drain(&shared, &mut seen);
                    seen
                })
            };
            let sent = use_it(&shared, 1) + use_it(&shared, 2);
            let mut seen = collector.join().expect("no panic");
            drain(&shared, &mut seen);
            drain(&shared, &mut seen);
            assert_eq!(seen.len(), sent);
            assert_ne!(owner(&shared.states[0]).state, State::Retired);
            all.lock().expect("no panic").insert(seen);
        });
        // The model is worth something only if the slot did change hands in it.
        let outcomes = outcomes.lock().expect("no panic");
        assert!(outcomes.contains(&vec![16]) && outcomes.contains(&vec![16, 32]), "{outcomes:?}");
    }
}
