//! Many runs at once, in one folder.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::prof::{Profile, Python, call, prof};

const RUNS: usize = 20;

/// Starts a program that works for a while and leaves a file of its number; `options` are those of `prof run`.
fn start(python: &Python, folder: &Path, options: &[&str], number: usize) -> Child {
    let work = "import sys; sum(range(3_000_000)); open('ran' + sys.argv[1], 'w').close()";
    let mut command = Command::new(prof());
    command.args(["run", "--quiet"]).args(options).arg("--").arg(python.path());
    command.args(["-c", work, &number.to_string()]).current_dir(folder);
    command.env_remove("LD_PRELOAD").env_remove("PROF_SESSION");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("prof starts")
}

fn all(python: &Python, folder: &Path, options: &[&str]) -> Vec<Output> {
    let started: Vec<Child> = (0..RUNS).map(|n| start(python, folder, options, n)).collect();
    started.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect()
}

fn names(folder: &Path, part: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains(part)).collect()
}

#[test]
fn each_run_has_a_trace_of_its_own() {
    let Some(python) = Python::any() else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    for output in all(&python, folder.path(), &[]) {
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
    let traces = names(folder.path(), ".proftrace");
    assert_eq!(traces.len(), RUNS, "{traces:?}");
    let mut numbers = BTreeSet::new();
    for name in traces {
        let trace = folder.path().join(name);
        let checked = call(folder.path(), &[OsStr::new("check"), trace.as_os_str()]);
        assert!(checked.status.success(), "{checked:?}");
        let profile = Profile::of_trace(&trace);
        assert!(profile.cpu().sum() > 0.0, "{}", trace.display());
        profile.assert_books_balance();
        let words = profile.json["program"].as_array().expect("a command");
        numbers.insert(words.last().expect("a number").to_string());
    }
    assert_eq!(numbers.len(), RUNS, "each is of another run: {numbers:?}");
}

#[test]
fn one_of_those_that_want_the_same_name_gets_it() {
    let Some(python) = Python::any() else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let outputs = all(&python, folder.path(), &["-o", "same.proftrace"]);
    let (won, lost): (Vec<_>, Vec<_>) = outputs.iter().partition(|one| one.status.success());
    assert_eq!((won.len(), lost.len()), (1, RUNS - 1));
    for output in lost {
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        assert!(crate::prof::one_line(output).contains("same.proftrace exists"), "{output:?}");
    }
    assert_eq!(names(folder.path(), "ran").len(), 1, "the others did not run their program");
    let checked = call(folder.path(), &["check", "same.proftrace"]);
    assert!(checked.status.success(), "{checked:?}");
}
