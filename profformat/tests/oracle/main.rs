//! Two readers that know nothing of each other say the same of a trace: `TraceReader`, and `read_trace.py`, which was
//! written in Python from FORMAT.md alone. Whoever else reads traces by FORMAT.md will read what we read.

#[path = "../example/mod.rs"]
mod example;
mod later;
mod random;
mod totals;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use profformat::Options;
use serde_json::Value;
use totals::totals;

/// The interpreter itself: `python3` may be a script that looks for one at each start.
fn python() -> Option<PathBuf> {
    static PYTHON: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let program = "import sys; print(sys.executable)";
        let output = Command::new("python3").args(["-c", program]).output().ok()?;
        Some(String::from_utf8(output.stdout).ok()?.trim_end().into())
    });
    PYTHON.clone()
}

/// What the reader in Python says of a trace; `None` when it cannot be asked, which is said and under `PROF_NO_SKIP=1`
/// is a failure.
fn ask(trace: &Path) -> Option<Value> {
    let Some(python) = python() else { return skip("there is no python3") };
    // `.ci/install.sh` puts zstd here for a Python that has none.
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("apps").join("zstd");
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_trace.py"))
        .arg(trace)
        .env("PYTHONPATH", packages)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", trace.display());
    let totals: Value = serde_json::from_slice(&output.stdout).unwrap();
    if totals["unsupported"] != 0 {
        return skip("python3 has no module for zstd: run .ci/install.sh");
    }
    Some(totals)
}

/// Says that something was not tested. The test harness hides what passing tests print with macros, so this writes to
/// the descriptor itself.
fn skip<T>(why: &str) -> Option<T> {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Nothing can be done about a closed standard error.
    drop(writeln!(std::io::stderr().lock(), "SKIPPED: {test}: {why}"));
    assert!(std::env::var_os("PROF_NO_SKIP").is_none_or(|v| v == "0"), "skipped: {why}");
    None
}

/// Asserts that both readers say the same of a trace, part for part. Gives what the second one says.
#[track_caller]
fn agree(name: &str, trace: &Path) -> Option<Value> {
    let theirs = ask(trace)?;
    let ours = totals(&std::fs::read(trace).unwrap());
    for (part, value) in ours.as_object().unwrap() {
        assert_eq!(value, &theirs[part], "{part} of {name}: on the left what TraceReader says");
    }
    // `TraceReader` does not tell the chunks; the reader in Python compares them with the index.
    assert_eq!(ours.as_object().unwrap().len() + 1, theirs.as_object().unwrap().len(), "{name}");
    Some(theirs)
}

/// Like [`agree`], of bytes.
#[track_caller]
fn agree_on(name: &str, bytes: &[u8]) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.proftrace");
    std::fs::write(&trace, bytes).unwrap();
    agree(name, &trace)
}

/// The traces in a folder of the tests.
fn traces(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut traces: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|e| e == "proftrace")).collect();
    traces.sort();
    assert!(traces.len() >= 2, "{traces:?}");
    traces
}

/// False for a trace that this build cannot read itself.
fn is_readable(trace: &Path) -> bool {
    let bytes = std::fs::read(trace).unwrap();
    cfg!(feature = "zstd") || profformat::recover::check(&bytes).unwrap().damage.unsupported == 0
}

#[test]
fn on_golden_traces() {
    for trace in traces("golden").iter().filter(|trace| is_readable(trace)) {
        agree(&trace.display().to_string(), trace);
    }
}

#[test]
fn on_recorded_traces() {
    for trace in traces("recorded").iter().filter(|trace| is_readable(trace)) {
        let Some(theirs) = agree(&trace.display().to_string(), trace) else { continue };
        assert!(theirs["samples"]["count"].as_u64().unwrap() > 0);
        assert_eq!(theirs["complete"], true);
    }
}

#[test]
fn on_the_example_of_every_size_and_unit() {
    for compress in [false, cfg!(feature = "zstd")] {
        for time_unit_ns in [1, 7, 1_000_000] {
            for rounds in [0, 1, 1_900] {
                let options = Options { compress, time_unit_ns };
                agree_on(
                    &format!("{options:?}, {rounds} rounds"),
                    &example::trace(options, rounds).1,
                );
            }
        }
    }
}

#[test]
fn on_cut_traces() {
    let whole = example::trace(example::PLAIN, 20).1;
    for cut in (88..whole.len()).step_by(311).chain(whole.len() - 36..whole.len() - 28) {
        let Some(theirs) = agree_on(&format!("the first {cut} bytes"), &whole[..cut]) else {
            return;
        };
        assert!(theirs["cut"].as_u64().is_none_or(|at| at < cut as u64));
    }
}

#[test]
fn on_random_traces() {
    for (seed, compress, time_unit_ns) in
        [(1, false, 1_000), (2, cfg!(feature = "zstd"), 1), (3, false, 4_000_000_000)]
    {
        let trace = random::trace(seed, Options { compress, time_unit_ns }, 30_000);
        let Some(theirs) = agree_on(&format!("the random trace {seed}"), &trace) else { return };
        assert_eq!(theirs["cut"], Value::Null);
        for kind in ["2", "5", "7", "8", "9", "10"] {
            assert!(
                theirs["chunks"][kind].as_u64().unwrap() > 2,
                "{seed}: chunks {}",
                theirs["chunks"]
            );
        }
    }
}

#[test]
fn on_times_that_do_not_fit_in_64_bits() {
    let mut trace = random::trace(4, Options { compress: false, time_unit_ns: 1 }, 5_000);
    later::set_time_unit(&mut trace, 3_000_000_000);
    let Some(theirs) = agree_on("a trace of too long a time", &trace) else { return };
    assert_eq!(theirs["header"]["unit"], 3_000_000_000_u64);
}

#[test]
fn on_the_index_of_a_trace_with_many_chunks() {
    let Some(theirs) = agree_on("many chunks", &random::notes(70_000)) else { return };
    assert_eq!(theirs["chunks"]["15"], 70_000);
    assert_eq!(theirs["chunks"]["17"], 35, "2,048 chunks each");
}

#[test]
fn on_what_later_versions_may_add() {
    let Some(theirs) = agree_on("a trace of a later version", &later::trace()) else { return };
    assert_eq!(theirs["version"], "1.7");
    assert_eq!(theirs["unknown"], 4);
    assert_eq!(
        theirs["samples"]["count"], 20,
        "both blocks are read, the appended field passed over"
    );
}
