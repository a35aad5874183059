//! The flame graph read back: boxes by their own figures.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};
use profformat::record::{Class, Lang};

use crate::run::Run;
use crate::totals::{ByStack, text};

/// A box as it stands in the file.
#[derive(Clone, Debug)]
struct Block {
    name: String,
    level: usize,
    start: u64,
    weight: u64,
}

pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest =
        &text[text.find(before).unwrap_or_else(|| panic!("{before} in {text}")) + before.len()..];
    &rest[..rest.find(after).unwrap()]
}

fn plain(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&")
}

fn blocks(svg: &str) -> Vec<Block> {
    let number = |of: &str, key: &str| between(of, &format!("{key}=\""), "\"").parse().unwrap();
    svg.split("<g class=\"box\"")
        .skip(1)
        .map(|block| Block {
            // The name ends where the figures begin.
            name: plain(between(block, "<title>", "\n")),
            level: number(block, "data-level") as usize,
            start: number(block, "data-start"),
            weight: number(block, "data-weight"),
        })
        .collect()
}

/// Asserts that every box weighs what the stacks that begin as it does weigh together; `[other]` weighs no more than
/// its caller has left.
pub(crate) fn check(profile: &Profile, metric: Metric, stacks: &ByStack) {
    let svg = String::from_utf8(text(profile, Format::Flamegraph, metric)).unwrap();
    let mut expected = BTreeMap::from([(vec!["all".to_owned()], 0)]);
    for (stack, weight) in stacks {
        let functions = stack.split(';').map(|frame| {
            let frame = frame.replace("\\x3b", ";");
            match frame.rsplit_once(':') {
                Some((place, line)) if line.ends_with(')') => format!("{place})"),
                _ => frame,
            }
        });
        let mut path = vec!["all".to_owned()];
        *expected.entry(path.clone()).or_default() += weight;
        for function in functions {
            path.push(function);
            *expected.entry(path.clone()).or_default() += weight;
        }
    }
    let blocks = blocks(&svg);
    let whole: u64 = stacks.values().sum();
    assert_eq!(blocks[0].weight, whole, "{metric:?}");
    assert_eq!(between(&svg, "data-whole=\"", "\""), whole.to_string());
    let mut found: Vec<Vec<String>> = Vec::new();
    for block in &blocks {
        let mut path = vec![block.name.clone()];
        let mut at = block.clone();
        while at.level > 0 {
            let caller = blocks.iter().find(|other| {
                other.level + 1 == at.level
                    && other.start <= at.start
                    && at.start + at.weight <= other.start + other.weight
            });
            at = caller.expect("a box hangs from another").clone();
            path.push(at.name.clone());
        }
        path.reverse();
        if block.name == "[other]" {
            continue;
        }
        assert_eq!(expected.get(&path), Some(&block.weight), "{metric:?}, {path:?}");
        assert!(!found.contains(&path), "{path:?} twice");
        found.push(path);
    }
    // What is missing is too narrow to be seen.
    for (path, weight) in expected {
        assert!(found.contains(&path) || weight <= whole / 10_000, "{path:?}: {weight}");
    }
}

#[test]
fn functions_are_boxes_and_names_are_no_markup() {
    let mut run = Run::new();
    let hostile = run.frame("<script>\"&]]>\u{202e}\u{ffff}", "<b>.py", 3, Lang::Python);
    let inner = run.interner.stack(None, hostile);
    let stack = run.keep(Some(inner));
    run.sample(0, stack, Class::Python, 700);
    run.sample(1, 4, Class::Native, 300);
    let svg = String::from_utf8(text(&run.profile(), Format::Flamegraph, Metric::Cpu)).unwrap();
    let names: Vec<String> = blocks(&svg).into_iter().map(|block| block.name).collect();
    let hostile = "<script>\"&]]>\\u{202e}\u{fffd} (<b>.py)";
    let recursion = ["f;g\\x0ah (app.py)"; 3];
    let expected = ["all", hostile, "main (app.py)"].into_iter().chain(recursion);
    let mut expected: Vec<&str> = expected.chain(["libz.so.1 (/usr/lib/libz.so.1)"]).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert!(!svg.contains("<b>") && svg.matches("<script>").count() == 1);
    assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
    assert!(svg.contains("1.00 µs of CPU time, 100 %"));
    assert_eq!(svg.as_bytes(), text(&run.profile(), Format::Flamegraph, Metric::Cpu));
}

#[test]
fn what_is_too_narrow_or_too_deep_is_one_box() {
    let mut run = Run::new();
    for line in 0..100 {
        let frame = run.frame(&format!("small{line}"), "app.py", line, Lang::Python);
        let stack = run.interner.stack(None, frame);
        let stack = run.keep(Some(stack));
        run.sample(0, stack, Class::Python, 1);
    }
    let mut deep = None;
    for line in 0..2_000 {
        let frame = run.frame(&format!("deep{line}"), "app.py", line, Lang::Python);
        deep = Some(run.interner.stack(deep, frame));
    }
    let deep = run.keep(deep);
    run.sample(0, deep, Class::Python, 1_000_000);
    let svg = String::from_utf8(text(&run.profile(), Format::Flamegraph, Metric::Cpu)).unwrap();
    let blocks = blocks(&svg);
    let others: Vec<(usize, u64)> =
        blocks.iter().filter(|b| b.name == "[other]").map(|b| (b.level, b.weight)).collect();
    assert_eq!(others, [(1, 100), (500, 1_000_000)]);
    assert_eq!(blocks.iter().map(|block| block.level).max(), Some(500));
    assert!(!svg.contains("small"));
}
