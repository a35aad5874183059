//! Any trace becomes JSON in Scalene's schema, of the whole time.
#![no_main]

use fuzz::totals;
use profformat::export::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for (profile, metric, out) in totals::outputs(bytes, Format::Scalene) {
        if let Some(total) = totals::of_scalene(&out, metric) {
            totals::check(&profile, metric, total);
        }
    }
});
