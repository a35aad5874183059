//! What a drain does for threads besides emptying their rings: numbers them, looks at their waits, and has their perf
//! events ticking.

use profformat::ids::ThreadId;
use profformat::record::Record;

use super::Drain;
use crate::collector::off_cpu::Who;
use crate::collector::trace::Trace;
use crate::ring::registry::Owner;
use crate::session::{Session, Slot, slot_word, word};
use crate::sync::Ordering;

/// Threads whose waits are looked at in one drain; with more of them each has its turn less often.
const WAIT_LOOKS: usize = 64;

/// The name of all threads of a process that came too late for a number of their own.
pub(super) const OTHERS: &[u8] = b"[other threads]";

/// Numbers the threads of a trace.
#[derive(Debug)]
pub(crate) struct Threads {
    count: u32,
    most: u32,
}

impl Default for Threads {
    fn default() -> Self {
        Self { count: 0, most: Self::MOST }
    }
}

impl Threads {
    /// Threads with a number of their own. A trace holds some more, for each process's others.
    pub(super) const MOST: u32 = 100_000;

    /// So many threads with a number of their own.
    #[cfg(test)]
    pub(crate) fn few(most: u32) -> Self {
        Self { count: 0, most }
    }

    /// A number for a new thread of a process, whose others have that one, and whether it is a new one.
    pub(super) fn admit(&mut self, others: &mut Option<ThreadId>) -> (ThreadId, bool) {
        if let Some(id) = others {
            return (*id, false);
        }
        let id = ThreadId::new(self.count);
        if self.count >= self.most {
            *others = Some(id);
        }
        self.count += 1;
        (id, true)
    }
}

impl Drain {
    /// Opens and pays the perf event of the thread that has a slot.
    pub(super) fn tend_event(
        &mut self,
        index: usize,
        slot: Slot,
        owner: Owner,
        session: Session,
        room: &mut u64,
    ) {
        let Some(state) = self.slots.get_mut(&index) else { return };
        let signal = session.word(word::SIGNAL).load(Ordering::Relaxed) as i32;
        let tended = self.events.tend((self.pid, owner), slot, signal, room, &mut state.paid);
        if let Err(error) = tended {
            self.no_event += 1;
            self.why_no_event.get_or_insert_with(|| error.to_string());
        }
    }

    /// Looks at what the threads that are not on a CPU wait for.
    pub(super) fn look_at_waits(
        &mut self,
        session: Session,
        now: u64,
        last: bool,
        trace: &mut Trace,
    ) {
        if session.word(word::CPU_INTERVAL_NS).load(Ordering::Relaxed) == 0 {
            return;
        }
        let load = |at: usize| session.word(at).load(Ordering::Relaxed);
        let runtime = load(word::PY_RUNTIME_START)..load(word::PY_RUNTIME_END);
        // Any thread state leads to the list of all.
        let live = self.slots.iter().filter(|(_, state)| state.owner.is_some());
        let seen = live.map(|(&index, _)| index).find_map(|index| {
            let state = session.slot(index).word(slot_word::THREAD_STATE).load(Ordering::Relaxed);
            (state != 0).then_some(state as usize)
        });
        let owned = self.slots.values().filter(|state| state.owner.is_some()).count();
        let turns = owned.div_ceil(WAIT_LOOKS).max(1) as u64;
        for (&index, state) in &mut self.slots {
            let Some((owner, thread)) = state.owner else { continue };
            if !last && !(self.drains + index as u64).is_multiple_of(turns) {
                continue;
            }
            let slot = session.slot(index);
            let (recorder, remote) = (&mut self.recorder, self.remote.as_ref());
            // The drain may have taken long, and the scheduler's figures are of this moment.
            let now = if last { now } else { crate::collector::now() };
            let sample = if last {
                state.off_cpu.end(thread, now, trace)
            } else {
                let who = Who { pid: self.pid, tid: owner.tid, thread };
                state.off_cpu.look(who, now, runtime.clone(), trace, |trace| {
                    let remote = remote?;
                    // What was read for the thread before may have changed: only this one is known to stand still.
                    remote.refresh();
                    recorder.standing_stack(remote, session, slot, seen?, trace)
                })
            };
            let delay = state.off_cpu.delay(thread, now, last, trace);
            for sample in sample.into_iter().chain(delay) {
                self.recorder.push(now, Record::Sample(sample), trace);
            }
        }
    }
}
