//! Scalene's JSON: shares of the whole time by line, and megabytes.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};
use serde_json::Value;

use super::{Told, base};
use crate::totals::json;

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let document = json(profile, Format::Scalene, metric);
    let number = |value: &Value| value.as_f64().unwrap();
    let (whole, seconds) =
        (number(&document["prof"]["time_ns"]), number(&document["elapsed_time_sec"]));
    let mib = f64::from(1 << 20);
    let of = |line: &Value| -> u64 {
        let share = |field: &str| (number(&line[field]) / 100.0 * whole).round() as u64;
        match metric {
            Metric::Cpu | Metric::Wall => {
                ["n_cpu_percent_python", "n_cpu_percent_c", "n_sys_percent"].map(share).iter().sum()
            }
            Metric::Alloc => (number(&line["n_malloc_mb"]) * mib).round() as u64,
            _ => (number(&line["n_copy_mb_s"]) * mib * seconds).round() as u64,
        }
    };
    // Of the others it has the most that each line held.
    if matches!(metric, Metric::Live | Metric::Peak) {
        return Told::default();
    }
    let mut lines = BTreeMap::new();
    for (path, file) in document["files"].as_object().unwrap() {
        // What has no file stands in one of its name.
        let path = if path == "[no stack]" { String::new() } else { base(path) };
        for line in file["lines"].as_array().unwrap().iter().filter(|line| of(line) > 0) {
            // It knows no line 0.
            let is_known = path.ends_with(".py");
            let number = if is_known { line["lineno"].as_u64().unwrap() } else { 0 };
            *lines.entry((path.clone(), number)).or_insert(0) += of(line);
        }
    }
    Told { total: Some(lines.values().sum()), lines: Some(lines), ..Told::default() }
}
