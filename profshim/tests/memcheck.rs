//! The shim under valgrind: in a program that makes no mistake of its own memcheck finds none.

mod programs;
mod shim;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Says that a test did not run; under `PROF_NO_SKIP=1` that is a failure.
fn skip(why: &str) {
    // To the descriptor itself: the harness hides what passing tests print. Nothing can be done about a closed one.
    drop(writeln!(std::io::stderr().lock(), "SKIPPED: memcheck: {why}"));
    assert!(std::env::var_os("PROF_NO_SKIP").is_none_or(|v| v == "0"), "skipped: {why}");
}

/// What a program did under memcheck, and what memcheck found.
fn check(program: &Path, shim: Option<&Path>) -> Option<(Output, String)> {
    let report = program.with_extension("memcheck");
    let mut command = Command::new("valgrind");
    // malloc is replaced in libc only: then the shim's is run, and goes on to valgrind's.
    command.args(["--quiet", "--soname-synonyms=somalloc=nouserintercepts", "--leak-check=no"]);
    command.arg(format!("--log-file={}", report.display())).arg(program);
    command.env_remove("LD_PRELOAD").env_remove("PROF_SESSION");
    if let Some(shim) = shim {
        command.env("LD_PRELOAD", shim);
    }
    match command.output() {
        Ok(output) => {
            let found = std::fs::read_to_string(report).expect("valgrind writes its report");
            Some((output, found))
        }
        Err(error) => {
            skip(&format!("valgrind: {error}"));
            None
        }
    }
}

#[track_caller]
fn finds_nothing(name: &str) {
    let folder = TempDir::new().expect("a scratch folder");
    let program = programs::compile(name, folder.path(), &[]);
    let Some((bare, found)) = check(&program, None) else { return };
    assert_eq!(found, "", "the program itself is clean");
    let Some((with, found)) = check(&program, Some(shim::path())) else { return };
    assert_eq!(String::from_utf8_lossy(&with.stdout), String::from_utf8_lossy(&bare.stdout));
    assert_eq!(with.status, bare.status);
    assert_eq!(found, "");
}

macro_rules! clean {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                finds_nothing(stringify!($name));
            }
        )*
    };
}

// Programs that work on valid memory, of each kind of hook, and that are short even fifty times slower.
clean! {
    early_calloc
    early_copies
    exit_handlers
    fork_handlers
    late_allocations
    libc_allocations
    looked_up
    reallocarray
    thread_exits
}
