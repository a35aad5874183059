//! Whole reports.

use super::super::summary::summary_figures;
use super::super::{Options, Sort};
use super::{At, Fixture, Lines, MIB, assert_golden, native, py};
use crate::record::Class;

const SCRIPT: &str = "/w/docs_html.py";
const STATES: &str = "/v/lib/python3.11/site-packages/docutils/statemachine.py";
const NODES: &str = "/v/lib/python3.11/site-packages/docutils/nodes.py";
const RE: &str = "/usr/lib/python3.11/re/__init__.py";

const MAIN: At = py(SCRIPT, "<module>", 60);
const PUBLISH: At = py(SCRIPT, "publish", 17);
const TRANSITIONS: At = py(STATES, "State.make_transitions", 733);
const TRANSITION: At = py(STATES, "State.make_transition", 714);

/// A program most of whose time is in a library, with one line for each kind of cost.
pub(super) fn docs() -> Fixture {
    let mut docs = Fixture::new(&["docs_html.py", "3"], 10_300);
    docs.time(&[MAIN, PUBLISH, TRANSITIONS], Class::Python, 52)
        .time(&[MAIN, PUBLISH, TRANSITIONS, TRANSITION], Class::Gc, 102)
        .time(&[MAIN, PUBLISH, TRANSITIONS, TRANSITION], Class::Python, 17)
        .time(&[MAIN, PUBLISH, py(NODES, "Node._fast_findall", 220)], Class::Python, 41)
        .time(
            &[MAIN, PUBLISH, py(RE, "match", 166), native("_sre.so", "sre_ucs1_match")],
            Class::Native,
            37,
        )
        .time(&[MAIN, PUBLISH, py(STATES, "StateMachine.check_line", 452)], Class::Kernel, 21)
        .time(&[MAIN, py(SCRIPT, "index", 34)], Class::Python, 10)
        .time(&[MAIN, py(SCRIPT, "blob", 42)], Class::Native, 2);
    for line in 0..40 {
        docs.time(&[MAIN, PUBLISH, py(NODES, "Node.walk", 300 + line)], Class::Python, 8);
    }
    docs.alloc(&[MAIN, PUBLISH], 512, 800 * MIB, 46 * MIB, 0)
        .alloc(&[MAIN, py(SCRIPT, "blob", 43)], 29 * MIB, 184 * MIB, 88 * MIB, 88 * MIB)
        .alloc(&[MAIN, py(SCRIPT, "index", 34)], 64, 4 * MIB, 2 * MIB, 2 * MIB)
        .copy(&[MAIN, py(SCRIPT, "blob", 43)], "CPython", 29 * MIB, 184 * MIB)
        .copy(&[MAIN, py(SCRIPT, "blob", 42)], "CPython", MIB, 61 * MIB)
        .copy(&[MAIN, py(SCRIPT, "blob", 42)], "numpy", MIB, 29 * MIB)
        .copy(&[MAIN, py(SCRIPT, "blob", 42)], "libz", MIB, 2 * MIB)
        .copying(&[MAIN, py(SCRIPT, "blob", 42)], 2)
        .curve(
            &[MAIN, py(SCRIPT, "blob", 43)],
            &[(12, 40 * MIB as i64), (15, 66 * MIB as i64), (19, 88 * MIB as i64)],
        )
        .peak(141 * MIB, 9_900)
        .held(&[
            (0, 9 * MIB),
            (2_000, 51 * MIB),
            (4_500, 30 * MIB),
            (6_000, 75 * MIB),
            (8_000, 110 * MIB),
            (9_900, 141 * MIB),
            (10_100, 90 * MIB),
        ])
        .charge(6_100)
        .count("ticks", 606)
        .count("samples", 602)
        .count("lost.torn_stack", 4)
        .count("self_ns", 54_000_000)
        .count("alloc_bytes", 2_101 * MIB)
        .count("copy_bytes", 412 * MIB);
    docs.profile.notes.push("Memory from before the start (9 MiB) is not in here.".into());
    docs
}

#[test]
fn a_report_at_100_columns() {
    assert_golden("docs_100", &docs().report(&Options::default()));
}

#[test]
fn a_report_at_80_columns() {
    assert_golden("docs_80", &docs().report(&Options { width: 80, ..Options::default() }));
}

#[test]
fn a_report_at_72_columns() {
    assert_golden("docs_72", &docs().report(&Options { width: 72, ..Options::default() }));
}

#[test]
fn a_report_at_130_columns() {
    assert_golden("docs_130", &docs().report(&Options { width: 130, ..Options::default() }));
}

#[test]
fn a_report_at_60_columns() {
    assert_golden("docs_60", &docs().report(&Options { width: 60, ..Options::default() }));
}

#[test]
fn a_report_at_50_columns() {
    assert_golden("docs_50", &docs().report(&Options { width: 50, ..Options::default() }));
}

#[test]
fn a_report_at_160_columns() {
    assert_golden("docs_160", &docs().report(&Options { width: 160, ..Options::default() }));
}

#[test]
fn a_report_in_ascii() {
    let text = docs().report(&Options { ascii: true, ..Options::default() });
    assert!(text.is_ascii());
    assert_golden("docs_ascii", &text);
}

#[test]
fn color_changes_nothing_but_color() {
    let plain = docs().report(&Options::default());
    let mut colored = docs().report(&Options { color: true, ..Options::default() });
    assert!(colored.contains("\x1b[1m") && colored.contains("\x1b[34m█"));
    while let Some(start) = colored.find("\x1b[") {
        let end = start + colored[start..].find('m').expect("a color ends in m");
        colored.replace_range(start..=end, "");
    }
    assert_eq!(colored, plain);
}

#[test]
fn all_classes_are_columns() {
    let text = docs().report(&Options { all_classes: true, ..Options::default() });
    assert_golden("docs_all_classes", &text);
}

#[test]
fn by_memory() {
    let text = docs().report(&Options { sort: Sort::Memory, ..Options::default() });
    assert_golden("docs_memory", &text);
}

#[test]
fn by_copies() {
    let text = docs().report(&Options { sort: Sort::Copies, ..Options::default() });
    assert_golden("docs_copies", &text);
}

#[test]
fn by_leaks() {
    let text = docs().report(&Options { sort: Sort::Leaks, ..Options::default() });
    assert_golden("docs_leaks", &text);
}

#[test]
fn by_churn() {
    let stack = [MAIN, PUBLISH];
    let mut docs = docs();
    docs.churn(&stack, 640 * MIB).churn(&[MAIN, py(SCRIPT, "blob", 43)], 12 * MIB);
    let text = docs.report(&Options { sort: Sort::Churn, ..Options::default() });
    assert_golden("docs_churn", &text);
}

#[test]
fn a_leak_has_a_story() {
    let mut fixture = docs();
    let stack = [py("/w/docs_html.py", "main", 60), py("/w/docs_html.py", "index", 34)];
    let text =
        fixture.leaks(&stack, 2 * MIB).report(&Options { sort: Sort::Leaks, ..Options::default() });
    assert_golden("docs_leak", &text);
}

#[test]
fn a_moment_instead_of_the_peak() {
    let mut fixture = docs();
    fixture.profile.footprint.is_asked = true;
    let text = fixture.report(&Options { sort: Sort::Memory, ..Options::default() });
    assert_golden("docs_at", &text);
}

#[test]
fn one_file() {
    let text = docs().report(&Options { file: Some("docutils/*".into()), ..Options::default() });
    assert_golden("docs_file", &text);
}

#[test]
fn the_summary_is_short() {
    let (profile, figures) = docs().finish();
    let mut out = Vec::new();
    summary_figures(
        &profile,
        figures.clone(),
        &Options::default(),
        &Lines,
        "docs html.proftrace",
        &mut out,
    )
    .expect("a vector takes all");
    let text = String::from_utf8(out).expect("summaries are text");
    assert!(text.lines().count() <= 12, "{text}");
    assert_golden("docs_summary", &text);
}

/// The five lines of a program with one known cost each.
#[test]
fn every_known_cost_has_its_row() {
    let main = py("/w/tour.py", "main", 58);
    let spin = [main, py("/w/tour.py", "spin", 24)];
    let digest = [main, py("/w/tour.py", "digest", 31)];
    let mut tour = Fixture::new(&["python3", "tour.py"], 9_000);
    tour.time(&spin, Class::Python, 600)
        .time(
            &[digest[0], digest[1], native("/usr/lib/libcrypto.so.3", "libcrypto.so.3")],
            Class::Native,
            250,
        )
        .alloc(&[main, py("/w/tour.py", "hoard", 38)], MIB, 384 * MIB, 192 * MIB, 0)
        .alloc(&[main, py("/w/tour.py", "remember", 43)], 524_288, 25 * MIB, 12 * MIB, 25 * MIB)
        .leaks(&[main, py("/w/tour.py", "remember", 43)], 3 * MIB)
        .copy(&[main, py("/w/tour.py", "snapshot", 47)], "CPython", 5_000_000, 250_000_000)
        .peak(230 * MIB, 4_000);
    for line in 0..10 {
        tour.time(&[main, py("/w/tour.py", "rest", 100 + line)], Class::Python, 10);
    }
    let text = tour.report(&Options::default());
    let table = text.split("FUNCTIONS").next().expect("a part before");
    let figures = |line: u32| -> Vec<&str> {
        let row = table.lines().find(|row| row.contains(&format!("{line}  (no source")));
        row.unwrap_or_else(|| panic!("no row for line {line} in\n{text}"))
            .split_whitespace()
            .collect()
    };
    assert_eq!(figures(24)[0], "6.0");
    assert_eq!(figures(31)[0], "2.5");
    assert!(figures(38).contains(&"192"), "{text}");
    assert_eq!(figures(43)[2..5], ["12", "25.0", "·"], "{text}");
    assert!(figures(47).contains(&"238"), "{text}");
    let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains("Possible leak: tour.py:43 grows by 3 MiB a second;"), "{text}");
    assert!(unwrapped.contains("by tour.py:47, about 4.77 MiB at a time."), "{text}");
}
