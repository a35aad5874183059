//! Exports read back, and the totals in them.

use std::collections::HashSet;
use std::io::Read;

use profformat::analysis::Profile;
use profformat::export::pprof::message as pb;
use profformat::export::{ExportError, Format, Metric, export};
use prost::Message as _;
use quick_xml::events::Event;
use serde_json::Value;

/// Totals beyond this are not exact in floating point; sums of them are cut at 2^64.
const EXACT: u128 = 1 << 50;

/// A profile's output of one metric, if the run measured that.
pub fn output(profile: &Profile, format: Format, metric: Metric) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match export(profile, format, metric, &mut out) {
        Ok(()) => Some(out),
        Err(ExportError::NotMeasured { .. }) => None,
        Err(error) => panic!("a vector takes everything: {error}"),
    }
}

/// Asserts that an output's total is that of the profile, as in every other output.
pub fn check(profile: &Profile, metric: Metric, total: u128) {
    let weights = metric.weights(profile).into_iter();
    let wanted: u128 = weights.map(|weight| u128::from(weight.weight)).sum();
    assert!(wanted == total || wanted > EXACT, "{metric:?}: {total}, not {wanted}");
}

/// The total of collapsed stacks.
pub fn of_collapsed(text: &[u8]) -> u128 {
    let text = std::str::from_utf8(text).expect("text");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    text.lines()
        .map(|line| {
            let (stack, weight) = line.rsplit_once(' ').expect("a weight");
            assert!(stack.split(';').all(|frame| !frame.is_empty()), "{line}");
            u128::from(weight.parse::<u64>().expect("a number"))
        })
        .sum()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a whole number")
}

/// The total of speedscope's file, whose frames are all there. The first of several profiles is the others together.
pub fn of_speedscope(text: &[u8]) -> u128 {
    let file: Value = serde_json::from_slice(text).expect("JSON");
    let frames = list(&file["shared"]["frames"]).len() as u64;
    let profiles = list(&file["profiles"]);
    assert_eq!(number(&file["activeProfileIndex"]), 0);
    let total = |profile: &Value| {
        let weights = list(&profile["weights"]);
        assert_eq!(weights.len(), list(&profile["samples"]).len());
        for stack in list(&profile["samples"]) {
            assert!(!list(stack).is_empty());
            assert!(list(stack).iter().all(|frame| number(frame) < frames));
        }
        let sum: u128 = weights.iter().map(|weight| u128::from(number(weight))).sum();
        assert!(u128::from(number(&profile["endValue"])) == sum || sum > EXACT);
        sum
    };
    let (whole, threads) = profiles.split_first().expect("a profile");
    let (whole, count) = (total(whole), threads.len());
    let threads: u128 = threads.iter().map(total).sum();
    assert!(threads == whole || count == 0 || threads > EXACT, "{threads} in {count}, not {whole}");
    whole
}

/// The total of our JSON's lines.
pub fn of_json(text: &[u8], metric: Metric) -> u128 {
    assert!(!text[..text.len() - 1].iter().any(u8::is_ascii_control));
    let document: Value = serde_json::from_slice(text).expect("JSON");
    let nanos = |seconds: &Value| (seconds.as_f64().expect("seconds") * 1e9).round() as u128;
    let classes = |v: &Value| v.as_object().expect("classes").values().map(nanos).sum::<u128>();
    let processes = list(&document["processes"]).len() as u64;
    for thread in list(&document["threads"]) {
        assert!(thread["process"].as_u64().is_none_or(|process| process < processes));
    }
    let lines = list(&document["files"]).iter().flat_map(|file| list(&file["lines"]));
    lines
        .map(|line| match metric {
            Metric::Cpu => classes(&line["cpu_s"]),
            Metric::Wall => classes(&line["cpu_s"]) + classes(&line["wait_s"]),
            Metric::Alloc => number(&line["alloc_bytes"]).into(),
            Metric::Live => number(&line["live_at_end_bytes"]).into(),
            Metric::Peak => number(&line["live_at_peak_bytes"]).into(),
            Metric::Copies => number(&line["copy_bytes"]).into(),
        })
        .sum()
}

/// The total of a pprof file, in which everything that is named is there.
pub fn of_pprof(gzip: &[u8]) -> u128 {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(gzip).read_to_end(&mut bytes).expect("gzip");
    let file = pb::Profile::decode(&bytes[..]).expect("protobuf");
    assert_eq!(file.string_table[0], "");
    let is_string = |number: i64| (number as u64) < file.string_table.len() as u64;
    let unique = |ids: Vec<u64>| {
        let set: HashSet<u64> = ids.iter().copied().collect();
        assert!(set.len() == ids.len() && !set.contains(&0));
        set
    };
    let functions = unique(file.function.iter().map(|function| function.id).collect());
    let locations = unique(file.location.iter().map(|location| location.id).collect());
    let mappings = unique(file.mapping.iter().map(|mapping| mapping.id).collect());
    for function in &file.function {
        assert!([function.name, function.filename].into_iter().all(is_string));
    }
    for location in &file.location {
        assert!(mappings.contains(&location.mapping_id));
        assert!(location.line.iter().all(|line| functions.contains(&line.function_id)));
    }
    let types = file.sample_type.iter().map(|kind| kind.r#type);
    let shown =
        types.into_iter().position(|kind| kind == file.default_sample_type).expect("a type");
    let total = |sample: &pb::Sample| {
        assert_eq!(sample.value.len(), file.sample_type.len());
        assert!(!sample.location_id.is_empty());
        assert!(sample.location_id.iter().all(|id| locations.contains(id)));
        assert!(sample.label.iter().all(|label| is_string(label.key) && is_string(label.str)));
        sample.value[shown] as u128
    };
    file.sample.iter().map(total).sum()
}

/// The total of a flame graph, whose boxes are within the whole.
pub fn of_flamegraph(svg: &[u8]) -> u128 {
    let svg = std::str::from_utf8(svg).expect("text");
    assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
    let mut reader = quick_xml::Reader::from_str(svg);
    let (mut whole, mut blocks, mut scripts) = (None, 0, 0);
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(tag) => {
                let number = |name: &str| {
                    let found = tag.try_get_attribute(name).expect("attributes")?;
                    Some(std::str::from_utf8(&found.value).expect("text").parse::<u64>().expect("a number"))
                };
                match tag.name().as_ref() {
                    b"svg" => whole = number("data-whole"),
                    b"script" => scripts += 1,
                    _ => {}
                }
                if let (Some(start), Some(weight)) = (number("data-start"), number("data-weight")) {
                    let whole = whole.expect("the picture comes first");
                    assert!(start.saturating_add(weight) <= whole, "{start} + {weight} of {whole}");
                    blocks += 1;
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(scripts, 1);
    let whole = whole.expect("a picture");
    assert!(blocks > 0 || whole == 0);
    whole.into()
}

/// The total of Firefox's file, whose stacks are all there.
pub fn of_firefox(text: &[u8]) -> u128 {
    let file: Value = serde_json::from_slice(text).expect("JSON");
    let stacks = number(&file["shared"]["stackTable"]["length"]);
    let of_thread = |thread: &Value| -> u128 {
        let samples = &thread["samples"];
        assert!(list(&samples["stack"]).iter().all(|stack| number(stack) < stacks));
        let is_time = samples["weightType"] == "tracing-ms";
        let weight = |weight: &Value| match is_time {
            true => (weight.as_f64().expect("milliseconds") * 1e6).round() as u128,
            false => number(weight).into(),
        };
        list(&samples["weight"]).iter().map(weight).sum()
    };
    list(&file["threads"]).iter().map(of_thread).sum()
}

/// The total of Scalene's JSON, if it has one of this metric.
pub fn of_scalene(text: &[u8], metric: Metric) -> Option<u128> {
    let file: Value = serde_json::from_slice(text).expect("JSON");
    assert!(file["files"].is_object());
    matches!(metric, Metric::Cpu | Metric::Wall).then(|| number(&file["prof"]["time_ns"]).into())
}

/// What a page says of all, whose scripts are its own.
pub fn head_of_html(page: &[u8]) -> Value {
    let page = std::str::from_utf8(page).expect("text");
    // Each name stands for itself in data that is no markup, or is escaped.
    let lower = page.to_ascii_lowercase();
    let count = |text: &str| lower.matches(text).count();
    assert_eq!(count("<script"), count("<script type=\"") + 1);
    assert_eq!(count("<script"), count("</script>"));
    assert_eq!(count("<img"), 0);
    let open = "<script type=\"application/json\" id=\"d-head\">";
    let (_, head) = page.split_once(open).expect("a head");
    let (head, _) = head.split_once("</script>").expect("its end");
    serde_json::from_str(head).expect("JSON")
}

/// The total that it has of a metric.
pub fn of_html(head: &Value, metric: Metric) -> u128 {
    let mut metrics = list(&head["metrics"]).iter();
    let entry = metrics.find(|entry| entry["id"] == metric.name()).expect("every metric");
    number(&entry["total"]).into()
}
