//! Two files as one, and a part of what comes out: sound traces, whatever the files were, with every event once.
#![no_main]

use profformat::merge::merge;
use profformat::record::Record;
use profformat::recover::check;
use profformat::split::split;
use profformat::units::Timestamp;
use profformat::{Kind, TraceReader};

// Input: the length of the first file in two bytes, the first file, the second one.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (first, second) = rest.split_at(length);
    let mut merged = Vec::new();
    if merge(&[first, second], &mut merged, false).is_ok() {
        let wanted = [first, second].map(|file| events(file)).concat();
        assert_same(wanted, events(&merged));
        parts(&merged);
    }
    parts(first);
});

/// The two halves of a file have what it has.
fn parts(file: &[u8]) {
    let Ok(report) = check(file) else { return };
    let middle = Some(Timestamp::from_nanos(report.last.as_nanos() / 2));
    let mut halves = Vec::new();
    for (from, until) in [(None, middle), (middle, None)] {
        let mut part = Vec::new();
        if split(file, from, until, &mut part, false).is_ok() {
            halves.extend(events(&part));
        }
    }
    // An index of lies makes a reader leave out anything.
    assert!(halves.len() <= events(file).len());
}

/// Kinds of the samples, memory and copies of a file, with their weights.
fn events(file: &[u8]) -> Vec<(Kind, u64)> {
    let mut reader = TraceReader::new(file).expect("it was read before");
    let mut events = Vec::new();
    while let Some(record) = reader.next_record() {
        match record.expect("lenient") {
            Record::Sample(sample) => events.push((Kind::Samples, sample.weight_ns)),
            Record::Alloc(alloc) => events.push((Kind::Memory, alloc.weight)),
            Record::Free(free) => events.push((Kind::Memory, free.block)),
            Record::Resize(resize) => events.push((Kind::Memory, resize.block)),
            Record::Copied(copied) => events.push((Kind::Copies, copied.weight)),
            _ => {}
        }
    }
    events
}

fn assert_same(mut wanted: Vec<(Kind, u64)>, mut found: Vec<(Kind, u64)>) {
    wanted.sort_unstable();
    found.sort_unstable();
    assert_eq!(wanted, found);
}
