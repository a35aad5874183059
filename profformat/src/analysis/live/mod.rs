//! Figures of a run that goes on: of its last seconds and of all of it, by line, function and thread.
//!
//! Records are added as they come and nothing is gone over twice: a sample adds to the figures of every window, and is
//! taken from those of a window again when its second leaves it. So a look costs nothing, however long the run. Figures
//! of all of the run are those of [`sites`](super::sites), as far as the run has come.

mod group;
mod recent;
mod routes;
mod why;

pub use group::{Figures, Group, Key, ROWS, Spot};
pub use why::Explained;

use hashbrown::HashMap;

use self::group::Way;
use self::recent::{Recent, Sum, TimeKey};
use self::routes::Routes;
use super::heap::Heap;
use super::listed::Listed;
use super::{Books, FootprintCurve, Survey};
use crate::block::Block;
use crate::ids::{ProcessId, StackId, StringId, ThreadId};
use crate::limit;
use crate::record::{
    Copied, MemoryEvent, Process, ProcessEnd, Record, Sample, Thread, ThreadEnd, counter,
};
use crate::tables::Tables;
use crate::units::Timestamp;

/// Stacks and classes whose time since the start is known one by one, at most; see [`Live::explain`].
const EXPLAINED: usize = 1 << 18;

/// A part of the run that figures are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last ten seconds, the one at hand among them.
    Short,
    /// The last sixty seconds.
    Long,
    /// Everything since the start.
    All,
}

impl Window {
    /// Every window, shortest first; the position is that in all that is kept by window.
    pub const ALL: [Window; 3] = [Window::Short, Window::Long, Window::All];

    /// How many seconds it spans; `None` for all of the run.
    pub const fn seconds(self) -> Option<u64> {
        match self {
            Window::Short => Some(10),
            Window::Long => Some(60),
            Window::All => None,
        }
    }

    /// Whether it holds a second, seen from another one.
    fn holds(self, second: u64, now: u64) -> bool {
        self.seconds().is_none_or(|span| now.saturating_sub(second) < span)
    }
}

/// What figures are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Source lines.
    Line,
    /// Functions.
    Function,
    /// Threads.
    Thread,
}

/// Adds up a trace as it grows. Its memory follows the dictionaries and the last minute, within bounds: beyond
/// [`ROWS`] lines, functions or threads, the rest is one of them.
#[derive(Debug)]
pub struct Live {
    now: Timestamp,
    groups: [Group; 3],
    routes: Routes,
    totals: [Figures; 3],
    recent: Recent,
    explained: HashMap<(Option<StackId>, u8), u64>,
    heap: Heap,
    survey: Survey,
    processes: Listed<Process, ProcessEnd>,
    threads: Listed<Thread, ThreadEnd>,
    counters: HashMap<(ProcessId, StringId), u64>,
    is_complete: bool,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// Figures before the first record.
    pub fn new() -> Self {
        Self {
            now: Timestamp::ZERO,
            groups: [Group::new(), Group::new(), Group::new()],
            routes: Routes::default(),
            totals: [Figures::default(); 3],
            recent: Recent::default(),
            explained: HashMap::new(),
            heap: Heap::new(None, false),
            survey: Survey::default(),
            processes: Listed::new(|process| process.id.number()),
            threads: Listed::new(|thread| thread.id.number()),
            counters: HashMap::new(),
            is_complete: false,
        }
    }

    /// Takes the next records of the trace, with the dictionaries as they are then.
    pub fn block(&mut self, block: &Block<'_>, tables: &Tables) {
        self.advance(crate::recover::newest(block), tables);
        match block {
            Block::Samples(samples) => self.samples(samples, tables),
            Block::Memory(events) => self.memory(events),
            Block::Copies(copies) => self.copies(copies, tables),
            Block::Records(records) => records.iter().for_each(|record| self.record(record)),
        }
    }

    /// Time has come to this moment: what is too old leaves the windows.
    pub fn advance(&mut self, to: Timestamp, tables: &Tables) {
        if to <= self.now {
            return;
        }
        self.now = to;
        // A second that has left the short window may have to leave the long one at once.
        while let Some((window, bucket)) = self.recent.advance(second(to)) {
            let windows = Window::ALL.map(|any| any == window);
            for (key, sum) in &bucket.time {
                self.time(*key, sum, windows, Way::Out, tables);
            }
            for (key, bytes) in &bucket.copies {
                self.copied(*key, *bytes, windows, Way::Out, tables);
            }
            self.recent.keep(window, bucket);
        }
    }

    fn samples(&mut self, samples: &[Sample], tables: &Tables) {
        // Of one second most samples are of few stacks: each is walked once.
        let mut sums: HashMap<(u64, TimeKey), Sum> = HashMap::new();
        for sample in samples {
            let key = (sample.thread, sample.stack, sample.class.code());
            sums.entry((second(sample.time), key)).or_default().add(sample.weight_ns);
        }
        // In the same order every time, which decides what has a row of its own when there are too many.
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_unstable_by_key(|(key, _)| *key);
        for ((second, key), sum) in sums {
            let known = self.explained.len() < EXPLAINED;
            let stack_and_class = (key.1, key.2);
            if known || self.explained.contains_key(&stack_and_class) {
                let ns = self.explained.entry(stack_and_class).or_default();
                *ns = ns.saturating_add(sum.weight_ns);
            }
            let (key, windows) = self.recent.time(second, key, &sum);
            self.time(key, &sum, windows, Way::In, tables);
        }
    }

    /// Time enters or leaves windows.
    fn time(&mut self, key: TimeKey, sum: &Sum, windows: [bool; 3], way: Way, tables: &Tables) {
        let (thread, stack, class) = key;
        let route = self.routes.walk(stack, tables, &mut self.groups);
        let number = self.groups[By::Thread as usize].number(Key::Thread(thread));
        let leaves = [route.leaf[0], route.leaf[1], number];
        let all: [&[u32]; 3] = [&route.steps[0], &route.steps[1], &[number]];
        for at in (0..windows.len()).filter(|at| windows[*at]) {
            self.totals[at].own(class, sum, way);
            for (group, (leaf, steps)) in self.groups.iter_mut().zip(leaves.into_iter().zip(all)) {
                group.figures_mut(leaf, at).own(class, sum, way);
                for step in steps {
                    group.figures_mut(*step, at).total(class, sum, way);
                }
            }
        }
    }

    fn copies(&mut self, copies: &[Copied], tables: &Tables) {
        for copied in copies {
            let (key, bytes) = ((copied.thread, copied.stack), copied.weight);
            let (key, windows) = self.recent.copied(second(copied.time), key, bytes);
            self.copied(key, bytes, windows, Way::In, tables);
        }
    }

    /// Copied bytes enter or leave windows.
    fn copied(
        &mut self,
        (thread, stack): (ThreadId, Option<StackId>),
        bytes: u64,
        windows: [bool; 3],
        way: Way,
        tables: &Tables,
    ) {
        let [line, function] = self.routes.of_memory(stack, tables, &mut self.groups);
        let number = self.groups[By::Thread as usize].number(Key::Thread(thread));
        for at in (0..windows.len()).filter(|at| windows[*at]) {
            way.change(&mut self.totals[at].copied, bytes);
            for (group, number) in self.groups.iter_mut().zip([line, function, number]) {
                way.change(&mut group.figures_mut(number, at).copied, bytes);
            }
        }
    }

    fn memory(&mut self, events: &[MemoryEvent]) {
        let threads = &self.threads;
        self.heap.events(events, |id| threads.get(id.number()).map(|(thread, _)| thread.process));
    }

    fn record(&mut self, record: &Record) {
        self.survey.record(record);
        match record {
            Record::Process(process) => self.processes.add(process),
            Record::ProcessEnd(end) => {
                if let Some((_, known)) = self.processes.get_mut(end.id.number()) {
                    *known = Some(*end);
                }
            }
            Record::Thread(thread) => self.thread(thread),
            Record::ThreadEnd(end) => {
                if let Some((_, known)) = self.threads.get_mut(end.id.number()) {
                    *known = Some(*end);
                }
            }
            Record::Counter(counter) => {
                let key = (counter.process, counter.name);
                if self.counters.len() < limit::COUNTERS || self.counters.contains_key(&key) {
                    self.counters.insert(key, counter.value);
                }
            }
            Record::End(_) => self.is_complete = true,
            _ => {}
        }
    }

    /// A thread can be recorded again when its name has become known.
    fn thread(&mut self, thread: &Thread) {
        match self.threads.get_mut(thread.id.number()) {
            Some((known, _)) if !thread.name.is_empty() => known.name.clone_from(&thread.name),
            Some(_) => {}
            None => self.threads.add(thread),
        }
    }

    /// Looks again at what is held: bytes that were allocated and are not yet freed, by line, function and thread.
    pub fn look_at_held(&mut self, tables: &Tables) {
        self.groups.iter_mut().for_each(Group::forget_held);
        for (thread, stack, bytes) in self.heap.live().filter(|live| live.2 > 0) {
            let [line, function] = self.routes.of_memory(stack, tables, &mut self.groups);
            let number = self.groups[By::Thread as usize].number(Key::Thread(thread));
            for (group, number) in self.groups.iter_mut().zip([line, function, number]) {
                group.hold(number, bytes);
            }
        }
    }

    /// What a line or a function spent its time on, and which lines led to it.
    pub fn explain(&mut self, by: By, number: u32, window: Window, tables: &Tables) -> Explained {
        let mut explained = why::Parts::new(by, number);
        let (routes, groups) = (&mut self.routes, &mut self.groups);
        let mut add = |stack, class, ns| {
            let route = routes.walk(stack, tables, groups);
            explained.add(route, class, ns);
        };
        match window {
            Window::All => {
                self.explained.iter().for_each(|((stack, class), ns)| add(*stack, *class, *ns));
            }
            _ => self.recent.of(window).for_each(|((_, stack, class), sum)| {
                add(*stack, *class, sum.weight_ns);
            }),
        }
        explained.finish(&self.groups[by as usize])
    }

    /// The latest moment that is known of.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Figures by line, function or thread.
    pub fn group(&self, by: By) -> &Group {
        &self.groups[by as usize]
    }

    /// Sums of a window; no figure of its total is set.
    pub fn totals(&self, window: Window) -> &Figures {
        &self.totals[window as usize]
    }

    /// CPU nanoseconds of each of the last seconds, oldest first; the last is the one at hand. As many as a
    /// [long window](Window::Long) has, or as have gone by.
    pub fn cpu_by_second(&self) -> Vec<u64> {
        self.recent.cpu_by_second()
    }

    /// Bytes held over time by all processes together, as far as the run has come.
    pub fn footprint(&self) -> FootprintCurve {
        self.survey.clone().finish()
    }

    /// Processes in order of id, each with its end when that is known.
    pub fn processes(&self) -> &[(Process, Option<ProcessEnd>)] {
        self.processes.values()
    }

    /// Threads in order of id, each with its end when that is known.
    pub fn threads(&self) -> &[(Thread, Option<ThreadEnd>)] {
        self.threads.values()
    }

    /// Ticks, samples and losses so far, all processes together.
    pub fn books(&self, tables: &Tables) -> Books {
        let mut books = Books::default();
        for (&(_, name), &value) in self.counters.iter().filter(|(_, value)| **value > 0) {
            let name = tables.string(name);
            let lost = name.strip_prefix(counter::LOST.as_bytes());
            let sum = match lost {
                Some(reason) => {
                    let reason = String::from_utf8_lossy(reason).into_owned();
                    books.lost.entry(reason).or_default()
                }
                None if name == counter::TICKS.as_bytes() => &mut books.ticks,
                None if name == counter::SAMPLES.as_bytes() => &mut books.samples,
                None => continue,
            };
            *sum = sum.saturating_add(value);
        }
        books
    }

    /// Samples of allocations and copies that were lost so far.
    pub fn lost_events(&self, tables: &Tables) -> u64 {
        let kinds = [counter::LOST_ALLOC, counter::LOST_COPY];
        let is_lost = |name: &[u8]| kinds.iter().any(|kind| name.starts_with(kind.as_bytes()));
        let lost = self.counters.iter().filter(|((_, name), _)| is_lost(tables.string(*name)));
        lost.fold(0, |sum, (_, value)| sum.saturating_add(*value))
    }

    /// True once the end record was read.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// The second of the run that a moment is in.
fn second(time: Timestamp) -> u64 {
    time.as_nanos() / 1_000_000_000
}
