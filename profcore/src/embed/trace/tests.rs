use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::record::Class;
use profformat::{
    TraceReader,
    ids::{FunctionId, StackId},
};

use crate::embed::examples::{alloc, cpu, hostile, sample, snapshot};
use crate::embed::{Snapshot, What};

fn trace(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot.write_trace(&mut bytes).unwrap();
    for record in TraceReader::new(&bytes).unwrap().strict().records() {
        record.unwrap();
    }
    bytes
}

/// Names from the innermost frame outwards.
fn names(profile: &Profile, stack: Option<StackId>) -> String {
    let tables = &profile.tables;
    let name = |frame| {
        let function = tables.function(tables.frame(frame).unwrap().function).unwrap();
        String::from_utf8_lossy(tables.string(function.name)).into_owned()
    };
    tables.walk(stack).map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_trace_has_the_sums_of_its_snapshot() {
    let snapshot = snapshot();
    let profile = Profile::from_bytes(&trace(&snapshot)).unwrap();
    assert!(profile.complete);
    let header = &profile.header;
    assert_eq!((header.cpu_interval_ns, header.memory_interval), (10_000_000, 524_288));
    assert_eq!(header.start_unix_ns, 1_700_000_000_000_000_000);
    assert_eq!(profile.elapsed.as_nanos(), 2_500_000_000);
    let (process, end) = &profile.processes[0];
    assert_eq!((process.pid, end.unwrap().cpu_ns), (std::process::id(), 30_000_000));
    assert_eq!(process.command[0], std::env::args().next().unwrap().as_bytes());
    let threads: Vec<_> = profile.threads.iter().map(|(thread, _)| thread.tid).collect();
    assert_eq!(threads, [71, 72]);

    let tid = |thread: profformat::ids::ThreadId| profile.threads[thread.index()].0.tid;
    assert!(profile.time.iter().all(|sum| sum.class == Class::Native));
    let time: BTreeMap<_, _> = profile
        .time
        .iter()
        .map(|sum| ((tid(sum.thread), names(&profile, sum.stack)), (sum.samples, sum.weight_ns)))
        .collect();
    // Return addresses are looked up, and told, at the call.
    let stack = "app+0x2000 app+0x2fff lib.so+0x4ff".to_owned();
    let expected = [
        ((71, stack.clone()), (2, 20_000_000)),
        ((72, String::new()), (1, 1_000_000)),
        ((72, stack), (1, 5_000_000)),
    ];
    assert_eq!(time, BTreeMap::from(expected));

    let memory: BTreeMap<_, _> = profile
        .memory
        .iter()
        .map(|sum| {
            let blocks = (sum.samples, sum.live_at_end_blocks);
            let key = (tid(sum.thread), names(&profile, sum.stack));
            (key, (blocks, sum.alloc_bytes, sum.live_at_end_bytes))
        })
        .collect();
    let expected = [
        ((71, "lib.so+0x10".to_owned()), ((1, 0), 600_000, 0)),
        ((71, "lib.so+0x20 app+0x3fff".to_owned()), ((1, 1), 524_288, 524_288)),
        ((72, "lib.so+0x10 app+0x2fff".to_owned()), ((2, 1), 2_097_152, 1_048_576)),
    ];
    assert_eq!(memory, BTreeMap::from(expected));
    let notes = [
        "524288 bytes that count as allocated at the beginning are older: blocks that were held already",
        "CPU time of the process: 30ms",
        "of it the profiler's own, in no sample: 1ms",
        "of it not sampled: 3ms",
    ];
    assert_eq!(profile.notes, notes);
}

#[test]
fn functions_are_told_with_their_binaries() {
    let tables = Profile::from_bytes(&trace(&snapshot())).unwrap().tables;
    let mut told = BTreeMap::new();
    for (id, function) in (0..).map(FunctionId::new).zip(tables.functions()) {
        let binary = tables.binary(tables.binary_of(id)).unwrap();
        let (path, build_id) =
            (tables.text(binary.path).into_owned(), tables.string(binary.build_id).to_vec());
        told.insert(tables.text(function.name), (path, build_id));
    }
    let of = |path: &str, build_id: &[u8]| (path.to_owned(), build_id.to_vec());
    assert_eq!(told["app+0x3fff"], of("/nowhere/app", &[0x00, 0xff]));
    assert_eq!(told["lib.so+0x10"], of("/nowhere/lib.so", &[]));
}

/// Two blocks of one moment, thread and stack: one of them is held.
#[test]
fn equal_births_are_told_apart_by_number() {
    let born = || sample(5, 0, alloc(100, 10), &[1]);
    let snapshot = Snapshot {
        samples: vec![born(), born(), sample(5, 0, cpu(1), &[1])].into(),
        live: vec![born(), sample(5, 0, cpu(1), &[1])],
        ..Snapshot::default()
    };
    let profile = Profile::from_bytes(&trace(&snapshot)).unwrap();
    assert_eq!(profile.memory.len(), 1);
    let sum = profile.memory[0];
    assert_eq!((sum.samples, sum.alloc_bytes), (2, 200));
    assert_eq!((sum.live_at_end_blocks, sum.live_at_end_bytes), (1, 100));
    assert_eq!(profile.time[0].weight_ns, 1);
    assert_eq!(names(&profile, sum.stack), "[unknown]");
}

#[test]
fn labels_that_are_left_out_are_spoken_of() {
    let mut labelled = sample(0, 0, cpu(1), &[1]);
    labelled.labels = Some(std::sync::Arc::new(Default::default()));
    let snapshot = Snapshot { samples: vec![labelled].into(), ..Snapshot::default() };
    let profile = Profile::from_bytes(&trace(&snapshot)).unwrap();
    assert_eq!(profile.notes, ["the samples' labels are not in this trace"]);
}

#[test]
fn what_is_hostile_is_a_trace_too() {
    let hostile = hostile();
    let profile = Profile::from_bytes(&trace(&hostile)).unwrap();
    assert_eq!(profile.damage.chunks, 0);
    let is_cpu = |what| matches!(what, What::Cpu { .. });
    let samples = hostile.samples.iter().filter(|recorded| is_cpu(recorded.what)).count();
    assert_eq!(profile.time.iter().map(|sum| sum.samples).sum::<u64>(), samples as u64);
    assert!(Profile::from_bytes(&trace(&Snapshot::default())).unwrap().complete);
}
