//! What ticks: timers and perf events, their rates, and that neither reaches a program that an exec has put in place.

use std::path::PathBuf;
use std::process::Command;

use crate::prof::{Python, Recording, call, program, skip};

/// Whether the kernel gives perf events here; says so if not.
fn has_perf_events() -> bool {
    let recording = Recording::of_command(["true"]).option(&["--clock", "perf"]);
    let ended = recording.run();
    let refused = ended.stderr().contains("perf_event_paranoid");
    if refused {
        assert_eq!(ended.status().code(), Some(125), "refused before anything was run");
        skip(ended.stderr().trim());
    }
    !refused
}

#[test]
fn a_rate_above_the_kernels_tick_is_reached_by_perf_events() {
    let Some(python) = Python::any() else { return };
    if !has_perf_events() {
        return;
    }
    let path = program("python_loop.py");
    let (_, profile) = Recording::of(&python, &path, &["3"]).rate(1000).profile();
    profile.assert_books_balance();
    let samples = profile.json["books"]["samples"].as_f64().expect("a number");
    let seconds = profile.cpu().sum();
    assert!(samples > 700.0 * seconds, "{samples} samples in {seconds} s");
    assert!(samples < 1300.0 * seconds, "{samples} samples in {seconds} s");
}

#[test]
fn timers_stop_at_the_kernels_tick() {
    let Some(python) = Python::any() else { return };
    let path = program("python_loop.py");
    let recording = Recording::of(&python, &path, &["1"]).rate(1000).option(&["--clock", "timer"]);
    let (_, profile) = recording.profile();
    profile.assert_books_balance();
    assert!(profile.cpu().sum() > 0.9, "{:?}", profile.cpu());
}

/// A tick on its way to a program that is replaced would kill the next one.
#[test]
fn an_exec_in_place_meets_no_tick() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("exec_chain");
    let compiled =
        Command::new("gcc").args(["-w", "-o"]).arg(&path).arg(program("exec_chain.c")).status();
    assert!(compiled.expect("gcc runs").success(), "exec_chain.c compiles");
    let clocks: &[&str] = if has_perf_events() { &["timer", "perf"] } else { &["timer"] };
    for clock in clocks {
        let recording = Recording::of_command([path.clone().into_os_string(), "18".into()])
            .option(&["--rate", "10000", "--clock", clock]);
        let ended = recording.run();
        assert_eq!(ended.stdout(), "18\n", "{clock}: {} {}", ended.status(), ended.stderr());
        assert_eq!(ended.status().code(), Some(7), "{clock}");
        let profile = recording.read();
        // 19 images of 80 ms each, and what a loader takes.
        let cpu = profile.cpu();
        assert!(
            cpu.sum() > 19.0 * 0.07,
            "{clock}: also what came after an exec that failed: {cpu:?}"
        );
    }
}

/// A program of `profshim`'s, compiled into a folder of its own.
fn behavior(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let program = crate::behaviors::programs::compile(name, folder.path(), &[]);
    (folder, program)
}

/// A report with its lines joined: notes are broken where they are long.
fn report(recording: &Recording) -> String {
    recording.report().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_process_without_a_free_signal_is_told() {
    let (folder, program) = behavior("no_free_signal");
    let recording = Recording::of_command([program.as_os_str()]);
    assert!(recording.run().status().success());
    let report = report(&recording);
    assert!(report.contains("all real-time signals had handlers at its start"), "{report}");
    let trace = folder.path().join("again.proftrace");
    let words = ["run".as_ref(), "-o".as_ref(), trace.as_os_str(), program.as_os_str()];
    let output = call(folder.path(), &words);
    let summary = String::from_utf8_lossy(&output.stderr);
    assert!(summary.contains("CPU time was not sampled in 1 of the processes"), "{summary}");
}

#[test]
fn threads_without_ticks_tell_their_time_and_why() {
    for (name, threads, why) in [
        ("alternate_sizes", 5, "had an alternate signal stack too small for samples"),
        ("blocked_at_start", 2, "blocked the signal that samples come by"),
    ] {
        let (_folder, program) = behavior(name);
        let recording = Recording::of_command([program.as_os_str()]).rate(250);
        recording.run();
        assert!(report(&recording).contains(why), "{name}: {}", recording.report());
        // Each of them works for 30 milliseconds at least while it has no ticks.
        let cpu = recording.read().cpu().sum();
        assert!(cpu > f64::from(threads) * 0.03, "{name}: {cpu}");
    }
}
