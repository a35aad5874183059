//! The programs of `tests/truth/memory` tell about themselves what `cargo run -p benches --bin truth -- --memory`
//! compares. Each runs once here, at a fiftieth of its size; how exact the profiler is, is measured there.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::prof::{Profile, Python, Recording, crate_folder, line_of};

const SCALE: &str = "0.02";

/// What to call programs with that take more than a scale.
const ARGUMENTS: [(&str, &[&str]); 2] = [
    ("half_gib.py", &["BYTEARRAY", "BYTES", "CALLOC", "EMPTY", "UNTOUCHED", "ZEROS"]),
    ("cache.py", &["full", "first", "any"]),
];

fn folder() -> PathBuf {
    crate_folder().join("tests/truth/memory")
}

#[test]
fn programs_know_their_memory() {
    let Some(python) = Python::any() else { return };
    let Some(packages) = crate::apps::packages(&python) else { return };
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let library = compile(scratch.path());
    let mut programs: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the programs are there")
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    programs.sort();
    for path in programs {
        let file = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let arguments: Vec<Option<&str>> = match file {
            "selfsized.py" => continue,
            "native_leak.py" => vec![library.to_str()],
            _ => match ARGUMENTS.iter().find(|(name, _)| *name == file) {
                Some((_, arguments)) => arguments.iter().copied().map(Some).collect(),
                None => vec![None],
            },
        };
        for argument in arguments {
            let words: Vec<&str> = [SCALE].into_iter().chain(argument).collect();
            let recording = Recording::of(&python, &path, &words);
            let (ended, profile) = recording.variable("PYTHONPATH", &packages).profile();
            let said = &ended.truth()["memory"];
            check(&path, said, &profile);
        }
    }
}

fn compile(scratch: &Path) -> PathBuf {
    let library = scratch.join("native_leak.so");
    let mut compiler = Command::new("gcc");
    compiler.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library);
    let status = compiler.arg(folder().join("native_leak.c")).status();
    assert!(status.expect("gcc runs").success(), "native_leak.c compiles");
    library
}

#[track_caller]
fn check(path: &Path, said: &Value, profile: &Profile) {
    let number =
        |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{}: {said}", path.display()));
    let (base, peak) = (number(&said["base"]), number(&said["peak"]));
    assert!(0.0 < base && base < peak, "{}: {said}", path.display());
    assert!(profile.peak_bytes() > 0.0, "{}: no footprint", path.display());
    let lines = said["lines"].as_object().expect("lines");
    let amounts = lines.iter().flat_map(|(tag, line)| {
        line_of(path, tag);
        line.as_object().expect("figures of a line")
    });
    for (kind, amount) in amounts {
        assert!(matches!(kind.as_str(), "allocated" | "live" | "copied"), "{kind}: {said}");
        let (bytes, block, among) =
            (number(&amount["bytes"]), number(&amount["block"]), number(&amount["among"]));
        assert!(0.0 <= bytes && bytes <= among && 0.0 < block && block <= among, "{kind}: {said}");
        assert!(kind != "live" || bytes < peak, "{kind}: {said}");
    }
    let leaks = said["leaks"].as_object().expect("leaks");
    for (tag, rate) in leaks {
        line_of(path, tag);
        assert!(number(rate) > 0.0, "{tag}: {said}");
    }
    assert!(!lines.is_empty() || !leaks.is_empty(), "{}: knows nothing", path.display());
}
