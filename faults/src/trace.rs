//! What a trace says: who ran, how it ended, what was counted, and whether the books balance.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use profformat::TraceReader;
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::{Outcome, Record, counter};

use crate::row::{Broken, holds};

/// How many times as long as asked for an interval becomes at most while a process does too much of a kind.
const STRETCHED: u64 = 1024;

/// A process in a trace.
#[derive(Debug, Default)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) profiled: bool,
    pub(crate) command: Vec<Vec<u8>>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) counters: BTreeMap<String, u64>,
    threads: u64,
    allocated: Weights,
    copied: Weights,
}

/// Weights of samples.
#[derive(Debug, Default)]
struct Weights {
    sum: u64,
    largest: u64,
}

impl Weights {
    fn add(&mut self, weight: u64) {
        self.sum = self.sum.saturating_add(weight);
        self.largest = self.largest.max(weight);
    }
}

/// The process of a thread, which the trace defined before.
fn owner(of_thread: &HashMap<ThreadId, ProcessId>, thread: ThreadId) -> Result<ProcessId, Broken> {
    let found = of_thread.get(&thread).copied();
    found.ok_or_else(|| Broken::fault(format!("the trace does not define {thread:?}")))
}

/// All that a trace says about losses, ends and sums.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) processes: BTreeMap<ProcessId, Process>,
    pub(crate) notes: Vec<String>,
    /// CPU nanoseconds in samples.
    pub(crate) cpu_ns: u64,
    /// It says when the run was over.
    pub(crate) is_finished: bool,
    intervals: [u64; 2],
}

impl Trace {
    /// Reads what is readable.
    pub(crate) fn read(path: &Path) -> Result<Self, Broken> {
        let bytes =
            std::fs::read(path).map_err(|error| Broken::fault(format!("no trace: {error}")))?;
        let unreadable = |error| Broken::fault(format!("the trace cannot be read: {error}"));
        let mut reader = TraceReader::new(&bytes).map_err(unreadable)?;
        let header = reader.header();
        let intervals = [header.memory_interval, header.copy_interval];
        let mut trace = Self {
            processes: BTreeMap::new(),
            notes: Vec::new(),
            cpu_ns: 0,
            is_finished: false,
            intervals,
        };
        let (mut of_thread, mut ended) = (HashMap::new(), HashSet::new());
        while let Some(record) = reader.next_record() {
            let record = record.map_err(unreadable)?;
            if let Record::Counter(counter) = &record {
                let name =
                    String::from_utf8_lossy(reader.tables().string(counter.name)).into_owned();
                let process = trace.processes.entry(counter.process).or_default();
                process.counters.insert(name, counter.value);
                continue;
            }
            trace.take(record, &mut of_thread, &mut ended)?;
        }
        Ok(trace)
    }

    fn take(
        &mut self,
        record: Record,
        of_thread: &mut HashMap<ThreadId, ProcessId>,
        ended: &mut HashSet<(ProcessId, u64)>,
    ) -> Result<(), Broken> {
        match record {
            Record::Process(process) => {
                let entry = self.processes.entry(process.id).or_default();
                entry.pid = process.pid;
                entry.profiled = process.profiled;
                entry.command = process.command;
            }
            Record::ProcessEnd(end) => {
                self.processes.entry(end.id).or_default().outcome = Some(end.outcome);
            }
            Record::Thread(thread) => {
                of_thread.insert(thread.id, thread.process);
                self.processes.entry(thread.process).or_default().threads += 1;
            }
            Record::Sample(sample) if sample.class.on_cpu() => self.cpu_ns += sample.weight_ns,
            Record::Alloc(alloc) => {
                self.processes
                    .entry(owner(of_thread, alloc.thread)?)
                    .or_default()
                    .allocated
                    .add(alloc.weight);
            }
            Record::Copied(copied) => {
                self.processes
                    .entry(owner(of_thread, copied.thread)?)
                    .or_default()
                    .copied
                    .add(copied.weight);
            }
            Record::Free(free) => {
                let first = ended.insert((owner(of_thread, free.thread)?, free.block));
                holds(first, || format!("books: a block ends twice: {free:?}"))?;
            }
            Record::Note(words) => self.notes.push(String::from_utf8_lossy(&words).into_owned()),
            Record::End(_) => self.is_finished = true,
            _ => {}
        }
        Ok(())
    }

    /// The process that `prof run` started, as what it became last.
    pub(crate) fn root(&self) -> Option<&Process> {
        let pid = self.processes.values().next()?.pid;
        self.processes.values().rfind(|process| process.pid == pid)
    }

    /// Processes that were profiled.
    pub(crate) fn profiled(&self) -> usize {
        self.processes.values().filter(|process| process.profiled).count()
    }

    /// The sum of a counter over all processes.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.processes.values().filter_map(|process| process.counters.get(name)).sum()
    }

    /// The sum of all counters whose name begins so.
    pub(crate) fn count_all(&self, prefix: &str) -> u64 {
        self.processes.values().map(|process| process.count_all(prefix)).sum()
    }

    /// I5: ticks are samples and losses in each process, and weights add up to what was counted, to one interval for
    /// each thread and what is counted as lost.
    pub(crate) fn balances(&self) -> Result<(), Broken> {
        let [memory, copies] = self.intervals;
        for process in self.processes.values() {
            let count = |name: &str| process.counters.get(name).copied().unwrap_or(0);
            let (ticks, samples) = (count(counter::TICKS), count(counter::SAMPLES));
            let lost = process.count_all(counter::LOST);
            let pid = process.pid;
            let words = || format!("books of {pid}: {ticks} ticks, {samples} samples, {lost} lost");
            holds(ticks == samples + lost, words)?;
            let told = count(counter::ALLOC_BYTES);
            process.adds_up("allocated", told, &process.allocated, memory, counter::LOST_ALLOC)?;
            let told = count(counter::COPY_BYTES);
            process.adds_up("copied", told, &process.copied, copies, counter::LOST_COPY)?;
        }
        Ok(())
    }

    /// Ticks, samples and losses in words.
    pub(crate) fn ticks(&self) -> String {
        let (ticks, lost) = (self.count(counter::TICKS), self.count_all(counter::LOST));
        format!("{ticks} ticks, {lost} lost and counted")
    }
}

impl Process {
    fn count_all(&self, prefix: &str) -> u64 {
        self.counters.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, n)| n).sum()
    }

    fn adds_up(
        &self,
        what: &str,
        told: u64,
        weights: &Weights,
        interval: u64,
        lost: &str,
    ) -> Result<(), Broken> {
        // Each thread is in the midst of an interval, which is no longer than what was sampled last, or as long again.
        let slack = (STRETCHED * interval).max(2 * weights.largest) * (self.threads + 1);
        let weights = weights.sum;
        let pid = self.pid;
        let words = || format!("books of {pid}: {weights} bytes {what} in samples, {told} counted");
        holds(weights <= told + slack, words)?;
        holds(self.count_all(lost) > 0 || weights + slack >= told, words)
    }
}
