//! The Firefox profiler's file read back: every index in range, and the totals in it.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};
use profformat::ids::ProcessId;
use profformat::record::{Class, Footprint, Record};
use serde_json::{Value, json};

use crate::run::Run;
use crate::totals::{ByClass, ByStack, json, label};

fn list<'a>(table: &'a Value, column: &str) -> &'a [Value] {
    let column = table[column].as_array().unwrap_or_else(|| panic!("no column {column}"));
    assert_eq!(Some(column.len() as u64), table["length"].as_u64());
    column
}

/// Shared tables, and each stack in the words of collapsed stacks with the category of its innermost frame.
fn stacks(file: &Value) -> Vec<(String, String)> {
    let shared = &file["shared"];
    let strings = shared["stringArray"].as_array().unwrap();
    let text = |at: &Value| strings[at.as_u64().unwrap() as usize].as_str().unwrap();
    let functions = &shared["funcTable"];
    let files = list(&shared["sources"], "filename");
    let names: Vec<(&str, &str)> = list(functions, "name")
        .iter()
        .zip(list(functions, "source"))
        .map(|(name, source)| {
            (text(name), source.as_u64().map_or("", |at| text(&files[at as usize])))
        })
        .collect();
    for column in ["isJS", "relevantForJS", "resource", "lineNumber", "columnNumber"] {
        list(functions, column);
    }
    let table = &shared["frameTable"];
    for column in
        ["address", "inlineDepth", "subcategory", "nativeSymbol", "innerWindowID", "column"]
    {
        list(table, column);
    }
    let categories = file["meta"]["categories"].as_array().unwrap();
    assert_eq!(
        (&categories[0]["name"], &categories[0]["color"]),
        (&json!("Other"), &json!("grey"))
    );
    let frames: Vec<(String, String)> = list(table, "func")
        .iter()
        .zip(list(table, "line"))
        .zip(list(table, "category"))
        .map(|((function, line), category)| {
            let (name, file) = names[function.as_u64().unwrap() as usize];
            let category = &categories[category.as_u64().unwrap() as usize]["name"];
            let line = line.as_u64().unwrap_or(0);
            (label(name, file, line), category.as_str().unwrap().to_owned())
        })
        .collect();
    let table = &shared["stackTable"];
    let mut stacks: Vec<(String, String)> = Vec::new();
    for (prefix, frame) in list(table, "prefix").iter().zip(list(table, "frame")) {
        let (name, category) = &frames[frame.as_u64().unwrap() as usize];
        // Callers come first.
        let stack = match prefix.as_u64() {
            Some(caller) => format!("{};{name}", stacks[caller as usize].0),
            None => name.clone(),
        };
        stacks.push((stack, category.clone()));
    }
    stacks
}

/// Rows as thread, stack, category and weight.
pub(crate) fn rows(file: &Value, table: &str) -> Vec<(u64, String, String, u64)> {
    let stacks = stacks(file);
    let mut rows = Vec::new();
    for thread in file["threads"].as_array().unwrap() {
        let Some(samples) = thread.get(table) else { continue };
        let tid = thread["tid"].as_str().unwrap().parse().unwrap();
        let weights = list(samples, "weight");
        let times: Vec<f64> = list(samples, "time").iter().map(|t| t.as_f64().unwrap()).collect();
        assert!(times.is_sorted(), "times of thread {tid}");
        let is_time = samples["weightType"] == "tracing-ms";
        assert!(is_time || samples["weightType"] == "bytes");
        for (stack, weight) in list(samples, "stack").iter().zip(weights) {
            let (stack, category) = &stacks[stack.as_u64().unwrap() as usize];
            let weight = match is_time {
                true => (weight.as_f64().unwrap() * 1e6).round() as u64,
                false => weight.as_u64().unwrap(),
            };
            rows.push((tid, stack.clone(), category.clone(), weight));
        }
    }
    rows
}

/// Asserts that a file says of stacks, threads and classes what the other outputs do.
pub(crate) fn check(
    profile: &Profile,
    metric: Metric,
    (stacks, threads, classes): (&ByStack, &BTreeMap<u64, u64>, &ByClass),
) {
    let file = json(profile, Format::Firefox, metric);
    let (mut by_stack, mut by_thread, mut by_class) =
        (ByStack::new(), BTreeMap::new(), ByClass::new());
    for (tid, stack, category, weight) in rows(&file, "samples") {
        *by_stack.entry(stack).or_insert(0) += weight;
        *by_thread.entry(tid).or_insert(0) += weight;
        let class = match category.as_str() {
            "Garbage collection" => "gc".to_owned(),
            "Waiting for the GIL" => "gil".to_owned(),
            "Waiting" => "wait".to_owned(),
            other => other.to_lowercase(),
        };
        *by_class.entry((tid, class)).or_insert(0) += weight;
    }
    assert_eq!(&by_stack, stacks, "{metric:?} by stack");
    assert_eq!(&by_thread, threads, "{metric:?} by thread");
    if matches!(metric, Metric::Cpu | Metric::Wall) {
        assert_eq!(&by_class, classes, "{metric:?} by class");
        let allocated: u64 = rows(&file, "nativeAllocations").iter().map(|row| row.3).sum();
        let expected = Metric::Alloc.weights(profile);
        assert_eq!(allocated, expected.iter().map(|weight| weight.weight).sum::<u64>());
    }
}

#[test]
fn threads_of_a_process_stand_together_and_the_footprint_is_a_track() {
    let mut run = Run::new();
    run.sample(2, 3, Class::Python, 5);
    run.sample(0, 3, Class::Python, 2_000_000);
    run.sample(0, 3, Class::Gil, 1_000_000);
    run.alloc(1, 4, 640, 1);
    for (bytes, process) in [(100, 0), (50, 1)] {
        run.records.push(Record::Footprint(Footprint {
            time: run.now(),
            process: ProcessId::new(process),
            native_bytes: bytes,
            python_bytes: 0,
            peak: true,
        }));
    }
    run.records.push(Record::End(run.now()));
    let file = json(&run.profile(), Format::Firefox, Metric::Wall);
    let threads = file["threads"].as_array().unwrap();
    let about: Vec<_> = threads
        .iter()
        .map(|t| json!([t["pid"], t["tid"], t["isMainThread"], t["samples"]["length"]]))
        .collect();
    let expected = [
        json!(["4000", "5000", true, 2]),
        json!(["4000", "5001", false, 0]),
        json!(["4001", "5002", true, 1]),
    ];
    assert_eq!(about, expected);
    // The first half of what is two thirds CPU, without a look at the clock.
    assert_eq!(threads[0]["samples"]["weight"], json!([2.0, 1.0]));
    assert_eq!(threads[0]["samples"]["threadCPUDelta"], json!([2_000_000, 0]));
    assert_eq!(threads[1]["nativeAllocations"]["weight"], json!([640]));
    assert_eq!(file["meta"]["initialSelectedThreads"], json!([0]));
    assert_eq!(file["counters"][0]["samples"]["count"], json!([100, 50]));
    assert_eq!(file["meta"]["preprocessedProfileVersion"], 60);
}
