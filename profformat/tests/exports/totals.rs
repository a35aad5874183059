//! Reading exports back, and the totals in them.

use std::collections::BTreeMap;
use std::io::Read;

use profformat::analysis::Profile;
use profformat::export::pprof::message as pb;
use profformat::export::{Format, Metric, export};
use prost::Message as _;
use serde_json::Value;

use crate::{firefox, flamegraph, scalene};

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
    let mappings = ids(message.mapping.iter().map(|m| m.id).collect());
    assert!(message.mapping.iter().all(|m| m.filename < strings && m.build_id < strings));
    let locations = ids(message.location.iter().map(|l| l.id).collect());
    for sample in &message.sample {
        assert_eq!(sample.value.len(), message.sample_type.len());
        assert!(!sample.location_id.is_empty());
        assert!(sample.location_id.iter().all(|id| locations.contains(id)));
        assert!(sample.label.iter().all(|l| l.key < strings && l.str < strings));
    }
    for location in &message.location {
        assert!(mappings.contains(&location.mapping_id));
        assert!(!location.line.is_empty());
        assert!(location.line.iter().all(|line| functions.contains(&line.function_id)));
    }
    assert!(message.function.iter().all(|f| f.name < strings && f.filename < strings));
    let default = &message.string_table[message.default_sample_type as usize];
    let types = message.sample_type.iter().map(|t| &message.string_table[t.r#type as usize]);
    assert!(types.into_iter().any(|t| t == default));
}

/// Weights by stack, as collapsed stacks write it.
pub(crate) type ByStack = BTreeMap<String, u64>;

pub(crate) fn label(name: &str, file: &str, line: u64) -> String {
    let text = match (file, line) {
        ("", _) => name.to_owned(),
        (_, 0) => format!("{name} ({file})"),
        _ => format!("{name} ({file}:{line})"),
    };
    text.replace(';', "\\x3b")
}

/// Totals of a metric by tid, from each export that tells threads apart. All exports agree on every stack and class.
pub(crate) fn totals(profile: &Profile, metric: Metric) -> [BTreeMap<u64, u64>; 2] {
    let (from_pprof, stacks, classes) = of_pprof(profile, metric);
    let overall: u64 = from_pprof.values().sum();
    let collapsed = String::from_utf8(text(profile, Format::Collapsed, metric)).unwrap();
    let mut lines = ByStack::new();
    for (stack, weight) in collapsed.lines().map(|line| line.rsplit_once(' ').unwrap()) {
        *lines.entry(stack.to_owned()).or_insert(0) += weight.parse::<u64>().unwrap();
    }
    assert_eq!(lines, stacks, "{metric:?} of collapsed stacks");
    let document = json(profile, Format::Json, metric);
    assert_eq!(json_total(&document, metric), overall, "{metric:?} of JSON lines");
    if matches!(metric, Metric::Cpu | Metric::Wall) {
        assert_eq!(json_classes(&document, metric), classes, "{metric:?} by thread and class");
    }

    scalene::check(profile, metric, overall, &classes);
    flamegraph::check(profile, metric, &stacks);
    firefox::check(profile, metric, (&stacks, &from_pprof, &classes));
    #[cfg(feature = "parquet")]
    crate::parquet::check(profile, metric, (&stacks, &from_pprof, &classes));

    let file = json(profile, Format::Speedscope, metric);
    let frames: Vec<String> =
        file["shared"]["frames"].as_array().unwrap().iter().map(frame).collect();
    let profiles = file["profiles"].as_array().unwrap();
    assert_eq!(file["activeProfileIndex"], 0);
    let (whole, threads) = match profiles.as_slice() {
        [only] => (only, profiles.as_slice()),
        [whole, threads @ ..] => (whole, threads),
        [] => panic!("no profile at all"),
    };
    assert_eq!(speedscope_stacks(&frames, whole), stacks, "{metric:?} of all threads");
    let (mut by_thread, mut added, mut last) = (BTreeMap::new(), ByStack::new(), u64::MAX);
    for thread in threads {
        let own = speedscope_stacks(&frames, thread);
        let sum: u64 = own.values().sum();
        if let Ok(tid) = thread["name"].as_str().unwrap().rsplit(' ').next().unwrap().parse() {
            *by_thread.entry(tid).or_insert(0) += sum;
            assert!(sum <= last, "the heaviest is first");
            last = sum;
        }
        for (stack, weight) in own {
            *added.entry(stack).or_insert(0) += weight;
        }
    }
    assert_eq!(added, stacks, "{metric:?} of the threads together");
    [from_pprof, by_thread]
}

fn frame(frame: &Value) -> String {
    let file = frame["file"].as_str().unwrap_or_default();
    label(frame["name"].as_str().unwrap(), file, frame["line"].as_u64().unwrap_or_default())
}

/// Weights of one profile of speedscope's file.
fn speedscope_stacks(frames: &[String], profile: &Value) -> ByStack {
    let weights = profile["weights"].as_array().unwrap();
    let samples = profile["samples"].as_array().unwrap();
    assert_eq!(samples.len(), weights.len());
    let mut stacks = ByStack::new();
    for (sample, weight) in samples.iter().zip(weights) {
        let stack = sample.as_array().unwrap().iter();
        let names = stack.map(|frame| frames[frame.as_u64().unwrap() as usize].as_str());
        let names = names.collect::<Vec<_>>().join(";");
        assert!(!names.is_empty());
        *stacks.entry(names).or_insert(0) += weight.as_u64().unwrap();
    }
    assert_eq!(profile["endValue"].as_u64(), Some(stacks.values().sum()));
    stacks
}

/// Weights by tid and class.
pub(crate) type ByClass = BTreeMap<(u64, String), u64>;

/// Weights of pprof's file by tid, by stack, and by tid and class.
fn of_pprof(profile: &Profile, metric: Metric) -> (BTreeMap<u64, u64>, ByStack, ByClass) {
    let message = pprof(profile, metric);
    let text = |at: i64| message.string_table[at as usize].as_str();
    let default = message.default_sample_type;
    let column = message.sample_type.iter().position(|t| t.r#type == default).unwrap();
    let places = |id: &u64| {
        let location = message.location.iter().find(|l| l.id == *id).unwrap();
        location.line.iter().rev()
    };
    let frame = |line: &pb::Line| {
        let function = message.function.iter().find(|f| f.id == line.function_id).unwrap();
        label(text(function.name), text(function.filename), line.line as u64)
    };
    let (mut threads, mut stacks, mut classes) = (BTreeMap::new(), ByStack::new(), ByClass::new());
    for sample in message.sample.iter().filter(|sample| sample.value[column] > 0) {
        let labels: BTreeMap<&str, &pb::Label> =
            sample.label.iter().map(|label| (text(label.key), label)).collect();
        assert_eq!(labels.len(), sample.label.len(), "one value for each key");
        let (tid, pid) = (labels["thread_id"].num as u64, labels["pid"].num as u64);
        assert_eq!((tid - 5000) / 2, pid - 4000, "the thread's process");
        assert_eq!(text(labels["process"].str), "python3");
        let name = if tid == 5001 { "thread 5001" } else { "Main;\\x0aThread" };
        assert_eq!(text(labels["thread"].str), name);
        let weight = sample.value[column] as u64;
        *threads.entry(tid).or_insert(0) += weight;
        let names: Vec<String> =
            sample.location_id.iter().rev().flat_map(places).map(frame).collect();
        *stacks.entry(names.join(";")).or_insert(0) += weight;
        assert_eq!(labels.contains_key("class"), matches!(metric, Metric::Cpu | Metric::Wall));
        if let Some(class) = labels.get("class") {
            *classes.entry((tid, text(class.str).to_owned())).or_insert(0) += weight;
        }
    }
    (threads, stacks, classes)
}

/// Nanoseconds of each thread by class. Those of all threads together and of the processes are the same.
fn json_classes(document: &Value, metric: Metric) -> ByClass {
    let of = |one: &Value, cpu: &str| -> BTreeMap<String, u64> {
        let fields = |name: &str| one[name].as_object().unwrap().clone().into_iter();
        let waits = fields("wait_s").filter(|_| metric == Metric::Wall);
        let all = fields(cpu).chain(waits).map(|(class, seconds)| (class, nanos(&seconds)));
        all.filter(|(_, ns)| *ns > 0).collect()
    };
    let mut threads = ByClass::new();
    for list in ["threads", "processes"] {
        let mut sums = BTreeMap::new();
        for one in document[list].as_array().unwrap() {
            for (class, ns) in of(one, "cpu_by_class_s") {
                *sums.entry(class.clone()).or_insert(0) += ns;
                if list == "threads" {
                    threads.insert((one["tid"].as_u64().unwrap(), class), ns);
                }
            }
        }
        assert_eq!(sums, of(document, "cpu_s"), "{list}");
    }
    threads
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
