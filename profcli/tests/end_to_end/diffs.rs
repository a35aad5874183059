//! Programs compared with themselves, and with what was made of them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::bad_input::{expect_refusal, scratch};
use crate::prof::{Python, Recording, call, line_of, one_line, program};

fn recorded(python: &Python, path: &Path, words: &[&str], options: &[&str]) -> Recording {
    let recording = Recording::of(python, path, words).option(options);
    let ended = recording.run();
    assert!(ended.status().success(), "{}", ended.stderr());
    recording
}

fn diff(traces: &[&Path], options: &[&str]) -> Output {
    let mut words: Vec<&OsStr> = vec![OsStr::new("diff")];
    words.extend(options.iter().map(OsStr::new));
    words.extend(traces.iter().map(|trace| trace.as_os_str()));
    call(Path::new("/"), &words)
}

#[track_caller]
fn json(traces: &[&Path]) -> Value {
    let output = diff(traces, &["--format", "json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// The lines of a metric that are sure to have changed.
fn sure(json: &Value, metric: &str) -> Vec<Value> {
    let metrics = json["metrics"].as_array().expect("a list");
    let by = metrics.iter().find(|by| by["metric"] == metric).expect("it was measured");
    let lines = by["lines"].as_array().expect("a list");
    lines.iter().filter(|line| line["sure"] == true).cloned().collect()
}

#[test]
fn two_runs_of_one_program_have_no_changed_line() {
    let Some(python) = Python::any() else { return };
    let path = program("compared.py");
    let words = ["0.8", "0.5", "0.3", "40"];
    // One pair of runs in twenty may give a false alarm; three in a row do not.
    let mut alarms = Vec::new();
    for _ in 0..3 {
        let [one, two] = [0, 1].map(|_| recorded(&python, &path, &words, &[]));
        let traces = [&*one.trace(), &*two.trace()];
        let json = json(&traces);
        // What it allocates in a second is the machine's business.
        let changed: Vec<Value> =
            ["cpu", "peak", "copies"].iter().flat_map(|metric| sure(&json, metric)).collect();
        let gate = diff(&traces, &["--fail-on", "slower"]);
        let said = String::from_utf8_lossy(&gate.stdout).into_owned();
        assert!(said.contains("one run each: run-to-run noise unknown"), "{said}");
        if changed.is_empty() {
            assert_eq!(gate.status.code(), Some(0), "{said}");
            assert!(said.contains("No line changed"), "{said}");
            return;
        }
        alarms.push(changed);
    }
    panic!("{alarms:#?}");
}

#[test]
fn a_line_that_became_slower_is_found_where_it_went() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    let text = std::fs::read_to_string(program("compared.py")).expect("it can be read");
    let edited = text.replace("import time\n", "import time\n\n\ndef unused():\n    return 1\n");
    let paths: Vec<PathBuf> = [("old", &text), ("new", &edited)]
        .into_iter()
        .map(|(name, text)| {
            let folder = folder.path().join(name);
            std::fs::create_dir(&folder).expect("scratch is writable");
            let path = folder.join("compared.py");
            std::fs::write(&path, text).expect("scratch is writable");
            path
        })
        .collect();
    let old = recorded(&python, &paths[0], &["0.6", "0.4", "0.3", "40"], &[]);
    let new = recorded(&python, &paths[1], &["0.6", "1.2", "0.3", "8"], &[]);
    let traces = [&*old.trace(), &*new.trace()];
    let json = json(&traces);
    let [slower] = &sure(&json, "cpu")[..] else { panic!("one line is slower: {json}") };
    let numbers = paths.iter().map(|path| line_of(path, "SECOND")).collect::<Vec<_>>();
    assert_eq!(slower["place_before"]["line"], numbers[0], "{slower}");
    assert_eq!(slower["place_after"]["line"], numbers[1], "{slower}");
    assert_eq!(slower["matched_by"], "text");
    let change = slower["change"].as_f64().expect("a number");
    let half_width = slower["half_width"].as_f64().expect("a number");
    assert!((change - 0.8).abs() < 2.0 * half_width, "{slower}");
    let mut smaller: Vec<u64> = sure(&json, "peak")
        .iter()
        .filter_map(|line| line["place_after"]["line"].as_u64())
        .collect();
    smaller.sort_unstable();
    assert_eq!(smaller, ["HELD", "COPIED"].map(|tag| line_of(&paths[1], tag)));

    let gate = diff(&traces, &["--fail-on", "slower", "--width", "120"]);
    let said = String::from_utf8_lossy(&gate.stdout).into_owned();
    assert_eq!(gate.status.code(), Some(3), "{said}");
    let place = format!("compared.py:{}→{}", numbers[0], numbers[1]);
    assert!(said.contains(&place) && said.contains("sum(range(3000))  # SECOND"), "{said}");
    let back = diff(&[traces[1], traces[0]], &["--fail-on", "slower"]);
    assert_eq!(back.status.code(), Some(0), "it is quicker the other way round");
}

#[test]
fn repeated_runs_stand_on_both_sides_of_two_dashes() {
    let Some(python) = Python::any() else { return };
    let path = program("compared.py");
    let runs = |second: &str| {
        [0, 1, 2].map(|_| recorded(&python, &path, &["0.2", second, "0.2", "1"], &[]))
    };
    let sides = [runs("0.2"), runs("1.2")];
    let [old, new] = sides.each_ref().map(|runs| runs.each_ref().map(Recording::trace));
    let mut words: Vec<&OsStr> =
        ["diff", "--fail-on", "slower", "--format", "json"].map(OsStr::new).into();
    words.extend(old.iter().map(|trace| trace.as_os_str()));
    words.push(OsStr::new("--"));
    words.extend(new.iter().map(|trace| trace.as_os_str()));
    let output = call(Path::new("/"), &words);
    let json: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(output.status.code(), Some(3), "{json}");
    assert_eq!((&json["before"]["runs"], &json["after"]["runs"]), (&3.into(), &3.into()));
    let [slower] = &sure(&json, "cpu")[..] else { panic!("one line is slower: {json}") };
    assert_eq!(slower["place_after"]["line"], line_of(&path, "SECOND"));
}

#[test]
fn a_page_is_written_once_and_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;

    let Some(python) = Python::any() else { return };
    let run = recorded(&python, &program("compared.py"), &["0.1", "0.1", "0.1", "1"], &[]);
    let (trace, folder) = (run.trace(), scratch());
    let page = folder.path().join("diff.html");
    let words: [&OsStr; 7] = [
        "diff".as_ref(),
        trace.as_os_str(),
        trace.as_os_str(),
        "--format".as_ref(),
        "html".as_ref(),
        "-o".as_ref(),
        page.as_os_str(),
    ];
    assert!(call(Path::new("/"), &words).status.success());
    let about = page.metadata().expect("it is there");
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&page).expect("it can be read");
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"));
    expect_refusal(folder.path(), &words, 1, "--force");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let Some(python) = Python::any() else { return };
    let words = ["0.1", "0.1", "0.1", "1"];
    let path = program("compared.py");
    let usual = recorded(&python, &path, &words, &[]);
    let no_cpu = recorded(&python, &path, &words, &["--no-cpu"]);
    let cpu_only = recorded(&python, &path, &words, &["--no-memory", "--no-copies"]);
    let [usual, no_cpu, cpu_only] = [&usual, &no_cpu, &cpu_only].map(Recording::trace);
    let refused = |traces: &[&Path], options: &[&str], clue: &str| {
        let output = diff(traces, options);
        let said = one_line(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(clue), "{said}");
    };
    refused(&[&usual], &[], "two traces");
    refused(&[&usual, &usual, &usual], &[], "two traces");
    refused(&[&no_cpu, &cpu_only], &[], "nothing in common");
    refused(&[&usual, &no_cpu], &["--fail-on", "slower"], "--no-cpu");
    refused(&[&usual, Path::new("/no/such.proftrace")], &[], "/no/such.proftrace");
    let output = diff(&[&usual, &no_cpu], &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("did not measure it: CPU time"), "{said}");
}
