//! The footprint of processes that fork, against sets of blocks: what several hold by inheritance is there once.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use profformat::analysis::{FootprintCurve, Survey};
use profformat::ids::ProcessId;
use profformat::record::{Footprint, Inherited, Outcome, Process, ProcessEnd, Record};
use profformat::units::Timestamp;

/// Bytes of a block.
const BLOCK: u64 = 1000;

/// Processes and the blocks that each of them can reach, and what their collector would write.
#[derive(Default)]
struct World {
    running: BTreeMap<u32, BTreeSet<u64>>,
    /// Blocks that a fork has copied.
    common: BTreeSet<u64>,
    processes: u32,
    blocks: u64,
    time: u64,
    records: Vec<Record>,
    /// The truth behind each point.
    totals: Vec<u64>,
}

impl World {
    fn begin(&mut self, parent: Option<u32>, blocks: BTreeSet<u64>) {
        let id = self.processes;
        self.processes += 1;
        self.time += 1;
        self.records.push(Record::Process(Process {
            id: ProcessId::new(id),
            parent: parent.map(ProcessId::new),
            pid: id,
            time: Timestamp::from_nanos(self.time),
            command: Vec::new(),
            python: String::new(),
            profiled: true,
        }));
        self.running.insert(id, blocks);
    }

    fn fork(&mut self, parent: u32) {
        let blocks = self.running[&parent].clone();
        self.common.extend(&blocks);
        let bytes = blocks.len() as u64 * BLOCK;
        let process = ProcessId::new(self.processes);
        self.begin(Some(parent), blocks);
        let time = Timestamp::from_nanos(self.time);
        self.records.push(Record::Inherited(Inherited { time, process, bytes }));
        self.point(self.processes - 1);
    }

    fn point(&mut self, process: u32) {
        self.time += 1;
        self.records.push(Record::Footprint(Footprint {
            time: Timestamp::from_nanos(self.time),
            process: ProcessId::new(process),
            native_bytes: self.running[&process].len() as u64 * BLOCK,
            python_bytes: 0,
            peak: false,
        }));
        let all: BTreeSet<u64> = self.running.values().flatten().copied().collect();
        self.totals.push(all.len() as u64 * BLOCK);
    }

    fn end(&mut self, process: u32) {
        self.time += 1;
        self.records.push(Record::ProcessEnd(ProcessEnd {
            id: ProcessId::new(process),
            time: Timestamp::from_nanos(self.time),
            outcome: Outcome::Killed(9),
            cpu_ns: 0,
        }));
        self.running.remove(&process);
    }

    /// Does one of six things in one of the processes that run. `frees_common`: also what others may hold.
    fn act(&mut self, what: u8, who: usize, amount: u64, frees_common: bool) {
        let Some(&process) = self.running.keys().nth(who % self.running.len().max(1)) else {
            return self.begin(None, BTreeSet::new());
        };
        let common = &self.common;
        let blocks = self.running.get_mut(&process).unwrap();
        match what {
            0..3 => {
                blocks.extend(self.blocks..self.blocks + amount);
                self.blocks += amount;
            }
            3 => {
                let free = |block: &&u64| frees_common || !common.contains(block);
                let gone: Vec<u64> =
                    blocks.iter().filter(free).take(amount as usize).copied().collect();
                blocks.retain(|block| !gone.contains(block));
            }
            4 => return self.fork(process),
            _ => return self.end(process),
        }
        self.point(process);
    }

    fn told(&self) -> FootprintCurve {
        let mut survey = Survey::default();
        self.records.iter().for_each(|record| survey.record(record));
        survey.finish()
    }
}

fn lived(acts: &[(u8, usize, u64)], frees_common: bool) -> World {
    let mut world = World::default();
    world.begin(None, BTreeSet::new());
    for &(what, who, amount) in acts {
        world.act(what, who, amount, frees_common);
    }
    world
}

fn acts() -> impl Strategy<Value = Vec<(u8, usize, u64)>> {
    prop::collection::vec((0..6_u8, 0..100_usize, 1..50_u64), 1..300)
}

proptest! {
    #[test]
    fn what_is_inherited_counts_once(acts in acts()) {
        let world = lived(&acts, false);
        let curve = world.told();
        let told: Vec<u64> = curve.timeline.iter().map(|point| point.bytes).collect();
        prop_assert_eq!(&told, &world.totals);
        prop_assert_eq!(curve.peak_bytes, world.totals.iter().copied().max().unwrap_or(0));
    }

    #[test]
    fn where_what_is_inherited_is_freed_the_total_is_no_more_than_all_footprints(acts in acts()) {
        let mut world = lived(&acts, true);
        let told = world.told().timeline;
        world.records.retain(|record| !matches!(record, Record::Inherited(_)));
        let all = world.told().timeline;
        prop_assert_eq!(told.len(), all.len());
        for (told, all) in told.iter().zip(&all) {
            prop_assert!(told.bytes <= all.bytes);
        }
    }
}

#[test]
fn a_trace_that_tells_no_inheritance_counts_every_process_fully() {
    let mut world = lived(&[(0, 0, 10), (4, 0, 1)], false);
    world.records.retain(|record| !matches!(record, Record::Inherited(_)));
    assert_eq!(world.told().peak_bytes, 20 * BLOCK);
}
