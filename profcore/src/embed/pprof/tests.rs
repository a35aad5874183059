use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::decode::{Labels, Profile};
use crate::embed::examples::{alloc, cpu, go_raw, hostile, sample, snapshot};
use crate::embed::samples::Kept;
use crate::embed::{Snapshot, What};

fn cpu_profile(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot.write_pprof(&mut bytes).unwrap();
    bytes
}

fn heap_profile(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot.write_heap_pprof(&mut bytes).unwrap();
    bytes
}

fn words(pairs: &[(String, String)]) -> String {
    let words: Vec<String> = pairs.iter().map(|(a, b)| format!("{a}/{b}")).collect();
    words.join(" ")
}

#[test]
fn a_cpu_profile_says_what_it_is() {
    let snapshot = snapshot();
    let bytes = cpu_profile(&snapshot);
    let profile = Profile::read(&bytes);
    assert_eq!(words(&profile.types), "samples/count cpu/nanoseconds");
    assert_eq!(words(&[profile.period_type]), "cpu/nanoseconds");
    assert_eq!((profile.shown_first.as_str(), profile.period), ("cpu", 10_000_000));
    assert_eq!((profile.time, profile.duration), (1_700_000_000_000_000_000, 2_500_000_000));
    let comments = [
        concat!("profcore ", env!("CARGO_PKG_VERSION")),
        "CPU time of the process: 30ms",
        "of it the profiler's own, in no sample: 1ms",
        "of it not sampled: 3ms",
    ];
    assert_eq!(profile.comments, comments);
    let mappings: Vec<_> = profile
        .mappings
        .iter()
        .map(|m| (m.range, m.offset, m.file.as_str(), m.build_id.as_str(), m.has))
        .collect();
    let lib = 0x7f00_0000_0000;
    // Who has looked for names says so, or pprof looks again.
    let looked = [cfg!(feature = "symbolize"); 4];
    let expected = [
        ((0x40_0000, 0x41_0000), 0x1000, "/nowhere/app", "00ff", looked),
        ((lib, lib + 0x1000), 0, "/nowhere/lib.so", "", looked),
    ];
    assert_eq!(mappings, expected, "the vdso is in no stack");
    assert_eq!(profile.samples.len(), 3, "two of the same stack and thread are one");
    assert_eq!(profile.locations.len(), 4, "one for each address, one for no stack");
    assert_eq!(bytes, cpu_profile(&snapshot), "the same bytes again");
}

#[test]
fn a_heap_profile_is_like_those_of_go() {
    let profile = Profile::read(&heap_profile(&snapshot()));
    let types = "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes";
    assert_eq!(words(&profile.types), types);
    assert_eq!(words(&[profile.period_type]), "space/bytes");
    assert_eq!((profile.shown_first.as_str(), profile.period), ("inuse_space", 524_288));
    let mut values: Vec<Vec<u64>> =
        profile.samples.into_iter().map(|(.., values)| values).collect();
    values.sort();
    let expected = [
        [0, 0, 8_192, 524_288],
        [1, 600_000, 0, 0],
        // 2 times 2.62 objects are 5, not twice 3.
        [5, 2_097_152, 3, 1_048_576],
    ];
    assert_eq!(values, expected);
}

#[test]
fn what_has_bytes_is_one_object_at_least() {
    let of = |what| {
        let samples = vec![sample(0, 0, what, &[1])];
        let snapshot = Snapshot { samples: samples.into(), ..Snapshot::default() };
        Profile::read(&heap_profile(&snapshot)).samples.first().map(|(.., values)| values.clone())
    };
    assert_eq!(of(alloc(1, 1000)), Some(vec![1, 1, 0, 0]));
    assert_eq!(of(alloc(1499, 1000)), Some(vec![1, 1499, 0, 0]));
    assert_eq!(of(alloc(1500, 1000)), Some(vec![2, 1500, 0, 0]));
    assert_eq!(of(alloc(0, 1000)), None, "a sample that says nothing");
    assert_eq!(of(cpu(5)), None);
}

/// What all is unknown is left out, and what is left over is told.
#[test]
fn nothing_is_a_profile_too() {
    for bytes in [cpu_profile(&Snapshot::default()), heap_profile(&Snapshot::default())] {
        let profile = Profile::read(&bytes);
        assert!(profile.samples.is_empty() && profile.mappings.is_empty());
        assert_eq!(profile.comments.len(), 1, "{:?}", profile.comments);
    }
    let samples = vec![sample(0, 4, cpu(3), &[])];
    let snapshot =
        Snapshot { samples: samples.into(), cpu_ns: 2, own_cpu_ns: 5, ..Snapshot::default() };
    let profile = Profile::read(&cpu_profile(&snapshot));
    assert_eq!(profile.samples, [(vec![1], vec![], vec![1, 3])]);
    assert_eq!(profile.locations[&1].2, [("[no stack]".to_owned(), String::new(), 0)]);
    assert_eq!(profile.comments.len(), 3, "no rest below 0: {:?}", profile.comments);
}

#[test]
fn an_output_that_fails_is_an_error() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for room in [0, 100_000] {
        let error = hostile().write_pprof(Full(room)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}

#[test]
fn go_reads_both_profiles() {
    let Some(text) = go_raw(&cpu_profile(&snapshot()), &["-raw", "-symbolize=none"]) else {
        return;
    };
    for expected in [
        "PeriodType: cpu nanoseconds\nPeriod: 10000000\n",
        "Duration: 2.5s\n",
        "samples/count cpu/nanoseconds[dflt]\n",
        "2   20000000: 2 3 4",
        "thread:[worker]",
        "tid:[72]",
        "1: 0x400000/0x410000/0x1000 /nowhere/app 00ff",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let heap = go_raw(&heap_profile(&snapshot()), &["-raw", "-symbolize=none"]).unwrap();
    assert!(heap.contains("inuse_space/bytes[dflt]"), "{heap}");
    assert!(heap.contains("5    2097152          3    1048576"), "{heap}");
}

#[test]
fn go_reads_what_is_hostile() {
    for bytes in [cpu_profile(&hostile()), heap_profile(&hostile())] {
        Profile::read(&bytes);
        let Some(text) = go_raw(&bytes, &["-raw", "-symbolize=none"]) else { return };
        assert!(text.contains("[no stack]"), "{}", text.len());
        assert!(text.contains("0xffffffffffffffff"), "{}", text.len());
    }
}

/// Addresses and labels of a sample.
type Key = (Vec<u64>, Labels);

/// The sums of a profile by addresses and labels.
fn sums(profile: &Profile) -> BTreeMap<Key, Vec<u64>> {
    let mut sums = BTreeMap::new();
    for (ids, labels, values) in &profile.samples {
        let stack = ids.iter().map(|id| &profile.locations[id]);
        let stack = stack.filter(|(_, _, lines)| lines.is_empty()).map(|(_, at, _)| *at);
        let key = (stack.collect(), labels.clone());
        assert!(sums.insert(key, values.clone()).is_none(), "each once");
    }
    sums
}

/// The same, added up the simple way.
fn naive(snapshot: &Snapshot, heap: bool) -> BTreeMap<Key, Vec<u64>> {
    let mut sums: BTreeMap<Key, Vec<f64>> = BTreeMap::new();
    let all = snapshot.samples.iter().map(|s| (s, false));
    for (kept, is_live) in all.chain(snapshot.live.iter().map(|s| (s, true))) {
        let values = match kept.what {
            What::Cpu { ns } if !heap && !is_live => vec![1., ns as f64],
            What::Alloc { bytes, size } if heap => {
                let pair = [bytes as f64 / size as f64, bytes as f64];
                if is_live { [[0., 0.], pair].concat() } else { [pair, [0., 0.]].concat() }
            }
            _ => continue,
        };
        let (tid, name) = &*kept.thread;
        let labels = [("thread", name.clone()), ("tid", tid.to_string())];
        let labels = labels.map(|(key, value)| (key.to_owned(), value)).to_vec();
        let calls = kept.stack.iter().skip(1).map(|address| address - 1);
        let stack = kept.stack.first().copied().into_iter().chain(calls).collect();
        let sum = sums.entry((stack, labels)).or_insert(vec![0.; values.len()]);
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    let whole = |value: f64| if value > 0. { (value.round() as u64).max(1) } else { 0 };
    sums.into_iter().map(|(key, sum)| (key, sum.into_iter().map(whole).collect())).collect()
}

fn any_kept() -> impl Strategy<Value = Kept> {
    // Sizes whose quotients are exact in binary: the oracle rounds as the encoder does.
    let size = (0..5u32).prop_map(|bits| 1u64 << bits);
    let what = prop_oneof![
        (1..1_000_000u64).prop_map(cpu),
        (1..1_000u64, size).prop_map(|(bytes, size)| alloc(bytes, size)),
    ];
    let address = prop_oneof![Just(0x40_1000u64), Just(0x40_1001), Just(7), Just(u64::MAX)];
    (0..100u64, 0..4usize, what, vec(address, 0..4))
        .prop_map(|(time, thread, what, stack)| sample(time, thread, what, &stack))
}

proptest! {
    #[test]
    fn sums_are_those_of_the_samples(samples in vec(any_kept(), 0..60), live in vec(any_kept(), 0..30)) {
        let made = Snapshot { samples: samples.into(), live, ..snapshot() };
        prop_assert_eq!(sums(&Profile::read(&cpu_profile(&made))), naive(&made, false));
        prop_assert_eq!(sums(&Profile::read(&heap_profile(&made))), naive(&made, true));
    }
}
