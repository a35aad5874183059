//! Limits that a shell sets: for the profiler they are a line on standard error, for the program what they are bare.

use std::process::Command;

use crate::kill::expect_only_the_end_missing;
use crate::prof::{Profile, Python, Recording, call, one_line, program, to_the_end};

/// Runs a recording under a limit of bash's `ulimit`.
fn under(limit: &str, recording: &Recording) -> std::process::Output {
    let profiled = recording.profiled_command();
    let mut bash = Command::new("bash");
    bash.args(["-c", &format!("ulimit {limit} && exec \"$@\""), "bash"]);
    bash.arg(profiled.get_program()).args(profiled.get_args()).current_dir(recording.folder());
    bash.env_remove("LD_PRELOAD").env_remove("PROF_SESSION");
    to_the_end(bash, None).output
}

/// `killable.py`, which leaves a file and ends with 21.
fn worker(python: &Python, seconds: &str) -> Recording {
    Recording::of(python, &program("killable.py"), &[seconds])
}

#[track_caller]
fn expect_its_work_done(recording: &Recording, output: &std::process::Output) {
    assert_eq!(output.status.code(), Some(21), "the program's own status: {output:?}");
    assert!(recording.folder().join("finished.txt").is_file(), "the program did its work");
}

#[test]
fn a_trace_ends_where_files_may_not_grow() {
    let Some(python) = Python::any() else { return };
    let recording = worker(&python, "3");
    let output = under("-Sf 8", &recording);
    expect_its_work_done(&recording, &output);
    assert!(one_line(&output).contains("File too large"), "{output:?}");
    let trace = recording.trace();
    let length = trace.metadata().expect("it is there").len();
    assert!(length <= 8192, "{length} bytes");
    expect_only_the_end_missing(&trace);
    assert!(Profile::of_trace(&trace).cpu().sum() > 0.0, "what was written is readable");
}

/// The memory that `prof` shares with a program is a file to the kernel. Who may, lifts the limit for it.
#[test]
fn where_no_memory_can_be_shared_the_program_runs_all_the_same() {
    let Some(python) = Python::any() else { return };
    let recording = worker(&python, "3");
    let output = under("-f 8", &recording);
    expect_its_work_done(&recording, &output);
    assert!(one_line(&output).contains("File too large"), "{output:?}");
}

#[test]
fn few_addresses_for_the_profiler_are_one_line() {
    let Some(python) = Python::any() else { return };
    let recording = worker(&python, "0.1");
    let output = under("-v 150000", &recording);
    expect_its_work_done(&recording, &output);
    let said = one_line(&output);
    assert!(said.contains("nothing was profiled") && said.contains("ulimit -v"), "{said}");
    let checked = call(&recording.folder(), &["check".as_ref(), recording.trace().as_os_str()]);
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn few_addresses_for_the_program_are_one_line() {
    let Some(python) = Python::any() else { return };
    let path = program("killable.py");
    let script = "ulimit -v 90000 && exec \"$@\"";
    let words = ["bash".as_ref(), "-c".as_ref(), script.as_ref(), "bash".as_ref()];
    let words = words.into_iter().chain([python.path().as_os_str(), path.as_os_str()]);
    let recording = Recording::of_command(words.chain(["0.1".as_ref()]));
    let output = recording.run().output;
    expect_its_work_done(&recording, &output);
    let said = one_line(&output);
    assert!(said.contains("nothing was profiled") && said.contains("ulimit -v"), "{said}");
}
