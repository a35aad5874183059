//! What a shell may do to standard streams and to SIGPIPE, for the program and for `prof` itself.

use std::ffi::OsStr;
use std::io::pipe;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::prof::{Python, Recording, call, one_line, prof, program, to_the_end};

/// A command that a script of bash starts as `"$@"`.
fn from_bash(script: &str, command: &Command) -> Command {
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        bash.current_dir(folder);
    }
    bash.env_remove("LD_PRELOAD").env_remove("PROF_SESSION");
    bash
}

/// Both runs of a recording, bare and profiled, started by a script.
fn both(recording: &Recording, words: &[&OsStr], script: &str) -> (Output, Output) {
    let mut bare = Command::new(words[0]);
    bare.args(&words[1..]).current_dir(recording.folder());
    let bare = to_the_end(from_bash(script, &bare), None).output;
    let profiled = to_the_end(from_bash(script, &recording.profiled_command()), None).output;
    let checked = call(Path::new("/"), &[OsStr::new("check"), recording.trace().as_os_str()]);
    assert!(checked.status.success(), "{script}: {checked:?}");
    (bare, profiled)
}

/// Leaves a list of the open standard streams in a file.
const LOOK: &str = "
import os
def there(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
seen = [fd for fd in range(3) if there(fd)]
with open('seen', 'w') as out:
    out.write(repr(seen))
";

#[test]
fn closed_streams_stay_closed() {
    let Some(python) = Python::any() else { return };
    for (script, open) in [
        ("\"$@\" <&-", "[1, 2]"),
        ("\"$@\" >&-", "[0, 2]"),
        ("\"$@\" 2>&-", "[0, 1]"),
        ("\"$@\" <&- >&- 2>&-", "[]"),
        ("\"$@\"", "[0, 1, 2]"),
    ] {
        let words = [python.path().as_os_str(), "-c".as_ref(), LOOK.as_ref()];
        let recording = Recording::of_command(words);
        let seen = recording.folder().join("seen");
        let (bare, profiled) = both(&recording, &words, script);
        assert_eq!(profiled, bare, "{script}");
        assert_eq!(std::fs::read_to_string(&seen).expect("it looked"), open, "{script}");
    }
}

#[test]
fn a_program_ignores_what_its_shell_ignores_and_nothing_else() {
    let words: [&OsStr; 3] = ["grep".as_ref(), "^SigIgn".as_ref(), "/proc/self/status".as_ref()];
    let bit = |signal: i32| 1_u64 << (signal - 1);
    let both_bits = bit(libc::SIGPIPE) | bit(libc::SIGXFSZ);
    for (script, ignored) in [
        ("exec \"$@\"", 0),
        ("trap '' PIPE; exec \"$@\"", bit(libc::SIGPIPE)),
        ("trap '' XFSZ; exec \"$@\"", bit(libc::SIGXFSZ)),
    ] {
        let (bare, profiled) = both(&Recording::of_command(words), &words, script);
        let said = String::from_utf8_lossy(&profiled.stdout).into_owned();
        assert_eq!(profiled, bare, "{script}");
        let mask = said.trim().rsplit('\t').next().expect("a mask");
        let mask = u64::from_str_radix(mask, 16).expect("a number");
        assert_eq!(mask & both_bits, ignored, "{script}: {said}");
    }
}

#[test]
fn a_program_whose_reader_is_gone_ends_by_that() {
    let words: [&OsStr; 1] = ["yes".as_ref()];
    let script = "\"$@\" | head -c 3 >/dev/null; exit ${PIPESTATUS[0]}";
    let (bare, profiled) = both(&Recording::of_command(words), &words, script);
    assert_eq!(bare.status.code(), Some(128 + libc::SIGPIPE));
    assert_eq!(profiled, bare);
}

/// A pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// Every command that says something about a trace.
fn readings(trace: &Path) -> Vec<Command> {
    let commands: [&[&str]; 7] = [
        &["report"],
        &["convert", "--to", "json"],
        &["convert", "--to", "pprof", "-o", "-"],
        &["convert", "--to", "text"],
        &["info"],
        &["check"],
        &["check", "--quick"],
    ];
    let reading = |words: &[&str]| {
        let mut command = Command::new(prof());
        command.arg(words[0]).arg(trace).args(&words[1..]).stdin(Stdio::null());
        command
    };
    commands.into_iter().map(reading).collect()
}

#[test]
fn commands_whose_reader_is_gone_end_without_a_word() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &program("python_loop.py"), &["0.3"]);
    recording.profile();
    for mut command in readings(&recording.trace()) {
        let output = command.stdout(unread()).output().expect("prof starts");
        assert_eq!(output.status.signal(), Some(libc::SIGPIPE), "{command:?}: {output:?}");
        assert_eq!(output.stderr, b"", "{command:?}");
        // Where a shell ignores the signal.
        let mut ignoring = from_bash("trap '' PIPE; exec \"$@\"", &command);
        let output = ignoring.stdout(unread()).stdin(Stdio::null()).output().expect("bash starts");
        assert_eq!(output.status.code(), Some(0), "{command:?}: {output:?}");
        assert_eq!(output.stderr, b"", "{command:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_given_is_a_failure() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &program("python_loop.py"), &["0.3"]);
    recording.profile();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    for mut command in readings(&recording.trace()) {
        let output = command.stdout(full()).output().expect("prof starts");
        assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
        assert!(one_line(&output).contains("No space left"), "{command:?}: {output:?}");
    }
    // Nor does it matter whether a complaint is heard.
    for (mut command, status) in
        [(vec!["check", "/no/such/trace"], 1), (vec!["run", "/no/such"], 127)]
            .map(|(words, status)| (Command::new(prof()), words, status))
            .map(|(mut command, words, status)| {
                command.args(words);
                (command, status)
            })
    {
        let ended = command.stderr(full()).status().expect("prof starts");
        assert_eq!(ended.code(), Some(status), "{command:?}: {ended}");
    }
}
