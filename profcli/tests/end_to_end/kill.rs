//! Sudden ends: of the program and of the collector.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::prof::{Profile, Python, Recording, call, every_python, program};

every_python!(a_killed_program_keeps_its_profile);

/// What `killable.py` said in a line: its process id and the CPU seconds used.
fn said(line: &str) -> (u32, f64) {
    let (pid, seconds) = line.trim().split_once(' ').expect("two words");
    (pid.parse().expect("a process id"), seconds.parse().expect("seconds"))
}

fn send(signal: &str, pid: u32) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(status.expect("kill starts").success(), "kill {signal} {pid}");
}

/// The fraction of a second that the nanosecond clock stands at, for a moment nobody chose.
fn random_fraction() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    f64::from(now.expect("after 1970").subsec_nanos() % 1000) / 1000.0
}

fn a_killed_program_keeps_its_profile(python: &Python) {
    let path = program("killable.py");
    let recording = Recording::of(python, &path, &["1000"]);
    let mut command = recording.profiled_command();
    let mut prof = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("starts");
    let mut lines = BufReader::new(prof.stdout.take().expect("a pipe")).lines();
    let target = 1.5 + random_fraction();
    let (pid, _) = lines
        .by_ref()
        .map(|line| said(&line.expect("lines")))
        .find(|(_, seconds)| *seconds >= target)
        .expect("the program works until it is killed");
    send("-KILL", pid);
    let last = lines.map(|line| said(&line.expect("lines")).1).last().unwrap_or(target);
    let status = crate::prof::wait(&mut prof, &command);
    assert_eq!(status.signal(), Some(libc::SIGKILL), "prof ends as the program did: {status}");

    let profile = recording.read();
    let seen = profile.cpu().sum();
    assert!(seen >= last - 1.0, "{seen:.3} s are in the trace, the program had used {last:.3} s");
    let line = profile.tagged(&path, "WORK");
    assert!(line.cpu.python > 0.3 * seen, "{line:?} of {seen:.3} s");
    let report = recording.report();
    assert!(report.contains("killed"), "{report}");
}

/// Becomes the parent of orphans, so that the program's status can be seen after the collector is gone.
fn adopt_orphans() {
    // SAFETY: prctl with PR_SET_CHILD_SUBREAPER takes plain numbers and touches no memory of ours.
    let result = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    assert_eq!(result, 0, "prctl");
}

fn wait_for_orphan(pid: u32) -> i32 {
    let pid = libc::pid_t::try_from(pid).expect("a process id");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let mut status = 0;
        // SAFETY: `status` is a live int for the length of the call, as waitpid asks.
        let found = unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) };
        if found == pid {
            return status;
        }
        assert!(Instant::now() < deadline, "the program hangs without its collector");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_program_outlives_its_collector() {
    let Some(python) = Python::any() else { return };
    adopt_orphans();
    let path = program("killable.py");
    let recording = Recording::of(&python, &path, &["4"]);
    let mut command = recording.profiled_command();
    let mut prof = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("starts");
    let mut lines = BufReader::new(prof.stdout.take().expect("a pipe")).lines();
    let (pid, used) = lines
        .by_ref()
        .map(|line| said(&line.expect("lines")))
        .find(|(_, seconds)| *seconds >= 2.0)
        .expect("the program works for four seconds");
    prof.kill().expect("our own child can be killed");
    prof.wait().expect("our own child can be waited for");
    let status = wait_for_orphan(pid);
    let status = std::process::ExitStatus::from_raw(status);
    assert_eq!(status.code(), Some(21), "the program ends with its own status: {status}");
    assert!(recording.folder().join("finished.txt").is_file(), "the program did its work");
    drop(lines);

    let trace = recording.trace();
    let checked = call(Path::new("/"), &["check".as_ref(), trace.as_os_str()]);
    assert_eq!(checked.status.code(), Some(1), "the trace has no end: it is damaged");
    let mended = trace.with_file_name("mended.proftrace");
    let words = ["recover".as_ref(), trace.as_os_str(), "-o".as_ref(), mended.as_os_str()];
    let recovered = call(Path::new("/"), &words);
    assert!(recovered.status.success(), "{}", String::from_utf8_lossy(&recovered.stderr));
    let checked = call(Path::new("/"), &["check".as_ref(), mended.as_os_str()]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let seen = Profile::of_trace(&mended).cpu().sum();
    assert!(seen >= used - 1.0, "{seen:.3} s are left, the program had used {used:.3} s");
}

/// Expects a trace that ends behind a whole chunk.
#[track_caller]
pub(crate) fn expect_only_the_end_missing(trace: &Path) {
    let checked = call(Path::new("/"), &["check".as_ref(), trace.as_os_str()]);
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(said.contains("\nlost: the end of the run\n"), "{said}");
}

/// A file system of 24 KiB, less than half of the trace, that only this command sees, at `full` in its folder.
const IN_A_SMALL_DISK: &str = "mkdir full && mount -t tmpfs -o size=24k small full && \"$@\"";

#[test]
fn a_full_disk_leaves_the_program_alone_and_the_trace_readable() {
    let Some(python) = Python::any() else { return };
    let path = program("killable.py");
    let recording = Recording::of(&python, &path, &["3"]);
    let script = format!("{IN_A_SMALL_DISK}; status=$?; cp full/run.proftrace .; exit $status");
    let mut small = Command::new("unshare");
    small.args(["-rm", "bash", "-c", &script, "bash"]).current_dir(recording.folder());
    let mut can = Command::new("unshare");
    can.args(["-rm", "bash", "-c", "mount -t tmpfs small /mnt"]);
    if !can.output().is_ok_and(|output| output.status.success()) {
        return crate::prof::skip("this machine does not let us mount a small disk");
    }
    small.arg(crate::prof::prof()).args(["run", "-o", "full/run.proftrace", "--"]);
    small.arg(python.path()).arg(&path).arg("3");
    let output = small.output().expect("unshare starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(21), "the program's own status:\n{stderr}");
    assert!(recording.folder().join("finished.txt").is_file(), "the program did its work");
    assert!(stderr.contains("No space left"), "prof says why the trace is not whole:\n{stderr}");
    let trace = recording.folder().join("run.proftrace");
    expect_only_the_end_missing(&trace);
    let seen = Profile::of_trace(&trace).cpu().sum();
    assert!(seen > 0.0, "what was written before the disk was full is readable");
}
