//! Any bytes give records or errors, and every id of a record is defined.
#![no_main]

use profformat::TraceReader;
use profformat::record::Record;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = TraceReader::new(bytes) else { return };
    while let Some(record) = reader.next_record() {
        if let Record::Sample(sample) = record.expect("lenient") {
            assert!(sample.stack.is_none_or(|stack| reader.tables().stack(stack).is_some()));
        }
    }
});
