//! Python interpreters of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Versions that are looked for under pyenv.
const PYENV: [&str; 3] = ["3.9", "3.12", "3.13"];
/// Versions that `.ci/sid.sh` prepares.
const SID: [&str; 2] = ["3.14", "3.15"];

/// An interpreter.
#[derive(Clone, Debug)]
pub struct Interpreter {
    /// The file to start.
    pub path: PathBuf,
    /// Such as `3.12.1`.
    pub version: String,
}

impl Interpreter {
    /// The interpreter at a path.
    ///
    /// # Errors
    /// In words, when it does not say its version.
    pub fn at(path: &Path) -> Result<Self, String> {
        let ask = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
        let output = Command::new(path).args(["-c", ask]).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", path.display()))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || version.is_empty() {
            return Err(format!("{}: does not tell its version", path.display()));
        }
        Ok(Self { path: path.into(), version })
    }

    /// Such as `3.12`.
    pub fn minor(&self) -> &str {
        self.version.rsplit_once('.').map_or(&*self.version, |(minor, _)| minor)
    }

    /// Variables that let it find a package, if it can.
    pub fn with_package(&self, package: &str, target: &Path) -> Option<Vec<(String, PathBuf)>> {
        let apps = target.join("apps").join(self.minor());
        let tries = [Vec::new(), vec![("PYTHONPATH".to_owned(), apps)]];
        tries.into_iter().find(|variables| {
            let mut ask = Command::new(&self.path);
            ask.args(["-c", &format!("import {package}")]).envs(variables.iter().cloned());
            ask.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            ask.status().is_ok_and(|status| status.success())
        })
    }
}

/// Those that the project promises figures for, as far as they are here; what is missing is said on standard error.
pub fn found(target: &Path) -> Vec<Interpreter> {
    let missing = |what: &str| eprintln!("SKIPPED: no Python {what}");
    let mut paths: Vec<PathBuf> = Vec::new();
    for version in PYENV {
        match newest(version) {
            Some(path) => paths.push(path),
            None => missing(&format!("{version} under pyenv")),
        }
    }
    match Path::new("/usr/bin/python3.11") {
        system if system.is_file() => paths.insert(1.min(paths.len()), system.into()),
        _ => missing("3.11 of the system"),
    }
    for version in SID {
        match target.join(format!("sid/usr/bin/python{version}-outside")) {
            path if path.is_file() => paths.push(path),
            _ => missing(&format!("{version} of Debian sid: run .ci/sid.sh")),
        }
    }
    let at = |path: &PathBuf| Interpreter::at(path).map_err(|why| missing(&why)).ok();
    paths.iter().filter_map(at).collect()
}

/// The newest one of a minor version under pyenv.
pub fn newest(version: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")))?;
    let folders = fs::read_dir(root.join("versions")).ok()?.flatten();
    let patch = |name: &str| name.strip_prefix(version)?.strip_prefix('.')?.parse::<u32>().ok();
    let known = folders.filter_map(|entry| {
        let path = entry.path().join("bin").join(format!("python{version}"));
        Some((patch(entry.file_name().to_str()?)?, path)).filter(|(_, path)| path.is_file())
    });
    known.max().map(|(_, path)| path)
}
