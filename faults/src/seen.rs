//! What a run looks like from outside. What it looks like from inside, a program tells on its standard output by
//! `programs/mirror.h` or `programs/mirror.py`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::ExitStatus;
use std::time::Duration;

/// A run that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// What it left in its folder.
    pub(crate) files: Vec<(OsString, Vec<u8>)>,
    pub(crate) took: Duration,
}

/// How the profiler's lines on standard error begin.
const OURS: &str = "prof: ";

impl Seen {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The program's standard error.
    pub(crate) fn stderr(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        text.split_inclusive('\n').filter(|line| !line.starts_with(OURS)).collect()
    }

    /// What the profiler said.
    pub(crate) fn said(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.stderr);
        text.lines().filter_map(|line| line.strip_prefix(OURS)).map(str::to_owned).collect()
    }
}

/// How two runs differ, in words; empty if they do not.
pub(crate) fn differences(bare: &Seen, profiled: &Seen) -> String {
    let mut out = String::new();
    if profiled.status != bare.status {
        out += &format!("ended with {} instead of {}\n", profiled.status, bare.status);
    }
    out += &lines("standard output", &bare.stdout(), &profiled.stdout());
    out += &lines("standard error", &bare.stderr(), &profiled.stderr());
    if profiled.files != bare.files {
        let names = |seen: &Seen| {
            let sizes = seen.files.iter().map(|(name, bytes)| (name.clone(), bytes.len()));
            format!("{:?}", sizes.collect::<Vec<_>>())
        };
        out += &format!("files {} instead of {}\n", names(profiled), names(bare));
    }
    out
}

fn lines(what: &str, bare: &str, profiled: &str) -> String {
    if bare == profiled {
        return String::new();
    }
    let only = |one: &str, other: &str| {
        let there: BTreeSet<&str> = other.lines().collect();
        let lines = one.lines().filter(|line| !there.contains(line)).take(12);
        lines.map(|line| format!("  {line}\n")).collect::<String>()
    };
    let (more, less) = (only(profiled, bare), only(bare, profiled));
    format!("{what} differs; only profiled:\n{more}only bare:\n{less}")
}
