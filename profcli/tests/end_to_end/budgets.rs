//! `prof check-budget`: within, over, and what cannot be told.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Output;

use crate::bad_input::scratch;
use crate::prof::{Python, Recording, call, line_of, one_line, program};

fn check(trace: &Path, options: &[&str]) -> Output {
    let words = [OsStr::new("check-budget"), trace.as_os_str()].into_iter();
    let words: Vec<&OsStr> = words.chain(options.iter().map(OsStr::new)).collect();
    call(Path::new("/"), &words)
}

#[track_caller]
fn said(output: &Output, status: i32) -> String {
    let said = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}{wrong}");
    said
}

fn recorded(python: &Python, words: &[&str], options: &[&str]) -> Recording {
    let recording = Recording::of(python, &program("compared.py"), words).option(options);
    let ended = recording.run();
    assert!(ended.status().success(), "{}", ended.stderr());
    recording
}

#[test]
fn budgets_hold_or_break_one_by_one() {
    let Some(python) = Python::any() else { return };
    // 40 MiB are held, and copied once; 1.2 s of CPU time go to three lines.
    let run = recorded(&python, &["0.7", "0.3", "0.2", "40"], &[]);
    let trace = run.trace();
    let generous = [
        ["--max-peak", "500MB"],
        // As much as the machine is quick.
        ["--max-alloc", "1000GiB"],
        ["--max-copies", "1GB"],
        ["--max-leak", "0"],
        ["--max-cpu", "30s"],
        ["--max-line-cpu", "90%"],
        ["--max-wall", "5m"],
    ];
    let within = said(&check(&trace, &generous.concat()), 0);
    assert_eq!(within.lines().count(), generous.len(), "{within}");
    assert!(within.lines().all(|line| line.starts_with("within budget")), "{within}");

    let path = program("compared.py");
    let at = |tag: &str| format!("compared.py:{}", line_of(&path, tag));
    for (option, budget, name, place) in [
        ("--max-peak", "50MB", "peak", String::new()),
        ("--max-alloc", "30MiB", "allocated", String::new()),
        ("--max-copies", "20MB", "copied", at("COPIED")),
        ("--max-cpu", "1s", "CPU", at("FIRST")),
        ("--max-line-cpu", "20%", "CPU of one line", at("FIRST")),
        ("--max-line-cpu", "300ms", "CPU of one line", at("FIRST")),
        ("--max-wall", "500ms", "wall time", String::new()),
    ] {
        let over = said(
            &check(
                &trace,
                &[option, budget, "--max-cpu", "1m"][..if option == "--max-cpu" { 2 } else { 4 }],
            ),
            3,
        );
        let lines: Vec<&str> = over.lines().filter(|line| line.starts_with("OVER")).collect();
        let [line] = lines[..] else { panic!("one budget is broken:\n{over}") };
        assert!(line.starts_with(&format!("OVER BUDGET: {name} ")), "{line}");
        assert!(line.contains(&format!("at most {budget}")) && line.contains(&place), "{line}");
    }
    // 58 % of the time, more or less: what is within the noise fails nobody.
    let near = said(&check(&trace, &["--max-line-cpu", "55%"]), 0);
    assert!(near.contains("±"), "{near}");
}

#[test]
fn a_leak_is_over_a_budget_of_nothing() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    let path = folder.path().join("leaky.py");
    let text = "\
import time
kept = []
end = time.monotonic() + 1.5
while time.monotonic() < end:
    kept.append(bytearray(400_000))  # LEAK
    time.sleep(0.005)
";
    std::fs::write(&path, text).expect("scratch is writable");
    let run = Recording::of(&python, &path, &[]);
    assert!(run.run().status().success());
    let over = said(&check(&run.trace(), &["--max-leak", "0"]), 3);
    assert!(over.contains("leaky.py:5 grows by"), "{over}");
    said(&check(&run.trace(), &["--max-leak", "1GB"]), 0);
}

#[test]
fn what_was_not_measured_is_no_pass() {
    let Some(python) = Python::any() else { return };
    let words = ["0.1", "0.1", "0.1", "1"];
    let bare = recorded(&python, &words, &["--no-memory", "--no-copies"]);
    for option in ["--max-peak", "--max-alloc", "--max-copies", "--max-leak"] {
        let output = check(&bare.trace(), &[option, "1GB"]);
        let wrong = one_line(&output);
        assert_eq!(output.status.code(), Some(1), "{wrong}");
        assert!(wrong.contains(option) && wrong.contains("--no-"), "{wrong}");
    }
    let no_cpu = recorded(&python, &words, &["--no-cpu"]);
    for option in ["--max-cpu", "--max-line-cpu"] {
        let output = check(&no_cpu.trace(), &[option, "10s"]);
        assert_eq!(output.status.code(), Some(1), "{}", one_line(&output));
    }
    assert_eq!(check(&bare.trace(), &[]).status.code(), Some(2), "no budget at all");
    assert_eq!(check(&bare.trace(), &["--max-peak", "much"]).status.code(), Some(2));
}

#[test]
fn a_trace_without_an_end_passes_no_budget() {
    let Some(python) = Python::any() else { return };
    let run = recorded(&python, &["0.3", "0.2", "0.2", "1"], &[]);
    let bytes = std::fs::read(run.trace()).expect("it can be read");
    let folder = scratch();
    let cut = folder.path().join("cut.proftrace");
    std::fs::write(&cut, &bytes[..bytes.len() - 40]).expect("scratch is writable");
    let output = check(&cut, &["--max-cpu", "10s"]);
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{wrong}");
    assert!(wrong.contains("is not whole"), "{wrong}");
    // What is there is over already.
    let over = check(&cut, &["--max-cpu", "100ms"]);
    assert!(said(&over, 3).contains("OVER BUDGET: CPU"));
    assert!(String::from_utf8_lossy(&over.stderr).contains("cut off"));
}
