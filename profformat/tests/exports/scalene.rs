//! Scalene's JSON read back.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::text::Source;
use profformat::export::{Format, Metric, scalene};
use profformat::record::{Class, Lang};
use serde_json::{Value, json};

use crate::run::Run;
use crate::totals::{ByClass, json, text};

const MIB: f64 = 1_048_576.0;

fn lines(document: &Value) -> impl Iterator<Item = &Value> {
    let files = document["files"].as_object().unwrap().values();
    files.flat_map(|file| file["lines"].as_array().unwrap())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Asserts that the figures of all lines together are those of the other outputs.
pub(crate) fn check(profile: &Profile, metric: Metric, total: u64, classes: &ByClass) {
    let document = json(profile, Format::Scalene, metric);
    let sum = |of: &dyn Fn(&Value) -> f64| -> u64 {
        lines(&document).map(|line| of(line).round() as u64).sum()
    };
    match metric {
        Metric::Cpu | Metric::Wall => {
            let whole = document["prof"]["time_ns"].as_u64().unwrap();
            assert_eq!((whole, &document["prof"]["time"]), (total, &json!(metric.name())));
            let expected = |names: &[&str]| -> u64 {
                let of = classes.iter().filter(|((_, class), _)| names.contains(&class.as_str()));
                of.map(|(_, ns)| ns).sum()
            };
            let parts = [
                ("n_cpu_percent_python", &["python"][..]),
                ("n_cpu_percent_c", &["native", "gc"]),
                ("n_sys_percent", &["kernel", "gil", "wait"]),
            ];
            for (field, names) in parts {
                let found = sum(&|line| number(&line[field]) / 100.0 * whole as f64);
                assert_eq!(found, expected(names), "{metric:?}, {field}");
            }
            let hits = |name: &str| document[name].as_array().unwrap().clone().into_iter();
            let samples: u64 = hits("combined_stacks").map(|s| s[1].as_u64().unwrap()).sum();
            let python: u64 = hits("stacks").map(|s| s[1]["count"].as_u64().unwrap()).sum();
            let counted =
                profile.time.iter().filter(|t| metric == Metric::Wall || t.class.on_cpu());
            let counted = counted.filter(|t| t.weight_ns > 0).map(|t| t.samples).sum::<u64>();
            assert_eq!((samples, python), (counted, counted), "{metric:?}");
        }
        Metric::Alloc => {
            assert_eq!(sum(&|line| number(&line["n_malloc_mb"]) * MIB), total);
            let stacks = document["memory_stacks"].as_array().unwrap().iter();
            let bytes = stacks.map(|stack| (number(&stack[1]) * MIB).round() as u64);
            assert_eq!(bytes.sum::<u64>(), total);
        }
        Metric::Copies => {
            let seconds = number(&document["elapsed_time_sec"]);
            assert_eq!(sum(&|line| number(&line["n_copy_mb_s"]) * MIB * seconds), total);
        }
        // Of these Scalene has the most that each line held.
        Metric::Live | Metric::Peak => {}
    }
}

/// A file of nine lines.
struct Lines;

impl Source for Lines {
    fn line(&self, file: &[u8], line: u32) -> Option<String> {
        let text = match line {
            1..=9 => "    work(a < b)",
            10 => "def f():",
            11..=30 => "\tmore & more",
            _ => return None,
        };
        (file == b"app.py").then(|| text.to_owned())
    }
}

fn with_source(profile: &Profile) -> Value {
    let mut out = Vec::new();
    scalene::write(profile, Metric::Cpu, &Lines, &mut out).unwrap();
    assert!(!out.iter().any(|byte| matches!(byte, b'<' | b'>' | b'&')));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn lines_stand_in_their_source() {
    let mut run = Run::new();
    run.sample(0, 0, Class::Python, 600);
    run.sample(0, 4, Class::Kernel, 400);
    let document = with_source(&run.profile());
    let file = &document["files"]["app.py"];
    assert_eq!(file["percent_cpu_time"], 100.0);
    let lines = file["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 30);
    let line = |number: usize| &lines[number - 1];
    assert!((1..=30).all(|number| line(number)["lineno"] == number));
    assert_eq!(line(3)["line"], "    work(a \\u003c b)\n");
    assert_eq!(
        (&line(12)["line"], &line(12)["n_cpu_percent_python"]),
        (&json!("\tmore \\u0026 more\n"), &json!(60.0))
    );
    assert_eq!(line(25)["n_sys_percent"], 40.0);
    assert_eq!(
        (&line(13)["start_function_line"], &line(13)["end_function_line"]),
        (&json!(10), &json!(30))
    );
    assert_eq!(line(9)["start_function_line"], 0);
    let functions: Vec<_> = file["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| json!([f["line"], f["lineno"]]))
        .collect();
    assert_eq!(functions, [json!(["main", 10]), json!(["f;g\\x0ah", 20])]);
}

#[test]
fn names_of_files_are_no_markup_and_none_is_lost() {
    let mut run = Run::new();
    let mut expected = BTreeMap::new();
    // The first two look the same.
    let names = ["<b>\u{200b}&.py", "<b>\\u{200b}&.py", "", "[other]", "</script>"];
    for (at, name) in names.into_iter().enumerate() {
        let frame = run.frame("<f>", name, 7, Lang::Python);
        let stack = run.interner.stack(None, frame);
        let stack = run.keep(Some(stack));
        run.sample(0, stack, Class::Python, 1 << (at + 4));
        let shown =
            ["‹b›\\u{200b}＆.py (2)", "‹b›\\u{200b}＆.py", "[no stack]", "[other]", "‹/script›"];
        expected.insert(shown[at], u64::from(1u32 << (at + 4)));
    }
    let document = with_source(&run.profile());
    let whole = number(&document["prof"]["time_ns"]);
    let files = document["files"].as_object().unwrap();
    let found = files.iter().map(|(name, file)| {
        (name.as_str(), (number(&file["percent_cpu_time"]) / 100.0 * whole).round() as u64)
    });
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
}

#[test]
fn what_is_too_much_is_one_line() {
    let mut run = Run::new();
    for at in 0..300 {
        let frame = run.frame("f", &format!("{at}.py"), 7, Lang::Python);
        let stack = run.interner.stack(None, frame);
        let stack = run.keep(Some(stack));
        run.sample(0, stack, Class::Python, 1_000 - at);
        run.alloc(0, stack, 1 << 20, at + 1);
    }
    let document = json(&run.profile(), Format::Scalene, Metric::Cpu);
    let files = document["files"].as_object().unwrap();
    assert_eq!(files.len(), 201);
    let other = &files["[other]"]["lines"][0];
    let whole = number(&document["prof"]["time_ns"]);
    let expected: u64 = (200..300).map(|at| 1_000 - at).sum();
    let found = number(&other["n_cpu_percent_python"]) / 100.0 * whole;
    assert_eq!((found.round() as u64, &other["n_malloc_mb"]), (expected, &json!(100.0)));
    assert_eq!(
        text(&run.profile(), Format::Scalene, Metric::Cpu),
        text(&run.profile(), Format::Scalene, Metric::Cpu)
    );
}
