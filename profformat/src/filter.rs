//! Which events of a trace a reader is asked for.

use alloc::vec::Vec;

use crate::ids::{ProcessId, ThreadId};
use crate::index::Entry;
use crate::kind::Kind;
use crate::record::{Copied, MemoryEvent, Record, Sample};
use crate::units::Timestamp;

/// Threads of a chunk whose processes are compared with the wanted ones.
const SPREAD: u32 = 256;

/// Times, threads, processes and kinds of the events that are wanted; everything unless something is asked for.
///
/// Definitions, ends and notes always come. The rest (samples, memory, copies, footprints, counters) comes when
/// its time and its kind are wanted and its thread, or its process, is. Chunks that the index tells to hold
/// nothing wanted are not even looked at.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    threads: Option<Vec<ThreadId>>,
    processes: Option<Vec<ProcessId>>,
    kinds: Option<Vec<Kind>>,
}

impl Filter {
    /// Wants everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only events of this time and later.
    pub fn from(self, time: Timestamp) -> Self {
        Self { from: Some(time), ..self }
    }

    /// Only events before this time.
    pub fn until(self, time: Timestamp) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Only samples, memory and copies of these threads.
    pub fn threads(self, threads: impl IntoIterator<Item = ThreadId>) -> Self {
        Self { threads: Some(sorted(threads)), ..self }
    }

    /// Only events of these processes.
    pub fn processes(self, processes: impl IntoIterator<Item = ProcessId>) -> Self {
        Self { processes: Some(sorted(processes)), ..self }
    }

    /// Only events of these kinds. Kinds that are no events have no effect: they always come.
    pub fn kinds(self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self { kinds: Some(sorted(kinds)), ..self }
    }

    /// Can a chunk hold anything wanted? `process` tells the processes of threads defined before it.
    pub(crate) fn wants(
        &self,
        entry: &Entry,
        process: impl Fn(ThreadId) -> Option<ProcessId>,
    ) -> bool {
        let Some(kind) = Kind::from_code(entry.kind) else { return false };
        if !kind.is_optional() {
            return kind != Kind::Index;
        }
        let [first, last] = entry.times;
        if self.rules_out(kind)
            || self.from.is_some_and(|from| last < from)
            || self.until.is_some_and(|until| first >= until)
        {
            return false;
        }
        if matches!(kind, Kind::Footprints | Kind::Counters) {
            return true;
        }
        let [low, high] = entry.threads.map(ThreadId::new);
        if let Some(threads) = &self.threads {
            let next = threads.partition_point(|thread| *thread < low);
            if threads.get(next).is_none_or(|thread| *thread > high) {
                return false;
            }
        }
        match &self.processes {
            None => true,
            // Looking at a chunk is cheaper than looking at many threads.
            Some(_) if high.number() - low.number() > SPREAD => true,
            Some(wanted) => (low.number()..=high.number())
                .map_while(|thread| process(ThreadId::new(thread)))
                .any(|process| wanted.binary_search(&process).is_ok()),
        }
    }

    /// The moments between which events are wanted.
    #[cfg(feature = "analysis")]
    pub(crate) fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.from, self.until)
    }

    /// Was nothing asked for in particular?
    #[cfg(feature = "analysis")]
    pub(crate) fn wants_all(&self) -> bool {
        let Self { from, until, threads, processes, kinds } = self;
        from.is_none()
            && until.is_none()
            && threads.is_none()
            && processes.is_none()
            && kinds.is_none()
    }

    /// Is nothing in chunks of this kind wanted?
    pub(crate) fn rules_out(&self, kind: Kind) -> bool {
        kind.is_optional() && !self.wants_kind(kind)
    }

    fn wants_kind(&self, kind: Kind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.binary_search(&kind).is_ok())
    }

    fn wants_time(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.until.is_none_or(|until| time < until)
    }

    fn wants_process(&self, process: ProcessId) -> bool {
        self.processes.as_ref().is_none_or(|wanted| wanted.binary_search(&process).is_ok())
    }

    fn wants_thread(&self, thread: ThreadId, processes: &[ProcessId]) -> bool {
        self.threads.as_ref().is_none_or(|wanted| wanted.binary_search(&thread).is_ok())
            && (self.processes.is_none()
                || processes
                    .get(thread.index())
                    .is_some_and(|process| self.wants_process(*process)))
    }

    /// Leaves the wanted ones of a block; `processes` are those of the threads.
    pub(crate) fn samples(&self, samples: &mut Vec<Sample>, processes: &[ProcessId]) {
        self.keep(Kind::Samples, samples, processes, |sample| (sample.time, sample.thread));
    }

    /// Leaves the wanted ones of a block.
    pub(crate) fn memory(&self, events: &mut Vec<MemoryEvent>, processes: &[ProcessId]) {
        self.keep(Kind::Memory, events, processes, |event| (event.time(), event.thread()));
    }

    /// Leaves the wanted ones of a block.
    pub(crate) fn copies(&self, copies: &mut Vec<Copied>, processes: &[ProcessId]) {
        self.keep(Kind::Copies, copies, processes, |copied| (copied.time, copied.thread));
    }

    fn keep<T>(
        &self,
        kind: Kind,
        events: &mut Vec<T>,
        processes: &[ProcessId],
        place: impl Fn(&T) -> (Timestamp, ThreadId),
    ) {
        if !self.wants_kind(kind) {
            events.clear();
        }
        events.retain(|event| {
            let (time, thread) = place(event);
            self.wants_time(time) && self.wants_thread(thread, processes)
        });
    }

    /// Leaves the wanted ones of a block, and what always comes.
    pub(crate) fn records(&self, records: &mut Vec<Record>) {
        records.retain(|record| {
            let (kind, time, process) = match record {
                Record::Footprint(point) => (Kind::Footprints, point.time, point.process),
                Record::Counter(counter) => (Kind::Counters, counter.time, counter.process),
                _ => return true,
            };
            self.wants_kind(kind) && self.wants_time(time) && self.wants_process(process)
        });
    }
}

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values
}
