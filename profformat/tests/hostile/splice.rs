//! Any cut and splice of chunks: what is read was written.

use proptest::prelude::*;

use crate::example;
use crate::forge::chunks;
use profformat::record::Record;
use profformat::recover::{check, recover};
use profformat::{Options, TraceReader};

fn read(bytes: &[u8]) -> (Vec<Record>, profformat::reader::Damage) {
    let mut reader = TraceReader::new(bytes).unwrap();
    let records = reader.records().map(|record| record.expect("lenient")).collect();
    (records, *reader.damage())
}

/// Every single bit of a trace: at most one chunk is lost.
#[test]
fn a_changed_bit_costs_one_chunk() {
    a_changed_bit(false);
}

#[test]
fn a_changed_bit_of_a_compressed_trace_costs_one_chunk() {
    a_changed_bit(true);
}

fn a_changed_bit(compress: bool) {
    let (records, bytes) = example::trace(Options { compress, ..example::PLAIN }, 20);
    let sound = read(&bytes).0;
    assert_eq!(sound, records);
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(report) = check(&bytes) else {
            assert!(bit / 8 < 88, "{bit}");
            continue;
        };
        assert!(bit / 8 >= 88, "a changed file header is not noticed at {bit}");
        assert!(report.damage.chunks <= 1 && report.damage.missing <= 1, "{bit}: {report:?}");
        let again = read(&bytes).0;
        // A memory block of twenty rounds has sixty records.
        let lost = records.iter().filter(|record| !again.contains(record)).count();
        assert!(lost <= 60, "{lost} records lost at {bit}");
    }
}

/// Every prefix of a compressed trace gives a prefix of its records.
#[test]
fn every_prefix_of_a_compressed_trace_is_a_prefix_of_its_records() {
    let (records, bytes) = example::trace(Options { compress: true, ..example::PLAIN }, 20);
    for length in 88..bytes.len() {
        let (read, _) = read(&bytes[..length]);
        assert_eq!(read, records[..read.len()], "{length}");
        let mut out = Vec::new();
        recover(&bytes[..length], &mut out, true).unwrap();
        assert_eq!(self::read(&out).0[..read.len()], read, "{length}");
    }
}

/// A piece of one of two traces: which one, where it begins and how long it is, in parts of 1,000.
fn piece() -> impl Strategy<Value = (usize, usize, usize)> {
    (0..2_usize, 0..1_000_usize, 0..1_000_usize)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whole chunks of two traces in any order and number.
    #[test]
    fn spliced_chunks_are_read_or_counted(order in prop::collection::vec((0..2_usize, 0..40_usize), 0..40)) {
        let traces = [false, true].map(|compress| {
            example::trace(Options { compress, ..example::PLAIN }, 5).1
        });
        let mut bytes = traces[0][..88].to_vec();
        for (trace, number) in order {
            let all = chunks(&traces[trace]);
            let (begin, end) = all[number % all.len()];
            bytes.extend(&traces[trace][begin..end]);
        }
        sane(&bytes)?;
    }

    /// Pieces that begin and end anywhere.
    #[test]
    fn spliced_bytes_are_read_or_counted(pieces in prop::collection::vec(piece(), 0..10)) {
        let traces = [false, true].map(|compress| {
            example::trace(Options { compress, ..example::PLAIN }, 5).1
        });
        let mut bytes = traces[0][..88].to_vec();
        for (trace, begin, length) in pieces {
            let trace = &traces[trace];
            let begin = trace.len() * begin / 1_000;
            let length = (trace.len() - begin) * length / 1_000;
            bytes.extend(&trace[begin..begin + length]);
        }
        sane(&bytes)?;
    }
}

/// No byte is counted twice, and what is recovered is a sound trace that says the same.
fn sane(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (records, damage) = read(bytes);
    prop_assert!(damage.bytes as usize <= bytes.len() - 88);
    let mut out = Vec::new();
    let report = recover(bytes, &mut out, true).unwrap();
    prop_assert_eq!(report.damage, damage);
    let (again, whole) = read(&out);
    prop_assert!(whole.is_sound());
    prop_assert!(records.iter().all(|record| again.contains(record)));
    Ok(())
}
