//! Programs of one behavior each, run bare and with the shim: they must not notice.

mod shim;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Compiles a program of `tests/programs`, with the options that its first line names behind `// gcc: `.
fn compile(name: &str, folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name);
    let source = source.with_extension("c");
    let text = std::fs::read_to_string(&source).expect("the source can be read");
    let first = text.lines().next().unwrap_or_default();
    let program = folder.join(name);
    let status = Command::new("gcc")
        .args(["-O1", "-w", "-fno-builtin", "-pthread", "-o"])
        .arg(&program)
        .args(first.strip_prefix("// gcc: ").unwrap_or_default().split_whitespace())
        .arg(source)
        .arg("-ldl")
        .status()
        .expect("gcc runs");
    assert!(status.success(), "{name} compiles");
    program
}

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
    let program = compile(name, folder.path());
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

macro_rules! programs {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                compare(stringify!($name));
            }
        )*

        #[test]
        fn every_program_is_run() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
            let mut found: Vec<_> = std::fs::read_dir(folder)
                .expect("the folder is there")
                .map(|entry| entry.expect("it can be read").path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
                .map(|path| path.file_stem().expect("has a name").to_string_lossy().into_owned())
                .collect();
            found.sort();
            let mut named = vec![$(stringify!($name)),*];
            named.sort_unstable();
            assert_eq!(found, named);
        }
    };
}

programs! {
    aligned_blocks
    copies
    dispositions
    early_calloc
    early_copies
    edge_arguments
    environment
    exit_paths
    fork_children
    fortified
    late_allocations
    looked_up
    low_heap
    many_threads
    realloc_growth
    thread_exits
    threads
    vfork_exec
}
