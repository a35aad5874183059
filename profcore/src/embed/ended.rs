//! The CPU time of threads after their last own instruction: what the C library and the kernel do to end a thread is on that
//! thread's clock, but no code runs on it any more that could read it.
//!
//! ```text
//!   process's clock = clocks of the threads that are there
//!                   + what ended ones have told of theirs
//!                   + what went by before the profiler looked
//!                   + the ends of threads                         <- what is left
//! ```
//!
//! It is read off the kernel's clocks, not estimated. Whose it is of those that have ended is not known, nor where it
//! was spent: it is a sample of no thread, under the name below. Threads that ended without a word are in what is left as
//! well, so that no more is taken for ends than ends may cost: the rest stays in no sample.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::history::History;
use super::samples::{Kept, Named};
use super::snapshot::What;
use super::threads;
use crate::ring::registry::{self, State};
use crate::session::{SLOTS, Session, Slot, slot_word, word};
use crate::sync::Ordering;
use crate::sys::syscall;
use crate::thread;

/// The name of the thread that samples of this time have; its id is 0.
pub(super) const NAME: &str = "[ended threads]";
/// The most nanoseconds that an end is taken to cost. It takes 15 to 40 microseconds, and more where there is much of a
/// stack to give back or many processors are to be told of it: 200 with an address sanitizer.
const MOST: u64 = 500_000;
/// The least that it is taken to cost where it matters what is missing.
const LEAST: u64 = 15_000;
/// Of the time, looks that nobody asks for may take one part in so many: their cost grows with the number of threads.
const COSTS: u64 = 1_000;
/// Who asks for CPU time may miss one part in so many.
const MISSES: u64 = 500;
/// Nanoseconds after which clocks that are read one after the other are not of one moment any more.
const LONG: u64 = 1_000_000;
/// How many threads are remembered that have given up their slots: one that is about to be gone is listed a moment longer.
const RECENT: usize = 256;

/// See the module.
#[derive(Debug)]
pub(super) struct Ended {
    thread: Named,
    /// What ended threads have told of their clocks, of all that have no slot any more; and the last of those.
    told: u64,
    recent: VecDeque<u32>,
    /// How many threads have told their end since the first look, and of them those that a look has seen.
    ends: u64,
    seen: u64,
    /// What was left at the first look.
    first: Option<i64>,
    /// What of it was given to samples.
    given: u64,
    /// When the next look is due that nobody asks for.
    next: u64,
}

/// What is left of the process's clock, at least and at most: threads run on while clocks are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    least: i64,
    most: i64,
}

impl Ended {
    pub(super) fn new() -> Self {
        Self {
            thread: Arc::new((0, NAME.to_owned())),
            told: 0,
            recent: VecDeque::new(),
            ends: 0,
            seen: 0,
            first: None,
            given: 0,
            next: 0,
        }
    }

    /// What goes by until the next look is nobody's: nothing was sampled.
    pub(super) fn begin_again(&mut self) {
        self.first = None;
    }

    /// A thread has told its end.
    pub(super) fn told_end(&mut self) {
        self.ends += 1;
    }

    /// The slot of a thread that is gone is free: so much of its clock was told.
    pub(super) fn gave_slot_up(&mut self, tid: u32, clock: u64) {
        self.told = self.told.wrapping_add(clock);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(tid);
    }

    /// A sample of what ends have taken since the last one, if there were any and it is time to look, or somebody has
    /// asked for `asked` nanoseconds of CPU time of which that is a part worth telling. To be called after a drain that began
    /// at `now`; `own` is the profiler's thread, `listed` all threads, if they were listed since.
    pub(super) fn look(
        &mut self,
        session: Session,
        own: u32,
        now: u64,
        asked: Option<u64>,
        listed: Option<HashSet<u32>>,
        history: &mut History,
    ) -> Option<Kept> {
        if !self.is_due(now, asked) {
            return None;
        }
        let listed = listed.filter(|_| syscall::monotonic().saturating_sub(now) < LONG);
        let began = syscall::thread_cpu();
        let left = self.left_soon(session, own, listed)?;
        let cost = syscall::thread_cpu().saturating_sub(began);
        self.next = now.saturating_add(cost.saturating_mul(COSTS));
        let ns = self.take(left);
        (ns > 0).then(|| Kept {
            time_ns: now,
            what: What::Cpu { ns },
            thread: self.thread.clone(),
            stack: history.stack(&[]),
            labels: None,
        })
    }

    fn is_due(&self, now: u64, asked: Option<u64>) -> bool {
        match (self.first, asked) {
            // The first look is for those that come later: not for who has asked now.
            (None, asked) => asked.is_none(),
            (Some(_), None) => now >= self.next && self.ends != self.seen,
            (Some(_), Some(ns)) => self.missing() > ns / MISSES,
        }
    }

    /// About so many nanoseconds were taken by ends that no look has seen.
    fn missing(&self) -> u64 {
        let each = self.given.checked_div(self.seen).map_or(MOST, |each| each.max(LEAST));
        (self.ends - self.seen).saturating_mul(each)
    }

    /// Nanoseconds that ends have taken since the last time.
    fn take(&mut self, left: Left) -> u64 {
        let Some(first) = self.first else {
            // Rather too much: ends are then told too little of.
            self.first = Some(left.most);
            (self.ends, self.seen, self.given) = (0, 0, 0);
            return 0;
        };
        self.seen = self.ends;
        let all = left.least.saturating_sub(first).max(0).unsigned_abs();
        let all = all.min(self.ends.saturating_mul(MOST));
        let new = all.saturating_sub(self.given);
        self.given += new;
        new
    }

    /// What is left, by clocks that were read without a long break if that can be had: while this thread has no processor,
    /// others go on.
    fn left_soon(
        &self,
        session: Session,
        own: u32,
        mut listed: Option<HashSet<u32>>,
    ) -> Option<Left> {
        const TRIES: u32 = 4;
        let mut best: Option<Left> = None;
        for _ in 0..TRIES {
            let began = syscall::monotonic();
            let listed = listed.take().unwrap_or_else(threads::all);
            let Some(left) = self.left(session, own, listed) else { continue };
            best = Some(best.map_or(left, |best| Left {
                least: best.least.max(left.least),
                most: best.most.min(left.most),
            }));
            if syscall::monotonic().saturating_sub(began) < LONG {
                break;
            }
        }
        best
    }

    /// What is left of the process's clock; `None`: it cannot be known at the moment.
    fn left(&self, session: Session, own: u32, listed: HashSet<u32>) -> Option<Left> {
        let process = || syscall::clock(libc::CLOCK_PROCESS_CPUTIME_ID) as i64;
        let before = process();
        let told_by = |slot: Slot| slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
        let clock = |tid: u32| Some(syscall::clock(syscall::clock_of(tid))).filter(|&ns| ns > 0);
        if listed.is_empty() {
            return None;
        }
        let mut clocks: HashMap<_, _> = listed.into_iter().map(|tid| (tid, clock(tid))).collect();
        // Who is there, also if its number is that of one that has gone. The profiler's thread is, who may have given up a
        // slot that it got before it was known to be that.
        let mut here = HashSet::from([own]);
        let mut gone = HashSet::new();
        let mut told = self.told;
        let high = session.word(word::SLOTS_HIGH).load(Ordering::Relaxed) as usize;
        for number in 1..high.min(SLOTS) {
            let slot = session.slot(number);
            let owner = registry::owner(slot.word(slot_word::STATE));
            match owner.state {
                State::Free => {}
                // A list that is read while threads end may leave others out.
                State::Live => {
                    let clock = *clocks.entry(owner.tid).or_insert_with(|| clock(owner.tid));
                    if clock.is_some() {
                        // Where it has not moved in, it may have told its end in another one.
                        if thread::has_moved_in(slot, owner) {
                            here.insert(owner.tid);
                        }
                    } else {
                        // Claimed for a thread that was about to be gone, or its owner died without a word.
                        clocks.remove(&owner.tid);
                        told = told.wrapping_add(told_by(slot));
                    }
                }
                State::Retired => {
                    told = told.wrapping_add(told_by(slot));
                    gone.insert(owner.tid);
                }
            }
        }
        // What the clock of a thread that has told its end says beyond that is its end.
        let has_gone = |tid: &u32| gone.contains(tid) || self.recent.contains(tid);
        clocks.retain(|tid, _| here.contains(tid) || !has_gone(tid));
        // One that has ended meanwhile without having told it yet will have told it at the next look.
        let living = clocks.into_values().try_fold(0_u64, |sum, clock| sum.checked_add(clock?))?;
        let all = told.wrapping_add(living) as i64;
        Some(Left { least: before.wrapping_sub(all), most: process().wrapping_sub(all) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::Config;
    use crate::harness::alone;
    use crate::process;

    const US: i64 = 1_000;

    fn at(ended: &mut Ended, least: i64) -> u64 {
        ended.take(Left { least, most: least + 5 * US })
    }

    #[test]
    fn what_is_left_goes_to_ends_once_and_never_more_than_it_was() {
        let mut ended = Ended::new();
        ended.told_end();
        assert_eq!(at(&mut ended, 700 * US), 0, "of before");
        (0..10).for_each(|_| ended.told_end());
        assert_eq!(at(&mut ended, 705 * US), 0, "clocks are read one after the other");
        assert_eq!(at(&mut ended, 855 * US), 150_000);
        assert_eq!(at(&mut ended, 300 * US), 0, "a thread's clock was read late");
        assert_eq!(at(&mut ended, 856 * US), 1_000);
        ended.begin_again();
        assert_eq!(at(&mut ended, 5_000 * US), 0, "of a pause");
        assert_eq!(at(&mut ended, 6_000 * US), 0, "nobody has ended");
        ended.told_end();
        assert_eq!(at(&mut ended, 5_025 * US), 20_000);
    }

    #[test]
    fn what_ends_do_not_cost_is_not_theirs() {
        let mut ended = Ended::new();
        assert_eq!(at(&mut ended, -3 * US), 0);
        ended.told_end();
        assert_eq!(at(&mut ended, 1_000_000 * US), MOST);
        assert_eq!(at(&mut ended, 2_000_000 * US), 0);
        ended.told_end();
        assert_eq!(at(&mut ended, 3_000_000 * US), MOST);
        assert_eq!(at(&mut ended, i64::MAX), 0);
    }

    #[test]
    fn who_asks_gets_ends_that_are_worth_telling() {
        let mut ended = Ended::new();
        assert!(ended.is_due(0, None) && !ended.is_due(0, Some(0)), "the first is nobody's");
        ended.take(Left { least: 0, most: 0 });
        assert!(!ended.is_due(0, Some(0)) && !ended.is_due(0, None), "nobody has ended");
        (0..10).for_each(|_| ended.told_end());
        // Of what an end takes, only the most is known.
        assert!(
            ended.is_due(0, Some(MISSES * 9 * MOST)) && !ended.is_due(0, Some(MISSES * 10 * MOST))
        );
        ended.take(Left { least: 200 * US, most: 0 });
        (0..5).for_each(|_| ended.told_end());
        assert!(ended.is_due(0, Some(MISSES * 90_000)) && !ended.is_due(0, Some(MISSES * 100_000)));
        ended.next = 1_000;
        assert!(!ended.is_due(999, None) && ended.is_due(1_000, None));
    }

    /// The profiler's thread claims one that ends before it has a timer.
    #[test]
    fn a_slot_of_nobody_is_in_nobodys_way() {
        alone(|| {
            let profiler = Config::new().start().expect("it starts");
            let session = process::session().expect("it runs");
            let run = profiler.run.as_ref().expect("it runs");
            // A thread that has not run yet has no clock.
            while Ended::new().left(session, run.helper(), threads::all()).is_none() {
                std::thread::yield_now();
            }
            let nobody = (1 << 22) - 1;
            let is_there = || {
                (1..SLOTS).any(|number| {
                    let owner = registry::owner(session.slot(number).word(slot_word::STATE));
                    owner.state == State::Live && owner.tid == nobody
                })
            };
            loop {
                assert!(thread::claim_for(session, nobody, 0));
                let left = Ended::new().left(session, run.helper(), threads::all());
                // Unless the profiler's thread has seen to it meanwhile.
                if is_there() {
                    assert!(left.is_some());
                    break;
                }
            }
            profiler.stop();
        });
    }

    #[test]
    fn as_many_threads_are_remembered_as_said() {
        let mut ended = Ended::new();
        (0..1_000).for_each(|tid| ended.gave_slot_up(tid, 10));
        assert_eq!((ended.recent.len(), ended.told), (RECENT, 10_000));
    }
}
