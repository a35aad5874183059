//! Any trace becomes a picture that is well-formed, with the profile's total.
#![no_main]

use fuzz::totals;
use profformat::export::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for (profile, metric, out) in totals::outputs(bytes, Format::Flamegraph) {
        totals::check(&profile, metric, totals::of_flamegraph(&out));
    }
});
