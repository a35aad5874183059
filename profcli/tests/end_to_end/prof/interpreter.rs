//! Finding the Python interpreters of this machine.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An interpreter: a version such as `3.11`, or the system's statically linked one.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    path: PathBuf,
    /// Such as `3.11`.
    pub(crate) version: String,
}

/// The root of Debian sid that `.ci/sid.sh` has prepared.
pub(crate) fn sid() -> Option<PathBuf> {
    let root = super::products().parent().expect("target/PROFILE").join("sid");
    if !root.join("complete").is_file() {
        skip("there is no Debian sid: run .ci/sid.sh");
        return None;
    }
    Some(root)
}

impl Python {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The newest installed one of a minor version, under the root of pyenv; `None` says on standard error what is
    /// missing.
    pub(crate) fn of_version(version: &str) -> Option<Self> {
        let prefix = format!("{version}.");
        let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(pyenv_root()?.join("versions"))
            .ok()?
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let patch = name.strip_prefix(&prefix)?.parse().ok()?;
                let path = entry.path().join("bin").join(format!("python{version}"));
                path.is_file().then_some((patch, path))
            })
            .collect();
        found.sort();
        let Some((_, path)) = found.pop() else {
            skip(&format!("Python {version} is not installed under pyenv"));
            return None;
        };
        Some(Self { path, version: version.to_owned() })
    }

    /// One that `.ci/sid.sh` has prepared: with a glibc of its own, started by a shell script that gives way to it.
    pub(crate) fn of_sid(version: &str) -> Option<Self> {
        let path = sid()?.join(format!("usr/bin/python{version}-outside"));
        Some(Self { path, version: version.to_owned() })
    }

    /// The system's `/usr/bin/python3`, which Debian links statically against its own libpython.
    pub(crate) fn of_system() -> Option<Self> {
        let path = PathBuf::from("/usr/bin/python3");
        let asked = "import sys; print('%d.%d' % sys.version_info[:2])";
        let output = Command::new(&path).args(["-c", asked]).stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => {
                let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                Some(Self { path, version })
            }
            _ => {
                skip("there is no /usr/bin/python3");
                None
            }
        }
    }

    /// One interpreter, for what does not depend on the version.
    pub(crate) fn any() -> Option<Self> {
        ["3.11", "3.12", "3.13", "3.10", "3.9"]
            .iter()
            .find_map(|version| installed(version).then(|| Self::of_version(version)).flatten())
            .or_else(Self::of_system)
    }
}

impl fmt::Display for Python {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.path.display(), self.version)
    }
}

fn installed(version: &str) -> bool {
    let prefix = format!("{version}.");
    pyenv_root().and_then(|root| std::fs::read_dir(root.join("versions")).ok()).is_some_and(
        |entries| entries.flatten().any(|e| e.file_name().to_string_lossy().starts_with(&prefix)),
    )
}

fn pyenv_root() -> Option<PathBuf> {
    let asked = Command::new("pyenv").arg("root").stdin(Stdio::null()).output().ok();
    let said = asked.filter(|output| output.status.success()).map(|output| output.stdout);
    let root = said.and_then(|bytes| String::from_utf8(bytes).ok()).map(|s| s.trim().to_owned());
    let home = || std::env::home_dir().map(|home| home.join(".pyenv"));
    let root = root.map(PathBuf::from).or_else(home).filter(|root| root.join("versions").is_dir());
    if root.is_none() {
        skip("pyenv is not installed");
    }
    root
}

/// Says that a test did not run. The test harness of Rust hides what passing tests print with macros, so this writes to
/// the descriptor itself; under `PROF_NO_SKIP=1` it is a failure.
pub(crate) fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Nothing can be done about a closed standard error.
    drop(writeln!(std::io::stderr().lock(), "SKIPPED: {test}: {why}"));
    assert!(std::env::var_os("PROF_NO_SKIP").is_none_or(|v| v == "0"), "skipped: {why}");
}

/// Makes one test for each interpreter that has packages from PyPI out of a function that takes a `&Python`.
macro_rules! each_python {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                crate::prof::each_python!(@packaged $name);
            }
        )+
    };
    (@packaged $name:ident) => {
        crate::prof::each_python!(@one $name py3_9, Python::of_version("3.9"));
        crate::prof::each_python!(@one $name py3_10, Python::of_version("3.10"));
        crate::prof::each_python!(@one $name py3_11, Python::of_version("3.11"));
        crate::prof::each_python!(@one $name py3_12, Python::of_version("3.12"));
        crate::prof::each_python!(@one $name py3_13, Python::of_version("3.13"));
        crate::prof::each_python!(@one $name system, Python::of_system());
    };
    (@one $name:ident $test:ident, $($python:tt)+) => {
        #[test]
        fn $test() {
            if let Some(python) = crate::prof::$($python)+ {
                super::$name(&python);
            }
        }
    };
}
pub(crate) use each_python;

/// As [`each_python`], with four that differ most, for what takes long: two forms of stacks, a static one, and the
/// newest way to learn where things are.
macro_rules! some_python {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                crate::prof::each_python!(@one $name py3_9, Python::of_version("3.9"));
                crate::prof::each_python!(@one $name py3_12, Python::of_version("3.12"));
                crate::prof::each_python!(@one $name system, Python::of_system());
                crate::prof::each_python!(@one $name py3_14, Python::of_sid("3.14"));
            }
        )+
    };
}
pub(crate) use some_python;

/// As [`each_python`], with the versions that come from Debian sid.
macro_rules! every_python {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                crate::prof::each_python!(@packaged $name);
                crate::prof::each_python!(@one $name py3_14, Python::of_sid("3.14"));
                crate::prof::each_python!(@one $name py3_15, Python::of_sid("3.15"));
            }
        )+
    };
}
pub(crate) use every_python;
