//! From events to records: the stations of one process behind its rings.

use profformat::ids::{FrameId, ProcessId, StackId, ThreadId};
use profformat::record::{Alloc, Copied, Domain, Free, Lang, Record, Resize, Sample};

use super::binaries::Binaries;
use super::classes::{Facts, Leaf, classify, leaf_of_call};
use super::code_lines::CodeLines;
use super::copiers::Copiers;
use super::ends::Ends;
use super::interleave::Kind;
use super::late;
use super::natives::{Natives, Spot};
use super::procfs;
use super::remote::Remote;
use super::stacks::{self, NotReady, PARTIAL, SlotStack};
use super::thread_states::{self, Place as Interpreter};
use super::trace::Trace;
use super::unloads::Unloads;
use crate::cpython;
use crate::event::{Event, StackDelta, flag, stack_flag};
use crate::modules::{Modules, Place, file_name};
use crate::session::{MAX_FRAMES, Session, Slot, control, python_state, slot_word, word};
use crate::stack;
use crate::sync::{AtomicU64, Ordering};
use crate::unwind::Tables;

use doubt::DOUBTFUL;

mod doubt;

/// Records gathered before they are sorted by time and written.
const BATCH: usize = 8192;
/// Drains to wait before a list of mappings is read again that did not have an address.
const MAPS_PAUSE: u32 = 10;

/// What is needed to understand one process's events.
#[derive(Debug)]
pub(crate) struct Recorder {
    pid: u32,
    id: ProcessId,
    version: u64,
    modules: Modules,
    natives: Natives,
    copiers: Copiers,
    unloads: Unloads,
    lines: CodeLines,
    ends: Ends,
    batch: Vec<(u64, Record)>,
    maps_pause: u32,
    first_drain: bool,
    /// Mappings were read in which nobody has looked for an interpreter yet.
    unsearched: bool,
    search: late::Search,
    /// Sum of the weights of all CPU samples.
    sampled_ns: u64,
    unreadable: u64,
}

impl Recorder {
    pub(crate) fn new(
        pid: u32,
        id: ProcessId,
        version: u64,
        modules: Modules,
        binaries: Binaries,
    ) -> Self {
        Self {
            pid,
            id,
            version,
            unloads: Unloads::new(modules.clone()),
            modules,
            natives: Natives::new(pid, binaries),
            copiers: Copiers::new(pid),
            lines: CodeLines::new(version),
            ends: Ends::default(),
            batch: Vec::new(),
            maps_pause: 0,
            first_drain: true,
            unsearched: true,
            search: late::Search::default(),
            sampled_ns: 0,
            unreadable: 0,
        }
    }

    pub(crate) fn id(&self) -> ProcessId {
        self.id
    }

    pub(crate) fn modules(&mut self) -> &mut Modules {
        &mut self.modules
    }

    /// CPU nanoseconds that samples stand for.
    pub(crate) fn sampled_ns(&self) -> u64 {
        self.sampled_ns
    }

    /// Events that were none, and frames whose code object was never told.
    pub(crate) fn unreadable(&self) -> [(&'static str, u64); 2] {
        [("unreadable_events", self.unreadable), ("unresolved_frames", self.lines.missing())]
    }

    /// Counts something in a ring that is no event.
    pub(crate) fn count_unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// A new drain begins: handlers get the unwind tables that they asked for. True when there were any. A program that
    /// is not Python has nothing but native frames to tell: it gets those of all its code at once.
    pub(crate) fn begin_drain(&mut self, session: Session) -> bool {
        self.maps_pause = self.maps_pause.saturating_sub(1);
        let native = session.word(word::CONTROL).load(Ordering::Relaxed) & control::NATIVE != 0;
        self.look_for_unloads(session);
        let mut published = false;
        if std::mem::take(&mut self.first_drain) && native && self.version == 0 {
            for start in self.modules.starts() {
                published |= self.natives.publish(session, &self.modules, start);
            }
        }
        for pc in Tables::of(session).take_wanted() {
            self.place(session, pc);
            published |= self.natives.publish(session, &self.modules, pc);
        }
        published
    }

    /// Looks for an interpreter that was loaded after the start, when mappings were read since the last look, and tells
    /// the process about it.
    pub(crate) fn look_for_late_python(&mut self, session: Session, trace: &mut Trace) {
        // One that the process has greeted us with it tells of itself, as soon as it has mapped the session.
        if !std::mem::take(&mut self.unsearched) || self.version != 0 {
            return;
        }
        let Some(late) = self.search.find(self.pid, &self.modules) else { return };
        let version = super::version_text(late.version_hex);
        let came = format!("process {}: Python {version} came after the start:", self.pid);
        if !late.can_be_walked() {
            return trace.remark(&format!("{came} no Python lines, totals only"));
        }
        self.version = late.version_hex;
        self.lines = CodeLines::new(late.version_hex);
        // What stands at an address depends on where the interpreter is.
        self.natives.forget();
        late.tell(session);
        trace.remark(&format!("{came} its lines are told from then on, its small objects are not"));
    }

    /// Adds a record that is written with others in order of time.
    pub(crate) fn push(&mut self, time: u64, record: Record, trace: &mut Trace) {
        self.batch.push((time, record));
        if self.batch.len() >= BATCH {
            self.write_batch(trace);
        }
    }

    /// Writes what was gathered, in order of time.
    pub(crate) fn write_batch(&mut self, trace: &mut Trace) {
        // Stable: events of one thread at one moment keep their order.
        self.batch.sort_by_key(|&(time, _)| time);
        for (_, record) in self.batch.drain(..) {
            trace.write(&record);
        }
    }

    /// Records an event of `thread`. [`NotReady`]: nothing was done, try again later.
    pub(crate) fn event(
        &mut self,
        event: &Event<'_>,
        thread: ThreadId,
        slot: &mut SlotStack,
        context: Context<'_>,
    ) -> Result<(), NotReady> {
        let Context { session, now, insist, trace } = context;
        // A time in the future is a lie; analysis would take it for the length of the run. The drain may have begun a
        // while ago.
        let at = |time: u64| if time <= now { time } else { time.min(super::now()) };
        if self.unloads.is_news(event.time()) {
            // If they do not, the next drain reads newer ones, and this event is a doubtful one.
            self.unloads.still_hold(session);
        }
        self.ends.has_thread(thread);
        let (moment, record) = match *event {
            Event::Tick { time, weight_ns, pc, flags, stack, .. } => {
                let base = slot.apply(stack, session, &mut self.lines, trace, insist)?;
                let pc = self.certain(time, pc);
                let native = self.spots(session, &self.certain_frames(time, stack.native), trace);
                let facts = Facts {
                    kernel: flags & flag::KERNEL != 0,
                    place: self.place_of_work(session, pc, &native),
                    // A thread's last words come when its thread state is gone already.
                    python: is_python(stack) || (flags & flag::REST != 0 && slot.is_python()),
                    calls_c: base.is_some()
                        && self.version != 0
                        && cpython::calls_c(self.version, stack.opcode)
                        && !only_passes_on(&native),
                    collecting: stack.flags & stack_flag::COLLECTING != 0,
                };
                let (class, leaf) = classify(facts);
                let stack = if native.iter().any(|spot| spot.kind == Kind::Told) {
                    slot.with_native(&native, session, &mut self.lines, trace)
                } else {
                    self.with_leaf(base, leaf, pc, trace)
                };
                let weight_ns = weight_ns.min(trace.time(now).as_nanos());
                self.sampled_ns = self.sampled_ns.saturating_add(weight_ns);
                let time_in_trace = trace.time(at(time));
                (
                    time,
                    Record::Sample(Sample { time: time_in_trace, thread, stack, weight_ns, class }),
                )
            }
            Event::Alloc { time, size, weight, block, pc, python, stack } => {
                let base = slot.apply(stack, session, &mut self.lines, trace, insist)?;
                let (domain, stack) = if python {
                    (Domain::Python, base)
                } else {
                    (
                        Domain::Native,
                        self.with_caller(base, (time, pc), stack, slot, session, trace),
                    )
                };
                let time_in_trace = trace.time(at(time));
                let alloc =
                    Alloc { time: time_in_trace, thread, stack, size, weight, domain, block };
                slot.last_alloc = Some(alloc);
                (time, Record::Alloc(alloc))
            }
            Event::Copy { time, size, weight, pc, stack } => {
                let base = slot.apply(stack, session, &mut self.lines, trace, insist)?;
                let stack = self.with_caller(base, (time, pc), stack, slot, session, trace);
                let copier = self.copiers.name(self.certain(time, pc), &self.modules, trace);
                let time_in_trace = trace.time(at(time));
                let copied = Copied { time: time_in_trace, thread, stack, size, weight, copier };
                slot.last_copied = Some(copied);
                (time, Record::Copied(copied))
            }
            Event::Free { block, .. } if !self.ends.is_news(block) => return Ok(()),
            Event::Free { time, block } => {
                slot.last_free = block;
                (time, Record::Free(Free { time: trace.time(at(time)), thread, block }))
            }
            Event::Resize { time, block, old_size, new_size } => {
                let time_in_trace = trace.time(at(time));
                let resize = Resize { time: time_in_trace, thread, block, old_size, new_size };
                (time, Record::Resize(resize))
            }
            // The drain looks at these itself.
            Event::ThreadEnd { .. } | Event::Exit { .. } | Event::Labels { .. } => return Ok(()),
        };
        self.push(moment, record, trace);
        Ok(())
    }

    /// Records the weights that a thread's next samples would have taken over, had there been any: as more of its last
    /// ones, for those stood right before them.
    pub(crate) fn carried(
        &mut self,
        [allocated, copied]: [u64; 2],
        slot: &SlotStack,
        now: u64,
        trace: &mut Trace,
    ) {
        let time = trace.time(now);
        if let Some(last) = slot.last_alloc.filter(|_| allocated > 0) {
            let alloc = Alloc { time, weight: allocated, block: 0, ..last };
            self.push(now, Record::Alloc(alloc), trace);
        }
        if let Some(last) = slot.last_copied.filter(|_| copied > 0) {
            let copied = Copied { time, weight: copied, ..last };
            self.push(now, Record::Copied(copied), trace);
        }
    }

    /// Records the ends of blocks that the process had no room to tell of. `last`: those that its threads told last.
    pub(crate) fn look_for_ends(
        &mut self,
        session: Session,
        last: impl Iterator<Item = u64>,
        now: u64,
        trace: &mut Trace,
    ) {
        for (time, record) in self.ends.look(session, last, now, trace) {
            self.push(time, record, trace);
        }
    }

    /// The Python stack of a thread that stands still, read from outside. `seen`: a Python thread state of the process.
    pub(crate) fn standing_stack(
        &mut self,
        memory: &Remote,
        session: Session,
        slot: Slot,
        seen: usize,
        trace: &mut Trace,
    ) -> Option<StackId> {
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let told = load(slot.word(slot_word::THREAD_STATE)) as usize;
        let is_walked = load(session.word(word::PY_STATE)) == python_state::WALKED;
        let version = cpython::version_of(self.version).filter(|_| is_walked)?;
        let layout = &version.layout;
        let runtime = load(session.word(word::PY_RUNTIME_START)) as usize;
        let pointer = load(slot.word(slot_word::THREAD_POINTER));
        let place = Interpreter { runtime, seen };
        let thread_state = thread_states::of_thread(memory, version, place, told, pointer)?;
        let code_type = load(session.word(word::PY_CODE_TYPE)) as usize;
        let mut frames: Vec<AtomicU64> = Vec::new();
        frames.resize_with(MAX_FRAMES, || AtomicU64::new(0));
        let found = stack::walk(memory, session, layout, code_type, thread_state, &frames);
        let frames = frames[..found.depth.min(MAX_FRAMES)].iter().rev().map(load);
        let partial = found.flags & PARTIAL != 0;
        stacks::whole(frames, partial, session, &mut self.lines, trace)
    }

    /// What stands at the addresses of native frames.
    fn spots(&mut self, session: Session, native: &[u64], trace: &mut Trace) -> Vec<Spot> {
        if let Some(&pc) = native.first() {
            self.place(session, pc);
        }
        let spots = native.iter().enumerate();
        spots.map(|(n, &pc)| self.natives.spot(pc, n == 0, &self.modules, trace)).collect()
    }

    /// Where the work is done that `pc` is part of: anybody may call the C library, so the caller counts.
    fn place_of_work(&mut self, session: Session, pc: u64, native: &[Spot]) -> Place {
        let own = self.place(session, pc);
        if !matches!(own, Place::Libc | Place::Shim) {
            return own;
        }
        let caller = native.iter().find(|spot| !matches!(spot.place, Place::Libc | Place::Shim));
        caller.map_or(own, |spot| spot.place)
    }

    /// Where an address stands; an unknown one makes us look at the mappings again.
    fn place(&mut self, session: Session, pc: u64) -> Place {
        match pc {
            0 => return Place::Untold,
            DOUBTFUL => return Place::Nowhere,
            _ => {}
        }
        let place = self.modules.place(pc).0;
        if place != Place::Nowhere || self.maps_pause > 0 {
            return place;
        }
        let newer = Modules::parse(&procfs::maps(self.pid));
        // After an unloading they would not hold for what was sampled before: the next drain looks into that.
        if !newer.is_empty() && self.unloads.still_hold(session) {
            self.modules.replace(newer);
            self.natives.forget();
            self.unsearched = true;
        }
        let place = self.modules.place(pc).0;
        self.maps_pause = if place == Place::Nowhere { MAPS_PAUSE } else { 1 };
        place
    }

    /// The stack of a call of the allocator or of a copy, which `pc` is the return address of: with the native frames
    /// from there on outwards; where they are not known, with that one. In a part of the interpreter that tells
    /// nothing, `base`.
    fn with_caller(
        &mut self,
        base: Option<StackId>,
        (time, called_from): (u64, u64),
        stack: StackDelta<'_>,
        slot: &SlotStack,
        session: Session,
        trace: &mut Trace,
    ) -> Option<StackId> {
        let pc = self.certain(time, called_from);
        let place = self.place(session, pc);
        let alone = [pc];
        let native = match stack.native.iter().position(|&address| address == called_from) {
            Some(ours) => &*self.certain_frames(time, &stack.native[ours..]),
            None if pc == 0 => &[],
            None => &alone[..],
        };
        let spots = native.iter().map(|&pc| self.natives.spot(pc, false, &self.modules, trace));
        let spots: Vec<Spot> = spots.collect();
        if spots.iter().any(|spot| spot.kind == Kind::Told) {
            return slot.with_native(&spots, session, &mut self.lines, trace);
        }
        self.with_leaf(base, leaf_of_call(place, is_python(stack)), pc, trace)
    }

    /// `base` with the native frame below it.
    fn with_leaf(
        &mut self,
        base: Option<StackId>,
        leaf: Leaf,
        pc: u64,
        trace: &mut Trace,
    ) -> Option<StackId> {
        let frame: FrameId = match leaf {
            Leaf::None => return base,
            Leaf::Builtin => {
                let (pc, path) = self.modules.interpreter();
                let binary = self.natives.told(pc, &self.modules, trace);
                trace.native_frame(b"builtins", (path, 0), binary, false)
            }
            Leaf::Module => match self.modules.place(pc) {
                (Place::Nowhere, _) => trace.frame(b"[unknown]", b"", 0, Lang::Native, 0),
                (_, path) => {
                    let binary = self.natives.told(pc, &self.modules, trace);
                    trace.native_frame(file_name(path), (path, 0), binary, false)
                }
            },
        };
        Some(trace.stack(base, frame))
    }
}

/// What an event is recorded with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) session: Session,
    pub(crate) now: u64,
    /// Do not wait for code objects any more.
    pub(crate) insist: bool,
    pub(crate) trace: &'a mut Trace,
}

/// Whether the evaluation function calls no builtin: only functions that pass calls on stand between it and the
/// instruction, or one that is its own work. Before 3.11 functions written in Python are called as those in C are.
fn only_passes_on(native: &[Spot]) -> bool {
    let Some(eval) = native.iter().position(|spot| spot.kind == Kind::Eval) else { return false };
    let tells = |spot: &&Spot| spot.own_work || spot.kind != Kind::Passage || !spot.named;
    native[..eval].iter().rev().find(tells).is_none_or(|spot| spot.own_work)
}

fn is_python(stack: StackDelta<'_>) -> bool {
    stack.flags & stack_flag::PYTHON != 0
}
