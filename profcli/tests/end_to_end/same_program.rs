//! The program never notices: everything it can see and do is the same bare and profiled.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::prof::{Ended, Python, Recording, every_python, program};

every_python!(
    sees_the_same_of_itself,
    ends_the_same_way,
    children_answer_the_same,
    signals_and_blocking_calls_are_its_own,
);

/// Files below a folder with their contents.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read").flatten();
    entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).expect("the file can be read");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect()
}

/// What a fault dump or an address says is another one in each process.
fn without_addresses(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n', '(', ')', ',']);
    words.map(|word| if word.starts_with("0x") { "0x? " } else { word }).collect()
}

/// A fault dump of Python 3.14 or later shows the C stack too, in which our handler stands, and which library a read
/// or a copy was done by.
fn without_c_stack(text: &str) -> String {
    let of_c = |line: &&str| line.trim_start().starts_with("Binary file");
    text.split_inclusive('\n').filter(|line| !of_c(line)).collect()
}

/// Shows only the lines that differ: the whole of two outputs tells nobody anything.
#[track_caller]
fn expect_same_lines(what: &str, profiled: &str, bare: &str) {
    let only = |one: &str, other: &str| {
        let there: BTreeSet<&str> = other.lines().collect();
        one.lines()
            .filter(|line| !there.contains(line))
            .map(|l| format!("  {l}\n"))
            .collect::<String>()
    };
    let (more, less) = (only(profiled, bare), only(bare, profiled));
    assert!(profiled == bare, "{what}\nonly profiled:\n{more}only bare:\n{less}");
}

/// Both runs start from the same folder with the same files in it.
#[track_caller]
fn expect_same(what: &str, recording: &Recording) -> (Ended, Ended) {
    let bare = recording.run_bare();
    let left = files(&recording.folder());
    for name in left.keys() {
        std::fs::remove_file(recording.folder().join(name)).expect("our own file");
    }
    let profiled = recording.run();
    assert_eq!(profiled.status(), bare.status(), "{what}\n{}", profiled.stderr());
    expect_same_lines(what, &profiled.stdout(), &bare.stdout());
    let said = |ended: &Ended| without_c_stack(&ended.stderr());
    let (profiled_said, bare_said) = (said(&profiled), said(&bare));
    expect_same_lines(what, &without_addresses(&profiled_said), &without_addresses(&bare_said));
    assert_eq!(files(&recording.folder()), left, "{what}: files");
    assert!(recording.trace().is_file(), "{what}: the trace is there");
    (bare, profiled)
}

fn sees_the_same_of_itself(python: &Python) {
    let input: Vec<u8> = (0..200_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
    let recording = Recording::of(python, &program("mirror.py"), &["one", "two words", "", "é"])
        .variable("A_VARIABLE", "with = and ü")
        .input(&input);
    let (bare, _) = expect_same("mirror", &recording);
    // The digest of nothing begins with e3b0c4.
    assert!(
        bare.truth()["standard input"].as_str().is_some_and(|read| !read.starts_with("e3b0c4"))
    );
}

fn ends_the_same_way(python: &Python) {
    for how in [
        "zero",
        "status",
        "message",
        "at once",
        "exception",
        "abort",
        "terminated",
        "killed",
        "interrupted",
        "real-time signal",
        "segmentation fault",
        "bad read",
        "bad read under faulthandler",
        "recursion",
        "exec",
    ] {
        let recording = Recording::of(python, &program("ending.py"), &[how]);
        let (bare, _) = expect_same(how, &recording);
        assert!(bare.stdout().starts_with("before the end"), "{how}: {}", bare.stderr());
    }
}

fn children_answer_the_same(python: &Python) {
    let recording = Recording::of(python, &program("family.py"), &[]);
    let (bare, _) = expect_same("family", &recording);
    assert!(bare.stdout().contains("threads [0, 1, 4, 9"), "{}", bare.stdout());
    let profile = recording.read();
    let processes = profile.json["processes"].as_array().expect("processes").len();
    // Itself, by_fork, by_subprocess, two shells, 2 + 2 workers, and the resource tracker that spawn starts.
    assert!(processes >= 9, "{}", profile.json["processes"]);
    profile.assert_books_balance();
}

fn signals_and_blocking_calls_are_its_own(python: &Python) {
    let recording = Recording::of(python, &program("handlers.py"), &[]).rate(1000);
    let (bare, _) = expect_same("handlers", &recording);
    assert!(bare.stdout().contains("own SIGPROF timer True True"), "{}", bare.stdout());
}

#[test]
fn existing_preload_and_odd_environment_are_kept() {
    let Some(python) = Python::any() else { return };
    let asked = "import os; print(os.environ['LD_PRELOAD'].split(':')[1], os.environ['ODD'])";
    let words = [python.path().as_os_str(), "-c".as_ref(), asked.as_ref()];
    let recording = Recording::of_command(words).variable("ODD", "a\nb=c");
    let mut command = recording.profiled_command();
    command.env("LD_PRELOAD", "libm.so.6");
    let output = command.output().expect("prof starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(stdout, "libm.so.6 a\nb=c\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn scripts_and_shells_are_followed() {
    let Some(python) = Python::any() else { return };
    let path = program("python_loop.py");
    let script = "\"$1\" \"$2\" 0.5 && exit 12";
    let words = ["sh".as_ref(), "-c".as_ref(), script.as_ref(), "sh".as_ref()];
    let words = words.into_iter().chain([python.path().as_os_str(), path.as_os_str()]);
    let recording = Recording::of_command(words);
    let ended = recording.run();
    assert_eq!(ended.status().code(), Some(12), "{}", ended.stderr());
    let profile = recording.read();
    let line = profile.tagged(&path, "LOOP");
    assert!(line.cpu.python > 0.2, "Python below a shell is profiled: {line:?}");
}

#[test]
fn python_file_and_module_run_without_naming_python() {
    if Python::any().is_none() {
        return;
    }
    let loop_file = program("python_loop.py");
    let recording = Recording::of_command([loop_file.as_os_str(), "0.3".as_ref()]);
    let (_, profile) = recording.profile();
    assert!(profile.tagged(&loop_file, "LOOP").cpu.python > 0.1);

    let recording = Recording::of_command(["-m", "timeit", "-n", "100000", "sum(range(100))"]);
    let mut command = std::process::Command::new(crate::prof::prof());
    command.arg("run").args(["--quiet", "-o"]).arg(recording.trace());
    command.args(["-m", "timeit", "-n", "20000", "-r", "3", "sum(range(100))"]);
    let output = command.output().expect("prof starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("loops"));
    assert!(recording.read().cpu().sum() > 0.05);
}
