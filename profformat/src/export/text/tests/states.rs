//! Empty and error states: each says what is known.

use super::super::Options;
use super::{Fixture, MIB, assert_golden, native, py};
use crate::record::{Class, Outcome};

fn small(ticks: u64) -> Fixture {
    let mut fixture = Fixture::new(&["python3", "app.py"], 2_000);
    fixture
        .time(&[py("/w/app.py", "main", 5)], Class::Python, ticks)
        .count("ticks", ticks)
        .count("samples", ticks)
        .charge(ticks * 10)
        .peak(13 * MIB, 10);
    fixture
}

#[test]
fn too_short() {
    assert_golden("state_too_short", &small(3).report(&Options::default()));
}

#[test]
fn no_samples() {
    let mut fixture = Fixture::new(&["python3", "app.py"], 30_200);
    fixture.charge(3).peak(13 * MIB, 10).count("ticks", 0).count("samples", 0);
    assert_golden("state_no_samples", &fixture.report(&Options::default()));
}

#[test]
fn all_time_outside_python() {
    let mut fixture = Fixture::new(&["python3", "app.py"], 10_000);
    fixture
        .time(&[native("/usr/lib/libfoo.so", "foo")], Class::Native, 630)
        .time(&[native("/usr/lib/libc.so.6", "libc.so.6")], Class::Native, 350)
        .time(&[py("/w/app.py", "main", 5)], Class::Python, 20);
    assert_golden("state_outside_python", &fixture.report(&Options::default()));
}

/// A program that mostly waits: where is the first thing to say.
#[test]
fn waiting() {
    let at = |line| [py("/w/app.py", "main", line)];
    for ticks in [0, 3, 100] {
        let mut fixture = small(ticks);
        fixture.time(&at(7), Class::Wait, 90).time(&at(9), Class::Wait, 20).time(
            &at(9),
            Class::Gil,
            90,
        );
        let report = fixture.report(&Options::default());
        let wanted = "Longest wait on one line: app.py:9, 1.1 s, 900 ms of it for the GIL.";
        assert!(report.contains(wanted), "{ticks} ticks:\n{report}");
        fixture.time(&at(7), Class::Wait, 30);
        let report = fixture.report(&Options::default());
        assert!(report.contains("Longest wait on one line: app.py:7, 1.2 s."), "{report}");
    }
    let mut fixture = small(100);
    fixture.time(&at(7), Class::Wait, 9);
    assert!(!fixture.report(&Options::default()).contains("Longest wait"));
}

#[test]
fn memory_off() {
    let mut fixture = small(100);
    fixture.profile.header.memory_interval = 0;
    fixture.profile.header.copy_interval = 0;
    fixture.peak(0, 0);
    assert_golden("state_memory_off", &fixture.report(&Options::default()));
}

#[test]
fn time_off() {
    let mut fixture = Fixture::new(&["python3", "app.py"], 2_000);
    fixture.alloc(&[py("/w/app.py", "main", 5)], 4_096, 64 * MIB, 32 * MIB, 0).peak(40 * MIB, 900);
    fixture.profile.header.cpu_interval_ns = 0;
    assert_golden("state_time_off", &fixture.report(&Options::default()));
}

#[test]
fn killed() {
    let mut fixture = small(100);
    fixture.end(Outcome::Killed(9));
    fixture.profile.complete = false;
    let text = fixture.report(&Options { color: true, ..Options::default() });
    let first = text.lines().nth(2).expect("a third line");
    assert!(first.contains("\x1b[31m"), "the first sentence is red: {first}");
    assert_golden("state_killed", &fixture.report(&Options::default()));
}

#[test]
fn damaged() {
    let mut fixture = small(100);
    let note =
        "the trace is damaged: 2 chunks and 96 bytes could not be read, 1 chunks are missing";
    fixture.profile.notes.push(note.into());
    let warnings = vec!["A warning of the caller.".into()];
    let options = Options { warnings, ..Options::default() };
    assert_golden("state_damaged", &fixture.report(&options));
}

#[test]
fn heavy_losses() {
    let mut fixture = small(80);
    fixture.count("ticks", 100).count("lost.ring_full", 15).count("lost.altstack_low", 5);
    fixture.count("lost_alloc.table_full", 7);
    assert_golden("state_heavy_losses", &fixture.report(&Options::default()));
}

/// Launchers, static programs, or children without the environment.
#[test]
fn nothing_was_profiled() {
    let mut fixture = Fixture::new(&["env", "static-program"], 2_000);
    fixture.profile.processes[0].0.profiled = false;
    fixture.profile.processes[0].0.python.clear();
    assert_golden("state_nothing_profiled", &fixture.report(&Options::default()));
}

#[test]
fn a_part_of_a_trace() {
    let mut fixture = small(100);
    let note = "this is a part of a trace, from 2.000 s to 4.000 s of it";
    fixture.profile.notes.push(note.into());
    assert_golden("state_part", &fixture.report(&Options::default()));
}

/// Minutes have the longest name of all units: headings stay apart.
#[test]
fn a_long_run() {
    let report = small(200_000).report(&Options::default());
    assert!(report.contains("self min total min  split"), "{report}");
    assert!(report.contains("    33.3      33.3  ██████████"), "{report}");
}

#[test]
fn nothing_passes_the_filter() {
    let options = Options { file: Some("x*".into()), ..Options::default() };
    assert_golden("state_filter", &small(100).report(&options));
}

#[test]
fn an_empty_profile() {
    let (profile, figures) = (crate::analysis::Profile::default(), super::Figures::default());
    let mut out = Vec::new();
    super::write_figures(&profile, figures, &Options::default(), &super::Lines, &mut out)
        .expect("a vector takes all");
    assert_golden("state_empty", &String::from_utf8(out).expect("reports are text"));
}
