//! Parts of a trace: together they are the whole.

mod example;
mod made;

use std::collections::BTreeMap;

use made::{Made, Told, family, made, trace};
use profformat::analysis::{Profile, Survey};
use profformat::ids::*;
use profformat::merge::{MergeError, merge};
use profformat::record::*;
use profformat::recover::check;
use profformat::split::{SplitError, split};
use profformat::units::Timestamp;
use profformat::{Filter, TraceReader, TraceWriter};
use proptest::prelude::*;

type Moment = Option<Timestamp>;

fn part(bytes: &[u8], from: Moment, until: Moment) -> Result<Vec<u8>, SplitError> {
    let mut out = Vec::new();
    let report = split(bytes, from, until, &mut out, false)?;
    let checked = check(&out).unwrap();
    assert!(checked.damage.is_sound(), "{checked:?}");
    assert_eq!((checked.records - 1, checked.last), (report.records, report.last));
    Ok(out)
}

/// The parts between cuts, each with its start in nanoseconds. Parts behind the end of the trace are left out.
fn parts(bytes: &[u8], cuts: &[u64]) -> Vec<(u64, Vec<u8>)> {
    let unit = TraceReader::new(bytes).unwrap().time_unit_ns();
    let mut cuts: Vec<u64> = cuts.iter().map(|cut| cut.next_multiple_of(unit).max(unit)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let at = |n: u64| Some(Timestamp::from_nanos(n));
    let starts = [None].into_iter().chain(cuts.iter().map(|cut| at(*cut)));
    let ends = cuts.iter().map(|cut| at(*cut)).chain([None]);
    let mut parts = Vec::new();
    for (from, until) in starts.zip(ends) {
        match part(bytes, from, until) {
            Ok(out) => parts.push((from.unwrap_or_default().as_nanos(), out)),
            Err(SplitError::Behind { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    parts
}

/// Everything that is in one part only, in the time of the whole.
fn events(told: &Told, start: u64) -> Vec<String> {
    let wanted = ["sample", "memory", "copied"];
    let events = told.records.iter().filter(|record| wanted.contains(&family(record)));
    events.map(|record| told.say(record, start.into())).collect()
}

/// Bytes of each process at a moment: its last point at or before it.
fn held(told: &Told, moment: u64) -> BTreeMap<u32, u64> {
    let mut last: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for record in &told.records {
        if let Record::Footprint(point) = record {
            let time = point.time.as_nanos();
            let known = last.entry(point.process.number()).or_default();
            if time <= moment && time >= known.0 {
                *known = (time, point.native_bytes + point.python_bytes);
            }
        }
    }
    last.into_iter().map(|(process, (_, bytes))| (process, bytes)).filter(|p| p.1 > 0).collect()
}

fn assert_parts(bytes: &[u8], cuts: &[u64]) {
    let whole = Told::of(bytes);
    let parts = parts(bytes, cuts);
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    let mut all = Vec::new();
    for (start, bytes) in &parts {
        let told = Told::of(bytes);
        for (what, value) in told.sums() {
            *sums.entry(what).or_insert(0) += value;
        }
        all.extend(events(&told, *start));
        let length = told.records.last().and_then(Record::time).unwrap();
        for record in &told.records {
            assert!(record.time().is_none_or(|time| time <= length), "{record:?} in {length:?}");
        }
        // What is held at the start of a part, a moment at which nobody allocates, is what was held before.
        if *start > 0 {
            let before = held(&whole, start - 1);
            let known = held(&told, 0);
            assert!(
                before.iter().all(|(process, bytes)| {
                    known.get(process) == Some(bytes) || held(&whole, *start)[process] != *bytes
                }),
                "{before:?} {known:?}"
            );
        }
        assert_peaks(&told, *start > 0);
    }
    let nonzero = |sums: BTreeMap<String, u64>| -> BTreeMap<String, u64> {
        sums.into_iter().filter(|(_, value)| *value > 0).collect()
    };
    assert_eq!(nonzero(sums), nonzero(whole.sums()));
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(all), sorted(events(&whole, 0)));
}

/// Every point that is higher than all before of its process is a peak.
fn assert_peaks(told: &Told, is_later: bool) {
    let mut highest: BTreeMap<ProcessId, u64> = BTreeMap::new();
    for record in told.records.iter().filter(|_| is_later) {
        if let Record::Footprint(point) = record {
            let bytes = point.native_bytes + point.python_bytes;
            let known = highest.entry(point.process).or_default();
            assert!(point.peak || bytes <= *known, "{point:?}");
            *known = bytes.max(*known);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(4), ..ProptestConfig::default() })]

    #[test]
    fn parts_add_up_to_the_whole(
        made in made(),
        cuts in prop::collection::vec(0..12_000_000_000_u64, 0..5),
    ) {
        assert_parts(&trace(&made), &cuts);
    }

    #[test]
    fn parts_of_a_cut_trace_add_up_to_what_is_readable(
        made in made(),
        cuts in prop::collection::vec(0..12_000_000_000_u64, 0..3),
        length in any::<prop::sample::Index>(),
    ) {
        let bytes = trace(&made);
        let length = 88 + length.index(bytes.len() - 88);
        assert_parts(&bytes[..length], &cuts);
    }

    #[test]
    fn parts_can_be_merged_again(
        made in made(),
        cuts in prop::collection::vec(0..12_000_000_000_u64, 1..4),
    ) {
        let bytes = trace(&made);
        let parts = parts(&bytes, &cuts);
        let inputs: Vec<&[u8]> = parts.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let mut out = Vec::new();
        merge(&inputs, &mut out, false).unwrap();
        let sorted = |mut all: Vec<String>| { all.sort(); all };
        prop_assert_eq!(sorted(events(&Told::of(&out), 0)), sorted(events(&Told::of(&bytes), 0)));
    }
}

fn seconds(seconds: f64) -> Moment {
    Some(Timestamp::from_nanos((seconds * 1e9) as u64))
}

#[test]
fn without_moments_it_is_the_same_trace() {
    let (records, bytes) = example::trace(example::PLAIN, 20);
    let out = part(&bytes, None, None).unwrap();
    let told = Told::of(&out);
    assert_eq!(told.records, records);
    assert_eq!(told.header, example::header());
}

#[test]
fn overlapping_parts_cannot_be_merged() {
    let bytes = trace(&Made::new(9));
    let parts = [(None, seconds(3.0)), (seconds(2.0), None)]
        .map(|(from, until)| part(&bytes, from, until).unwrap());
    for inputs in [[&parts[0], &parts[1]], [&bytes, &parts[1]], [&parts[1], &bytes]] {
        let error = merge(&inputs.map(Vec::as_slice), Vec::new(), false).unwrap_err();
        assert!(matches!(error, MergeError::Twice { first: 0, second: 1 }), "{error}");
    }
}

#[test]
fn moments_that_make_no_sense_are_refused() {
    let bytes = trace(&Made::new(9));
    let end = Told::of(&bytes).records.last().and_then(Record::time).unwrap();
    for (from, until) in [(3.0, 2.0), (2.0, 2.0), (2.000_000_1, 2.000_000_9)] {
        let error = part(&bytes, seconds(from), seconds(until)).unwrap_err();
        assert!(matches!(error, SplitError::Empty { .. }), "{error}");
    }
    assert!(matches!(part(&bytes, None, seconds(0.0)), Err(SplitError::Empty { .. })));
    for from in [end, Timestamp::from_nanos(u64::MAX)] {
        let error = part(&bytes, Some(from), None).unwrap_err();
        assert!(matches!(error, SplitError::Behind { end: told } if told == end), "{error}");
    }
    let beyond = Told::of(&part(&bytes, seconds(1.0), seconds(1e9)).unwrap());
    let length = end.as_nanos() - 1_000_000_000;
    assert_eq!(beyond.records.last(), Some(&Record::End(Timestamp::from_nanos(length))));
}

/// Two processes of ten seconds, the first of which ends after four; a footprint and a counter every second.
fn two_processes() -> Vec<u8> {
    let header = example::header();
    let mut writer = TraceWriter::new(Vec::new(), &header, example::PLAIN).unwrap();
    writer.write(&example::process(0, None)).unwrap();
    writer.write(&example::process(1, Some(0))).unwrap();
    writer.write(&example::thread(0)).unwrap();
    let name = writer.string(counter::TICKS.as_bytes());
    let level = writer.string(counter::RESIDENT_PEAK_BYTES.as_bytes());
    let at = |s: u64| Timestamp::from_nanos(s * 1_000_000_000);
    let end = |id: u32, s: u64| {
        let id = ProcessId::new(id);
        let outcome = Outcome::Exited(0);
        Record::ProcessEnd(ProcessEnd { id, time: at(s), outcome, cpu_ns: 77 })
    };
    for s in 1..10 {
        for id in (0..2).filter(|id| *id == 1 || s <= 4).map(ProcessId::new) {
            let native_bytes = 1_000 * (10 - s);
            let (process, python_bytes) = (id, u64::from(id.number()));
            let point =
                Footprint { time: at(s), process, native_bytes, python_bytes, peak: s == 1 };
            writer.write(&Record::Footprint(point)).unwrap();
            let (time, value) = (at(s), 100 * s);
            writer.write(&Record::Counter(Counter { time, process, name, value })).unwrap();
            let most = Counter { time, process, name: level, value: 5_000 };
            writer.write(&Record::Counter(most)).unwrap();
        }
        if s == 4 {
            writer.write(&end(0, 4)).unwrap();
        }
        writer.flush().unwrap();
    }
    let thread = ThreadEnd { id: ThreadId::new(0), time: at(9), cpu_ns: 55 };
    writer.write(&Record::ThreadEnd(thread)).unwrap();
    writer.write(&end(1, 10)).unwrap();
    writer.finish(at(10)).unwrap()
}

#[test]
fn a_part_begins_with_what_was_before() {
    let bytes = two_processes();
    let out = part(&bytes, seconds(6.5), seconds(9.0)).unwrap();
    let profile = Profile::from_bytes(&out).unwrap();
    let whole = example::header();
    assert_eq!(profile.header.start_unix_ns, whole.start_unix_ns + 6_500_000_000);
    assert_eq!(profile.header.start_monotonic_ns, whole.start_monotonic_ns + 6_500_000_000);
    assert_eq!(profile.header.trace_id, whole.trace_id);
    assert_eq!(profile.elapsed, seconds(2.5).unwrap());
    // The first process is gone by then; 4,001 bytes of the other one are left from second 6.
    assert_eq!(profile.footprint.peak_bytes, 4_001);
    assert_eq!(profile.footprint.peak_time, Timestamp::ZERO);
    assert_eq!(profile.counters[counter::TICKS], 800 - 600);
    assert_eq!(profile.counters[counter::RESIDENT_PEAK_BYTES], 5_000, "it is no count");
    let ends: Vec<_> = profile
        .processes
        .iter()
        .map(|(process, end)| {
            assert_eq!(process.time, Timestamp::ZERO);
            end.map(|end| (end.time.as_nanos(), end.outcome, end.cpu_ns))
        })
        .collect();
    assert_eq!(
        ends,
        [Some((0, Outcome::Exited(0), 0)), Some((2_500_000_000, Outcome::Running, 0)),]
    );
    assert_eq!(profile.threads[0].1, None, "its end is not in the part");
    assert!(profile.notes[0].contains("from 6.500 s to 9.000 s"), "{:?}", profile.notes);
    let peaks: Vec<bool> = Told::of(&out)
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Footprint(point) => Some(point.peak),
            _ => None,
        })
        .collect();
    assert_eq!(peaks, [true, false, false]);
}

#[test]
fn what_ends_in_a_part_ends_there() {
    let profile =
        Profile::from_bytes(&part(&two_processes(), None, seconds(4.5)).unwrap()).unwrap();
    let first = profile.processes[0].1.unwrap();
    assert_eq!((first.outcome, first.cpu_ns), (Outcome::Exited(0), 77));
    assert_eq!(first.time, seconds(4.0).unwrap());
    let last = Profile::from_bytes(&part(&two_processes(), seconds(8.5), None).unwrap()).unwrap();
    assert_eq!(last.threads[0].1.unwrap().time, seconds(0.5).unwrap());
    assert_eq!(last.processes[1].1.unwrap().outcome, Outcome::Exited(0));
    assert_eq!(last.elapsed, seconds(1.5).unwrap());
}

/// A part that is only added up is the part that is written.
fn assert_same_part(bytes: &[u8], from: Moment, until: Moment, at: Moment) {
    let filter = [(from, true), (until, false)].into_iter().fold(
        Filter::new(),
        |filter, moment| match moment {
            (Some(time), true) => filter.from(time),
            (Some(time), false) => filter.until(time),
            (None, _) => filter,
        },
    );
    let added_up = Profile::part_of(bytes, &filter, at, false, |_| ());
    let mut out = Vec::new();
    if let Err(error) = split(bytes, from, until, &mut out, false) {
        assert_eq!(added_up.unwrap_err().to_string(), error.to_string());
        return;
    }
    let added_up = added_up.unwrap();
    let within = |at: Timestamp| at.as_nanos() - from.unwrap_or_default().as_nanos();
    let survey =
        at.map_or_else(Survey::default, |at| Survey::at(Timestamp::from_nanos(within(at))));
    let written = Profile::from_bytes_with(&out, &Filter::new(), survey, |_| ()).unwrap();
    let say = |profile: Profile| {
        let Profile { header, processes, threads, time, memory, curves, births, .. } = profile;
        let Profile { copies, footprint, counters, notes, elapsed, complete, .. } = profile;
        // Where footprints and ends of processes are out of order, so that it matters which of them is read first, a
        // trace that is written has them in another order.
        let footprint = if at.is_none() { Some(footprint) } else { None };
        [
            format!("{header:?} {processes:?} {threads:?} {notes:?} {counters:?}"),
            format!("{time:?} {memory:?} {curves:?} {births:?} {copies:?}"),
            format!("{footprint:?} {elapsed:?} {complete}"),
        ]
    };
    assert_eq!(say(added_up), say(written), "{from:?} {until:?} {at:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(4), ..ProptestConfig::default() })]

    #[test]
    fn a_part_that_is_only_added_up_is_the_same(
        made in made(),
        from in prop::option::of(0..12_000_u64),
        length in prop::option::of(1..9_000_u64),
        at in 0..12_000_u64,
    ) {
        let at_ms = |ms: u64| Timestamp::from_nanos(ms * 3_000_000);
        let until = length.map(|length| at_ms(from.unwrap_or(0) + length));
        let at = at_ms(at.max(from.unwrap_or(0)));
        let at = until.map_or(at, |until| at.min(until));
        assert_same_part(&trace(&made), from.map(at_ms), until, Some(at));
    }
}

#[test]
fn parts_of_a_recorded_trace_are_the_same_added_up() {
    for name in ["python", "forks"] {
        let path = format!("{}/tests/recorded/{name}.proftrace", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        for (from, until) in [(0.1, 0.3), (0.0, 0.2), (0.25, 9.0), (0.3, 0.2), (100.0, 101.0)] {
            assert_same_part(&bytes, seconds(from), seconds(until), None);
        }
    }
}
