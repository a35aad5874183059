//! What hangs, and where: the threads of a process and of all that it started.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use rustix::process::{Pid, Signal};

/// The parent of a process; `None` if it is gone.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may have anything in it.
    let behind = stat.rsplit_once(')')?.1;
    behind.split_whitespace().nth(1)?.parse().ok()
}

/// A process and all below it, as far as their parents still live.
pub(crate) fn family(root: u32) -> BTreeSet<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pairs: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = BTreeSet::from([root]);
    loop {
        let before = found.len();
        found.extend(
            pairs
                .iter()
                .filter(|(_, above)| found.contains(above))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if found.len() == before {
            return found;
        }
    }
}

/// Where each thread of a family stands, in words.
pub(crate) fn shown(root: u32) -> String {
    let mut out = String::new();
    for pid in family(root) {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let read = |name: &str| {
                let text = fs::read_to_string(thread.path().join(name)).unwrap_or_default();
                text.trim().replace('\n', "; ")
            };
            let (tid, name) = (thread.file_name(), read("comm"));
            let (wchan, call, stack) = (read("wchan"), read("syscall"), read("stack"));
            let tid = tid.to_string_lossy();
            let _ =
                writeln!(out, "  {pid}/{tid} {name}: wchan {wchan}, syscall {call}, stack {stack}");
        }
    }
    out
}

/// Ends a family that we started.
pub(crate) fn kill(root: u32) {
    for pid in family(root) {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        // One that has gone by itself is what we want.
        let _ = pid.map(|pid| rustix::process::kill_process(pid, Signal::KILL));
    }
}
