//! Two traces, compared: every output can be shown, and two sides that are the same do not differ.
#![no_main]

use profformat::analysis::Profile;
use profformat::analysis::diff::{NoTexts, Run, Side, compare};
use profformat::export::Metric;
use profformat::export::diff::{Format, Options, write};
use profformat::export::flamegraph::Graph;
use profformat::export::text::NoSource;
use serde_json::Value;
use unicode_width::UnicodeWidthChar;

// Input: the length of the first trace in two bytes, the first trace, the second one.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (first, second) = rest.split_at(length);
    let Ok(before) = Profile::from_bytes(first) else { return };
    let side = |profile: &Profile| Side::new(vec![Run::of(profile)], 1.0);
    let (old, again) = (side(&before), side(&before));
    let same = compare(&old, &again, [&NoTexts, &NoTexts]);
    assert!(!same.is_slower());
    for compared in &same.compared {
        assert!(compared.rows.iter().all(|row| !row.is_sure && row.change.difference() == 0.0));
    }
    let Ok(after) = Profile::from_bytes(second) else { return };
    let new = side(&after);
    let diff = compare(&old, &new, [&NoTexts, &NoTexts]);
    for (format, width) in [(Format::Text, 60), (Format::Text, 160), (Format::Json, 0), (Format::Html, 0)] {
        let graph = matches!(format, Format::Html).then(|| Graph::of(&after, Metric::Cpu));
        let options = Options { width, graph, all: true, ..Options::default() };
        let mut out = Vec::new();
        write(&diff, format, &options, [&NoSource, &NoSource], &mut out).expect("a vector takes everything");
        let text = std::str::from_utf8(&out).expect("text");
        match format {
            Format::Text => text.lines().for_each(|line| {
                assert!(!line.chars().any(char::is_control), "{line:?}");
                let cells: usize = line.chars().map(|c| c.width().unwrap_or(0)).sum();
                assert!(cells <= width, "{cells} of {width}: {line:?}");
            }),
            Format::Json => _ = serde_json::from_str::<Value>(text).expect("JSON"),
            Format::Html => {
                let page = text.to_ascii_lowercase();
                let count = |what: &str| page.matches(what).count();
                assert_eq!((count("<script"), count("<img")), (0, 0));
            }
        }
    }
});
