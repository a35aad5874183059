//! What comes into the ring.

use super::*;
use crate::event::{self, Event, LABELS};
use crate::harness::{burn, burn_until, check_books, join};
use crate::ring::registry;
use crate::ring::spsc::{Popped, Share};
use crate::session::{Count, SLOT_WORDS, Session, Slot, control, slot_word, word};
use crate::sync::{AtomicU64, Ordering};
use crate::{memory, thread};

fn slot() -> Slot {
    let words: Vec<_> = (0..SLOT_WORDS).map(|_| AtomicU64::new(0)).collect();
    Slot::new(words.leak()).expect("has a slot's length")
}

/// All labels that were told, with their times.
fn told(slot: Slot) -> Vec<(u64, [u64; LABELS])> {
    let (mut told, mut event) = (Vec::new(), Vec::new());
    while slot.ring().pop(&mut event) == Popped::Event {
        match event::decode(&event) {
            Some(Event::Labels { time, words }) => told.push((time, *words)),
            other => panic!("nobody told {other:?}"),
        }
    }
    told
}

fn words() -> [u64; LABELS] {
    LabelContext::capture().words
}

#[test]
fn a_change_is_told_once() {
    let slot = slot();
    begin_owner();
    assert!(tell(slot, 1, Share::All));
    let region = region!("told");
    let first = words();
    assert!(tell(slot, 2, Share::All) && tell(slot, 3, Share::All));
    let job = JOB.set(1);
    let second = words();
    assert!(tell(slot, 4, Share::SevenEighths));
    // Came and went: the samples before and after are of the same labels.
    drop(JOB.set(2));
    assert!(tell(slot, 5, Share::All));
    drop((region, job));
    assert!(tell(slot, 6, Share::All) && tell(slot, 7, Share::All));
    assert_eq!(told(slot), [(2, first), (4, second), (6, [0; LABELS])]);
}

#[test]
fn a_slots_new_owner_tells_what_was_set_before() {
    let slot = slot();
    let _region = region!("before");
    begin_owner();
    assert!(tell(slot, 1, Share::All));
    begin_owner();
    assert!(tell(slot, 2, Share::All));
    assert_eq!(told(slot), [(1, words()), (2, words())]);
    // One that has had labels, told them, and has none now.
    let _none = LabelContext::default().attach();
    begin_owner();
    assert!(tell(slot, 3, Share::All));
    assert_eq!(told(slot), []);
}

#[test]
fn labels_that_found_no_room_are_told_later() {
    let slot = slot();
    begin_owner();
    let _region = region!("late");
    let capacity = slot.ring().words.len();
    let fill = |words: u64| slot.ring().head.store(words, Ordering::Relaxed);
    fill(capacity as u64 - 9);
    assert!(!tell(slot, 1, Share::All) && !tell(slot, 2, Share::All));
    fill(capacity as u64 * 7 / 8);
    assert!(!tell(slot, 3, Share::SevenEighths), "not the room of ticks");
    fill(0);
    assert!(tell(slot, 4, Share::SevenEighths));
    assert_eq!(told(slot), [(4, words())]);
}

#[test]
fn a_handler_amid_a_change_leaves_nothing_wrong() {
    let slot = slot();
    let first = {
        let _labels = (region!("a"), JOB.set(1), TENANT.set(&Text::new("t")));
        LabelContext::capture()
    };
    begin_owner();
    let attached = first.attach_amid(|| {
        // The sample of a tick, and a handler of the program's that sets labels of its own.
        assert!(tell(slot, 1, Share::All));
        let _region = region!("handler");
        assert!(tell(slot, 2, Share::All));
    });
    assert!(tell(slot, 3, Share::All));
    assert_eq!(told(slot).last(), Some(&(3, first.words)));
    drop(attached);
    assert!(tell(slot, 4, Share::All));
    assert_eq!(told(slot), [(4, [0; LABELS])]);
}

/// What a slot's ring says: of each sample its kind and region.
fn samples(session: Session, number: usize) -> Vec<(u8, Option<Value>)> {
    let slot = session.slot(number);
    let owner = registry::owner(slot.word(slot_word::STATE));
    let (mut samples, mut words, mut event) = (Vec::new(), [0; LABELS], Vec::new());
    while slot.ring().pop(&mut event) == Popped::Event {
        match event::decode(&event).expect("an event of ours") {
            Event::Labels { words: told, .. } => words = *told,
            Event::Tick { .. } | Event::Alloc { .. } => {
                samples
                    .push(((event[0] >> 16) as u8, resolve(0, words[0]).map(|(_, value)| value)));
            }
            _ => {}
        }
    }
    crate::thread::reclaim(session, number, owner);
    samples
}

#[test]
fn ticks_and_allocations_carry_the_labels_of_their_time() {
    alone(|| {
        let session = join();
        session.word(word::MEMORY_INTERVAL).store(4096, Ordering::Relaxed);
        session.word(word::CONTROL).fetch_or(control::MEMORY, Ordering::Relaxed);
        for owner in 0..2 {
            std::thread::spawn(move || {
                // Set before the thread has a slot, and not restored by its end.
                std::mem::forget(region!("early"));
                thread::born();
                let slot = thread::existing().expect("the process is active");
                let taken = || slot.word(slot_word::COUNTERS + Count::Samples as usize);
                let ticks = || taken().load(Ordering::Relaxed);
                let two_more = || {
                    let enough = ticks() + 2;
                    burn_until(|| ticks() >= enough);
                };
                two_more();
                {
                    let _none = LabelContext::default().attach();
                    two_more();
                }
                let block = 0x1000 * (owner + 1);
                {
                    let _region = region!("allocates");
                    memory::allocated(block, 1 << 20, 0);
                }
                burn(1);
                thread::ending();
            })
            .join()
            .expect("no panic");
            let mut seen = samples(session, 2);
            seen.dedup();
            let early = Some(Value::Text("early"));
            let allocates = Some(Value::Text("allocates"));
            let (tick, alloc) = (event::kind::TICK, event::kind::ALLOC);
            assert_eq!(seen, [(tick, early), (tick, None), (alloc, allocates), (tick, early)]);
        }
        check_books(session);
    });
}

#[test]
fn a_thread_that_gets_a_second_slot_tells_its_labels_there_too() {
    alone(|| {
        let session = join();
        std::thread::spawn(|| {
            let _region = region!("twice");
            thread::born();
            for is_last in [false, true] {
                let slot = thread::existing().expect("the process is active");
                let taken = slot.word(slot_word::COUNTERS + Count::Samples as usize);
                burn_until(|| taken.load(Ordering::Relaxed) != 0);
                if !is_last {
                    // As in a forked child.
                    thread::forget();
                    thread::born();
                }
            }
            thread::ending();
        })
        .join()
        .expect("no panic");
        for number in [2, 3] {
            let seen = samples(session, number);
            assert!(!seen.is_empty());
            let region = Some(Value::Text("twice"));
            assert!(seen.iter().all(|sample| sample.1 == region), "{number}: {seen:?}");
        }
    });
}
