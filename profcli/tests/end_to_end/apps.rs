//! Real applications from PyPI that nobody here wrote.
//!
//! `.ci/apps.sh` installs them, pinned, one folder for each minor version of Python; without it these tests are
//! skipped.

use std::path::PathBuf;

use crate::prof::{Line, Profile, Python, Recording, each_python, products, program, skip};

each_python!(docutils_renders, sympy_simplifies, numpy_works);

/// The folder of installed packages for an interpreter.
pub(crate) fn packages(python: &Python) -> Option<PathBuf> {
    let target = products().parent().expect("target/PROFILE");
    let folder = target.join("apps").join(&python.version);
    if !folder.join("complete").is_file() {
        skip(&format!("no packages for Python {}: run .ci/apps.sh", python.version));
        return None;
    }
    Some(folder)
}

/// Runs an application bare and profiled, expects no difference, and a profile that makes sense.
#[track_caller]
fn expect_sensible(python: &Python, name: &str, package: &str) -> Option<Profile> {
    let packages = packages(python)?;
    let path = program(name);
    let recording = Recording::of(python, &path, &[]).variable("PYTHONPATH", &packages);
    // Hash order would make two bare runs differ.
    let recording = recording.variable("PYTHONHASHSEED", "0");
    // Compiling a package takes longer than using it, and is no work of Python code: the bare run keeps what it
    // compiles.
    let recording = recording.variable("PYTHONDONTWRITEBYTECODE", "");
    let bare = recording.run_bare();
    assert!(bare.status().success(), "{}", bare.stderr());
    let (profiled, profile) = recording.profile();
    assert_eq!(profiled.status(), bare.status());
    assert_eq!(profiled.stdout(), bare.stdout());
    assert_eq!(profiled.stderr(), bare.stderr());

    let (cpu, entries) = (profile.cpu(), profile.entries());
    let of_lines: f64 = entries.iter().map(|entry| entry.cpu.sum()).sum();
    let of_threads: f64 = profile.json["threads"]
        .as_array()
        .expect("threads")
        .iter()
        .map(|thread| thread["cpu_s"].as_f64().expect("seconds"))
        .sum();
    assert!(cpu.sum() >= 0.5, "the application works for a while: {cpu:?}");
    assert!((of_threads - cpu.sum()).abs() <= 0.01 * cpu.sum() + 0.01, "{of_threads}, {cpu:?}");
    assert!(of_lines >= 0.9 * cpu.sum(), "lines have {of_lines} of {cpu:?}");
    let inside: f64 = entries
        .iter()
        .filter(|entry| entry.path.starts_with(&packages) || entry.path == path)
        .map(|entry| entry.cpu.sum())
        .sum();
    assert!(inside >= 0.3 * cpu.sum(), "{package} and {name} have {inside:.2} of {cpu:?}");
    let has = |part: &str| entries.iter().any(|entry| entry.path.to_string_lossy().contains(part));
    assert!(has(&format!("/{package}/")), "files of {package} are in the profile");
    // Only what has no Python frame has no line: threads of a library, and the interpreter taking itself down.
    let is_python = |entry: &&Line| entry.path.extension().is_some_and(|end| end == "py");
    let odd = entries.iter().filter(is_python).find(|e| e.line == 0 || e.line > 100_000);
    assert!(odd.is_none(), "line numbers are possible ones: {odd:?}");
    let without: f64 = entries.iter().filter(|e| e.line == 0).map(|e| e.cpu.sum()).sum();
    assert!(without <= 0.35 * cpu.sum(), "{without:.3} s of {cpu:?} have no line");
    profile.assert_books_balance();
    let report = recording.report();
    assert!(report.contains(name), "the report names {name}:\n{report}");
    Some(profile)
}

fn docutils_renders(python: &Python) {
    let Some(profile) = expect_sensible(python, "app_docutils.py", "docutils") else { return };
    let cpu = profile.cpu();
    assert!(cpu.python >= 0.3 * cpu.sum(), "docutils is mostly Python: {cpu:?}");
    let top = profile.top(|line| line.cpu.sum());
    assert!(top.cpu.sum() <= 0.5 * cpu.sum(), "no single line of docutils has half: {top:?}");
}

fn sympy_simplifies(python: &Python) {
    let Some(profile) = expect_sensible(python, "app_sympy.py", "sympy") else { return };
    let cpu = profile.cpu();
    assert!(cpu.python >= 0.3 * cpu.sum(), "sympy is mostly Python: {cpu:?}");
}

fn numpy_works(python: &Python) {
    let Some(profile) = expect_sensible(python, "app_numpy.py", "numpy") else { return };
    let path = program("app_numpy.py");
    let sort = profile.tagged(&path, "SORT");
    assert!(sort.cpu.native >= 0.9 * sort.cpu.sum(), "sorting is native: {sort:?}");
    assert!(sort.cpu.sum() >= 0.2, "sorting takes a while: {sort:?}");
    let made = profile.tagged(&path, "MADE");
    let truth = 40.0 * 8e6;
    assert!((made.alloc - truth).abs() <= 0.02 * truth, "numpy's arrays are seen: {made:?}");
}
