//! Several traces as one: nothing lost, nothing invented, everything in its place.

mod example;
mod made;

use std::collections::BTreeMap;

use made::{Made, Told, family, made, trace};
use profformat::analysis::Profile;
use profformat::ids::*;
use profformat::limit;
use profformat::merge::{MergeError, Report, merge};
use profformat::record::*;
use profformat::recover::{check, recover};
use profformat::units::Timestamp;
use profformat::{Options, TraceReader, TraceWriter};
use proptest::prelude::*;

fn merged(inputs: &[Vec<u8>]) -> (Vec<u8>, Report) {
    let mut out = Vec::new();
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let report = merge(&inputs, &mut out, false).unwrap();
    let checked = check(&out).unwrap();
    assert!(checked.damage.is_sound(), "{checked:?}");
    (out, report)
}

/// Nanoseconds that each input starts later than the earliest one, found in another way than the crate does.
fn shifts(told: &[Told], unit: u64) -> Vec<i128> {
    let unix: Vec<i128> = told.iter().map(|t| t.header.start_unix_ns.into()).collect();
    let monotonic: Vec<i128> = told.iter().map(|t| t.header.start_monotonic_ns.into()).collect();
    let one_boot = (0..told.len()).all(|i| {
        (0..told.len())
            .all(|j| (unix[i] - unix[j] - monotonic[i] + monotonic[j]).abs() <= 1_000_000_000)
    });
    let starts = if one_boot { monotonic } else { unix };
    let earliest = *starts.iter().min().unwrap();
    starts.iter().map(|start| (start - earliest) / i128::from(unit) * i128::from(unit)).collect()
}

/// What the inputs say, by input and by family, in order; and all of it sorted.
fn expected(inputs: &[Vec<u8>], unit: u64) -> Vec<BTreeMap<&'static str, Vec<String>>> {
    let told: Vec<Told> = inputs.iter().map(|bytes| Told::of(bytes)).collect();
    let shifts = shifts(&told, unit);
    let mut all = Vec::new();
    for (number, (told, shift)) in told.iter().zip(shifts).enumerate() {
        let mut families: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for record in told.records.iter().filter(|record| !matches!(record, Record::End(_))) {
            let mut record = record.clone();
            if let (Record::Note(note), true) = (&mut record, inputs.len() > 1) {
                note.splice(0..0, format!("input {}: ", number + 1).into_bytes());
            }
            families.entry(family(&record)).or_default().push(told.say(&record, shift));
        }
        all.push(families);
    }
    all
}

/// Asserts that a merged trace says what its inputs say, in the order of each input if `ordered`. Without, what was
/// made up for lost processes has no number that tells whose it is.
fn assert_same(inputs: &[Vec<u8>], merged: &[u8], ordered: bool) {
    let unit = TraceReader::new(merged).unwrap().time_unit_ns();
    let expected = expected(inputs, unit);
    let told = Told::of(merged);
    let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for record in &told.records {
        found.entry(family(record)).or_default().push(told.say(record, 0));
    }
    let notes = found.entry("note").or_default();
    let is_from_input = |note: &String| {
        expected
            .iter()
            .any(|families| families.get("note").is_some_and(|notes| notes.contains(note)))
    };
    notes.retain(is_from_input);
    found.remove("end");
    if ordered {
        for families in &expected {
            for (family, records) in families {
                let rank: BTreeMap<&String, ()> =
                    records.iter().map(|record| (record, ())).collect();
                let mine: Vec<_> = found[family].iter().filter(|r| rank.contains_key(r)).collect();
                assert_eq!(mine, records.iter().collect::<Vec<_>>(), "{family}");
            }
        }
    }
    let sorted = |records: Vec<String>| {
        let mut records = records;
        records.sort();
        records
    };
    let all = expected.into_iter().flat_map(|families| families.into_values().flatten()).collect();
    assert_eq!(sorted(found.into_values().flatten().collect()), sorted(all));
}

fn added(all: impl IntoIterator<Item = BTreeMap<String, u64>>) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (what, value) in all.into_iter().flatten() {
        *sum.entry(what).or_insert(0) += value;
    }
    sum
}

/// Different seeds, so that no two are the same trace.
fn distinct(mut all: Vec<Made>) -> Vec<Made> {
    for (number, made) in all.iter_mut().enumerate() {
        made.seed = made.seed / 100 * 100 + number as u64;
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn everything_of_every_input_is_in_the_merged_trace(all in prop::collection::vec(made(), 1..5)) {
        let inputs: Vec<_> = distinct(all).iter().map(trace).collect();
        let (out, report) = merged(&inputs);
        assert_same(&inputs, &out, true);
        let sums = added(inputs.iter().map(|bytes| Told::of(bytes).sums()));
        prop_assert_eq!(Told::of(&out).sums(), sums);
        prop_assert!(report.inputs.iter().all(|input| input.damage.is_sound()));
    }

    #[test]
    fn what_is_readable_of_cut_and_damaged_inputs_is_in_it(
        all in prop::collection::vec((made(), any::<[prop::sample::Index; 3]>()), 2..4),
    ) {
        let (all, places): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let mut inputs: Vec<_> = distinct(all).iter().map(trace).collect();
        for (bytes, [cut, first, second]) in inputs.iter_mut().zip(&places) {
            bytes.truncate((bytes.len() - bytes.len() / 3 + cut.index(bytes.len() / 3 + 1)).max(88));
            for place in [first, second] {
                if bytes.len() > 88 {
                    let at = 88 + place.index(bytes.len() - 88);
                    bytes[at] ^= 0x55;
                }
            }
        }
        let (out, report) = merged(&inputs);
        assert_same(&inputs, &out, false);
        for (bytes, input) in inputs.iter().zip(&report.inputs) {
            prop_assert_eq!(input, &check(bytes).unwrap());
        }
        let notes = Profile::from_bytes(&out).unwrap().notes.join("\n");
        for (number, input) in report.inputs.iter().enumerate() {
            let cut = format!("input {} was cut off", number + 1);
            let has_end = Told::of(&inputs[number]).records.iter().any(|r| matches!(r, Record::End(_)));
            prop_assert_eq!(notes.contains(&cut), !has_end, "{}", notes);
            let damaged = format!("damaged: of input {}", number + 1);
            let harm = input.damage.chunks + input.damage.bytes + input.damage.missing > 0;
            prop_assert_eq!(notes.contains(&damaged), harm, "{}", notes);
        }
    }

    #[test]
    fn merging_in_steps_gives_the_same_sums(all in prop::collection::vec(made(), 3)) {
        let inputs: Vec<_> = distinct(all).iter().map(trace).collect();
        let (at_once, _) = merged(&inputs);
        let (two, _) = merged(&inputs[..2]);
        let (in_steps, _) = merged(&[two, inputs[2].clone()]);
        prop_assert_eq!(Told::of(&at_once).sums(), Told::of(&in_steps).sums());
        let id = |bytes| TraceReader::new(bytes).unwrap().header().trace_id;
        prop_assert_eq!(id(&at_once), id(&in_steps));
    }
}

#[test]
fn one_input_is_the_same_trace_again() {
    for rounds in [0, 30, 1_300] {
        let (_, bytes) = example::trace(example::PLAIN, rounds);
        let (out, report) = merged(std::slice::from_ref(&bytes));
        let (told, again) = (Told::of(&bytes), Told::of(&out));
        for wanted in
            ["sample", "memory", "copied", "footprint", "counter", "process", "note", "end"]
        {
            let of_family = |told: &Told| -> Vec<Record> {
                told.records.iter().filter(|r| family(r) == wanted).cloned().collect()
            };
            assert_eq!(of_family(&told), of_family(&again), "{wanted}");
        }
        assert_eq!(told.records.len(), again.records.len());
        assert_eq!(report.end, example::at(1_000_000));
        let tool = again.header.tool.clone();
        assert_eq!(Header { tool, ..told.header }, again.header);
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let inputs = [1, 2, 3].map(|seed| trace(&Made::new(seed)));
    assert_eq!(merged(&inputs), merged(&inputs));
    let [one, two, three] = inputs.clone();
    let id = |inputs: &[Vec<u8>]| Told::of(&merged(inputs).0).header.trace_id;
    assert_eq!(id(&inputs), id(&[three, one, two]));
    assert_ne!(id(&inputs), id(&inputs[..2]));
}

#[test]
fn the_header_is_of_the_first_and_the_earliest() {
    let late = Made { intervals: [10_000_000, 0, 0], unit: 1_500, ..Made::new(1) };
    let early = Made {
        start_unix_ns: late.start_unix_ns - 2_000_000_100,
        start_monotonic_ns: late.start_monotonic_ns - 2_000_000_100,
        intervals: [5_000_000, 131_072, 0],
        ..Made::new(2)
    };
    let inputs = [trace(&late), trace(&early)];
    let (out, _) = merged(&inputs);
    let header = Told::of(&out).header;
    assert_eq!(header.command, [b"app".to_vec(), b"1".to_vec()]);
    assert_eq!(header.start_unix_ns, early.start_unix_ns);
    assert_eq!(header.start_monotonic_ns, early.start_monotonic_ns);
    assert_eq!([header.cpu_interval_ns, header.memory_interval], [10_000_000, 131_072]);
    assert_eq!(TraceReader::new(&out).unwrap().time_unit_ns(), 500);
    let notes = Profile::from_bytes(&out).unwrap().notes.join("\n");
    for clue in [
        "merged from 2: 1 app 1 from 2.000 s, 2 app 2 from 0.000 s",
        "different CPU samples: input 1 one for 10000000 ns, input 2 one for 5000000 ns",
        "different memory samples: input 1 none, input 2 one for 131072 bytes",
        "input 1: a blind spot",
    ] {
        assert!(notes.contains(clue), "{clue}: {notes}");
    }
    assert!(!notes.contains("copy samples"), "{notes}");
}

#[test]
fn a_wall_clock_that_was_set_moves_nothing() {
    let one = Made::new(1);
    let start = |unix: u64, monotonic: u64| Made {
        start_unix_ns: one.start_unix_ns + unix,
        start_monotonic_ns: one.start_monotonic_ns + monotonic,
        ..Made::new(2)
    };
    let begin = |two: &Made| {
        let told = Told::of(&merged(&[trace(&one), trace(two)]).0);
        let of_two = told.records.iter().find_map(|record| match record {
            Record::Process(process) if process.pid == 2_000 => Some(process.time.as_nanos()),
            _ => None,
        });
        of_two.unwrap()
    };
    assert_eq!(begin(&start(3_000_000_000, 2_000_000_000)), 2_000_000_000);
    assert_eq!(begin(&start(3_000_000_001, 2_000_000_000)), 3_000_000_000);
    assert_eq!(begin(&start(7_000_000_000, 0)), 7_000_000_000);
}

fn error(inputs: &[&[u8]]) -> MergeError {
    merge(inputs, Vec::new(), false).unwrap_err()
}

#[test]
fn the_same_trace_twice_is_refused() {
    let [one, two] = [1, 2].map(|seed| trace(&Made::new(seed)));
    let error = error(&[&two, &one, &two]);
    assert!(matches!(error, MergeError::Twice { first: 0, second: 2 }), "{error}");
    assert!(error.to_string().contains("inputs 1 and 3 are the same trace"), "{error}");
}

#[test]
fn what_is_no_trace_is_named() {
    assert!(matches!(error(&[]), MergeError::Nothing));
    let error = error(&[&trace(&Made::new(1)), b"letter"]);
    assert!(matches!(error, MergeError::Trace { input: 1, .. }), "{error}");
}

#[test]
fn more_threads_than_a_trace_can_have_are_refused() {
    let full = |id: u8| {
        let header = Header { trace_id: [id; 16], ..example::header() };
        let mut writer = TraceWriter::new(Vec::new(), &header, example::PLAIN).unwrap();
        writer.write(&example::process(0, None)).unwrap();
        for id in 0..limit::PROCESSES * 3 / 5 {
            writer.write(&example::thread(id)).unwrap();
        }
        writer.finish(example::at(1)).unwrap()
    };
    let error = error(&[&full(1), &full(2)]);
    assert!(matches!(error, MergeError::TooMany { what: "threads" }), "{error}");
}

/// A process that holds a number of bytes for some seconds and one point every 50 ms, written without a flush.
fn holder(id: u8, start_s: u64, seconds: u64, bytes: u64, waits_s: u64) -> Vec<u8> {
    let base = example::header();
    let header = Header {
        trace_id: [id; 16],
        start_unix_ns: base.start_unix_ns + start_s * 1_000_000_000,
        start_monotonic_ns: base.start_monotonic_ns + start_s * 1_000_000_000,
        ..base
    };
    let options = Options { compress: false, time_unit_ns: 1_000 };
    let mut writer = TraceWriter::new(Vec::new(), &header, options).unwrap();
    writer.write(&example::process(0, None)).unwrap();
    let at = |ms: u64| Timestamp::from_nanos(ms * 1_000_000);
    let process = ProcessId::new(0);
    for step in 0..seconds * 20 {
        let point = Footprint {
            time: at(step * 50),
            process,
            native_bytes: bytes + step % 2,
            python_bytes: 0,
            peak: step == 1,
        };
        writer.write(&Record::Footprint(point)).unwrap();
    }
    let end = ProcessEnd {
        id: process,
        time: at(seconds * 1_000),
        outcome: Outcome::Exited(0),
        cpu_ns: 1,
    };
    writer.write(&Record::ProcessEnd(end)).unwrap();
    writer.finish(at((seconds + waits_s) * 1_000)).unwrap()
}

#[test]
fn what_one_input_held_is_not_added_to_what_another_holds_later() {
    let inputs = [holder(1, 0, 40, 100, 100), holder(2, 50, 60, 90, 0), holder(3, 55, 5, 7, 0)];
    let (out, _) = merged(&inputs);
    let peak = |bytes: &[u8]| Profile::from_bytes(bytes).unwrap().footprint.peak_bytes;
    assert_eq!(peak(&out), 101);
    let (mut newest, mut latest) = (0, 0);
    for record in Told::of(&out).records {
        if let Record::Footprint(Footprint { time, .. })
        | Record::ProcessEnd(ProcessEnd { time, .. }) = record
        {
            newest = newest.max(time.as_nanos());
            latest = latest.max(newest - time.as_nanos());
        }
    }
    assert!(latest <= 1_100_000_000, "{latest} ns late");
    let mut recovered = Vec::new();
    recover(&out, &mut recovered, false).unwrap();
    assert_eq!(peak(&recovered), 101, "recovery keeps ends near what they end");
}
