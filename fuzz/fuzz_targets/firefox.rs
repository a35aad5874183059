//! Any trace becomes a file for the Firefox profiler, and nothing is lost or doubled.
#![no_main]

use fuzz::totals;
use profformat::export::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for (profile, metric, out) in totals::outputs(bytes, Format::Firefox) {
        totals::check(&profile, metric, totals::of_firefox(&out));
    }
});
