//! Birth, late claims and ends of threads, in processes of their own.

use super::*;
use crate::harness::{alone, burn, check_books, drain, join};
use crate::ring::registry::{Owner, State};

fn owner(slot: Slot) -> Owner {
    registry::owner(slot.word(slot_word::STATE))
}

#[test]
fn a_dormant_process_has_no_slots() {
    alone(|| {
        assert!(current().is_none());
        born();
        assert!(existing().is_none());
        ending();
        join();
        assert!(existing().is_none(), "a thread past its end does not come back");
    });
}

#[test]
fn a_thread_not_born_through_us_claims_late_and_once() {
    alone(|| {
        let session = join();
        std::thread::spawn(move || {
            burn(5_000_000);
            assert!(existing().is_none());
            let slot = current().expect("the process is active");
            assert_eq!(
                owner(slot),
                Owner { generation: 1, tid: syscall::gettid(), state: State::Live }
            );
            assert!(std::ptr::eq(slot.words(), current().expect("still there").words()));
            let since = slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
            assert!(since >= 5_000_000, "what nobody saw is not ours to explain");
            assert_ne!(slot.word(slot_word::RANDOM).load(Ordering::Relaxed), 0);
            assert_ne!(slot.word(slot_word::TIMER).load(Ordering::Relaxed), 0);
            ending();
            assert_eq!(owner(slot).state, State::Retired);
            assert!(current().is_none(), "dead");
            assert_eq!(slot.word(slot_word::TIMER).load(Ordering::Relaxed), 0);
        })
        .join()
        .expect("no panic");
        let (_, told) = drain(session, 2);
        assert_eq!(told.ticks.iter().filter(|tick| tick.is_rest()).count(), 1);
        assert!(told.end.expect("the thread told its end") >= 5_000_000 + told.weight());
    });
}

#[test]
fn without_free_slots_a_thread_has_none() {
    alone(|| {
        let session = join();
        for number in 2..SLOTS {
            session.slot(number).word(slot_word::STATE).store(1, Ordering::Relaxed);
        }
        std::thread::spawn(|| {
            born();
            assert!(current().is_none());
            ending();
        })
        .join()
        .expect("no panic");
        check_books(session);
    });
}

#[test]
fn threads_that_come_and_go_share_slots_and_leave_no_timers() {
    alone(|| {
        let session = join();
        let mut ends = 0;
        for _ in 0..50 {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    std::thread::spawn(|| {
                        born();
                        burn(100_000);
                        ending();
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
            ends += (2..SLOTS).map_while(|number| drain(session, number).1.end).count();
        }
        assert_eq!(ends, 200);
        assert!(session.word(word::SLOTS_HIGH).load(Ordering::Relaxed) <= 6);
        let timers = std::fs::read_to_string("/proc/self/timers").expect("can be read");
        assert_eq!(timers.matches("notify:").count(), 1, "{timers}");
        check_books(session);
    });
}

#[test]
fn the_depth_in_python_goes_up_and_down() {
    python_enter();
    python_enter();
    assert_eq!(python_depth(), 2);
    python_leave();
    python_leave();
    assert_eq!(python_depth(), 0);
}
