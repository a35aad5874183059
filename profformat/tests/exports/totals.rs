//! Reading exports back, and the totals in them.

use std::collections::BTreeMap;
use std::io::Read;

use profformat::analysis::Profile;
use profformat::export::pprof::message as pb;
use profformat::export::{Format, Metric, export};
use prost::Message as _;
use serde_json::Value;

pub(crate) fn text(profile: &Profile, format: Format, metric: Metric) -> Vec<u8> {
    let mut out = Vec::new();
    export(profile, format, metric, &mut out).unwrap();
    out
}

pub(crate) fn json(profile: &Profile, format: Format, metric: Metric) -> Value {
    serde_json::from_slice(&text(profile, format, metric)).unwrap()
}

pub(crate) fn pprof(profile: &Profile, metric: Metric) -> pb::Profile {
    let gzip = text(profile, Format::Pprof, metric);
    assert_eq!(gzip[4..8], [0; 4], "a time stamp makes every file another one");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut bytes).unwrap();
    let message = pb::Profile::decode(&bytes[..]).unwrap();
    check_valid(&message);
    message
}

/// What `go tool pprof` refuses a file for.
pub(crate) fn check_valid(message: &pb::Profile) {
    assert_eq!(message.string_table[0], "");
    let strings = message.string_table.len() as i64;
    let ids = |ids: Vec<u64>| {
        let unique: std::collections::BTreeSet<u64> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len());
        assert!(!unique.contains(&0));
        unique
    };
    let functions = ids(message.function.iter().map(|f| f.id).collect());
    let locations = ids(message.location.iter().map(|l| l.id).collect());
    for sample in &message.sample {
        assert_eq!(sample.value.len(), message.sample_type.len());
        assert!(!sample.location_id.is_empty());
        assert!(sample.location_id.iter().all(|id| locations.contains(id)));
        assert!(sample.label.iter().all(|l| l.key < strings && l.str < strings));
    }
    for location in &message.location {
        assert_eq!(location.mapping_id, message.mapping[0].id);
        assert!(location.line.iter().all(|line| functions.contains(&line.function_id)));
    }
    assert!(message.function.iter().all(|f| f.name < strings && f.filename < strings));
    let default = &message.string_table[message.default_sample_type as usize];
    let types = message.sample_type.iter().map(|t| &message.string_table[t.r#type as usize]);
    assert!(types.into_iter().any(|t| t == default));
}

/// Totals of a metric by tid, from each export that tells threads apart, and overall.
pub(crate) fn totals(profile: &Profile, metric: Metric) -> [BTreeMap<u64, u64>; 2] {
    let message = pprof(profile, metric);
    let at = |text: &str| message.string_table.iter().position(|s| s == text).unwrap() as i64;
    let default = message.default_sample_type;
    let column = message.sample_type.iter().position(|t| t.r#type == default).unwrap();
    let key = if message.sample.is_empty() { 0 } else { at("thread_id") };
    let mut from_pprof = BTreeMap::new();
    for sample in &message.sample {
        let tid = sample.label.iter().find(|l| l.key == key).unwrap().num as u64;
        *from_pprof.entry(tid).or_insert(0) += sample.value[column] as u64;
    }
    from_pprof.retain(|_, sum| *sum > 0);

    let file = json(profile, Format::Speedscope, metric);
    let mut from_speedscope = BTreeMap::new();
    let frames = file["shared"]["frames"].as_array().unwrap().len() as u64;
    for thread in file["profiles"].as_array().unwrap() {
        let numbers = |v: &Value| -> Vec<u64> {
            v.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect()
        };
        let weights = numbers(&thread["weights"]);
        let samples = thread["samples"].as_array().unwrap();
        assert_eq!(samples.len(), weights.len());
        for sample in samples {
            let stack = numbers(sample);
            assert!(!stack.is_empty() && stack.iter().all(|frame| *frame < frames));
        }
        let sum: u64 = weights.iter().sum();
        assert_eq!(thread["endValue"].as_u64(), Some(sum));
        let name = thread["name"].as_str().unwrap();
        if let Some((_, tid)) = name.trim_end_matches(')').rsplit_once(", ") {
            *from_speedscope.entry(tid.parse().unwrap()).or_insert(0) += sum;
        }
    }
    let overall: u64 = from_pprof.values().sum();
    let collapsed = String::from_utf8(text(profile, Format::Collapsed, metric)).unwrap();
    let weights = collapsed.lines().map(|l| l.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
    assert_eq!(weights.sum::<u64>(), overall, "{metric:?} of collapsed stacks");
    let lines = json(profile, Format::Json, metric);
    assert_eq!(json_total(&lines, metric), overall, "{metric:?} of JSON lines");
    [from_pprof, from_speedscope]
}

pub(crate) fn nanos(seconds: &Value) -> u64 {
    (seconds.as_f64().unwrap() * 1e9).round() as u64
}

pub(crate) fn json_total(document: &Value, metric: Metric) -> u64 {
    let class = |v: &Value| v.as_object().unwrap().values().map(nanos).sum::<u64>();
    let files = document["files"].as_array().unwrap().iter();
    let lines = files.flat_map(|file| file["lines"].as_array().unwrap());
    let sum = lines.map(|line| match metric {
        Metric::Cpu => class(&line["cpu_s"]),
        Metric::Wall => class(&line["cpu_s"]) + class(&line["wait_s"]),
        Metric::Alloc => line["alloc_bytes"].as_u64().unwrap(),
        Metric::Live => line["live_at_end_bytes"].as_u64().unwrap(),
        Metric::Peak => line["live_at_peak_bytes"].as_u64().unwrap(),
        Metric::Copies => line["copy_bytes"].as_u64().unwrap(),
    });
    let sum = sum.sum();
    match metric {
        Metric::Cpu => {
            assert_eq!(class(&document["cpu_s"]), sum);
            let threads = document["threads"].as_array().unwrap();
            assert_eq!(threads.iter().map(|t| nanos(&t["cpu_s"])).sum::<u64>(), sum);
            for list in ["threads", "processes"] {
                let all = document[list].as_array().unwrap().iter();
                let classes = all.map(|one| class(&one["cpu_by_class_s"]));
                assert_eq!(classes.sum::<u64>(), sum, "{list}");
            }
        }
        Metric::Copies => assert_eq!(document["copy_bytes"].as_u64(), Some(sum)),
        _ => {}
    }
    sum
}
