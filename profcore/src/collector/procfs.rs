//! What `/proc` says about a process. Everything may be gone at any time: each answer is optional.

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Most bytes of a file in `/proc` that are read.
const MAX_BYTES: u64 = 8 << 20;

/// Executable of a process, links resolved; empty when it cannot be read.
pub(crate) fn exe(pid: u32) -> PathBuf {
    std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default()
}

/// Its arguments.
pub(crate) fn command(pid: u32) -> Vec<Vec<u8>> {
    let bytes = read(pid, "cmdline");
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|&b| b == 0).map(<[u8]>::to_vec).collect()
}

/// Its list of mappings.
pub(crate) fn maps(pid: u32) -> Vec<u8> {
    read(pid, "maps")
}

/// `len` bytes of its memory; fewer when they cannot be read.
pub(crate) fn memory(pid: u32, at: u64, len: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(mut file) = std::fs::File::open(format!("/proc/{pid}/mem"))
        && file.seek(SeekFrom::Start(at)).is_ok()
    {
        // A read that fails midway leaves what there was.
        let _ = file.take(len.min(MAX_BYTES)).read_to_end(&mut bytes);
    }
    bytes
}

/// Pid of its parent.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    parse_parent(&read(pid, "stat"))
}

/// The user it runs as.
pub(crate) fn user(pid: u32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Some(std::fs::metadata(format!("/proc/{pid}")).ok()?.uid())
}

/// Its pid as it sees it itself: another one in a namespace of its own.
pub(crate) fn own_pid(pid: u32) -> Option<u32> {
    parse_own_pid(&read(pid, "status"))
}

/// Name of one of its threads, empty when it is gone.
pub(crate) fn thread_name(pid: u32, tid: u32) -> Vec<u8> {
    let mut name = read(pid, &format!("task/{tid}/comm"));
    if name.last() == Some(&b'\n') {
        name.pop();
    }
    name
}

/// What the scheduler has booked for a thread, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scheduled {
    /// On a CPU.
    pub(crate) ran: u64,
    /// Ready to run, and waiting for a CPU.
    pub(crate) delayed: u64,
}

/// See [`Scheduled`]. The scheduler books up to a tick late.
pub(crate) fn scheduled(pid: u32, tid: u32) -> Option<Scheduled> {
    let text = read(pid, &format!("task/{tid}/schedstat"));
    let mut words = std::str::from_utf8(&text).ok()?.split_ascii_whitespace();
    let mut number = || words.next()?.parse().ok();
    Some(Scheduled { ran: number()?, delayed: number()? })
}

/// Signals that may still be queued for a process, by its user's limit; `None` when it cannot be read.
pub(crate) fn signal_room(pid: u32) -> Option<u64> {
    parse_signal_room(&read(pid, "status"))
}

/// The most memory that a process had resident so far, bytes; `None` when it has ended.
pub(crate) fn resident_peak(pid: u32) -> Option<u64> {
    parse_resident_peak(&read(pid, "status"))
}

/// The process's share of resident memory, bytes: what several processes have is divided among them. `None` when it has
/// ended.
pub(crate) fn proportional(pid: u32) -> Option<u64> {
    parse_kib(&read(pid, "smaps_rollup"), "Pss:")
}

/// How often a thread has given its CPU up by itself, in order to wait.
pub(crate) fn voluntary_switches(pid: u32, tid: u32) -> Option<u64> {
    parse_switches(&read(pid, &format!("task/{tid}/status")))
}

/// The system call that a thread is blocked in: its number and first argument. `None` when the thread runs, or wants
/// to, or must not be looked at.
pub(crate) fn blocked_in(pid: u32, tid: u32) -> Option<(i64, u64)> {
    parse_blocked(&read(pid, &format!("task/{tid}/syscall")))
}

/// True unless a thread of a living process is known to be gone.
pub(crate) fn thread_exists(pid: u32, tid: u32) -> bool {
    let there = |path: String| std::path::Path::new(&path).exists();
    there(format!("/proc/{pid}/task/{tid}")) || !there(format!("/proc/{pid}/task"))
}

fn read(pid: u32, file: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(format!("/proc/{pid}/{file}")) {
        // A read that fails midway leaves what there was.
        let _ = file.take(MAX_BYTES).read_to_end(&mut bytes);
    }
    bytes
}

fn parse_switches(status: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(status);
    text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()
}

/// The line `NSpid:`, a pid for each namespace, the innermost last.
fn parse_own_pid(status: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(status);
    let line = text.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_ascii_whitespace().next_back()?.parse().ok()
}

/// The line `VmHWM:`.
fn parse_resident_peak(status: &[u8]) -> Option<u64> {
    parse_kib(status, "VmHWM:")
}

/// A line that begins with this name, and is a number of KiB.
fn parse_kib(file: &[u8], name: &str) -> Option<u64> {
    let text = String::from_utf8_lossy(file);
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The line `SigQ:`, the number queued, a slash, the most.
fn parse_signal_room(status: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(status);
    let line = text.lines().find_map(|line| line.strip_prefix("SigQ:"))?;
    let (queued, most) = line.trim().split_once('/')?;
    Some(most.parse::<u64>().ok()?.saturating_sub(queued.parse().ok()?))
}

/// `running`, or the number and six arguments, stack and instruction pointer; -1 outside a system call.
fn parse_blocked(line: &[u8]) -> Option<(i64, u64)> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let number: i64 = words.next()?.parse().ok()?;
    let argument = words.next().and_then(|word| word.strip_prefix("0x"));
    Some((number, argument.and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0)))
}

/// The fourth field; the second one, a name in brackets, may hold brackets and spaces itself.
fn parse_parent(stat: &[u8]) -> Option<u32> {
    let after = stat.iter().rposition(|&b| b == b')')?;
    let rest = std::str::from_utf8(&stat[after + 1..]).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::syscall::gettid;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parse_parent(b"12 (a) b) (c) S 7 1 1"), Some(7));
        assert_eq!(parse_parent(b"12 (a) S"), None);
        assert_eq!(parse_parent(b""), None);
    }

    #[test]
    fn the_room_for_signals_is_what_the_queue_leaves() {
        assert_eq!(parse_signal_room(b"Name:\t\xff\nSigQ:\t3/95000\nSigPnd:\t0\n"), Some(94_997));
        assert_eq!(parse_signal_room(b"SigQ:\t3/2\n"), Some(0));
        assert_eq!(parse_signal_room(b"SigQ:\t3\n"), None);
        assert!(signal_room(std::process::id()).unwrap() > 0);
    }

    #[test]
    fn the_most_that_was_resident_is_in_kib() {
        assert_eq!(parse_resident_peak(b"Name:\tx\nVmHWM:\t    3064 kB\n"), Some(3064 * 1024));
        assert_eq!(parse_resident_peak(b"VmHWM:\t1 MB\n"), None);
        assert_eq!(parse_resident_peak(b"VmHWM:\t99999999999999999 kB\n"), None);
        assert!(resident_peak(std::process::id()).unwrap() > 1 << 20);
    }

    #[test]
    fn the_share_of_resident_memory_is_no_more_than_all_of_it() {
        let own = std::process::id();
        let share = proportional(own).unwrap();
        assert!(0 < share && share <= resident_peak(own).unwrap());
    }

    #[test]
    fn a_process_is_known_by_another_number_to_itself() {
        assert_eq!(parse_own_pid(b"Name:\tx\nNSpid:\t1234\t7\n"), Some(7));
        assert_eq!(parse_own_pid(b"Name:\tx\n"), None);
        let pid = std::process::id();
        assert_eq!(own_pid(pid), Some(pid));
        assert_eq!(user(pid), Some(rustix::process::geteuid().as_raw()));
        assert_eq!(user(0), None);
    }

    #[test]
    fn waits_are_counted() {
        let status = b"Name:\tx\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n";
        assert_eq!(parse_switches(status), Some(150));
        assert_eq!(parse_switches(b"nonvoluntary_ctxt_switches:\t545\n"), None);
        let own = || voluntary_switches(std::process::id(), gettid());
        let before = own().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(own().unwrap() > before);
    }

    #[test]
    fn blocked_threads_name_their_system_call() {
        let line = b"202 0x7f0012345678 0x80 0x0 0x0 0x0 0x0 0x7ffd 0x7f00\n";
        assert_eq!(parse_blocked(line), Some((202, 0x7f00_1234_5678)));
        assert_eq!(parse_blocked(b"-1 0x7ffd 0x7f00\n"), Some((-1, 0x7ffd)));
        for line in [&b"running\n"[..], b"", b"\xff"] {
            assert_eq!(parse_blocked(line), None);
        }
        assert!(scheduled(std::process::id(), std::process::id()).unwrap().ran > 0);
    }

    #[test]
    fn this_process_is_readable_and_a_missing_one_is_empty() {
        let pid = std::process::id();
        assert!(exe(pid).is_absolute());
        assert!(!command(pid).is_empty());
        assert!(parent(pid).is_some());
        assert!(maps(pid).len() > 100);
        assert!(!thread_name(pid, pid).is_empty());
        assert!(maps(0).is_empty() && command(0).is_empty());
    }
}
