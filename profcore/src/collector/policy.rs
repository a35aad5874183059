//! Which processes are profiled. The others stay dormant and are only noted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::modules::file_name;

/// Programs that only start others.
const LAUNCHERS: [&str; 29] = [
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "mksh",
    "fish",
    "busybox",
    "toybox",
    "coreutils",
    "env",
    "timeout",
    "nice",
    "nohup",
    "time",
    "xargs",
    "sudo",
    "su",
    "doas",
    "stdbuf",
    "setsid",
    "ionice",
    "chrt",
    "taskset",
    "numactl",
    "setpriv",
    "strace",
    "chroot",
    "unshare",
];

/// Most pids that are remembered; more than a system has live.
const MAX_PIDS: usize = 1 << 22;

/// What the collector decides about a process that announced itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It gets a session.
    Profile,
    /// It is noted.
    Dormant,
    /// It would have been profiled, but children are not wanted.
    Denied,
}

/// A process that announces itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    /// It is a fork of an image that is known already.
    pub(crate) forked: bool,
    /// It has a Python interpreter.
    pub(crate) python: bool,
    /// Its executable.
    pub(crate) exe: &'a Path,
}

/// The rules of one run, and what was decided so far.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    /// Children are profiled too.
    pub(crate) children: bool,
    /// The interpreter that a `#!` line of the command names, links resolved.
    pub(crate) script_interpreter: Option<PathBuf>,
    profiled: HashMap<u32, bool>,
}

impl Policy {
    pub(crate) fn new(children: bool, script_interpreter: Option<PathBuf>) -> Self {
        Self { children, script_interpreter, profiled: HashMap::new() }
    }

    /// Decides about a process; `root` is the pid of the direct child.
    pub(crate) fn decide(&mut self, candidate: Candidate<'_>, root: u32) -> Verdict {
        let verdict = self.verdict(candidate, root);
        if self.profiled.len() >= MAX_PIDS {
            self.profiled.clear();
        }
        self.profiled.insert(candidate.pid, verdict == Verdict::Profile);
        verdict
    }

    fn verdict(&self, candidate: Candidate<'_>, root: u32) -> Verdict {
        let is_root = candidate.pid == root;
        let wanted = candidate.python
            || if candidate.forked {
                self.profiled.get(&candidate.parent).copied().unwrap_or(false)
            } else {
                is_root && !self.is_launcher(candidate.exe)
            };
        match (wanted, is_root || self.children) {
            (true, true) => Verdict::Profile,
            (true, false) => Verdict::Denied,
            (false, _) => Verdict::Dormant,
        }
    }

    fn is_launcher(&self, exe: &Path) -> bool {
        if self.script_interpreter.as_deref() == Some(exe) {
            return true;
        }
        let name = file_name(exe.as_os_str().as_encoded_bytes());
        LAUNCHERS.iter().any(|launcher| launcher.as_bytes() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: u32 = 10;

    fn candidate(pid: u32, parent: u32, forked: bool, python: bool, exe: &str) -> Candidate<'_> {
        Candidate { pid, parent, forked, python, exe: Path::new(exe) }
    }

    #[test]
    fn python_is_profiled_wherever_it_comes_up() {
        let mut policy = Policy::new(true, None);
        assert_eq!(
            policy.decide(candidate(ROOT, 1, false, false, "/bin/bash"), ROOT),
            Verdict::Dormant
        );
        assert_eq!(
            policy.decide(candidate(11, 10, false, false, "/usr/bin/cut"), ROOT),
            Verdict::Dormant
        );
        assert_eq!(
            policy.decide(candidate(ROOT, 1, false, true, "/opt/python3.11"), ROOT),
            Verdict::Profile
        );
        assert_eq!(
            policy.decide(candidate(12, 10, true, true, "/opt/python3.11"), ROOT),
            Verdict::Profile
        );
        assert_eq!(
            policy.decide(candidate(13, 12, false, false, "/usr/bin/git"), ROOT),
            Verdict::Dormant
        );
        assert_eq!(
            policy.decide(candidate(13, 12, false, true, "/opt/python3.12"), ROOT),
            Verdict::Profile
        );
    }

    #[test]
    fn a_native_program_is_profiled_when_it_is_what_was_asked_for() {
        let mut policy = Policy::new(true, None);
        assert_eq!(
            policy.decide(candidate(ROOT, 1, false, false, "/usr/bin/env"), ROOT),
            Verdict::Dormant
        );
        assert_eq!(
            policy.decide(candidate(ROOT, 1, false, false, "/opt/app"), ROOT),
            Verdict::Profile
        );
        assert_eq!(
            policy.decide(candidate(11, 10, true, false, "/opt/app"), ROOT),
            Verdict::Profile
        );
        assert_eq!(
            policy.decide(candidate(12, 10, false, false, "/opt/app"), ROOT),
            Verdict::Dormant
        );
    }

    #[test]
    fn the_interpreter_of_a_script_is_a_launcher() {
        let mut policy = Policy::new(true, Some("/usr/bin/perl".into()));
        assert_eq!(
            policy.decide(candidate(ROOT, 1, false, false, "/usr/bin/perl"), ROOT),
            Verdict::Dormant
        );
    }

    #[test]
    fn without_children_only_the_first_process_counts() {
        let mut policy = Policy::new(false, None);
        assert_eq!(
            policy.decide(candidate(ROOT, 1, false, true, "/opt/python3"), ROOT),
            Verdict::Profile
        );
        assert_eq!(
            policy.decide(candidate(11, 10, true, true, "/opt/python3"), ROOT),
            Verdict::Denied
        );
        assert_eq!(
            policy.decide(candidate(12, 10, false, false, "/bin/ls"), ROOT),
            Verdict::Dormant
        );
    }
}
