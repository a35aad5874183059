//! How the helper sleeps, and how it is woken before its time: by a thread whose ring fills up or whose stack has met code
//! that has no unwind table yet, by one in many that end, and by whoever stops it. So it need not look often, and is there
//! when there is work.

use crate::process;
use crate::session::{Session, Slot, word};
use crate::sync::Ordering;
use crate::sys::futex;

/// Threads that end until the helper is called.
const MANY: u64 = 32;

/// After an event: calls the helper, where there is one, if the slot's ring is filling up or a table was asked for.
#[inline]
pub(crate) fn if_due(session: Session, slot: Slot, has_asked: bool) {
    if process::is_embedded() && (has_asked || slot.ring().is_crowded()) {
        call(session);
    }
}

/// After a thread has given up its slot: calls the helper if that makes many. So it empties few rings at a time, for whoever
/// waits for that, and new threads get slots that were used lately.
pub(crate) fn one_has_ended(session: Session) {
    if process::is_embedded()
        && session.word(word::ENDED).fetch_add(1, Ordering::Relaxed) % MANY == MANY - 1
    {
        call(session);
    }
}

/// Calls the helper. In handlers and hooks, too: an exchange, and one system call if nobody has called it yet.
#[cold]
pub(super) fn call(session: Session) {
    let called = session.word(word::CALLED);
    // Release: who answers sees what was done before. Every call is such an exchange, so one that finds another's standing
    // is answered together with it.
    if called.swap(1, Ordering::AcqRel) == 0 {
        futex::wake(called);
    }
}

/// Sleeps for so many nanoseconds, or until it is called. For the helper.
pub(super) fn wait(session: Session, nanos: u64) {
    let called = session.word(word::CALLED);
    if called.load(Ordering::Relaxed) == 0 {
        futex::wait(called, 0, nanos);
    }
    // Before it does what it was called for: a call from here on is another one.
    called.swap(0, Ordering::AcqRel);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::Config;
    use crate::harness::alone;
    use crate::ring::spsc::Share;
    use crate::stack::image;
    use std::sync::atomic::AtomicU64;
    use std::time::Instant;

    #[test]
    fn a_full_ring_a_missing_table_and_many_ends_call() {
        alone(|| {
            let (session, slot) = (image::session(), image::session().slot(1));
            let called = || session.word(word::CALLED).load(Ordering::Relaxed);
            if_due(session, slot, true);
            assert_eq!(called(), 0, "there is no helper");
            let profiler = Config::new().start().expect("nothing is in its way");
            while !slot.ring().is_crowded() {
                if_due(session, slot, false);
                assert_eq!(called(), 0);
                let mut event = slot.ring().reserve(2, Share::All).expect("it is empty");
                (0..2).for_each(|_| event.word(2));
                event.commit();
            }
            if_due(session, slot, false);
            assert_eq!(called(), 1);
            wait(session, u64::MAX);
            if_due(session, session.slot(2), true);
            assert_eq!(called(), 1);
            wait(session, u64::MAX);
            (1..MANY).for_each(|_| one_has_ended(session));
            assert_eq!(called(), 0);
            one_has_ended(session);
            assert_eq!(called(), 1);
            profiler.stop();
        });
    }

    /// What was done before a call is seen after it, however calls and answers meet.
    #[test]
    fn no_call_is_slept_through() {
        const ROUNDS: u64 = 2_000;
        let session = image::session();
        let (asked, answered) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while answered.load(Ordering::Relaxed) < 2 * ROUNDS {
                    let began = Instant::now();
                    wait(session, 3_600_000_000_000);
                    assert!(began.elapsed().as_secs() < 600);
                    answered.store(asked.load(Ordering::Relaxed), Ordering::Relaxed);
                }
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        asked.fetch_add(1, Ordering::Relaxed);
                        call(session);
                    }
                });
            }
        });
        assert_eq!(answered.into_inner(), 2 * ROUNDS);
    }

    #[test]
    fn a_call_is_answered_once() {
        let session = image::session();
        call(session);
        call(session);
        wait(session, u64::MAX);
        assert_eq!(session.word(word::CALLED).load(Ordering::Relaxed), 0);
        wait(session, 1_000);
    }
}
