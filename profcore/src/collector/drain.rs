//! Takes the events out of one process's rings.

use std::collections::BTreeMap;
use std::sync::Arc;

use profformat::ids::ThreadId;
use profformat::record::{Record, Thread, ThreadEnd};

use super::books::Books;
use super::intake::Intake;
use super::off_cpu::OffCpu;
use super::perf::{Events, Paid};
use super::procfs;
use super::recorder::{Context, Recorder};
use super::remote::Remote;
use super::resident::Resident;
use super::stacks::SlotStack;
use super::trace::Trace;
use crate::budget::Budget;
use crate::event::{self, Event};
use crate::modules::Anchors;
use crate::pace::{self, Pace};
use crate::ring::registry::{self, Owner, State};
use crate::ring::spsc::Popped;
use crate::session::{SLOTS, Session, Slot, control, python_state, slot_word, word};
use crate::sync::Ordering;
use crate::thread::reclaim;

mod remarks;
mod threads;

use threads::OTHERS;
pub(crate) use threads::Threads;

/// Most events of one slot in one drain: a thread that is faster than us must not keep us.
const MAX_EVENTS: usize = 4096;
/// The same where no drain comes after: more than rings and intake can hold.
const MAX_LAST_EVENTS: usize = 1 << 20;
/// Nanoseconds between two looks at what threads wait for, at least.
const LOOK: u64 = 40_000_000;
/// Drains that an event waits for a code object to be told.
const PATIENCE: u32 = 4;
/// Drains between two looks for threads that ended without a word.
const DEAD_LOOK: u64 = 40;

/// A profiled process as its drain sees it.
#[derive(Debug)]
pub(crate) struct Drain {
    pid: u32,
    intake: Arc<Intake>,
    recorder: Recorder,
    slots: BTreeMap<usize, SlotState>,
    books: Books,
    anchors: Anchors,
    python_state: u64,
    drains: u64,
    event: Vec<u64>,
    /// Thread ids of the process are ours too: it is in the same pid namespace.
    same_pids: bool,
    /// The process's memory, where we may look; opened at the first wait of a thread with a Python stack.
    remote: Option<Remote>,
    events: Events,
    /// Of allocations and of copies.
    budgets: [Budget; 2],
    pace: Pace,
    /// When it was last looked what threads wait for, and at its resident memory.
    looked: u64,
    resident: Resident,
    /// All threads that came too late for a number of their own.
    others: Option<ThreadId>,
    /// Threads that got no perf event, and the first reason.
    no_event: u64,
    why_no_event: Option<String>,
}

#[derive(Debug, Default)]
struct SlotState {
    owner: Option<(Owner, ThreadId)>,
    cpu_ns: u64,
    end: Option<u64>,
    stack: SlotStack,
    held: Vec<u64>,
    waited: u32,
    off_cpu: OffCpu,
    paid: Paid,
}

impl Drain {
    pub(crate) fn new(
        pid: u32,
        same_pids: bool,
        intake: Arc<Intake>,
        recorder: Recorder,
        events: Events,
    ) -> Self {
        Self {
            pid,
            intake,
            recorder,
            slots: BTreeMap::new(),
            books: Books::default(),
            anchors: Anchors::default(),
            python_state: python_state::NONE,
            drains: 0,
            event: Vec::new(),
            same_pids,
            remote: same_pids.then(|| Remote::of(pid)).flatten(),
            events,
            budgets: [word::MEMORY_INTERVAL, word::COPY_INTERVAL].map(Budget::of),
            pace: Pace::default(),
            looked: 0,
            resident: Resident::default(),
            others: None,
            no_event: 0,
            why_no_event: None,
        }
    }

    #[cfg(test)]
    pub(crate) fn session(&self) -> Option<Session> {
        self.intake.session()
    }

    /// CPU nanoseconds that samples stand for.
    pub(crate) fn sampled_ns(&self) -> u64 {
        self.recorder.sampled_ns()
    }

    /// The process has mapped its session and works in it.
    pub(crate) fn has_begun(&self) -> bool {
        let said = |session: Session| session.word(word::SLOTS_HIGH).load(Ordering::Relaxed) != 0;
        self.intake.session().is_some_and(said)
    }

    /// Takes everything out of the rings and writes it, with the footprint. `last`: nothing comes after. Returns after
    /// how many nanoseconds it should be done again: soon, when handlers asked for unwind tables or a ring fills fast.
    pub(crate) fn drain(
        &mut self,
        now: u64,
        last: bool,
        trace: &mut Trace,
        threads: &mut Threads,
    ) -> u64 {
        let Some(session) = self.intake.session() else { return pace::LONGEST };
        self.drains += 1;
        self.pace.begin();
        let asked = self.recorder.begin_drain(session);
        self.recorder.look_for_late_python(session, trace);
        self.look_for_python(session, trace);
        // The look is not taken at the very first drains: a thread may not have appeared in /proc yet.
        let look = self.same_pids && self.drains.is_multiple_of(DEAD_LOOK);
        let perf = self.same_pids
            && !last
            && session.word(word::CONTROL).load(Ordering::Relaxed) & control::PERF != 0;
        let mut room = if perf { procfs::signal_room(self.pid).unwrap_or(0) } else { 0 };
        for index in 1..slots_high(session) {
            let slot = session.slot(index);
            let mut owner = registry::owner(slot.word(slot_word::STATE));
            if look && owner.state == State::Live && !procfs::thread_exists(self.pid, owner.tid) {
                registry::retire(slot.word(slot_word::STATE), owner);
                owner = registry::owner(slot.word(slot_word::STATE));
            }
            if owner.state != State::Free {
                self.drain_slot(index, slot, owner, session, now, last, trace, threads);
                if perf {
                    self.tend_event(index, slot, owner, session, &mut room);
                }
            }
        }
        // What waits for code objects, or is too much for one drain, must not fill the rings.
        self.intake.take_in();
        if self.intake.was_crowded() {
            self.pace.crowded(now);
        }
        let told = self.slots.values().map(|state| state.stack.last_free);
        self.recorder.look_for_ends(session, told, super::now(), trace);
        for budget in &mut self.budgets {
            budget.look(session, now);
        }
        if self.same_pids && (last || now.saturating_sub(self.looked) >= LOOK) {
            self.looked = now;
            self.resident.look(self.pid, now);
            self.look_at_waits(session, now, last, trace);
        }
        // A drain may take a tenth of a second where it meets a library for the first time, and what is held is looked
        // at after.
        let now = super::now().max(now);
        let recorder = &mut self.recorder;
        let mut points = Vec::new();
        let id = recorder.id();
        self.books.footprint(id, session, now, trace, |time, record| points.push((time, record)));
        for (time, record) in points {
            recorder.push(time, record, trace);
        }
        recorder.write_batch(trace);
        let pause = self.pace.pause(now);
        if asked { pace::SHORTEST } else { pause }
    }

    /// Writes the counters that changed.
    pub(crate) fn write_counters(&mut self, now: u64, trace: &mut Trace) {
        let Some(session) = self.intake.session() else { return };
        let id = self.recorder.id();
        self.books.write_counters(id, session, slots_high(session), now, trace);
        for (name, value) in self.resident.figures().into_iter().chain(self.recorder.unreadable()) {
            self.books.write(id, name, value, now, trace);
        }
    }

    /// The last words about the process: ends of its threads, counters, remarks.
    pub(crate) fn finish(&mut self, cpu_ns: Option<u64>, now: u64, trace: &mut Trace) {
        let time = trace.time(now);
        for state in self.slots.values_mut() {
            if let Some((owner, id)) = state.owner.take() {
                if state.paid.is_open() {
                    self.events.end(self.pid, owner.tid);
                }
                if Some(id) != self.others {
                    trace.write(&Record::ThreadEnd(ThreadEnd { id, time, cpu_ns: state.cpu_ns }));
                }
            }
        }
        if let Some(id) = self.others {
            trace.write(&Record::ThreadEnd(ThreadEnd { id, time, cpu_ns: 0 }));
            trace.remark(&format!(
                "process {}: its later threads stand under \"[other threads]\": {} of a run have names of their own",
                self.pid,
                Threads::MOST
            ));
        }
        self.write_counters(now, trace);
        let Some(session) = self.intake.session() else { return };
        let id = self.recorder.id();
        self.books.write_unfinished(id, now, trace);
        if let Some(cpu_ns) = cpu_ns
            && session.word(word::CPU_INTERVAL_NS).load(Ordering::Relaxed) != 0
        {
            let unattributed = cpu_ns.saturating_sub(self.sampled_ns());
            self.books.write(id, "unattributed_ns", unattributed, now, trace);
        }
        self.write_remarks(session, trace);
    }

    #[expect(clippy::too_many_arguments, reason = "one loop's body, split off to be read")]
    fn drain_slot(
        &mut self,
        index: usize,
        slot: Slot,
        owner: Owner,
        session: Session,
        now: u64,
        last: bool,
        trace: &mut Trace,
        threads: &mut Threads,
    ) {
        let state = self.slots.entry(index).or_default();
        let thread = match state.owner {
            Some((known, id)) if known.generation == owner.generation => id,
            previous => {
                if let Some((_, id)) = previous.filter(|(_, id)| Some(*id) != self.others) {
                    let end = ThreadEnd { id, time: trace.time(now), cpu_ns: state.cpu_ns };
                    trace.write(&Record::ThreadEnd(end));
                }
                let (id, is_new) = threads.admit(&mut self.others);
                if is_new {
                    let (tid, name) = match self.others {
                        Some(_) => (0, OTHERS.to_vec()),
                        None => (owner.tid, procfs::thread_name(self.pid, owner.tid)),
                    };
                    let process = self.recorder.id();
                    let thread = Thread { id, process, tid, time: trace.time(now), name };
                    trace.write(&Record::Thread(thread));
                }
                let mut stack = std::mem::take(&mut state.stack);
                stack.change_owner();
                *state = SlotState { owner: Some((owner, id)), stack, ..SlotState::default() };
                id
            }
        };
        self.pace.ring(slot.ring(), now);
        let mut empty = false;
        for _ in 0..if last { MAX_LAST_EVENTS } else { MAX_EVENTS } {
            if state.held.is_empty() {
                match self.intake.pop(session, index, &mut self.event) {
                    Popped::Event => {}
                    Popped::Empty => {
                        empty = true;
                        break;
                    }
                    Popped::Corrupt => {
                        self.recorder.count_unreadable();
                        state.stack.forget();
                        break;
                    }
                }
            } else {
                std::mem::swap(&mut state.held, &mut self.event);
                state.held.clear();
            }
            let Some(event) = event::decode(&self.event) else {
                self.recorder.count_unreadable();
                continue;
            };
            match event {
                Event::Alloc { .. } => self.budgets[0].count(),
                Event::Copy { .. } => self.budgets[1].count(),
                _ => {}
            }
            if let Event::ThreadEnd { time, cpu_ns } = event {
                state.cpu_ns = cpu_ns;
                state.end = Some(time);
                continue;
            }
            let insist = last || state.waited >= PATIENCE;
            let context = Context { session, now, insist, trace };
            match self.recorder.event(&event, thread, &mut state.stack, context) {
                Ok(()) => state.waited = 0,
                Err(_) => {
                    // Keeps its place: nothing behind it is taken before it.
                    state.waited += 1;
                    state.held.clone_from(&self.event);
                    break;
                }
            }
        }
        let is_over = owner.state == State::Retired && empty;
        if is_over || last {
            let [allocated, copied] = [slot_word::ALLOC_CARRIED, slot_word::COPY_CARRIED]
                .map(|at| slot.word(at).swap(0, Ordering::Relaxed));
            self.recorder.carried([allocated, copied], &state.stack, now, trace);
        }
        if is_over {
            let time = state.end.unwrap_or(now).min(now);
            let wait = state.off_cpu.end(thread, now, trace);
            let delay = state.off_cpu.delay(thread, now, true, trace);
            for sample in wait.into_iter().chain(delay) {
                self.recorder.push(time, Record::Sample(sample), trace);
            }
            if Some(thread) != self.others {
                let end = ThreadEnd { id: thread, time: trace.time(time), cpu_ns: state.cpu_ns };
                // Behind the thread's last events, which are still gathered.
                self.recorder.push(time, Record::ThreadEnd(end), trace);
            }
            state.owner = None;
            if state.paid.is_open() {
                self.events.end(self.pid, owner.tid);
            }
            self.intake.begin_again(session, index);
            reclaim(session, index, owner);
        }
    }

    /// Takes over what the process found out about its interpreter, and says what cannot be done with it.
    fn look_for_python(&mut self, session: Session, trace: &mut Trace) {
        let load = |at: usize| session.word(at).load(Ordering::Relaxed);
        let anchors = Anchors {
            interpreter: load(word::PY_TEXT),
            eval: [
                (load(word::PY_EVAL_START), load(word::PY_EVAL_END)),
                (load(word::PY_EVAL_OTHER_START), load(word::PY_EVAL_OTHER_END)),
            ],
            shim: load(word::SHIM_TEXT),
            copy: load(word::COPY_CODE),
        };
        if anchors != self.anchors {
            self.anchors = anchors;
            self.recorder.modules().anchor(anchors);
        }
        let state = load(word::PY_STATE);
        if state == self.python_state {
            return;
        }
        self.python_state = state;
        let version = super::version_text(load(word::PY_VERSION));
        match state {
            python_state::UNSUPPORTED => trace.remark(&format!(
                "process {}: Python {version} is not supported: no Python lines, totals only",
                self.pid
            )),
            python_state::SELF_CHECK_FAILED => trace.remark(&format!(
                "process {}: this build of Python {version} is laid out differently from what is \
                 known: no Python lines, totals only",
                self.pid
            )),
            _ => {}
        }
    }
}

fn slots_high(session: Session) -> usize {
    usize::try_from(session.word(word::SLOTS_HIGH).load(Ordering::Relaxed))
        .unwrap_or(SLOTS)
        .min(SLOTS)
}
