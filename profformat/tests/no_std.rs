//! Model, codec, reader and writer build without the standard library, and work in a C program.

use std::path::Path;
use std::process::Command;

use profformat::TraceReader;
use profformat::record::Record;

fn run(command: &mut Command) -> String {
    let out = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(out.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

#[test]
fn a_c_program_reads_a_trace_by_a_library_without_std() {
    if Command::new("gcc").arg("--version").output().is_err() {
        assert!(std::env::var_os("PROF_NO_SKIP").is_none(), "gcc is missing");
        eprintln!("SKIPPED: gcc is missing, so the library without std was not tried");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std");
    let mut build = Command::new(env!("CARGO"));
    build.arg("build").arg("--manifest-path").arg(root.join("tests/no_std/Cargo.toml"));
    // Flags of the build around this one (a sanitizer) are not meant for it.
    build.env("CARGO_TARGET_DIR", &target).env_remove("RUSTFLAGS");
    build.env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(&mut build);
    let program = target.join("program");
    let mut link = Command::new("gcc");
    link.arg(root.join("tests/no_std/main.c")).arg(target.join("debug/libno_std.a"));
    run(link.arg("-o").arg(&program));

    let trace = root.join("tests/golden/v1.0.proftrace");
    let bytes = std::fs::read(&trace).expect("a golden trace");
    let mut wanted = 0;
    for record in TraceReader::new(&bytes).expect("a trace").records() {
        if let Record::Sample(sample) = record.expect("sound") {
            wanted += sample.weight_ns;
        }
    }
    assert!(wanted > 0);
    assert_eq!(run(Command::new(program).arg(trace)).trim(), wanted.to_string());
}
