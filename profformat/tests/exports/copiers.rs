//! Whose code copied, in the exports that tell it.

use std::collections::BTreeMap;

use profformat::export::pprof::message as pb;
use profformat::export::{Format, Metric};
use profformat::record::{Class, Lang};
use serde_json::{Value, json};

use crate::run::Run;
use crate::totals::{json, pprof};

/// Bytes by the label `copier`; those without one under "".
fn by_label(message: &pb::Profile) -> BTreeMap<String, i64> {
    let text = |at: i64| message.string_table[at as usize].clone();
    let bytes = message
        .sample_type
        .iter()
        .position(|kind| text(kind.r#type) == "copy_space")
        .expect("bytes copied");
    let mut sums = BTreeMap::new();
    for sample in &message.sample {
        let copier = sample.label.iter().find(|label| text(label.key) == "copier");
        *sums.entry(copier.map_or(String::new(), |label| text(label.str))).or_default() +=
            sample.value[bytes];
    }
    sums
}

#[test]
fn copiers_stand_by_line_and_at_pprofs_samples() {
    let mut run = Run::new();
    // Lines 12 and 25 of `app.py`; what the trace does not tell has no copier.
    for (stack, copier, bytes) in
        [(0, "numpy", 300), (0, "CPython", 70), (0, "numpy", 50), (3, "libz\n", 9), (3, "", 20)]
    {
        run.copy(1, stack, copier, bytes);
    }
    let message = pprof(&run.profile(), Metric::Copies);
    let expected = [("", 20), ("CPython", 70), ("libz\\x0a", 9), ("numpy", 350)];
    assert_eq!(by_label(&message), expected.map(|(name, n)| (name.to_owned(), n)).into());

    let document = json(&run.profile(), Format::Json, Metric::Cpu);
    let lines = document["files"][0]["lines"].as_array().unwrap();
    let copiers = |line: u64| &lines.iter().find(|l| l["line"] == line).unwrap()["copiers"];
    let named = |name: &str, bytes: u64| json!({"name": name, "bytes": bytes});
    assert_eq!(copiers(12), &json!([named("numpy", 350), named("CPython", 70)]));
    assert_eq!(copiers(25), &json!([named("libz\n", 9)]));
}

#[test]
fn time_in_copying_stands_beside_the_bytes() {
    let mut run = Run::new();
    let main = run.frame("main", "app.py", 12, Lang::Python);
    let work = run.frame("work", "/src/work.c", 40, Lang::Native);
    let library = run.frame("memmove", "/usr/lib/libc.so.6", 0, Lang::Native);
    let python = [main, library];
    let native = [work, library];
    for (frames, weight) in [(&python[..], 5_000), (&native, 700), (&python[..1], 30)] {
        let mut stack = None;
        for frame in frames {
            stack = Some(run.interner.stack(stack, *frame));
        }
        let stack = run.keep(stack);
        run.sample(0, stack, Class::Native, weight);
        run.sample(0, stack, Class::Wait, 1);
    }
    let document = json(&run.profile(), Format::Json, Metric::Cpu);
    let mut found = BTreeMap::new();
    for file in document["files"].as_array().unwrap() {
        for line in file["lines"].as_array().unwrap() {
            let seconds = &line["copy_cpu_s"];
            if *seconds != json!(0.0) {
                found.insert(format!("{}:{}", file["path"], line["line"]), seconds.clone());
            }
        }
    }
    let expected = [(r#""/src/work.c":40"#, 7e-7), (r#""app.py":12"#, 5e-6)];
    assert_eq!(found, expected.map(|(at, s)| (at.to_owned(), Value::from(s))).into());
}
