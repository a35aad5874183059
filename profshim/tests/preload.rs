//! Programs of one behavior each, run bare and with the shim: they must not notice.

mod programs;
mod shim;

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn run(program: &Path, shim: Option<&Path>, folder: &Path) -> Output {
    let mut command = Command::new("timeout");
    command.args(["--foreground", "120"]).arg(program).current_dir(folder);
    command.env_remove("LD_PRELOAD").env_remove("PROF_SESSION");
    if let Some(shim) = shim {
        command.env("LD_PRELOAD", shim);
    }
    command.output().expect("the program starts")
}

#[track_caller]
fn compare(name: &str) {
    let folder = TempDir::new().expect("a scratch folder");
    let program = programs::compile(name, folder.path(), &[]);
    let bare = run(&program, None, folder.path());
    let with = run(&program, Some(shim::path()), folder.path());
    assert!(!bare.stdout.is_empty(), "the program says what it saw");
    compare_lines(&with.stdout, &bare.stdout);
    compare_lines(&with.stderr, &bare.stderr);
    assert_eq!(with.status, bare.status);
}

#[track_caller]
fn compare_lines(with: &[u8], bare: &[u8]) {
    let [with, bare] = [with, bare].map(String::from_utf8_lossy);
    for (with, bare) in with.lines().zip(bare.lines()) {
        assert_eq!(with, bare);
    }
    assert_eq!(with.len(), bare.len());
}

/// Names of the programs in the folder, sorted.
fn found() -> Vec<String> {
    let mut found: Vec<_> = std::fs::read_dir(programs::folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "c" || extension == "cpp")
        })
        .map(|path| path.file_stem().expect("has a name").to_string_lossy().into_owned())
        .collect();
    found.sort();
    found
}

macro_rules! compare_each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                compare(stringify!($name));
            }
        )*

        #[test]
        fn every_program_is_run() {
            let mut named = vec![$(stringify!($name)),*];
            named.sort_unstable();
            assert_eq!(found(), named);
        }
    };
}

programs::each_program!(compare_each);
