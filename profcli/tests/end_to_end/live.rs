//! The live view: on a terminal, and without the program's noticing.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::prof::{LEFT, Pty, Python, Recording, TAKEN, call, one_line, prof};

/// Works until a file is there, or for ever; tells where its streams go.
const WORK: &str = "
import os, sys, time
print('to stdout', sys.stdin.read(), flush=True)
print('to stderr', file=sys.stderr, flush=True)
def work():
    return sum(range(1000))
while not os.path.exists('stop'):
    work()
sys.exit(7)
";

fn recording(python: &Python, program: &str) -> Recording {
    let words = [python.path().as_os_str(), "-c".as_ref(), program.as_ref()];
    Recording::of_command(words).option(&["--live"])
}

fn let_end(recording: &Recording) {
    std::fs::write(recording.folder().join("stop"), "").expect("written");
}

#[track_caller]
fn assert_sound(recording: &Recording) {
    let checked = call(Path::new("/"), &["check".as_ref(), recording.trace().as_os_str()]);
    assert!(checked.status.success(), "{checked:?}");
    recording.read().assert_books_balance();
}

fn output_of(recording: &Recording) -> String {
    std::fs::read_to_string(recording.trace().with_extension("out")).expect("an output")
}

/// Ids of processes whose parent is this one.
fn children(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

fn send(signal: &str, pid: u32) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(status.expect("kill starts").success(), "kill {signal}");
}

#[test]
fn leaving_the_view_leaves_the_program_running() {
    let Some(python) = Python::any() else { return };
    let recording = recording(&python, WORK);
    let mut pty = Pty::new(100, 24);
    let mut prof = pty.start(&recording.profiled_command());
    pty.wait_for(TAKEN);
    pty.see("prof live");
    pty.see("ticks, ");
    pty.see("work");
    assert!(!pty.is_usual());
    pty.press("q");
    pty.wait_for(LEFT);
    pty.wait_for("prof: the program runs on, recorded into");
    pty.wait_for("run.out");
    assert!(pty.is_usual() && prof.try_wait().expect("ours").is_none());
    let_end(&recording);
    assert_eq!(pty.end(&mut prof).code(), Some(7));
    assert_eq!(output_of(&recording), "to stdout \nto stderr\n");
    assert!(!pty.text().contains("to std"), "{:?}", pty.text());
    assert_sound(&recording);
}

#[test]
fn the_last_frame_stays_until_a_key_and_enter_is_the_report() {
    let Some(python) = Python::any() else { return };
    let recording = recording(&python, WORK);
    let mut pty = Pty::new(100, 30);
    let mut prof = pty.start(&recording.profiled_command());
    pty.see("work");
    let_end(&recording);
    pty.see("finished, exit 7");
    assert!(prof.try_wait().expect("ours").is_none());
    pty.press("\r");
    pty.wait_for(LEFT);
    pty.wait_for("HOT LINES");
    assert_eq!(pty.end(&mut prof).code(), Some(7));
    assert!(pty.is_usual());
    assert_sound(&recording);
}

#[test]
fn ctrl_c_goes_to_the_program_and_the_frame_follows_the_screen() {
    let Some(python) = Python::any() else { return };
    let program = "
import os, signal
# Whoever runs the tests in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
def work():
    return sum(range(1000))
try:
    while True:
        work()
except KeyboardInterrupt:
    os._exit(9)
";
    let recording = recording(&python, program);
    let mut pty = Pty::new(100, 24);
    let mut prof = pty.start(&recording.profiled_command());
    pty.see("work");
    pty.resize(120, 40);
    pty.wait_for("\x1b[40;");
    pty.resize(30, 8);
    pty.see("too small, wants 40x10");
    pty.resize(80, 20);
    pty.see("prof live");
    pty.press("\x03");
    pty.see("finished, exit 9");
    // The program is gone: it is the view's now.
    pty.press("\x03");
    assert_eq!(pty.end(&mut prof).code(), Some(9));
    pty.wait_for(LEFT);
    assert!(pty.is_usual());
    assert_sound(&recording);
}

#[test]
fn a_stopped_view_gives_the_terminal_back_and_takes_it_again() {
    let Some(python) = Python::any() else { return };
    let recording = recording(&python, WORK);
    let mut pty = Pty::new(100, 24);
    let words = recording.profiled_command();
    let mut bash = Command::new("bash");
    bash.args(["-c", "set -m; \"$@\"; echo stopped $?; read x; fg >&2; echo ended $?", "bash"]);
    bash.arg(words.get_program()).args(words.get_args()).current_dir(recording.folder());
    let mut bash = pty.start(&bash);
    pty.see("work");
    pty.press("\x1a");
    pty.wait_for(LEFT);
    pty.wait_for("stopped 148");
    assert!(pty.is_usual());
    pty.press("go on\r");
    pty.wait_for(TAKEN);
    pty.see("prof live");
    assert!(!pty.is_usual());
    let_end(&recording);
    pty.see("finished, exit 7");
    pty.press("q");
    pty.wait_for("ended 7");
    assert!(pty.end(&mut bash).success() && pty.is_usual());
    assert_sound(&recording);
}

#[test]
fn a_signal_that_ends_the_program_ends_the_view() {
    let Some(python) = Python::any() else { return };
    let recording = recording(&python, WORK);
    let mut pty = Pty::new(100, 24);
    let mut session = pty.start(&recording.profiled_command());
    pty.see("work");
    let prof = children(session.id());
    send("-TERM", *prof.first().expect("setsid has a child"));
    // As a shell says it of a child of its own.
    assert_eq!(pty.end(&mut session).code().map(|code| code & 127), Some(15));
    pty.wait_for(LEFT);
    assert!(pty.is_usual());
    assert_sound(&recording);
}

#[test]
fn without_a_terminal_the_program_runs_without_a_view() {
    let Some(python) = Python::any() else { return };
    let recording = recording(&python, "import sys; print(1); sys.exit(3)");
    let profiled = recording.profiled_command();
    let mut alone = Command::new("setsid");
    alone.arg("--wait").arg(profiled.get_program()).args(profiled.get_args());
    alone.current_dir(recording.folder()).stdin(Stdio::null());
    let output = alone.output().expect("setsid starts");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, b"1\n");
    let said = one_line(&output);
    assert!(said.contains("there is no terminal: runs without the live view"), "{said}");
    assert!(!recording.trace().with_extension("out").exists());
    assert_sound(&recording);
}

#[test]
fn a_small_terminal_is_left_to_the_program() {
    let Some(python) = Python::any() else { return };
    let recording = recording(&python, "print('I am here')");
    let mut pty = Pty::new(39, 24);
    let mut prof = pty.start(&recording.profiled_command());
    assert!(pty.end(&mut prof).success());
    pty.wait_for("39x24 cells, the live view wants 40x10: runs without the live view");
    pty.wait_for("I am here");
    assert!(!pty.text().contains(TAKEN));
}

#[test]
fn a_view_on_another_terminal_leaves_every_stream_alone() {
    let Some(python) = Python::any() else { return };
    let mut pty = Pty::new(100, 24);
    let words = [python.path().as_os_str(), "-c".as_ref(), WORK.as_ref()];
    let recording = Recording::of_command(words).option(&[&format!("--live=tty:{}", pty.path())]);
    let mut command = recording.profiled_command();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut prof = command.spawn().expect("prof starts");
    drop(prof.stdin.take());
    pty.see("work");
    let_end(&recording);
    pty.see("finished, exit 7");
    pty.press("q");
    let output = prof.wait_with_output().expect("waited for");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout, b"to stdout \n");
    assert_eq!(output.stderr, b"to stderr\n");
    assert!(pty.is_usual());
    assert_sound(&recording);
}

#[test]
fn a_trace_is_looked_at_while_another_process_writes_it() {
    let Some(python) = Python::any() else { return };
    let words = [python.path().as_os_str(), "-c".as_ref(), WORK.as_ref()];
    let recording = Recording::of_command(words);
    let mut command = recording.profiled_command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut recorder = command.spawn().expect("prof starts");
    let mut pty = Pty::new(100, 24);
    let mut look = Command::new(prof());
    while !recording.trace().exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    look.arg("live").arg(recording.trace());
    let mut view = pty.start(&look);
    pty.see("work");
    let_end(&recording);
    assert_eq!(recorder.wait().expect("waited for").code(), Some(7));
    pty.see("finished");
    pty.press("q");
    assert!(pty.end(&mut view).success() && pty.is_usual());

    let mut pty = Pty::new(100, 24);
    let mut view = pty.start(&look);
    pty.see("finished");
    send("-TERM", *children(view.id()).first().expect("setsid has a child"));
    assert_eq!(pty.end(&mut view).code().map(|code| code & 127), Some(15));
    pty.wait_for(LEFT);
    assert!(pty.is_usual());
}

#[test]
fn what_cannot_be_looked_at_is_said_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = |words: &[&str]| {
        let output = call(folder.path(), words);
        (output.status.code(), one_line(&output))
    };
    let (status, words) = said(&["live", "missing.proftrace"]);
    assert!(status == Some(1) && words.contains("No such file"), "{words}");
    let (status, words) = said(&["live", "/dev/zero"]);
    assert!(status == Some(1) && words.contains("not a regular file"), "{words}");
    let (status, words) = said(&["run", "--live=tty:/dev/null", "true"]);
    assert!(status == Some(125) && words.contains("it is no terminal"), "{words}");
    let (status, words) = said(&["run", "--live=elsewhere", "true"]);
    assert!(status == Some(125) && words.contains("tty:PATH"), "{words}");
}
