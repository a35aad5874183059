//! Programs that are not Python and run Python: linked with its library, or loading it when they come to it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::prof::{Python, Recording, marked, program, share, skip, stacks};

/// CPU seconds of each of the three parts.
const SECONDS: f64 = 1.5;

/// The folder that an interpreter is installed in, and its shared library.
fn library(python: &Python) -> Option<(PathBuf, PathBuf)> {
    let prefix = python.path().parent()?.parent()?.to_owned();
    let library = prefix.join(format!("lib/libpython{}.so", python.version));
    if !library.is_file() {
        skip(&format!("{python} has no shared library"));
        return None;
    }
    Some((prefix, library))
}

fn compile(folder: &Path, name: &str, options: &[OsString]) -> Option<PathBuf> {
    let path = folder.join(name);
    let mut compiler = Command::new("gcc");
    compiler.args(["-O2", "-g", "-w", "-o"]).arg(&path).arg(program("embedding.c")).args(options);
    match compiler.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "embedding.c compiles: {said}");
            Some(path)
        }
        Err(error) => {
            skip(&format!("no C compiler: {error}"));
            None
        }
    }
}

/// `blind`: seconds at most of the script's beginning in which its lines are not known.
fn expect_all_parts(program_path: &Path, python: &Python, blind: f64) {
    let Some((prefix, library)) = library(python) else { return };
    let (script, source) = (program("embedded.py"), program("embedding.c"));
    let seconds = SECONDS.to_string();
    let words: [OsString; 4] =
        [program_path.into(), seconds.into(), script.clone().into(), library.into()];
    let recording = Recording::of_command(words).rate(250).variable("PYTHONHOME", prefix);
    let (ended, profile) = recording.profile();
    profile.assert_books_balance();
    let clock: f64 = ended.stdout().trim().parse().expect("seconds");
    let cpu = profile.cpu();
    assert!((cpu.sum() - clock).abs() <= 0.03 * clock + 0.03, "{cpu:?} of {clock:.3} s");
    let spin = profile.function(&script, "spin");
    assert!(spin.sum() <= SECONDS + 0.1, "{spin:?}");
    assert!(spin.sum() >= SECONDS - 0.1 - blind, "{spin:?}");
    assert!(spin.python >= 0.95 * spin.sum(), "{spin:?}");
    let line = profile.tagged(&script, "SPIN");
    assert!(line.cpu.sum() > 0.5 * spin.sum(), "{line:?} of {spin:?}");
    let stacks = stacks(&recording);
    for (function, mark) in [("before", "/* BEFORE */"), ("after", "/* AFTER */")] {
        let frame = format!("{function} {}", marked(&source, mark));
        let told = share(&stacks, &[&frame]) * cpu.sum();
        assert!((told - SECONDS).abs() < 0.15, "{frame}: {told:.3} s in {stacks:?}");
    }
}

fn linked(python: &Python) {
    let Some((_, library)) = library(python) else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let run_path = library.parent().expect("a folder").display().to_string();
    let options =
        [library.into_os_string(), format!("-Wl,-rpath,{run_path}").into(), "-ldl".into()];
    if let Some(path) = compile(folder.path(), "linked", &options) {
        expect_all_parts(&path, python, 0.0);
    }
}

fn loaded_late(python: &Python) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    if let Some(path) = compile(folder.path(), "late", &["-DLATE".into(), "-ldl".into()]) {
        // Until the collector has seen the library and a tick has passed. A loaded machine takes its time for it.
        expect_all_parts(&path, python, SECONDS / 2.0);
    }
}

macro_rules! with_each {
    ($($test:ident: $version:literal;)*) => {
        $(mod $test {
            use crate::prof::Python;

            #[test]
            fn linked() {
                if let Some(python) = Python::of_version($version) {
                    super::linked(&python);
                }
            }

            #[test]
            fn loaded_late() {
                if let Some(python) = Python::of_version($version) {
                    super::loaded_late(&python);
                }
            }
        })*
    };
}

with_each! {
    py3_9: "3.9";
    py3_11: "3.11";
    py3_12: "3.12";
    py3_13: "3.13";
}
