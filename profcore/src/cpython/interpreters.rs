//! Tests only: the Python interpreters of this machine, to compare with.

use super::version_of;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Interpreter {
    pub(crate) path: String,
    pub(crate) version_hex: u64,
    headers: PathBuf,
}

/// Interpreters of a known version: under pyenv, the system's, and those that `.ci/sid.sh` prepares.
pub(crate) fn all() -> Vec<Interpreter> {
    let root = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv")));
    let versions = root.and_then(|root| std::fs::read_dir(root.join("versions")).ok());
    let found =
        versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin/python3"));
    let system = [PathBuf::from("/usr/bin/python3")];
    let sid =
        ["3.14", "3.15"].map(|version| sid_root().join(format!("usr/bin/python{version}-outside")));
    found.chain(system).chain(sid).filter_map(describe).collect()
}

/// The root beside the build products that this test lies in, `target/PROFILE/deps`.
fn sid_root() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("sid")
}

fn describe(path: PathBuf) -> Option<Interpreter> {
    let path = path.to_str()?.to_owned();
    let program = "import sys, sysconfig; print(sys.hexversion, sysconfig.get_paths()['include'])";
    let output = Command::new(&path).args(["-I", "-c", program]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (hex, headers) = text.trim().split_once(' ')?;
    let version_hex = hex.parse().ok()?;
    version_of(version_hex)?;
    Some(Interpreter { path, version_hex, headers: headers.into() })
}

/// Says that nothing was compared; under `PROF_NO_SKIP=1` that is a failure. Past the test harness, which hides
/// what passing tests print.
pub(crate) fn skip(why: &str) {
    // Nothing can be done about a closed standard error.
    drop(writeln!(std::io::stderr().lock(), "SKIPPED: {why}"));
    assert!(std::env::var_os("PROF_NO_SKIP").is_none_or(|value| value == "0"), "skipped: {why}");
}

impl Interpreter {
    /// Standard output of `program` run with `arguments`.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output =
            Command::new(&self.path).args(["-I", "-c", program]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}: {output:?}", self.path);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The folder of its headers.
    pub(crate) fn headers(&self) -> &Path {
        &self.headers
    }

    /// The headers that number the instructions, joined; `None` if they are not installed.
    pub(crate) fn opcode_headers(&self) -> Option<String> {
        let read = |name| std::fs::read_to_string(self.headers.join(name)).unwrap_or_default();
        let text = read("opcode.h") + &read("opcode_ids.h") + &read("internal/pycore_opcode.h");
        (!text.is_empty()).then_some(text)
    }
}
