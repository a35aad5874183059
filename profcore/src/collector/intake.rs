//! Events between the rings of a process and its drain.
//!
//! A drain may take a tenth of a second where it meets a library for the first time, and rings hold less than that. So
//! while it is at such work, another thread takes out of rings that fill up what the drain takes up later, in order.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use super::region::Region;
use crate::ring::spsc::Popped;
use crate::session::{SLOTS, Session, word};

/// Words that are kept for all processes of a run (8 MiB); beyond them, rings fill up.
const MOST: usize = 1 << 20;
/// Between two looks at the rings, while the drain is at work.
const PACE: Duration = Duration::from_millis(5);
/// In the place of an event that was none.
const CORRUPT: u64 = 0;

/// What was taken out of the rings of one process, and the rings.
#[derive(Debug)]
pub(crate) struct Intake {
    region: Region,
    /// By slot: events, each of which begins with its length.
    kept: Mutex<HashMap<usize, VecDeque<u64>>>,
    /// A ring was filling up.
    was_crowded: AtomicBool,
    /// Words kept by all processes of the run.
    stock: Arc<AtomicUsize>,
}

impl Intake {
    /// A process without others.
    #[cfg(test)]
    pub(crate) fn alone(region: Region) -> Arc<Self> {
        Helper::default().take_on(region)
    }

    pub(crate) fn session(&self) -> Option<Session> {
        self.region.session()
    }

    /// Whether a ring was filling up since this was last asked.
    pub(crate) fn was_crowded(&self) -> bool {
        self.was_crowded.swap(false, Ordering::Relaxed)
    }

    /// Takes the oldest event of a slot into `event`. For the drain.
    pub(crate) fn pop(&self, session: Session, slot: usize, event: &mut Vec<u64>) -> Popped {
        let mut kept = self.kept();
        let Some(queue) = kept.get_mut(&slot).filter(|queue| !queue.is_empty()) else {
            // Nobody else takes from the ring while the lock is held.
            return session.slot(slot).ring().pop(event);
        };
        let words = (queue[0] & 0xffff).max(1) as usize;
        event.clear();
        event.extend(queue.drain(..words.min(queue.len())));
        self.stock.fetch_sub(event.len(), Ordering::Relaxed);
        if queue.is_empty() {
            kept.remove(&slot);
        }
        if event[0] == CORRUPT { Popped::Corrupt } else { Popped::Event }
    }

    /// Makes a slot's ring new, whose owner has gone and which is empty.
    pub(crate) fn begin_again(&self, session: Session, slot: usize) {
        // The helper must not see one half of it.
        let _kept = self.kept();
        session.slot(slot).ring().begin_again();
    }

    /// Empties the rings that fill up.
    pub(crate) fn take_in(&self) {
        let Some(session) = self.session() else { return };
        let high = session.word(word::SLOTS_HIGH).load(Ordering::Relaxed);
        let mut event = Vec::new();
        for slot in 1..usize::try_from(high).unwrap_or(SLOTS).min(SLOTS) {
            let ring = session.slot(slot).ring();
            if !ring.is_crowded() {
                continue;
            }
            self.was_crowded.store(true, Ordering::Relaxed);
            let mut kept = self.kept();
            while self.stock.load(Ordering::Relaxed) < MOST {
                match ring.pop(&mut event) {
                    Popped::Empty => break,
                    Popped::Event => {}
                    Popped::Corrupt => event.splice(.., [CORRUPT]).for_each(drop),
                }
                self.stock.fetch_add(event.len(), Ordering::Relaxed);
                kept.entry(slot).or_default().extend(&event);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<usize, VecDeque<u64>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        let words: usize = self.kept().values().map(VecDeque::len).sum();
        self.stock.fetch_sub(words, Ordering::Relaxed);
    }
}

/// Empties rings while the drain is at work that may take long.
#[derive(Clone, Debug, Default)]
pub(crate) struct Helper(Arc<State>);

#[derive(Debug, Default)]
struct State {
    intakes: Mutex<Vec<Weak<Intake>>>,
    stock: Arc<AtomicUsize>,
    is_wanted: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl Helper {
    /// A new process.
    pub(crate) fn take_on(&self, region: Region) -> Arc<Intake> {
        let intake = Arc::new(Intake {
            region,
            kept: Mutex::default(),
            was_crowded: AtomicBool::new(false),
            stock: self.0.stock.clone(),
        });
        let mut intakes = self.0.intakes.lock().unwrap_or_else(PoisonError::into_inner);
        intakes.retain(|known| known.strong_count() > 0);
        intakes.push(Arc::downgrade(&intake));
        intake
    }

    /// The drain begins something that may take long.
    pub(crate) fn is_wanted(&self) {
        if self.0.is_wanted.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner);
        match &*thread {
            Some(thread) => thread.unpark(),
            // Where no thread can be had, the drain does without.
            None => *thread = self.0.start().ok(),
        }
    }

    /// The drain is done with it.
    pub(crate) fn is_not_wanted(&self) {
        self.0.is_wanted.store(false, Ordering::Relaxed);
    }
}

impl State {
    fn start(self: &Arc<Self>) -> std::io::Result<Thread> {
        let state = Arc::downgrade(self);
        let builder = thread::Builder::new().name("prof-intake".into()).stack_size(256 << 10);
        let handle = builder.spawn(move || {
            while let Some(state) = state.upgrade() {
                let wanted = state.is_wanted.load(Ordering::Relaxed);
                if wanted {
                    state.take_in();
                }
                // The thread must not keep alive what it works for.
                drop(state);
                if wanted { thread::park_timeout(PACE) } else { thread::park() }
            }
        })?;
        Ok(handle.thread().clone())
    }

    fn take_in(&self) {
        let intakes = self.intakes.lock().unwrap_or_else(PoisonError::into_inner);
        let intakes: Vec<_> = intakes.iter().filter_map(Weak::upgrade).collect();
        intakes.iter().for_each(|intake| intake.take_in());
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
        thread.iter().for_each(Thread::unpark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::spsc::Share;
    use crate::session::Slot;

    fn intake(helper: &Helper) -> (Arc<Intake>, Session) {
        let intake = helper.take_on(Region::create().unwrap().0);
        let session = intake.session().unwrap();
        session.word(word::SLOTS_HIGH).store(3, Ordering::Relaxed);
        (intake, session)
    }

    /// Writes an event of three words; false if there is no room.
    fn tell(slot: Slot, number: u64) -> bool {
        let Some(mut event) = slot.ring().reserve(3, Share::All) else { return false };
        [3 | number << 16, number, number].into_iter().for_each(|word| event.word(word));
        event.commit();
        true
    }

    fn popped(intake: &Intake, session: Session, slot: usize) -> Vec<u64> {
        let (mut event, mut numbers) = (Vec::new(), Vec::new());
        while intake.pop(session, slot, &mut event) == Popped::Event {
            assert_eq!(event, [3 | event[1] << 16, event[1], event[1]]);
            numbers.push(event[1]);
        }
        numbers
    }

    #[test]
    fn events_keep_their_order_and_a_ring_its_room() {
        let helper = Helper::default();
        let (intake, session) = intake(&helper);
        let mut told = 0;
        for _ in 0..10 {
            while tell(session.slot(1), told) {
                told += 1;
            }
            tell(session.slot(2), 7);
            intake.take_in();
        }
        assert!(intake.was_crowded() && !intake.was_crowded());
        (0..5).for_each(|more| assert!(tell(session.slot(1), told + more)));
        assert_eq!(popped(&intake, session, 1), (0..told + 5).collect::<Vec<_>>());
        assert_eq!(popped(&intake, session, 2), [7; 10], "was not crowded");
        assert_eq!(helper.0.stock.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_is_no_event_keeps_its_place() {
        let (intake, session) = intake(&Helper::default());
        while tell(session.slot(1), 1) {}
        intake.take_in();
        for number in 0..1000 {
            assert!(tell(session.slot(1), number));
        }
        let ring = session.slot(1).ring();
        // The first of these is in the ring's words where its tail is.
        let at = ring.tail.load(Ordering::Relaxed) as usize % ring.words.len();
        ring.words[at].store(0, Ordering::Relaxed);
        intake.take_in();
        let first = popped(&intake, session, 1);
        assert!(first.iter().all(|&number| number == 1) && !first.is_empty());
        assert!(tell(session.slot(1), 9));
        assert_eq!(popped(&intake, session, 1), [9]);
    }

    #[test]
    fn the_stock_is_bounded_and_given_back() {
        let helper = Helper::default();
        let (intake, session) = intake(&helper);
        for _ in 0..1000 {
            while tell(session.slot(1), 5) {}
            intake.take_in();
        }
        let words = session.slot(1).ring().words.len();
        let stock = helper.0.stock.load(Ordering::Relaxed);
        assert!((MOST..MOST + words).contains(&stock), "{stock}");
        drop(intake);
        assert_eq!(helper.0.stock.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_drain_at_work_is_helped_and_nobody_else() {
        let helper = Helper::default();
        let (intake, session) = intake(&helper);
        while tell(session.slot(1), 5) {}
        let ring = session.slot(1).ring();
        assert!(ring.is_crowded());
        for _ in 0..3 {
            helper.is_wanted();
            while ring.is_crowded() {
                thread::yield_now();
            }
            helper.is_not_wanted();
            while tell(session.slot(1), 5) {}
        }
        drop(intake);
        let state = Arc::downgrade(&helper.0);
        drop(helper);
        while state.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
