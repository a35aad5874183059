//! Any trace becomes a page without markup of others, with the profile's totals.
#![no_main]

use fuzz::totals;
use profformat::Filter;
use profformat::analysis::{Profile, Survey};
use profformat::export::{Format, Metric, export};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let all = (Filter::new(), Survey::default());
    let profile = Profile::from_bytes_with_activity(bytes, &all.0, all.1, |_| ());
    let Ok(profile) = profile else { return };
    let mut page = Vec::new();
    export(&profile, Format::Html, Metric::Cpu, &mut page).expect("a vector takes everything");
    let head = totals::head_of_html(&page);
    for metric in Metric::ALL {
        totals::check(&profile, metric, totals::of_html(&head, metric));
    }
});
