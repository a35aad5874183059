//! Whatever is recovered is a sound trace with as many records.
#![no_main]

use profformat::recover::{check, recover};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut out = Vec::new();
    if let Ok(found) = recover(bytes, &mut out, false) {
        let again = check(&out).expect("a trace");
        assert!(again.damage.is_sound(), "{again:?}");
        // A trace without an end gets one.
        assert!(again.records == found.records || again.records == found.records + 1);
    }
});
