use std::fs;

use super::*;
use crate::embed::examples::{cpu, hostile, module, sample, snapshot};

/// Its code begins within three lines of what it returns.
#[inline(never)]
extern "C" fn landmark() -> u32 {
    line!()
}

fn here() -> u64 {
    landmark as *const () as u64
}

fn own() -> Snapshot {
    Snapshot::default()
}

#[test]
fn own_code_has_a_name_and_a_line() {
    let snapshot = own();
    let mut symbols = snapshot.symbols();
    let frames = symbols.at(here(), true);
    let frame = &frames[0];
    assert!(frame.function.ends_with("symbols::tests::landmark"), "{frames:?}");
    assert!(frame.file.ends_with("embed/symbols/tests.rs"), "{frames:?}");
    assert!(frame.line.abs_diff(landmark()) <= 3, "{frames:?}");
    // A function's first address as a return address is the end of the function before.
    let before = symbols.at(here(), false);
    assert!(before.iter().all(|frame| !frame.function.ends_with("landmark")), "{before:?}");
    assert!(symbols.at(here() + 1, false)[0].function.ends_with("landmark"));
}

#[test]
fn a_whole_stack_is_named() {
    let mut snapshot = own();
    snapshot.samples = vec![sample(0, 0, cpu(1), &[here(), here() + 1, 0, 5])].into();
    let mut symbols = snapshot.symbols();
    let frames = symbols.frames(&snapshot.samples().next().unwrap());
    let ends: Vec<_> =
        frames.iter().map(|frame| frame.function.rsplit("::").next().unwrap()).collect();
    assert_eq!(ends, ["landmark", "landmark", "[unknown]", "[unknown]"]);
}

/// The C library of this machine has symbols alone, and the kernel's page no file.
#[test]
fn code_without_debug_information_has_names() {
    let snapshot = own();
    let find = |name: &str| snapshot.modules().iter().find(|m| m.path.contains(name)).unwrap();
    let mut symbols = snapshot.symbols();
    let libc = find("libc.so");
    let mut named = (libc.start..libc.end).step_by(4096).flat_map(|at| symbols.at(at, true));
    let frame = named.next().expect("a function of libc");
    assert!(!frame.function.is_empty() && frame.line == 0, "{frame:?}");
    let vdso = find("[vdso]");
    let mut named = (vdso.start..vdso.end).flat_map(|at| symbols.at(at, true));
    assert!(named.any(|frame| frame.function.contains("vdso_")), "{vdso:?}");
}

/// A file that is not the one that was mapped names nothing.
#[test]
fn a_replaced_file_has_no_names() {
    let snapshot = own();
    let is_libc = |module: &&Module| module.path.contains("libc.so");
    let libc = snapshot.modules().iter().find(is_libc).unwrap().clone();
    let names = |module: Module| {
        let addresses = (module.start..module.end).step_by(4096);
        let snapshot = Snapshot { modules: vec![module].into(), ..Snapshot::default() };
        let mut symbols = snapshot.symbols();
        addresses.map(|at| symbols.at(at, true).len()).sum::<usize>()
    };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("libc.so");
    fs::copy(&libc.path, &copy).unwrap();
    let copied = Module { path: copy.to_str().unwrap().to_owned(), ..libc };
    let all = names(copied.clone());
    assert!(all > 0);
    assert_eq!(names(Module { build_id: "00".to_owned(), ..copied.clone() }), 0);
    assert_eq!(names(Module { build_id: String::new(), ..copied.clone() }), all, "has none");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    assert_eq!(names(copied.clone()), 0, "another file in its place");
    fs::remove_file(&copy).unwrap();
    assert_eq!(names(copied), 0, "gone");
}

#[test]
fn what_is_hostile_has_no_names() {
    for snapshot in [hostile(), snapshot(), Snapshot::default()] {
        let mut symbols = snapshot.symbols();
        for address in [0, 1, 5, 6, 0x40_1000, 1 << 63, u64::MAX] {
            for exact in [false, true] {
                assert_eq!(symbols.at(address, exact), []);
            }
        }
    }
    // Not an ELF file, a folder, a device.
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    fs::write(&text, "text").unwrap();
    for path in [text.to_str().unwrap(), "/", "/dev/zero", "/proc/self/mem"] {
        let modules = vec![module(0, u64::MAX, 0, path, "")];
        let snapshot = Snapshot { modules: modules.into(), ..Snapshot::default() };
        assert_eq!(snapshot.symbols().at(4096, true), [], "{path}");
    }
}

/// A profile with names says so, by mapping.
#[test]
fn a_pprof_profile_has_names_and_lines() {
    let mut snapshot = own();
    let vdso = snapshot.modules().iter().find(|module| module.path == VDSO).unwrap().start;
    snapshot.samples = vec![sample(0, 0, cpu(1), &[vdso, here() + 1, 0])].into();
    let mut bytes = Vec::new();
    snapshot.write_pprof(&mut bytes).unwrap();
    let Some(text) = crate::embed::examples::go_raw(&bytes, &["-raw", "-symbolize=none"]) else {
        return;
    };
    let own = std::env::current_exe().unwrap();
    let is_own = |line: &&str| line.starts_with("1: ") && line.contains(own.to_str().unwrap());
    let mapping = text.lines().find(is_own).expect(&text);
    assert!(mapping.ends_with("[FN][FL][LN][IN]"), "{text}");
    let line = text.lines().find(|line| line.contains("tests::landmark")).expect(&text);
    assert!(line.contains("embed/symbols/tests.rs:"), "{text}");
    let vdso = text.lines().find(|line| line.starts_with("2: ") && line.contains(" [vdso] "));
    assert!(vdso.is_some_and(|mapping| mapping.ends_with("[FN][FL][LN][IN]")), "{text}");
}
