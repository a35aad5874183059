//! Pairing of allocations with their ends, against an oracle that looks at every record for every block.

use profformat::analysis::Profile;
use profformat::ids::{ProcessId, StackId, ThreadId};
use profformat::record::{
    Alloc, Domain, Footprint, Free, Header, Outcome, Process, ProcessEnd, Record, Resize, Thread,
};
use profformat::tables::Tables;
use profformat::units::Timestamp;
use proptest::prelude::*;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// A unit of time longer than what a peak's own allocation can be late.
const LONG: u64 = 2_000_000;

fn process(id: u32) -> Record {
    Record::Process(Process {
        id: ProcessId::new(id),
        parent: None,
        pid: 100 + id,
        time: at(0),
        command: vec![b"python3".to_vec()],
        python: "3.11.7".to_owned(),
        profiled: true,
    })
}

fn thread(id: u32, process: u32) -> Record {
    Record::Thread(Thread {
        id: ThreadId::new(id),
        process: ProcessId::new(process),
        tid: 200 + id,
        time: at(0),
        name: b"main".to_vec(),
    })
}

fn alloc(time: u64, thread: u32, stack: u32, block: u64, weight: u64) -> Record {
    Record::Alloc(Alloc {
        time: at(time),
        thread: ThreadId::new(thread),
        stack: Some(StackId::new(stack)),
        size: weight,
        weight,
        domain: Domain::Python,
        block,
    })
}

fn free(time: u64, thread: u32, block: u64) -> Record {
    Record::Free(Free { time: at(time), thread: ThreadId::new(thread), block })
}

fn resize(time: u64, block: u64, old_size: u64, new_size: u64) -> Record {
    let thread = ThreadId::new(0);
    Record::Resize(Resize { time: at(time), thread, block, old_size, new_size })
}

fn footprint(time: u64, process: u32, bytes: u64) -> Record {
    Record::Footprint(Footprint {
        time: at(time),
        process: ProcessId::new(process),
        native_bytes: 0,
        python_bytes: bytes,
        peak: true,
    })
}

fn profile(records: &[Record]) -> Profile {
    Profile::from_records(Header::default(), Tables::default(), || records.iter())
}

/// Bytes and blocks live at the peak, then at the end, of one stack.
fn live(profile: &Profile, stack: u32) -> [u64; 4] {
    let of = profile.memory.iter().filter(|m| m.stack == Some(StackId::new(stack)));
    of.fold([0; 4], |[a, b, c, d], m| {
        [
            a + m.live_at_peak_bytes,
            b + m.live_at_peak_blocks,
            c + m.live_at_end_bytes,
            d + m.live_at_end_blocks,
        ]
    })
}

#[test]
fn the_peak_is_told_after_the_events_around_it() {
    let profile = profile(&[
        process(0),
        thread(0, 0),
        alloc(10 * LONG, 0, 1, 1, 500),
        alloc(20 * LONG, 0, 2, 2, 700),
        free(30 * LONG, 0, 1),
        alloc(40 * LONG, 0, 3, 3, 50),
        // The maximum was at 25, between the second allocation and the free.
        footprint(25 * LONG, 0, 1200),
        footprint(50 * LONG, 0, 750),
        free(60 * LONG, 0, 2),
    ]);
    assert_eq!(live(&profile, 1), [500, 1, 0, 0]);
    assert_eq!(live(&profile, 2), [700, 1, 0, 0]);
    assert_eq!(live(&profile, 3), [0, 0, 50, 1]);
}

#[test]
fn the_block_that_makes_the_peak_is_recorded_a_moment_later() {
    let profile = profile(&[
        process(0),
        thread(0, 0),
        alloc(1000, 0, 1, 1, 10),
        footprint(2000, 0, 5010),
        // Drained later, recorded later, but the first is what the peak was made of.
        alloc(2300, 0, 3, 3, 5000),
        alloc(2200, 0, 2, 2, 5000),
        free(2250, 0, 2),
    ]);
    assert_eq!(live(&profile, 1), [10, 1, 10, 1]);
    assert_eq!(live(&profile, 2), [5000, 1, 0, 0]);
    assert_eq!(live(&profile, 3), [0, 0, 5000, 1]);
}

#[test]
fn without_a_footprint_nothing_is_live_at_its_peak() {
    let profile = profile(&[process(0), thread(0, 0), alloc(0, 0, 1, 1, 500)]);
    assert_eq!(live(&profile, 1), [0, 0, 500, 1]);
}

#[test]
fn a_child_has_blocks_of_its_own() {
    let profile = profile(&[
        process(0),
        process(1),
        thread(0, 0),
        thread(1, 1),
        alloc(10, 0, 1, 7, 100),
        alloc(11, 1, 2, 7, 200),
        free(12, 1, 7),
    ]);
    assert_eq!(live(&profile, 1), [0, 0, 100, 1]);
    assert_eq!(live(&profile, 2), [0, 0, 0, 0]);
}

#[test]
fn what_a_process_took_with_it_was_not_live_later() {
    let end = ProcessEnd {
        id: ProcessId::new(1),
        time: at(20 * LONG),
        outcome: Outcome::Exited(0),
        cpu_ns: 0,
    };
    let profile = profile(&[
        process(0),
        process(1),
        thread(0, 0),
        thread(1, 1),
        alloc(10 * LONG, 1, 2, 7, 200),
        footprint(11 * LONG, 1, 200),
        Record::ProcessEnd(end),
        alloc(30 * LONG, 0, 1, 1, 900),
        footprint(31 * LONG, 0, 900),
    ]);
    assert_eq!(profile.footprint.peak_bytes, 900);
    assert_eq!(live(&profile, 1), [900, 1, 900, 1]);
    assert_eq!(live(&profile, 2), [0, 0, 200, 1]);
}

#[test]
fn shrinking_scales_what_was_there_before_it() {
    let profile = profile(&[
        process(0),
        thread(0, 0),
        alloc(10 * LONG, 0, 1, 1, 1000),
        footprint(15 * LONG, 0, 1000),
        resize(20 * LONG, 1, 1000, 250),
        alloc(30 * LONG, 0, 2, 1, 100),
        resize(40 * LONG, 1, 350, 700),
    ]);
    assert_eq!(live(&profile, 1), [1000, 1, 250, 1]);
    assert_eq!(live(&profile, 2), [0, 0, 100, 1]);
}

#[test]
fn a_shrink_or_an_end_can_stand_before_its_allocation() {
    let profile = profile(&[
        process(0),
        thread(0, 0),
        resize(20 * LONG, 1, 1000, 250),
        free(22 * LONG, 0, 2),
        footprint(21 * LONG, 0, 1000),
        alloc(10 * LONG, 0, 1, 1, 1000),
        alloc(11 * LONG, 0, 2, 2, 60),
        // Growth in another thread's ring, drained after the block's end.
        free(25 * LONG, 0, 1),
        alloc(21 * LONG, 0, 3, 1, 40),
    ]);
    assert_eq!(live(&profile, 1), [250, 1, 0, 0]);
    assert_eq!(live(&profile, 2), [60, 1, 0, 0]);
    assert_eq!(live(&profile, 3), [40, 1, 0, 0]);
}

#[test]
fn calls_are_estimated_from_weight_and_size() {
    let mut record = alloc(1, 0, 1, 0, 131_072);
    if let Record::Alloc(alloc) = &mut record {
        alloc.size = 32;
    }
    let profile = profile(&[process(0), thread(0, 0), record]);
    assert_eq!(profile.memory[0].alloc_count, 4096);
    assert_eq!(profile.memory[0].live_at_end_bytes, 0, "block 0 is not followed");
}

#[test]
fn what_is_freed_within_ten_milliseconds_is_churn() {
    const MS: u64 = 1_000_000;
    let profile = profile(&[
        process(0),
        thread(0, 0),
        alloc(0, 0, 1, 1, 100),
        free(10 * MS, 0, 1),
        alloc(0, 0, 2, 2, 100),
        free(10 * MS + 1, 0, 2),
        // Half was given back before, and is not freed at once with the rest.
        alloc(0, 0, 3, 3, 100),
        resize(5 * MS, 3, 100, 50),
        free(6 * MS, 0, 3),
        // The end stands before the allocation.
        free(9 * MS, 0, 4),
        alloc(8 * MS, 0, 4, 4, 100),
        alloc(0, 0, 5, 5, 100),
    ]);
    let churn: Vec<u64> = profile.memory.iter().map(|sum| sum.churn_bytes).collect();
    assert_eq!(churn, [100, 0, 50, 100, 0]);
}

/// A block's life: its process, its growths (time, stack, weight) and the time of its end.
type Life = (u32, Vec<(u64, u32, u64)>, Option<u64>);

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let growth = (0u64..1000, 0u32..5, 1u64..1_000_000);
    let life = (
        0u32..2,
        prop::collection::vec(growth, 1..4),
        prop::option::of(prop_oneof![0u64..12, 0u64..1000]),
    );
    // A block ends after its last growth.
    let life = life.prop_map(|(process, growths, end)| {
        let last = growths.iter().map(|g| g.0).max().unwrap_or(0);
        (process, growths, end.map(|end| last + end))
    });
    prop::collection::vec(life, 1..40)
}

proptest! {
    #[test]
    fn any_order_of_records_gives_the_oracles_figures(
        lives in lives(),
        peak in 0u64..1500,
        order in prop::collection::vec(any::<u32>(), 200),
    ) {
        let mut events = Vec::new();
        for (number, (process, growths, end)) in lives.iter().enumerate() {
            let block = number as u64 + 1;
            for &(time, stack, weight) in growths {
                events.push(alloc(time * LONG, *process, stack, block, weight));
            }
            events.extend(end.map(|end| free(end * LONG, *process, block)));
        }
        events.push(footprint(peak * LONG, 0, 1));
        let mut keyed: Vec<_> = events.into_iter().enumerate().collect();
        keyed.sort_by_key(|(at, _)| order[at % order.len()]);
        let mut records = vec![process(0), process(1), thread(0, 0), thread(1, 1)];
        records.extend(keyed.into_iter().map(|(_, record)| record));
        let profile = profile(&records);

        for process in 0..2 {
            for stack in 0..5 {
                let mut expected = [0u64; 3];
                // What grew more than once in one stack counts by its last growth, as far as that was known.
                let (mut least, mut most) = (0, 0);
                for (_, growths, end) in lives.iter().filter(|life| life.0 == process) {
                    for &(time, _, weight) in growths.iter().filter(|g| g.1 == stack) {
                        expected[0] += weight;
                        let at_peak = time <= peak && end.is_none_or(|end| end > peak);
                        expected[1] += if at_peak { weight } else { 0 };
                        expected[2] += if end.is_none() { weight } else { 0 };
                        let last = growths.iter().filter(|g| g.1 == stack).map(|g| g.0).max();
                        let soon = |time: u64| end.is_some_and(|end| (end - time) * LONG <= 10_000_000);
                        least += if soon(time) { weight } else { 0 };
                        most += if soon(last.unwrap_or(time)) { weight } else { 0 };
                    }
                }
                let key = (ThreadId::new(process), Some(StackId::new(stack)));
                let found = profile.memory.iter().find(|m| (m.thread, m.stack) == key);
                let churn = found.map_or(0, |m| m.churn_bytes);
                prop_assert!(least <= churn && churn <= most, "{least} {churn} {most}");
                let found = found.map_or([0; 3], |m| {
                    [m.alloc_bytes, m.live_at_peak_bytes, m.live_at_end_bytes]
                });
                prop_assert_eq!(found, expected);

                let part = |time: u64| time * LONG / profile.curves.part_ns;
                let changes = profile.curves.changes.iter().filter(|c| (c.thread, c.stack) == key);
                for now in 0..=part(2_000) {
                    let told = changes.clone().filter(|change| u64::from(change.part) <= now);
                    let mut held = 0;
                    for (_, growths, end) in lives.iter().filter(|life| life.0 == process) {
                        let lives = end.is_none_or(|end| part(end) > now);
                        let growths = growths.iter().filter(|g| g.1 == stack && part(g.0) <= now);
                        held += growths.map(|g| if lives { g.2 as i64 } else { 0 }).sum::<i64>();
                    }
                    prop_assert_eq!(told.map(|change| change.bytes).sum::<i64>(), held);
                }
            }
        }
    }
}

/// Of one stack: when its changes were, in milliseconds, and how many bytes they were.
fn changes(profile: &Profile, stack: u32) -> Vec<(u64, i64)> {
    let of = profile.curves.changes.iter().filter(|c| c.stack == Some(StackId::new(stack)));
    of.map(|c| (u64::from(c.part) * profile.curves.part_ns / 1_000_000, c.bytes)).collect()
}

#[test]
fn shrinking_ends_a_part_of_a_life() {
    let profile = profile(&[
        process(0),
        thread(0, 0),
        alloc(10 * LONG, 0, 1, 1, 1000),
        resize(20 * LONG, 1, 1000, 250),
        free(40 * LONG, 0, 1),
        // The same, told from the end on.
        free(40 * LONG, 0, 2),
        resize(20 * LONG, 2, 1000, 250),
        alloc(10 * LONG, 0, 2, 2, 1000),
    ]);
    assert_eq!(changes(&profile, 1), [(19, 1000), (39, -750), (79, -250)]);
    assert_eq!(changes(&profile, 2), changes(&profile, 1));
}
