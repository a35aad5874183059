//! The harness: builds the command and the shim once, runs programs bare and profiled, reads traces as JSON.

mod byte_books;
mod interpreter;
pub(crate) mod pprof;
mod profile;
mod recording;
mod stacks;
mod terminal;

pub(crate) use byte_books::ByteBooks;
pub(crate) use interpreter::{Python, each_python, every_python, sid, skip, some_python};
pub(crate) use profile::{Line, Profile, line_of};
pub(crate) use recording::{Ended, Recording, to_the_end, wait};
pub(crate) use stacks::{Track, marked, share, stacks, tracks};
pub(crate) use terminal::{LEFT, Pty, TAKEN};

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The folder this crate lives in.
pub(crate) fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The workspace's top folder.
pub(crate) fn workspace() -> &'static Path {
    crate_folder().parent().expect("the crate is a member of a workspace")
}

/// A Python program of `tests/programs`.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = crate_folder().join("tests/programs").join(name);
    assert!(path.is_file(), "no such program: {}", path.display());
    path
}

/// The folder that build products of this test lie in, such as `target/debug`.
pub(crate) fn products() -> &'static Path {
    prof().parent().expect("the command lies in a folder")
}

/// Path of `prof`, with `libprofshim.so` beside it.
///
/// Cargo builds the command for us but not the shim, which nothing links: it is built here, once per process, in the
/// profile that the test itself has. When `PROF_TEST_RELEASE` is set, both are built in the release profile.
pub(crate) fn prof() -> &'static Path {
    // A failure is kept as well, or every test would build again.
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match BUILT.get_or_init(build) {
        Ok(prof) => prof,
        Err(why) => panic!("the profiler does not build: {why}"),
    }
}

fn build() -> Result<PathBuf, String> {
    let built = Path::new(env!("CARGO_BIN_EXE_prof"));
    let folder = built.parent().expect("target/PROFILE/prof");
    let target = folder.parent().expect("target/PROFILE");
    let release = std::env::var_os("PROF_TEST_RELEASE").is_some()
        || folder.file_name().is_some_and(|name| name == "release");
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(workspace()).args(["build", "--quiet", "-p", "profshim"]);
    build.arg("--target-dir").arg(target);
    // Cargo's own command has features that other tests ask for; one without them would take a minute to build again.
    if release {
        build.args(["-p", "profcli", "--release"]);
    }
    let output = build.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let prof = target.join(if release { "release" } else { "debug" }).join("prof");
    let shim = prof.with_file_name("libprofshim.so");
    match prof.is_file() && shim.is_file() {
        true => Ok(prof),
        false => Err(format!("{} or {} is missing", prof.display(), shim.display())),
    }
}

/// Runs `prof` with arguments, in a folder, to its end.
pub(crate) fn call<S: AsRef<std::ffi::OsStr>>(folder: &Path, arguments: &[S]) -> Output {
    let mut command = Command::new(prof());
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    recording::to_the_end(command, None).output
}

/// What `prof` said on standard error, checked to be one line that is not a panic's.
#[track_caller]
pub(crate) fn one_line(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).expect("messages are UTF-8");
    assert_eq!(said.lines().count(), 1, "one line on standard error, but:\n{said}");
    assert!(said.ends_with('\n'), "the line ends: {said:?}");
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "a panic: {said}");
    said
}
