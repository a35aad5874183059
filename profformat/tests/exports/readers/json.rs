//! Our JSON: lines with the functions they belong to, and threads.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::escape::escape;
use profformat::export::{Format, Metric};
use serde_json::Value;

use super::{Told, base};
use crate::totals::{json, json_total, nanos};

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let document = json(profile, Format::Json, metric);
    let text = |value: &Value| escape(value.as_str().unwrap().as_bytes());
    let (mut lines, mut totals) = (BTreeMap::new(), BTreeMap::new());
    let mut functions = BTreeMap::new();
    for file in document["files"].as_array().unwrap() {
        let path = base(&text(&file["path"]));
        for line in file["lines"].as_array().unwrap() {
            let at = (path.clone(), line["line"].as_u64().unwrap());
            *lines.entry(at.clone()).or_insert(0) += of_line(line, metric);
            *totals.entry(at).or_insert(0) += nanos(&line["total_cpu_s"]);
            let function = (path.clone(), text(&line["function"]));
            *functions.entry(function).or_insert(0) += of_line(line, metric);
        }
    }
    lines.retain(|_, weight| *weight > 0);
    totals.retain(|_, weight| *weight > 0);
    functions.retain(|_, weight| *weight > 0);
    let thread = |thread: &Value| {
        let weight = match metric {
            Metric::Cpu => nanos(&thread["cpu_s"]),
            Metric::Wall => nanos(&thread["cpu_s"]) + classes(&thread["wait_s"]),
            Metric::Alloc => thread["alloc_bytes"].as_u64().unwrap(),
            Metric::Copies => thread["copy_bytes"].as_u64().unwrap(),
            Metric::Live | Metric::Peak => return None,
        };
        Some((thread["tid"].as_u64().unwrap(), weight)).filter(|(_, weight)| *weight > 0)
    };
    let threads = document["threads"].as_array().unwrap().iter().filter_map(thread).collect();
    Told {
        total: Some(json_total(&document, metric)),
        stacks: None,
        lines: Some(lines),
        line_totals: (metric == Metric::Cpu).then_some(totals),
        functions: Some(functions),
        threads: (!matches!(metric, Metric::Live | Metric::Peak)).then_some(threads),
    }
}

fn classes(seconds: &Value) -> u64 {
    seconds.as_object().unwrap().values().map(nanos).sum()
}

fn of_line(line: &Value, metric: Metric) -> u64 {
    let bytes = |field: &str| line[field].as_u64().unwrap();
    match metric {
        Metric::Cpu => classes(&line["cpu_s"]),
        Metric::Wall => classes(&line["cpu_s"]) + classes(&line["wait_s"]),
        Metric::Alloc => bytes("alloc_bytes"),
        Metric::Live => bytes("live_at_end_bytes"),
        Metric::Peak => bytes("live_at_peak_bytes"),
        Metric::Copies => bytes("copy_bytes"),
    }
}
