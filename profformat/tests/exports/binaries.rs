//! Which binary a native function is of, and what is inlined into what, in every output that has a place for it.

use profformat::analysis::Profile;
use profformat::export::pprof::message as pb;
use profformat::export::{Format, Metric};
use profformat::record::Class;
use serde_json::json;

use crate::run::{LIBZ, Run};
use crate::totals::{json, pprof};

const HEX: &str = "123456789abcdef00102030405060708fffe000a";

/// zlib below Python, a function of a program, and functions that are inlined into another one.
fn profile() -> Profile {
    let mut run = Run::new();
    run.sample(0, 0, Class::Python, 100);
    run.sample(0, 4, Class::Native, 20);
    run.sample(2, 6, Class::Native, 3);
    run.sample(2, 7, Class::Native, 7);
    run.profile()
}

fn text(message: &pb::Profile, at: i64) -> &str {
    &message.string_table[at as usize]
}

#[test]
fn pprof_has_a_mapping_for_each_binary() {
    let message = pprof(&profile(), Metric::Cpu);
    let mappings: Vec<_> = message
        .mapping
        .iter()
        .map(|m| {
            let is = (m.has_functions, m.has_filenames, m.has_line_numbers, m.has_inline_frames);
            (text(&message, m.filename), text(&message, m.build_id), is)
        })
        .collect();
    // Python's functions have files and lines; of zlib there is no more than names.
    let expected = [
        ("app;\\x1b[31m.py", "", (true, true, true, false)),
        ("/usr/lib/libz.so.1", HEX, (true, false, false, false)),
        ("/usr/bin/spin", "", (true, true, true, true)),
    ];
    assert_eq!(mappings, expected);
    for location in &message.location {
        let line = location.line.last().unwrap();
        let function = message.function.iter().find(|f| f.id == line.function_id).unwrap();
        let mapping = message.mapping.iter().find(|m| m.id == location.mapping_id).unwrap();
        let expected = match text(&message, function.name) {
            "libz.so.1" => 1,
            "spin" | "outer" => 2,
            _ => 0,
        };
        assert_eq!(*mapping, message.mapping[expected], "{function:?}");
    }
}

#[test]
fn pprof_has_inlined_functions_in_one_location() {
    let message = pprof(&profile(), Metric::Cpu);
    let name = |line: &pb::Line| {
        let function = message.function.iter().find(|f| f.id == line.function_id).unwrap();
        (text(&message, function.name), line.line)
    };
    let several: Vec<Vec<_>> = message
        .location
        .iter()
        .filter(|location| location.line.len() > 1)
        .map(|location| location.line.iter().map(name).collect())
        .collect();
    assert_eq!(several, [[("inner", 7), ("middle", 41), ("outer", 50)]]);
    let sample = message.sample.iter().find(|sample| sample.value[1] == 7).unwrap();
    assert_eq!(sample.location_id.len(), 2, "those three, and their caller");
}

#[test]
fn a_binary_with_the_name_of_the_program_is_the_first_mapping() {
    let mut run = Run::new();
    let path = "/home/me/app;\x1b[31m.py";
    run.binary(path, LIBZ);
    run.sample(0, 0, Class::Python, 100);
    let message = pprof(&run.profile(), Metric::Cpu);
    let [main] = message.mapping.as_slice() else { panic!("{:?}", message.mapping) };
    assert_eq!(text(&message, main.filename), "/home/me/app;\\x1b[31m.py");
    assert_eq!(text(&message, main.build_id), HEX);
}

/// A stack is not taken for more than it is: what is inlined into a function of another binary is not.
#[test]
fn frames_of_two_binaries_are_two_locations() {
    let mut run = Run::new();
    let [one, other] = ["/lib/one.so", "/lib/other.so"].map(|path| run.binary(path, b"12345678"));
    let inner = run.native("inner", ("/src/a.rs", 1), one, true);
    let outer = run.native("outer", ("/src/a.rs", 2), other, false);
    let stack = run.interner.stack(None, outer);
    let stack = run.interner.stack(Some(stack), inner);
    let choice = run.keep(Some(stack));
    run.sample(0, choice, Class::Native, 9);
    let message = pprof(&run.profile(), Metric::Cpu);
    assert_eq!(message.location.len(), 2);
    assert!(message.location.iter().all(|location| location.line.len() == 1));
}

#[test]
fn json_lists_the_binaries() {
    let document = json(&profile(), Format::Json, Metric::Cpu);
    let expected = json!([
        {"path": "/usr/lib/libz.so.1", "build_id": HEX},
        {"path": "/usr/bin/spin", "build_id": null},
    ]);
    assert_eq!(document["binaries"], expected);
}

#[test]
fn firefox_has_libraries_and_their_functions_as_resources() {
    let file = json(&profile(), Format::Firefox, Metric::Cpu);
    let expected = json!([
        {"arch": "", "name": "libz.so.1", "path": "/usr/lib/libz.so.1", "debugName": "libz.so.1",
            "debugPath": "/usr/lib/libz.so.1", "breakpadId": "78563412BC9AF0DE01020304050607080",
            "codeId": HEX},
        {"arch": "", "name": "spin", "path": "/usr/bin/spin", "debugName": "spin",
            "debugPath": "/usr/bin/spin", "breakpadId": "0".repeat(33), "codeId": null},
    ]);
    assert_eq!(file["libs"], expected);
    let shared = &file["shared"];
    let text = |at: &serde_json::Value| &shared["stringArray"][at.as_u64().unwrap() as usize];
    let resources = &shared["resourceTable"];
    assert_eq!(resources["length"], 2);
    assert_eq!((&resources["lib"], &resources["type"]), (&json!([0, 1]), &json!([1, 1])));
    let names: Vec<_> = resources["name"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(names, ["libz.so.1", "spin"]);
    let functions = &shared["funcTable"];
    let of = |name: &str| {
        let at = functions["name"].as_array().unwrap().iter().position(|at| text(at) == name);
        functions["resource"][at.unwrap()].as_i64().unwrap()
    };
    assert_eq!(["libz.so.1", "spin", "inner", "main"].map(of), [0, 1, 1, -1]);
}
