//! The layout tables against the headers of the interpreters here, through a C program that prints the same facts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::cpython::interpreters::{self, Interpreter, skip};
use crate::cpython::offsets::FREE_THREADED_AT;
use crate::cpython::version_of;
use crate::cpython::versions::{VERSIONS, Version};

type Facts = BTreeMap<String, usize>;

/// What the tables say of a version, by the names that `vectors/layouts.c` prints.
fn tabled(version: &Version) -> Facts {
    let Layout { chain, frame, code, text, bytes, object_type, collecting, threads, .. } =
        version.layout;
    let mut facts = vec![
        ("frame.previous", frame.previous),
        ("frame.code", frame.code),
        ("code.file", code.file),
        ("code.name", code.name),
        ("code.first_line", code.first_line),
        ("code.lines", code.lines),
        ("text.length", text.length),
        ("text.hash", text.hash),
        ("text.state", text.state),
        ("text.ascii_data", text.ascii_data),
        ("text.compact_data", text.compact_data),
        ("bytes.length", bytes.length),
        ("bytes.data", bytes.data),
        ("object.type", object_type),
        ("collecting.interpreter", collecting.interpreter),
        ("collecting.flag", collecting.flag),
        ("threads.head", threads.head),
        ("threads.next", threads.next),
        ("threads.thread_id", threads.thread_id),
    ];
    if let Entered::Flag { at } = frame.entered {
        facts.push(("frame.entered", at));
    }
    match chain {
        FrameChain::FrameObject { frame } | FrameChain::CurrentFrame { frame } => {
            facts.push(("state.frame", frame));
        }
        FrameChain::CFrame { cframe, current } => {
            facts.extend([("state.cframe", cframe), ("cframe.current", current)]);
        }
    }
    let (Position::Index { at, .. } | Position::Pointer { at }) = frame.position;
    facts.push(("frame.position", at));
    if frame.tag_mask != 0 {
        facts.push(("frame.tag_mask", frame.tag_mask));
    }
    if let Some(owner) = frame.owner {
        facts.extend([
            ("frame.owner", owner.at),
            ("owner.generator", owner.generator.into()),
            ("owner.highest", owner.highest.into()),
        ]);
        if owner.has_entries() {
            facts.push(("owner.entry_from", owner.entry_from.into()));
        }
    }
    match code.bytecode {
        Bytecode::Object { at } => facts.push(("code.bytecode", at)),
        Bytecode::Inline { at, units } => {
            facts.extend([("code.bytecode", at), ("code.units", units)]);
        }
    }
    facts.extend(code.version.map(|at| ("code.version", at)));
    facts.extend(version.thread_key.map(|at| ("runtime.thread_key", at)));
    facts.extend(version.holder.map(|at| ("runtime.current", at)));
    if let Some(at) = version.debug_offsets {
        facts.extend([
            ("told.free_threaded", FREE_THREADED_AT),
            ("told.current_frame", at.current_frame),
            ("told.frame_previous", at.frame_previous),
            ("told.frame_code", at.frame_code),
            ("told.frame_position", at.frame_position),
            ("told.frame_owner", at.frame_owner),
            ("told.code_file", at.code_file),
            ("told.code_name", at.code_name),
            ("told.code_lines", at.code_lines),
            ("told.code_first_line", at.code_first_line),
            ("told.code_bytecode", at.code_bytecode),
            ("told.object_type", at.object_type),
            ("told.bytes_length", at.bytes_length),
            ("told.bytes_data", at.bytes_data),
            ("told.text_state", at.text_state),
            ("told.text_length", at.text_length),
            ("told.text_ascii_data", at.text_ascii_data),
            ("told.garbage", at.garbage),
            ("told.collecting", at.collecting),
            ("told.threads_head", at.threads_head),
        ]);
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What the headers of an interpreter say; `None` if they are not installed whole.
fn of_headers(interpreter: &Interpreter) -> Option<Facts> {
    let headers = interpreter.headers();
    if !headers.join("internal/pycore_pystate.h").is_file() {
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cpython/vectors/layouts.c");
    // Beside this test, among what is built. Several interpreters may have one version, one after the other.
    let test = std::env::current_exe().unwrap();
    let program = test.with_file_name(format!("layouts-{:x}", interpreter.version_hex));
    let mut compiler = Command::new("cc");
    compiler.arg("-w").arg(source).arg("-o").arg(&program);
    // Debian keeps the configuration in a folder beside, which is named from there.
    for include in [headers, &headers.join("internal"), headers.parent()?] {
        compiler.arg("-I").arg(include);
    }
    let output = compiler.output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", interpreter.path);
    let printed = Command::new(&program).output().unwrap();
    let text = String::from_utf8(printed.stdout).unwrap();
    let fact = |line: &str| {
        let (name, value) = line.split_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    Some(text.lines().map(fact).collect())
}

#[test]
fn layouts_are_those_of_the_headers() {
    let mut compared = Vec::new();
    for interpreter in interpreters::all() {
        let Some(version) = version_of(interpreter.version_hex) else { continue };
        let Some(facts) = of_headers(&interpreter) else { continue };
        assert_eq!(tabled(version), facts, "{}", interpreter.path);
        compared.push(version.minor);
    }
    for version in VERSIONS.iter().filter(|version| !compared.contains(&version.minor)) {
        skip(&format!("no headers of Python 3.{} to compare its layout with", version.minor));
    }
}
