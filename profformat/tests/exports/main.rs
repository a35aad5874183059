//! All exports of one run: their totals agree to the nanosecond and byte, for each thread and overall.

mod agreement;
mod binaries;
mod copiers;
mod firefox;
mod flamegraph;
mod hostile_names;
mod html;
#[cfg(feature = "parquet")]
mod parquet;
mod readers;
mod run;
mod scalene;
mod threads;
mod totals;

use std::collections::BTreeMap;

use profformat::analysis::sites::{Site, Why, WhyKind, functions, sites};
use profformat::export::pprof::message as pb;
use profformat::export::{ExportError, Format, Metric, export};
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::*;
use proptest::prelude::*;
use run::{Run, THREADS};
use serde_json::Value;
use totals::{pprof, text, totals};

/// Asserts that `value` has exactly the fields that the schema wants, all the way down.
fn check_fields(schema: &Value, part: &Value, value: &Value, path: &str) {
    if let Some(name) = part["$ref"].as_str() {
        let name = name.trim_start_matches("#/definitions/");
        return check_fields(schema, &schema["definitions"][name], value, path);
    }
    match value {
        Value::Object(fields) => {
            let Some(properties) = part["properties"].as_object() else { return };
            let names = |v: &Value| -> Vec<String> {
                let mut names: Vec<String> =
                    v.as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect();
                names.sort();
                names
            };
            let mut found: Vec<String> = fields.keys().cloned().collect();
            found.sort();
            assert_eq!(found, names(&part["required"]), "fields of {path}");
            for (name, field) in fields {
                check_fields(schema, &properties[name], field, &format!("{path}.{name}"));
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let part =
                    if part["items"].is_array() { &part["items"][at] } else { &part["items"] };
                check_fields(schema, part, item, path);
            }
        }
        Value::Number(number) if part["type"] == "integer" => assert!(number.is_u64(), "{path}"),
        _ => assert!(!part.is_null(), "{path} is not in the schema"),
    }
}

fn small() -> Run {
    let mut run = Run::new();
    run.sample(0, 3, Class::Python, 1_000_000_007);
    run.sample(0, 4, Class::Native, 20);
    run.sample(0, 4, Class::Kernel, 3);
    run.sample(1, 5, Class::Gc, 400);
    run.sample(2, 6, Class::Native, 5_000);
    run.sample(1, 99, Class::Python, 60_000);
    run.sample(1, 0, Class::Wait, 700_000);
    run.alloc(0, 3, 1001, 1);
    run.alloc(2, 99, 500, 2);
    run.copy(1, 3, "CPython", 64);
    let time = run.now();
    run.records.push(Record::Footprint(Footprint {
        time,
        process: ProcessId::new(0),
        native_bytes: 1,
        python_bytes: 2000,
        peak: true,
    }));
    for (name, value) in [("ticks", 8), ("samples", 7), ("lost.ring_full", 1)] {
        let name = run.interner.string(name.as_bytes());
        run.records.push(Record::Counter(Counter {
            time,
            process: ProcessId::new(0),
            name,
            value,
        }));
    }
    run.records.push(Record::End(time));
    run
}

#[test]
fn json_has_the_fields_of_its_schema_and_no_others() {
    let profile = small().profile();
    let bytes = text(&profile, Format::Json, Metric::Cpu);
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    let schema = include_str!("../../../docs/profile.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    check_fields(&schema, &schema, &document, "profile");
    assert_eq!(document["schema"], "prof-profile");
    assert_eq!(document["books"]["ticks"], 8);
    assert_eq!(document["books"]["lost"]["ring_full"], 1);
    assert_eq!(document["processes"][1]["parent"], 0);
    assert_eq!(document["threads"][2]["process"], 1);
    // As DESIGN.md's example has them.
    let start = String::from_utf8_lossy(&bytes[..60]).into_owned();
    assert!(start.starts_with(r#"{"schema":"prof-profile","version":1,"program":["#), "{start}");
    assert!(!bytes[..bytes.len() - 1].iter().any(u8::is_ascii_control));
}

#[test]
fn a_line_counts_once_and_why_takes_its_total_apart() {
    let profile = small().profile();
    let sites = sites(&profile);
    let line = |line: u32| sites.iter().find(|s| s.line == line).unwrap();
    let sums =
        |line: u32| (line_of(&sites, line).self_cpu_ns(), line_of(&sites, line).total_cpu_ns);
    assert_eq!(sums(25), (1_000_000_030, 1_000_000_030));
    assert_eq!(sums(26), (0, 1_000_000_030));
    assert_eq!(sums(12), (400, 1_000_000_430));
    assert_eq!(line(12).self_ns[Class::Wait.code() as usize], 700_000);
    for site in &sites {
        assert_eq!(site.why.iter().map(|w| w.cpu_ns).sum::<u64>(), site.total_cpu_ns);
    }
    let name = |why: &Why| why.name(&profile.tables).into_owned();
    let why: Vec<_> = line(25).why.iter().map(|w| (w.what, name(w), w.cpu_ns)).collect();
    assert_eq!(
        why,
        [
            (WhyKind::Itself, "".to_owned(), 1_000_000_007),
            (WhyKind::Native, "libz.so.1".to_owned(), 20),
            (WhyKind::Kernel, "libz.so.1".to_owned(), 3),
        ]
    );
    assert_eq!(line(26).why[0].what, WhyKind::Callee);
    let callers: Vec<_> = line(26).callers.iter().map(|c| (c.1, c.2)).collect();
    assert_eq!(callers, [(25, 1_000_000_030)]);
    // Outermost: the line that called the recursion.
    assert_eq!(line(25).callers[0].1, 12);

    let names: Vec<_> = sites.iter().map(|s| profile.tables.text(s.function)).collect();
    assert!(names.iter().any(|n| n == "[no stack]"));
    assert!(names.iter().any(|n| n == "spin"), "a stack without Python has its own sites");
    assert!(!names.iter().any(|n| n == "libz.so.1"), "native work is part of its Python line");

    let functions = functions(&profile);
    let f = &functions[0];
    assert_eq!(profile.tables.text(f.function), "f;g\nh");
    assert_eq!((f.self_cpu_ns(), f.total_cpu_ns), (1_000_000_030, 1_000_000_030));
}

fn line_of(sites: &[Site], line: u32) -> &Site {
    sites.iter().find(|s| s.line == line).unwrap()
}

#[test]
fn names_cannot_break_collapsed_lines() {
    let profile = small().profile();
    let collapsed = String::from_utf8(text(&profile, Format::Collapsed, Metric::Cpu)).unwrap();
    let lines: Vec<&str> = collapsed.lines().collect();
    assert_eq!(
        lines,
        [
            "[no stack] 60000",
            "main (app.py:12);f\\x3bg\\x0ah (app.py:25);f\\x3bg\\x0ah (app.py:26);\
             f\\x3bg\\x0ah (app.py:25) 1000000007",
            "main (app.py:12);f\\x3bg\\x0ah (app.py:25);f\\x3bg\\x0ah (app.py:26);\
             f\\x3bg\\x0ah (app.py:25);libz.so.1 (/usr/lib/libz.so.1) 23",
            "main (app.py:12);libz.so.1 (/usr/lib/libz.so.1) 400",
            "spin (/usr/bin/spin) 5000",
        ]
    );
}

#[test]
fn pprof_has_go_s_types_and_one_function_for_all_its_lines() {
    let profile = small().profile();
    let names = |m: &pb::Profile| -> Vec<String> {
        let text = |at: i64| m.string_table[at as usize].clone();
        m.sample_type.iter().map(|t| format!("{}/{}", text(t.r#type), text(t.unit))).collect()
    };
    let cpu = pprof(&profile, Metric::Cpu);
    assert_eq!(names(&cpu), ["samples/count", "cpu/nanoseconds"]);
    assert_eq!(cpu.period, 10_000_000);
    let f = cpu.function.iter().filter(|f| cpu.string_table[f.name as usize] == "f;g\\x0ah");
    assert_eq!(f.count(), 1);
    let label = |sample: &pb::Sample, key: &str| {
        let text = |at: i64| cpu.string_table[at as usize].as_str();
        sample.label.iter().find(|label| text(label.key) == key).map(|label| text(label.str))
    };
    let langs: Vec<_> = cpu.sample.iter().map(|s| (label(s, "class"), label(s, "lang"))).collect();
    let expected = [
        (Some("python"), Some("python")),
        (Some("native"), Some("native")),
        (Some("kernel"), Some("native")),
        (Some("python"), None),
        (Some("gc"), Some("native")),
        (Some("native"), Some("native")),
    ];
    assert_eq!(langs, expected);
    let heap = pprof(&profile, Metric::Peak);
    let go =
        ["alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"];
    assert_eq!(names(&heap), go);
    assert_eq!(heap.period, 131_072);
    assert_eq!(
        text(&profile, Format::Pprof, Metric::Cpu),
        text(&profile, Format::Pprof, Metric::Cpu)
    );
}

#[test]
fn what_was_not_measured_is_an_error_and_not_a_zero() {
    let mut profile = Run::new().profile();
    for format in Format::ALL {
        assert!(export(&profile, format, Metric::Copies, &mut Vec::new()).is_ok());
    }
    profile.header.copy_interval = 0;
    let error = export(&profile, Format::Collapsed, Metric::Copies, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, ExportError::NotMeasured { metric: Metric::Copies, .. }));
}

/// A weight that stays exact in floating-point seconds.
fn weight() -> impl Strategy<Value = u64> {
    prop_oneof![1u64..1000, 1u64..1_000_000_000_000]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn totals_agree_to_the_unit(
        samples in prop::collection::vec((0..THREADS, 0usize..8, 0usize..6, weight()), 0..60),
        allocs in prop::collection::vec((0..THREADS, 0usize..8, weight(), any::<bool>()), 0..60),
        copies in prop::collection::vec((0..THREADS, 0usize..8, weight()), 0..20),
    ) {
        let mut run = Run::new();
        let mut expected: BTreeMap<&str, BTreeMap<u64, u64>> = BTreeMap::new();
        let mut expect = |metric: Metric, thread: u32, weight: u64| {
            let sums = expected.entry(metric.name()).or_default();
            *sums.entry(5000 + u64::from(thread)).or_insert(0) += weight;
        };
        for (thread, stack, class, weight) in samples {
            let class = Class::ALL[class];
            run.sample(thread, stack, class, weight);
            expect(Metric::Wall, thread, weight);
            if class.on_cpu() {
                expect(Metric::Cpu, thread, weight);
            }
        }
        let half = allocs.len() / 2;
        for (at, (thread, stack, weight, freed)) in allocs.iter().copied().enumerate() {
            run.alloc(thread, stack, weight, at as u64 + 1);
            expect(Metric::Alloc, thread, weight);
            if at < half {
                expect(Metric::Peak, thread, weight);
            }
            if !freed {
                expect(Metric::Live, thread, weight);
            }
            if at + 1 == half {
                for process in 0..2 {
                    run.records.push(Record::Footprint(Footprint {
                        time: run.now(),
                        process: ProcessId::new(process),
                        native_bytes: 5,
                        python_bytes: 5,
                        peak: true,
                    }));
                }
            }
        }
        for (at, (thread, _, _, freed)) in allocs.iter().copied().enumerate() {
            if freed {
                run.records.push(Record::Free(Free {
                    time: run.now(),
                    thread: ThreadId::new(thread),
                    block: at as u64 + 1,
                }));
            }
        }
        for (thread, stack, weight) in copies {
            expect(Metric::Copies, thread, weight);
            run.copy(thread, stack, "numpy", weight);
        }
        let profile = run.profile();
        for metric in Metric::ALL {
            let expected = expected.remove(metric.name()).unwrap_or_default();
            let [pprof, speedscope] = totals(&profile, metric);
            prop_assert_eq!(&pprof, &expected, "pprof, {:?}", metric);
            prop_assert_eq!(&speedscope, &expected, "speedscope, {:?}", metric);
        }
        html::check(&run.profile_with_activity());
    }
}
