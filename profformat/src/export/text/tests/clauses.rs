//! What the sentences say of a class of time, the start-up, a thread or a growth that is large, and how many they are.

use super::super::Options;
use super::{At, Fixture, MIB, TICK, native, py};
use crate::analysis::TimeSum;
use crate::ids::{ProcessId, ThreadId};
use crate::record::{Class, Outcome, Thread};
use crate::units::Timestamp;

const MAIN: At = py("/w/app.py", "main", 5);
const WORK: At = py("/w/app.py", "work", 7);

/// A hundred ticks of Python on a line of ten that nothing else is said of.
fn plain() -> Fixture {
    let mut fixture = Fixture::new(&["python3", "app.py"], 10_000);
    for line in 20..30 {
        fixture.time(&[MAIN, py("/w/app.py", "rest", line)], Class::Python, 30);
    }
    fixture.charge(3_000);
    fixture
}

/// The sentences of a report, each on a line.
fn sentences(fixture: &mut Fixture) -> Vec<String> {
    let report = fixture.report(&Options { width: 5_000, ..Options::default() });
    let body = report.lines().skip(2).take_while(|line| !line.is_empty());
    body.map(|line| line.trim().to_owned()).collect()
}

#[track_caller]
fn assert_says(fixture: &mut Fixture, wanted: &str) {
    let said = sentences(fixture);
    assert!(said.iter().any(|sentence| sentence.contains(wanted)), "{wanted:?} in {said:#?}");
}

#[track_caller]
fn assert_silent(fixture: &mut Fixture, unwanted: &str) {
    let said = sentences(fixture);
    assert!(!said.iter().any(|sentence| sentence.contains(unwanted)), "{said:#?}");
}

#[test]
fn a_tenth_of_garbage_collection_has_a_line() {
    let said = "most of the garbage collection set off by app.py:7 (500 ms).";
    let mut fixture = plain();
    fixture.time(&[MAIN, WORK], Class::Gc, 50).time(&[MAIN], Class::Python, 90);
    assert_says(&mut fixture, said);
    fixture.time(&[MAIN], Class::Python, 90);
    assert_silent(&mut fixture, "set off by");
    // When the next sentence says so anyway, the first does not.
    let mut fixture = plain();
    fixture.time(&[MAIN, WORK], Class::Gc, 90);
    assert_says(&mut fixture, "Most time on one line: app.py:7");
    assert_silent(&mut fixture, "set off by app.py:7");
    // Of many lines, none has most of it.
    let mut fixture = plain();
    for line in 40..50 {
        fixture.time(&[MAIN, py("/w/app.py", "work", line)], Class::Gc, 10);
    }
    assert_silent(&mut fixture, "garbage collection set off by");
}

#[test]
fn much_system_time_and_waiting_for_the_gil_have_a_line() {
    let said = "most of the system's at app.py:7 (800 ms)";
    let mut fixture = plain();
    fixture.time(&[MAIN, WORK], Class::Kernel, 80).time(&[MAIN], Class::Python, 90);
    assert_says(&mut fixture, said);
    let mut fixture = plain();
    fixture.time(&[MAIN, WORK], Class::Gil, 120);
    assert_says(&mut fixture, "1.2 s waiting for the GIL");
    assert_says(&mut fixture, "for the GIL most at app.py:7 (1.2 s)");
    let mut fixture = plain();
    fixture.time(&[MAIN, WORK], Class::Gil, 90);
    assert_silent(&mut fixture, "for the GIL most at");
}

#[test]
fn imports_are_one_row_and_a_fifth_of_the_time_is_told() {
    let find = py("<frozen importlib._bootstrap>", "_find_and_load", 1_027);
    let data = py("<frozen importlib._bootstrap_external>", "get_data", 1_131);
    let module = py("/usr/lib/python3.11/json/__init__.py", "<module>", 3);
    let mut fixture = plain();
    fixture
        .time(&[MAIN, find, data, native("/lib/libc.so.6", "read")], Class::Kernel, 30)
        .time(&[MAIN, find], Class::Python, 20)
        .time(&[MAIN, find, module, find, data], Class::Python, 10)
        .time(&[MAIN, find, module], Class::Python, 40);
    assert_says(&mut fixture, "; 1 s (25 %) in imports.");
    let report = fixture.report(&Options { top: Some(50), ..Options::default() });
    assert_eq!(report.matches("frozen").count(), 0, "{report}");
    let table = report.split("HOT LINES").nth(1).expect("the table");
    let row = table.lines().find(|line| line.contains("imports and")).expect("a row");
    let figures: Vec<&str> = row.split_whitespace().take(2).collect();
    assert_eq!(figures, ["0.60", "1.00"], "{row}");
    fixture.time(&[MAIN], Class::Python, 200);
    assert_silent(&mut fixture, "in imports");
}

#[test]
fn one_busy_thread_of_several_is_told() {
    let mut fixture = plain();
    let thread = |id: u32| Thread {
        id: ThreadId::new(id),
        process: ProcessId::new(0),
        tid: 100 + id,
        time: Timestamp::ZERO,
        name: Vec::new(),
    };
    fixture.profile.threads.extend((1..4).map(|id| (thread(id), None)));
    assert_says(&mut fixture, "one of 4 threads used 100 % of the CPU time.");
    let sum = TimeSum { thread: ThreadId::new(1), weight_ns: 40 * TICK, ..fixture.profile.time[0] };
    fixture.profile.time.push(sum);
    assert_silent(&mut fixture, "one of 4 threads");
}

#[test]
fn growth_at_the_end_is_told() {
    let said = "; it still grew at the end.";
    let points = |last: u64| [(0, MIB), (6_000, 20 * MIB), (8_000, 40 * MIB), (9_900, last)];
    let peak = |last: u64, fixture: &mut Fixture| {
        fixture.peak(last.max(40 * MIB), 9_900).held(&points(last));
    };
    let mut fixture = plain();
    peak(60 * MIB, &mut fixture);
    assert_says(&mut fixture, said);
    peak(30 * MIB, &mut fixture);
    assert_silent(&mut fixture, said);
    let mut flat = plain();
    flat.peak(60 * MIB, 3_000).held(&[(0, MIB), (3_000, 60 * MIB), (9_900, 60 * MIB)]);
    assert_silent(&mut flat, said);
}

#[test]
fn sentences_are_seven_at_most() {
    let mut fixture = plain();
    fixture
        .time(&[MAIN, WORK], Class::Gc, 300)
        .time(&[MAIN, WORK], Class::Wait, 300)
        .time(&[MAIN, WORK], Class::Gil, 300)
        .alloc(&[MAIN, WORK], 4_096, 64 * MIB, 32 * MIB, 8 * MIB)
        .copy(&[MAIN, WORK], "CPython", MIB, 30 * MIB)
        .peak(90 * MIB, 9_000)
        .count("ticks", 100)
        .count("samples", 97)
        .count("lost.ring_full", 3);
    assert_eq!(sentences(&mut fixture).len(), 7);
    fixture.end(Outcome::Killed(9));
    fixture.profile.complete = false;
    let note =
        "the trace is damaged: 2 chunks and 96 bytes could not be read, 1 chunks are missing";
    fixture.profile.notes.push(note.into());
    fixture.profile.notes.push("this is a part of a trace, from 2.000 s to 4.000 s of it".into());
    let said = sentences(&mut fixture);
    assert_eq!(said.len(), 7, "{said:#?}");
    // What is wrong comes first; how time divides, memory, copies and trust stay.
    for (at, wanted) in
        ["damaged", "SIGKILL", "part of a trace", "of CPU", "Memory", "copied", "Trust"]
            .iter()
            .enumerate()
    {
        assert!(said[at].contains(wanted), "{wanted:?} in {:?}", said[at]);
    }
}
