//! What a trace must not hold, and what a terminal must not be sent.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Command;

use crate::bad_input::scratch;
use crate::prof::{Python, Recording, call, one_line, prof};

/// Starts a child with its own arguments, and ends.
const PARENT: &str = "
import subprocess, sys
if sys.argv[1] != 'child':
    subprocess.run([sys.executable, '-c', 'pass', 'child', *sys.argv[1:]], check=True)
";

/// All that the outputs say of a trace.
fn told(trace: &Path) -> String {
    let said = |words: &[&str]| {
        let words = words.iter().map(OsStr::new).chain([trace.as_os_str()]);
        let output = call(Path::new("/"), &words.collect::<Vec<_>>());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    said(&["info"]) + &said(&["convert", "--to", "json"]) + &said(&["report"])
}

#[test]
fn secrets_on_command_lines_are_not_recorded() {
    let Some(python) = Python::any() else { return };
    let secrets = [
        "--password",
        "hunter2a",
        "--token=hunter2b",
        "https://me:hunter2c@host/p?key=hunter2d",
        "Authorization: Bearer hunter2e",
        "--name=plain",
    ];
    let command = || {
        let words = [python.path().as_os_str(), "-c".as_ref(), PARENT.as_ref()];
        words.into_iter().map(OsString::from).chain(secrets.map(OsString::from))
    };
    let recording = Recording::of_command(command());
    recording.profile();
    let said = told(&recording.trace());
    assert!(!said.contains("hunter2"), "{said}");
    assert!(said.contains("--name=plain"), "{said}");

    let recording = Recording::of_command(command()).option(&["--no-argv"]);
    recording.profile();
    let said = told(&recording.trace());
    assert!(!said.contains("hunter2") && !said.contains("plain"), "{said}");
    let python = python.path().to_str().expect("UTF-8");
    assert!(said.contains(python), "the program itself is named: {said}");
}

/// Escape, an operating system command, C1, a line's end, reordering.
fn hostile() -> OsString {
    let name = "\u{1b}[2J\u{1b}]52;c;QQ==\u{7}\u{9b}31m\n\u{202e}x.proftrace".as_bytes();
    OsString::from_vec([name, b"\xff"].concat())
}

#[test]
fn error_lines_do_not_steer_a_terminal() {
    let folder = scratch();
    let name = hostile();
    let mut option = OsString::from("--");
    option.push(&name);
    let empty = folder.path().join(&name);
    let words = |words: &[&str]| -> Vec<OsString> {
        words.iter().map(|&word| if word == "NAME" { name.clone() } else { word.into() }).collect()
    };
    let commands = [
        words(&["report", "NAME"]),
        words(&["info", "NAME"]),
        words(&["check", "NAME"]),
        words(&["check", "--quick", "NAME"]),
        words(&["convert", "NAME", "--to", "json"]),
        words(&["convert", "x", "--to", "NAME"]),
        words(&["recover", "NAME", "-o", "out"]),
        words(&["merge", "NAME", "NAME", "-o", "out"]),
        words(&["split", "NAME", "-o", "out", "--from", "1s"]),
        words(&["split", "x", "-o", "out", "--from", "NAME"]),
        words(&["run", "--", "NAME"]),
        words(&["run", "--rate", "NAME", "--", "true"]),
        words(&["run", "-o", "no/NAME", "NAME", "true"]),
        vec!["run".into(), option.clone()],
        vec![option],
        words(&["NAME"]),
    ];
    // Once there is no such file, once it is no trace.
    for _ in 0..2 {
        for words in &commands {
            let output = call(folder.path(), words);
            assert!(!output.status.success(), "{words:?}");
            let said = one_line(&output);
            let is_steering = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!said.trim_end_matches('\n').contains(is_steering), "{words:?}: {said:?}");
            assert_eq!(output.stdout, b"", "{words:?}");
        }
        std::fs::write(&empty, "not a trace").expect("scratch is writable");
    }
}

/// A trace is new, its owner's alone, follows no link, and is not the program's to see.
#[test]
fn a_trace_is_opened_as_a_secret() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    let elsewhere = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("link.proftrace")).expect("linked");
    let run = |out: &str, code: &str| {
        let mut command = Command::new(prof());
        command.args(["run", "-q", "-o", out, "--"]).arg(python.path()).args(["-c", code]);
        command.current_dir(folder.path()).env_remove("LD_PRELOAD");
        crate::prof::to_the_end(command, None).output
    };
    let refused = run("link.proftrace", "open('ran', 'w')");
    assert_eq!(refused.status.code(), Some(125), "{refused:?}");
    assert!(!elsewhere.exists() && !folder.path().join("ran").exists(), "{refused:?}");
    let look = "import os\nfor fd in os.listdir('/proc/self/fd'):\n    \
                try: print(os.readlink('/proc/self/fd/' + fd))\n    except OSError: pass";
    let seen = run("own.proftrace", look);
    assert!(seen.status.success(), "{seen:?}");
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(!text.contains("proftrace") && !text.contains("memfd"), "{text}");
}
