//! Any trace can be exported for pprof, and nothing is lost or doubled.
#![no_main]

use fuzz::totals;
use profformat::export::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for (profile, metric, out) in totals::outputs(bytes, Format::Pprof) {
        totals::check(&profile, metric, totals::of_pprof(&out));
    }
});
