//! Any bytes give records or errors, the same by record and by block, and every id of a record is defined.
#![no_main]

use fuzz::records::Defined;
use profformat::record::Record;
use profformat::{Filter, TraceReader};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = TraceReader::new(bytes) else { return };
    let mut defined = Defined::default();
    let mut records = Vec::new();
    while let Some(record) = reader.next_record() {
        let record = record.expect("lenient");
        defined.next(&record, &reader);
        records.push(record);
    }

    let mut blocks = TraceReader::new(bytes).expect("it was read before");
    let mut from_blocks = Vec::new();
    while let Some(block) = blocks.next_block() {
        from_blocks.extend(block.expect("lenient").records());
    }
    assert_eq!(records, from_blocks);
    assert_eq!(reader.damage(), blocks.damage());

    let mut strict = TraceReader::new(bytes).expect("it was read before").strict();
    let good = strict.records().take_while(Result::is_ok).count();
    assert!(good <= records.len());
    assert_eq!(strict.first_error(), reader.first_error());

    let _ = reader.index();
    some_of(bytes, &records);
});

/// What an index of lies makes a reader leave out is not known, but what comes is wanted, and its ids are defined.
fn some_of(bytes: &[u8], records: &[Record]) {
    let sample = records.iter().rev().find_map(|record| match record {
        Record::Sample(sample) => Some(*sample),
        _ => None,
    });
    let Some(sample) = sample else { return };
    let filter = Filter::new().from(sample.time).threads([sample.thread]);
    let mut reader = TraceReader::new(bytes).expect("it was read before").filter(filter);
    let mut defined = Defined::default();
    while let Some(record) = reader.next_record() {
        let record = record.expect("lenient");
        defined.next(&record, &reader);
        if let Record::Sample(found) = record {
            assert!(found.time >= sample.time && found.thread == sample.thread);
        }
    }
}
