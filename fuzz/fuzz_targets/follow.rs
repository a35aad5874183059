//! A trace that is read in pieces says what it says as a whole, as far as it is sound.
#![no_main]

use fuzz::records::Defined;
use profformat::TraceReader;
use profformat::follow::Follower;

// Input: the length of the pieces, the trace.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((length, bytes)) = bytes.split_first() else { return };
    let (mut follower, mut records) = (Follower::new(), Vec::new());
    let mut failed = false;
    for piece in bytes.chunks(usize::from(*length) * 16 + 1) {
        let take = |block: &profformat::Block<'_>, _: &_| records.extend(block.records());
        failed = failed || follower.read(piece, take).is_err();
    }
    let Ok(mut reader) = TraceReader::new(bytes) else {
        assert!(failed || follower.header().is_none());
        return;
    };
    assert!(!failed);
    let mut defined = Defined::default();
    let mut whole = Vec::new();
    while let Some(record) = reader.next_record() {
        let record = record.expect("lenient");
        defined.next(&record, &reader);
        whole.push(record);
    }
    // What is made up for lost entries depends on the file's length, which is not known on the way: then either may have
    // records that the other one has not.
    if reader.damage().is_sound() {
        assert_eq!(records, whole);
        assert_eq!(follower.header(), Some(reader.header()));
        assert!(follower.is_complete());
    }
});
