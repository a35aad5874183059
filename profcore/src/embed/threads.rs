//! The threads of the process: found from outside, so that nothing has to be put into their way.
//!
//! A thread that allocates through `SampledAlloc` gets its slot by itself. For any other, one is claimed on its behalf, with a
//! timer on its clock, and it moves in at its first tick. Who waits is left alone: a timer on a thread's CPU clock expires
//! while it runs.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

use super::modules;
use super::run::SLEEP;
use crate::ring::registry::{self, Owner, State};
use crate::session::{SLOTS, Session, Slot, slot_word, word};
use crate::signal::timer;
use crate::stack::Low;
use crate::sync::Ordering;
use crate::sys::syscall;
use crate::thread;

const TASKS: &str = "/proc/self/task";
/// Bytes that the first thread's stack grows to at most, where nothing else lies below it.
const FIRST_STACK: u64 = 8 << 20;

/// A thread's name; empty if it is gone.
pub(super) fn name(tid: u32) -> String {
    let name = fs::read(format!("{TASKS}/{tid}/comm")).unwrap_or_default();
    String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned()
}

/// The ids of all threads.
pub(super) fn all() -> HashSet<u32> {
    let entries = fs::read_dir(TASKS).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn exists(tid: u32) -> bool {
    let there = |path: &str| fs::metadata(path).is_ok();
    there(&format!("{TASKS}/{tid}")) || !there(TASKS)
}

/// Slots with a thread.
fn occupied(session: Session) -> impl Iterator<Item = (Slot, Owner)> {
    let high = session.word(word::SLOTS_HIGH).load(Ordering::Relaxed) as usize;
    (1..high.min(SLOTS)).filter_map(move |number| {
        let slot = session.slot(number);
        let owner = registry::owner(slot.word(slot_word::STATE));
        (owner.state == State::Live).then_some((slot, owner))
    })
}

/// Sampling begins: what threads have done so far is not told. All get timers but `own`, the profiler's thread (0: there is
/// none yet).
pub(super) fn begin(session: Session, own: u32) {
    let interval = session.word(word::CPU_INTERVAL_NS).load(Ordering::Relaxed);
    let tids = all();
    let mut known = HashSet::new();
    for (slot, owner) in occupied(session) {
        if !tids.contains(&owner.tid) && !exists(owner.tid) {
            registry::retire(slot.word(slot_word::STATE), owner);
            continue;
        }
        known.insert(owner.tid);
        let clock = syscall::clock(syscall::clock_of(owner.tid));
        slot.word(slot_word::LAST_CPU).store(clock.max(1), Ordering::Relaxed);
        slot.word(slot_word::INTERVAL).store(interval, Ordering::Relaxed);
        timer::disarm(session, slot);
        timer::arm(session, slot, owner.tid);
    }
    for tid in tids {
        if !known.contains(&tid) && tid != own {
            let clock = syscall::clock(syscall::clock_of(tid));
            thread::claim_for(session, tid, clock.max(1));
        }
    }
    note_stacks(session, |_| true);
}

/// Nanoseconds between two looks at the list of threads, where their number stays the same. What a look costs grows with
/// their number.
const LOOK: u64 = 1_000_000_000;

/// The list of threads as it was looked at last.
#[derive(Debug)]
pub(super) struct Looks {
    last: u64,
    /// When threads were counted, and how many there were.
    counted: u64,
    count: Option<u64>,
    /// Threads of which it was not known where their stacks begin.
    unknown: HashSet<Owner>,
}

impl Looks {
    /// It is looked at in this moment.
    pub(super) fn begin(now: u64) -> Self {
        Self { last: now, counted: now, count: count(), unknown: HashSet::new() }
    }

    /// Looks for threads that are new, and for those that ended without a word, if there are more or fewer than before, or
    /// if it is long ago: one may have come for one that has gone. All that were found, then.
    pub(super) fn look(&mut self, session: Session, own: u32, now: u64) -> Option<HashSet<u32>> {
        // The helper may be called often, and this is not for that.
        if now.saturating_sub(self.counted) < SLEEP {
            return None;
        }
        self.counted = now;
        let before = std::mem::replace(&mut self.count, count());
        let is_same = self.count.is_some() && before == self.count;
        let is_due = !is_same || now.saturating_sub(self.last) >= LOOK;
        let listed = is_due.then(|| {
            self.last = now;
            look(session, own)
        });
        // What is to be read for it is long: not for those that may be gone in a moment.
        let before = std::mem::take(&mut self.unknown);
        self.unknown = note_stacks(session, |owner| before.contains(owner));
        listed
    }
}

/// How many threads there are: each is a folder's link. `None`: the kernel does not say.
fn count() -> Option<u64> {
    Some(fs::metadata(TASKS).ok()?.nlink())
}

/// See [`Looks::look`].
fn look(session: Session, own: u32) -> HashSet<u32> {
    let tids = all();
    let has_moved_in = |(slot, owner): &(Slot, Owner)| thread::has_moved_in(*slot, *owner);
    let residents: HashSet<u32> =
        occupied(session).filter(has_moved_in).map(|(_, owner)| owner.tid).collect();
    let mut known = HashSet::new();
    let mut waiting = 0;
    for (slot, owner) in occupied(session) {
        let is_gone = !tids.contains(&owner.tid) && !exists(owner.tid);
        // It found a slot by itself in the moment in which this one was claimed for it.
        let has_another = residents.contains(&owner.tid) && !thread::has_moved_in(slot, owner);
        // It was there before anybody could know that it is the profiler's.
        let is_own = owner.tid == own;
        if is_gone || has_another || is_own {
            timer::disarm(session, slot);
            registry::retire(slot.word(slot_word::STATE), owner);
        } else {
            known.insert(owner.tid);
            waiting += u64::from(!thread::has_moved_in(slot, owner));
        }
    }
    session.word(word::CLAIMED_FOR).store(waiting, Ordering::Relaxed);
    let mut new = tids.iter().filter(|&&tid| tid != own && !known.contains(&tid));
    // All of their time is ours to tell: they were not there at the last look. Where all slots are taken, no more are.
    let _ = new.all(|&tid| thread::claim_for(session, tid, 0));
    tids
}

/// Sampling ends: no timer ticks any more.
pub(super) fn end(session: Session) {
    let high = session.word(word::SLOTS_HIGH).load(Ordering::Relaxed) as usize;
    for number in 1..high.min(SLOTS) {
        timer::disarm(session, session.slot(number));
    }
}

/// Notes where the stacks begin of threads of which that is not known yet, if `is_due`. Those of which it still is not.
fn note_stacks(session: Session, is_due: impl Fn(&Owner) -> bool) -> HashSet<Owner> {
    let is_unknown =
        |slot: Slot, owner: Owner| thread::has_moved_in(slot, owner) && Low::of(slot).is_none();
    let mut maps = None;
    let mut unknown = HashSet::new();
    for (slot, owner) in occupied(session).filter(|&(slot, owner)| is_unknown(slot, owner)) {
        if !is_due(&owner) {
            unknown.insert(owner);
            continue;
        }
        let load = |index: usize| slot.word(index).load(Ordering::Relaxed);
        let low = if owner.tid == std::process::id() {
            load(slot_word::STACK_TOP).saturating_sub(FIRST_STACK)
        } else {
            // The thread's block lies at the top of its stack, in one mapping with it and above a page without access.
            let maps = maps.get_or_insert_with(modules::maps);
            let pointer = load(slot_word::THREAD_POINTER);
            let Some(low) = start_of_mapping(maps, pointer) else { continue };
            low
        };
        Low::note(slot, owner, low);
    }
    unknown
}

/// Where the mapping begins that holds an address.
fn start_of_mapping(maps: &[u8], address: u64) -> Option<u64> {
    let hex = |digits: &[u8]| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let ranges = maps.split(|&byte| byte == b'\n').filter_map(|line| {
        let range = line.split(|&byte| byte == b' ').next()?;
        let dash = range.iter().position(|&byte| byte == b'-')?;
        Some((hex(&range[..dash])?, hex(&range[dash + 1..])?))
    });
    let mut holding = ranges.filter(|(start, end)| (*start..*end).contains(&address));
    holding.next().map(|(start, _)| start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::Config;
    use crate::harness::alone;
    use crate::process;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn one_more_thread_is_one_more() {
        alone(|| {
            let before = count().expect("the kernel says");
            assert_eq!(before, 2 + all().len() as u64, "a folder has two links of its own");
            let (end, ended) = channel::<()>();
            let thread = std::thread::spawn(move || ended.recv());
            assert_eq!(count(), Some(before + 1));
            drop(end);
            assert!(thread.join().expect("it waits only").is_err());
        });
    }

    #[test]
    fn threads_that_are_there_at_the_start_do_not_tick_together() {
        alone(|| {
            let ends = [(); 8].map(|()| {
                let (end, ended) = channel::<()>();
                std::thread::spawn(move || ended.recv());
                end
            });
            while all().iter().any(|&tid| syscall::clock(syscall::clock_of(tid)) == 0) {
                std::thread::yield_now();
            }
            let profiler = Config::new().cpu(Duration::from_secs(60)).start().expect("it starts");
            let session = process::session().expect("it runs");
            let first = |(slot, _): (Slot, Owner)| {
                let load = |index: usize| slot.word(index).load(Ordering::Relaxed);
                load(slot_word::NEXT_EXPIRY) - load(slot_word::LAST_CPU)
            };
            let firsts: Vec<_> = occupied(session).map(first).collect();
            let different: HashSet<_> = firsts.iter().collect();
            assert!(firsts.len() >= ends.len() && different.len() > ends.len() / 2, "{firsts:?}");
            profiler.stop();
        });
    }

    /// A thread that finds a slot by itself in the moment in which one is claimed for it has two.
    #[test]
    fn of_two_slots_a_thread_keeps_its_own() {
        alone(|| {
            let profiler = Config::new().cpu(Duration::from_millis(1)).start().expect("it starts");
            let session = process::session().expect("it runs");
            let helper = profiler.run.as_ref().expect("it runs").helper();
            // Unless the profiler's thread is faster and the thread has the first one itself.
            while !loses_the_first(session, helper) {}
            profiler.stop();
        });
    }

    /// Has a thread take a slot behind one that is claimed for it then; false if there was none before its own.
    fn loses_the_first(session: Session, helper: u32) -> bool {
        let slots_of = |tid| occupied(session).filter(move |(_, owner)| owner.tid == tid);
        let nobody = (1 << 22) - 1;
        assert!(thread::claim_for(session, nobody, 0));
        let (begin, begun) = channel::<()>();
        let (id, ids) = channel();
        let worker = std::thread::spawn(move || {
            thread::meet();
            id.send(syscall::gettid()).expect("somebody waits");
            begun.recv()
        });
        let tid = ids.recv().expect("it says who it is");
        let (own, _) = slots_of(tid).next().expect("it has one");
        for number in 1..SLOTS {
            let state = session.slot(number).word(slot_word::STATE);
            if registry::owner(state).tid == nobody {
                registry::retire(state, registry::owner(state));
                thread::reclaim(session, number, registry::owner(state));
            }
        }
        assert!(thread::claim_for(session, tid, 0));
        let (other, _) = slots_of(tid).next().expect("the other one");
        let is_first = other.words().as_ptr() < own.words().as_ptr();
        look(session, helper);
        let state = |slot: Slot| registry::owner(slot.word(slot_word::STATE)).state;
        if is_first {
            assert!(state(other) != State::Live && state(own) == State::Live);
        }
        drop(begin);
        worker.join().expect("it does not panic").expect_err("nothing was sent");
        is_first
    }
}
