//! What is around a program: a launcher in its place, odd values of the profiler's own variables, a folder that takes no
//! trace.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use crate::bad_input::{expect_refusal, scratch};
use crate::prof::{Python, Recording, call, one_line, products, prof, program};

/// A shim as pyenv's: bash, and some commands before it becomes the interpreter.
const SHIM: &str = r#"#!/usr/bin/env bash
set -e
program="${0##*/}"
for version in 3.9 3.10 3.11; do
    found="$(echo "$program-$version" | cut -d- -f2 | sort)"
done
exec PYTHON "$@"
"#;

#[test]
fn behind_a_shim_the_interpreter_alone_is_profiled() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    let shim = folder.path().join("python3");
    let real = python.path().to_str().expect("UTF-8");
    std::fs::write(&shim, SHIM.replace("PYTHON", real)).expect("scratch is writable");
    std::fs::set_permissions(&shim, PermissionsExt::from_mode(0o755)).expect("our own file");
    let path = program("python_loop.py");
    let words = [shim.as_os_str(), path.as_os_str(), "0.3".as_ref()];
    let recording = Recording::of_command(words);
    let (_, profile) = recording.profile();
    assert!(profile.tagged(&path, "LOOP").cpu.python > 0.1);
    let processes = profile.json["processes"].as_array().expect("processes");
    assert!(processes.len() >= 8, "the shim and its commands are listed: {processes:?}");
    let threads = profile.json["threads"].as_array().expect("threads");
    let mut profiled: Vec<u64> =
        threads.iter().map(|thread| thread["process"].as_u64().expect("a number")).collect();
    profiled.dedup();
    let [one] = profiled[..] else { panic!("{profiled:?} of {processes:?}") };
    let image = &processes[one as usize];
    assert!(image["python"].as_str().is_some_and(|version| !version.is_empty()), "{image}");
}

/// Values that nobody means.
fn odd_values() -> Vec<OsString> {
    let mut values: Vec<OsString> =
        ["", "%s%n%n", "a\nb", "prof-0123456789abcdef0123456789abcdef", "../../etc/passwd"]
            .map(OsString::from)
            .into();
    values.push(OsString::from_vec(b"\xff\xfe\x1b]0;x\x07".to_vec()));
    values.push(OsString::from_vec(vec![b'x'; 100_000]));
    values
}

fn with_variable(mut command: Command, name: &str, value: &OsStr) -> Output {
    command.env(name, value).stdin(Stdio::null()).output().expect("it starts")
}

/// The library without a collector, as in a program that a daemon of a profiled one starts much later.
#[test]
fn a_session_that_is_none_changes_nothing() {
    let Some(python) = Python::any() else { return };
    prof();
    let library = products().join("libprofshim.so");
    let asked =
        "import os; print(os.environb[b'PROF_SESSION'], sorted(os.listdir('/proc/self/fd')))";
    for value in odd_values() {
        let mut bare = Command::new(python.path());
        bare.args(["-c", asked]);
        let mut preloaded = Command::new(python.path());
        preloaded.args(["-c", asked]).env("LD_PRELOAD", &library);
        let bare = with_variable(bare, "PROF_SESSION", &value);
        assert!(bare.status.success(), "{bare:?}");
        assert_eq!(with_variable(preloaded, "PROF_SESSION", &value), bare);
        // A run of its own gives the program a name of its own.
        let recording =
            Recording::of_command([python.path().as_os_str(), "-c".as_ref(), "pass".as_ref()]);
        let output = with_variable(recording.profiled_command(), "PROF_SESSION", &value);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}

/// Somebody listens at the name, and never answers: a second or so is waited where he cannot be looked at, and ten
/// where he runs.
#[test]
fn a_session_that_does_not_answer_is_done_without() {
    use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

    let Some(python) = Python::any() else { return };
    prof();
    let library = products().join("libprofshim.so");
    let name = format!("prof-test-{}-silent", std::process::id());
    let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).expect("a name");
    let socket = net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).expect("a socket");
    net::bind(&socket, &address).expect("the name is free");
    net::listen(&socket, 8).expect("it can be listened to");
    let mut command = Command::new(python.path());
    command.args(["-c", "print('there')"]).env("LD_PRELOAD", &library);
    let output = with_variable(command, "PROF_SESSION", name.as_ref());
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"there\n"[..]));
    assert_eq!(output.stderr, b"");
}

#[test]
fn a_library_that_is_none_is_refused_in_one_line() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    let mut values = odd_values();
    values.extend(["/etc/passwd".into(), "/usr".into()]);
    for value in values {
        let mut command = Command::new(prof());
        command.args(["run", "-q", "--"]).arg(python.path()).args(["-c", "open('ran', 'w')"]);
        command.current_dir(folder.path()).env_remove("LD_PRELOAD");
        let output = with_variable(command, "PROF_SHIM", &value);
        if value.is_empty() {
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            std::fs::remove_file(folder.path().join("ran")).expect("it ran");
            std::fs::remove_file(folder.path().join("python3.proftrace")).ok();
            continue;
        }
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        let said = one_line(&output);
        assert!(said.contains("PROF_SHIM") && said.len() < 20_000, "{said}");
        assert!(!said.trim_end().contains(char::is_control), "{said:?}");
        assert!(!folder.path().join("ran").exists(), "{said}");
    }
}

/// Root writes into any folder; without its capabilities it is one of many users.
#[test]
fn a_folder_that_takes_no_trace_is_found_before_the_start() {
    let folder = scratch();
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).expect("scratch is writable");
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o555)).expect("our own folder");
    let mut can = Command::new("setpriv");
    can.args(["--bounding-set", "-all", "--inh-caps", "-all", "true"]);
    if !can.output().is_ok_and(|output| output.status.success()) {
        return crate::prof::skip("this machine does not let us give up rights");
    }
    for options in [&["-o", "closed/run.proftrace"][..], &[]] {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", "-all", "--inh-caps", "-all"]).arg(prof()).arg("run");
        command.args(options).args(["--", "touch", "/proc/self/cwd/../ran"]);
        command.current_dir(if options.is_empty() { &closed } else { folder.path() });
        let output = command.stdin(Stdio::null()).output().expect("setpriv starts");
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        assert!(one_line(&output).contains("cannot write"), "{output:?}");
        assert!(!folder.path().join("ran").exists());
    }
}

#[test]
fn a_pipe_as_a_trace_is_refused_at_once() {
    let folder = scratch();
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status();
    assert!(made.expect("mkfifo starts").success());
    for words in [&["report", "pipe"][..], &["info", "pipe"], &["check", "pipe"]] {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        expect_refusal(folder.path(), &words, 1, "not a regular file");
    }
    let output = call(folder.path(), &["run", "-o", "pipe", "--", "touch", "ran"]);
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(one_line(&output).contains("pipe exists"), "{output:?}");
}
