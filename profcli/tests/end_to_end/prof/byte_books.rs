//! What a trace says about bytes, by process: the weights of samples beside the exact counters, and blocks' lives.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use profformat::ids::{ProcessId, ThreadId};
use profformat::reader::TraceReader;
use profformat::record::{MemoryEvent, Record, counter};

/// The books of one process.
#[derive(Debug, Default)]
struct Process {
    threads: u64,
    counters: BTreeMap<String, u64>,
    allocated: u64,
    copied: u64,
    /// Followed blocks that were freed.
    ended: BTreeSet<u64>,
}

/// The books of all processes of a trace.
#[derive(Debug)]
pub(crate) struct ByteBooks {
    processes: BTreeMap<ProcessId, Process>,
    /// The longest of allocations and of copies that there were, in bytes.
    intervals: [u64; 2],
}

impl ByteBooks {
    /// Reads them, record by record.
    #[track_caller]
    pub(crate) fn of_trace(trace: &Path) -> Self {
        let bytes = std::fs::read(trace).expect("the trace can be read");
        let mut reader = TraceReader::new(&bytes).expect("a trace").strict();
        let header = reader.header();
        let mut intervals = [header.memory_interval, header.copy_interval];
        let mut processes = BTreeMap::<ProcessId, Process>::new();
        let mut of_thread = HashMap::<ThreadId, ProcessId>::new();
        while let Some(record) = reader.next_record() {
            match record.expect("a sound trace") {
                Record::Thread(thread) => {
                    of_thread.insert(thread.id, thread.process);
                    processes.entry(thread.process).or_default().threads += 1;
                }
                Record::Counter(counter) => {
                    let name = reader.tables().string(counter.name);
                    let name = String::from_utf8_lossy(name).into_owned();
                    let process = processes.entry(counter.process).or_default();
                    process.counters.insert(name, counter.value);
                }
                Record::Copied(copied) => {
                    processes.entry(of_thread[&copied.thread]).or_default().copied += copied.weight;
                }
                Record::Alloc(alloc) => {
                    let process = processes.entry(of_thread[&alloc.thread]).or_default();
                    process.memory(MemoryEvent::Alloc(alloc));
                }
                Record::Free(free) => {
                    let process = processes.entry(of_thread[&free.thread]).or_default();
                    process.memory(MemoryEvent::Free(free));
                }
                Record::Resize(resize) => {
                    let process = processes.entry(of_thread[&resize.thread]).or_default();
                    process.memory(MemoryEvent::Resize(resize));
                }
                Record::Note(words) => {
                    for (interval, what) in intervals.iter_mut().zip(["allocations", "copies"]) {
                        *interval = stretched(&words, what).unwrap_or(0).max(*interval);
                    }
                }
                _ => {}
            }
        }
        Self { processes, intervals }
    }

    /// Bytes that all processes together allocated, by their counters.
    pub(crate) fn allocated(&self) -> u64 {
        let told = |process: &Process| process.counters.get(counter::ALLOC_BYTES).copied();
        self.processes.values().filter_map(told).sum()
    }

    /// Weights add up to the counters, to one interval for each thread, of those that were in force; and no block ends
    /// twice.
    #[track_caller]
    pub(crate) fn assert_balance(&self) {
        let [memory, copies] = self.intervals;
        for (id, process) in &self.processes {
            let told = process.counters.get(counter::ALLOC_BYTES);
            process.assert_sum(id, told, process.allocated, memory);
            let told = process.counters.get(counter::COPY_BYTES);
            process.assert_sum(id, told, process.copied, copies);
            // Few handlers come amid a sample: more mean that the thread is taken for busy when it is not.
            let count = |name: &str| process.counters.get(name).copied().unwrap_or(0);
            let (lost, copies) = (count("lost_copy.reentered"), count(counter::COPY_CALLS));
            assert!(
                100 * lost <= copies,
                "{id:?}: {lost} of {copies} copies found the thread busy"
            );
        }
    }
}

impl Process {
    #[track_caller]
    fn memory(&mut self, event: MemoryEvent) {
        match event {
            MemoryEvent::Alloc(alloc) => self.allocated += alloc.weight,
            // Rings are drained one after the other: an end can stand before what another thread did to the block.
            MemoryEvent::Free(free) => {
                assert!(self.ended.insert(free.block), "{free:?}: ended before");
            }
            MemoryEvent::Resize(_) => {}
        }
    }

    #[track_caller]
    fn assert_sum(&self, id: &ProcessId, told: Option<&u64>, weights: u64, interval: u64) {
        let told = told.copied().unwrap_or(0);
        let slack = interval * (self.threads + 1);
        assert!(
            weights.abs_diff(told) <= slack,
            "{id:?}: {weights} in samples of {told}, at most every {interval}: {self:#?}"
        );
    }
}

/// The interval in bytes that a remark tells of, if it tells how seldom these were sampled at times.
fn stretched(remark: &[u8], what: &str) -> Option<u64> {
    let words = std::str::from_utf8(remark).ok()?;
    let (_, at) = words.split_once(&format!("so many {what} that at times only every "))?;
    let kib: u64 = at.split(' ').next()?.parse().ok()?;
    Some(kib << 10)
}
