//! All outputs of a trace tell the same totals, to the unit.

use std::ffi::OsStr;
use std::path::Path;

use crate::prof::{Python, Recording, call, program, workspace};

fn convert(trace: &Path, to: &str, metric: &str) -> Vec<u8> {
    let words = ["convert", "--to", to, "--metric", metric, "-o", "-"];
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).chain([trace.as_os_str()]).collect();
    let output = call(Path::new("/"), &words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{to}, {metric}: {}\n{stderr}", output.status);
    output.stdout
}

/// The sum of a file of collapsed stacks, in its own unit.
pub(crate) fn collapsed_sum(trace: &Path, metric: &str) -> u64 {
    let text = String::from_utf8(convert(trace, "collapsed", metric)).expect("UTF-8");
    let count = |line: &str| line.rsplit_once(' ').and_then(|(_, n)| n.parse::<u64>().ok());
    text.lines().map(|line| count(line).unwrap_or_else(|| panic!("{line:?}"))).sum()
}

/// The sum of the weights that a speedscope file shows first, in its own unit, and that unit.
fn speedscope_sum(trace: &Path, metric: &str) -> (f64, String) {
    let bytes = convert(trace, "speedscope", metric);
    let json: serde_json::Value = serde_json::from_slice(&bytes).expect("speedscope is JSON");
    let shown = json["activeProfileIndex"].as_u64().expect("a number") as usize;
    let profile = &json["profiles"][shown];
    let weights = profile["weights"].as_array().expect("a sampled profile");
    let sum = weights.iter().map(|weight| weight.as_f64().expect("a weight")).sum();
    (sum, profile["unit"].as_str().expect("a unit").to_owned())
}

#[test]
fn totals_agree() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &workspace().join("examples/tour.py"), &[]);
    let (_, profile) = recording.profile();
    let trace = recording.trace();

    let cpu_ns = collapsed_sum(&trace, "cpu");
    let in_json = profile.cpu().sum();
    assert!((cpu_ns as f64 / 1e9 - in_json).abs() < 1e-6, "cpu: {cpu_ns} ns and {in_json} s");
    let (told, unit) = speedscope_sum(&trace, "cpu");
    let told_ns = match unit.as_str() {
        "nanoseconds" => told,
        "microseconds" => told * 1e3,
        "milliseconds" => told * 1e6,
        "seconds" => told * 1e9,
        other => panic!("a unit of time, not {other}"),
    };
    assert!((told_ns - cpu_ns as f64).abs() < 1_000.0, "speedscope: {told} {unit}, {cpu_ns} ns");

    for metric in ["alloc", "copies", "peak", "live"] {
        let sum = collapsed_sum(&trace, metric);
        assert!(sum > 0, "the tour has some {metric}");
        let (told, unit) = speedscope_sum(&trace, metric);
        assert_eq!((told as u64, unit.as_str()), (sum, "bytes"), "{metric}");
    }
    let classes: f64 = profile.entries().iter().map(|entry| entry.cpu.sum()).sum();
    assert!(classes <= in_json + 1e-6, "lines add up to at most the whole");
    assert!(classes >= 0.95 * in_json, "lines have {classes} of {in_json} s");
}

#[test]
fn pprof_is_a_gzip_file() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &program("python_loop.py"), &["0.3"]);
    recording.profile();
    let bytes = convert(&recording.trace(), "pprof", "cpu");
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
}

#[test]
fn text_is_the_report() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &program("python_loop.py"), &["0.3"]);
    recording.profile();
    let text = String::from_utf8(convert(&recording.trace(), "text", "cpu")).expect("UTF-8");
    assert!(text.contains("python_loop.py"), "{text}");
}

#[test]
fn an_output_file_is_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;

    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &program("python_loop.py"), &["0.3"]);
    recording.profile();
    let trace = recording.trace();
    let out = trace.with_file_name("out.json");
    let mode = |path: &Path| path.metadata().expect("it exists").permissions().mode() & 0o777;
    assert_eq!(mode(&trace), 0o600);
    let words = [OsStr::new("convert"), trace.as_os_str(), "--to".as_ref(), "json".as_ref()];
    let words: Vec<&OsStr> = words.into_iter().chain(["-o".as_ref(), out.as_os_str()]).collect();
    assert!(call(Path::new("/"), &words).status.success());
    assert_eq!(mode(&out), 0o600);
    let before = std::fs::read(&out).expect("the export can be read");
    let again = call(Path::new("/"), &words);
    assert!(!again.status.success(), "the second export would overwrite the first");
    crate::prof::one_line(&again);
    assert_eq!(std::fs::read(&out).expect("the export can be read"), before);
}

#[test]
fn info_names_process_and_losses() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &program("python_loop.py"), &["0.3"]);
    let (_, profile) = recording.profile();
    let trace = recording.trace();
    let output = call(Path::new("/"), &["info".as_ref(), trace.as_os_str()]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let pid = profile.json["processes"][0]["pid"].to_string();
    assert!(said.contains(&pid), "{said}");
    assert!(said.contains("python_loop.py"), "{said}");
    let checked = call(Path::new("/"), &["check".as_ref(), trace.as_os_str()]);
    assert_eq!(checked.status.code(), Some(0), "a finished trace is sound");
}
