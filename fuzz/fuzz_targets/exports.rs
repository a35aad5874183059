//! Any trace can be exported, what comes can be read back, and nothing is lost or doubled.
#![no_main]

use fuzz::totals;
use profformat::Filter;
use profformat::analysis::{Profile, Survey};
use profformat::export::{Format, Metric};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let all = (Filter::new(), Survey::default());
    let profile = Profile::from_bytes_with_activity(bytes, &all.0, all.1, |_| ());
    let Ok(profile) = profile else { return };
    let format = one_of_all(bytes);
    // What the run did not measure has no output.
    let output = |metric| totals::output(&profile, format, metric);
    if format == Format::Html {
        // One page for all metrics.
        let head = totals::head_of_html(&output(Metric::Cpu).expect("a page of any run"));
        for metric in Metric::ALL {
            totals::check(&profile, metric, totals::of_html(&head, metric));
        }
        return;
    }
    for metric in Metric::ALL {
        if let Some(total) = output(metric).and_then(|out| total(&out, format, metric)) {
            totals::check(&profile, metric, total);
        }
    }
});

/// A format that goes by the whole input: all of them for each would take ten times as long. Text has a target of its own.
fn one_of_all(bytes: &[u8]) -> Format {
    let sum = bytes.iter().fold(0_usize, |sum, &byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    let formats = Format::ALL.into_iter().filter(|&format| format != Format::Text);
    formats.cycle().nth(sum % (Format::ALL.len() - 1)).expect("it goes on for ever")
}

/// What an output says in all, if it says that.
fn total(out: &[u8], format: Format, metric: Metric) -> Option<u128> {
    match format {
        Format::Json => Some(totals::of_json(out, metric)),
        Format::Pprof => Some(totals::of_pprof(out)),
        Format::Speedscope => Some(totals::of_speedscope(out)),
        Format::Collapsed => Some(totals::of_collapsed(out)),
        Format::Flamegraph => Some(totals::of_flamegraph(out)),
        Format::Firefox => Some(totals::of_firefox(out)),
        Format::Scalene => totals::of_scalene(out, metric),
        _ => panic!("{format:?} is not checked"),
    }
}
