//! Native frames in C: where the program really was below a Python line, between two of them, and without Python.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::prof::{
    Python, Recording, call, each_python, marked, pprof, program, share, skip, stacks,
};

each_python!(a_library_stands_below_the_line_that_called_it);

/// Compiles `native_work.c` with debug information.
fn compile(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let status = Command::new("gcc")
        .args(["-O2", "-g", "-w", "-o"])
        .arg(&path)
        .args(options)
        .arg(program("native_work.c"))
        .status()
        .expect("gcc runs");
    assert!(status.success(), "native_work.c compiles");
    path
}

fn a_library_stands_below_the_line_that_called_it(python: &Python) {
    let source = program("native_work.c");
    let script = program("native_calls.py");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let library = compile(folder.path(), "libnative_work.so", &["-shared", "-fPIC"]);
    let library = library.to_str().expect("UTF-8");
    let recording = Recording::of(python, &script, &[library, "1.5"]).rate(250);
    recording.profile();
    let stacks = stacks(&recording);
    let line = |source: &Path, name: &str, mark: &str| format!("{name} {}", marked(source, mark));

    // The line, what ctypes does with it, the function called at the line of its call, the inlined one.
    let outer = line(&source, "outer", "/* OUTER */");
    let step = line(&source, "step", "/* STEP */");
    let below = share(&stacks, &[&outer, "inner"]);
    assert!(below > 0.35, "inner in outer, {below:.3}: {stacks:?}");
    // One instruction in some fifty.
    assert!(share(&stacks, &[&outer, "inner", &step]) > 0.002, "the inlined function: {stacks:?}");
    let called = line(&script, "work", "# NATIVE");
    let under = share(&stacks, &[&called]);
    assert!((under - below).abs() < 0.1, "all of it is below its line: {below:.3} of {under:.3}");

    // Python, native, Python again: the callback stands below the library's function, and that below its line.
    let burn = line(&script, "burn", "# BURN");
    let burning = share(&stacks, &[&burn]);
    assert!(burning > 0.3, "{burning:.3}: {stacks:?}");
    for (stack, _) in stacks.iter().filter(|(stack, _)| {
        stack.iter().any(|frame| frame.starts_with("burn ") && frame.contains(".py"))
    }) {
        let at = |start: &str, end: &str| {
            stack.iter().position(|frame| frame.starts_with(start) && frame.contains(end))
        };
        let order = [
            at("called", &marked(&script, "# CALLED")),
            at("call_back", &marked(&source, "/* CALL_BACK */")),
            at("burn", ".py"),
        ];
        // Until the library's table has arrived, its frames are missing and nothing else.
        if order[1].is_some() {
            assert!(order.is_sorted() && order[0].is_some(), "{stack:?}");
        }
    }
    let through = share(&stacks, &[&line(&source, "call_back", "/* CALL_BACK */")]);
    assert!(through > 0.85 * burning, "{through:.3} of {burning:.3} came through the library");
}

/// A program without Python: function by function, line by line.
#[test]
fn a_program_without_python_has_its_functions_and_lines() {
    let source = program("native_work.c");
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, options) in
        [("pie", &["-pie", "-fPIE"][..]), ("fixed", &["-no-pie"]), ("stripped", &["-s"])]
    {
        let path = compile(folder.path(), name, options);
        let recording = Recording::of_command([path.into_os_string(), "1.5".into()]).rate(250);
        assert!(recording.run().status().success());
        let stacks = stacks(&recording);
        let line = |name: &str, mark: &str| format!("{name} {}", marked(&source, mark));
        let (main, outer) = (line("main", "/* MAIN */"), line("outer", "/* OUTER */"));
        let whole = if name == "stripped" {
            // No names, but the same depth: main, outer, inner in the module.
            share(&stacks, &["stripped", "stripped", "stripped"])
        } else {
            share(&stacks, &[&main, &outer, "inner"])
        };
        assert!(whole > 0.85, "{name}: {whole:.3} of {stacks:?}");
    }
}

/// Every output that names files has those that `readelf` reads the same build id of; functions that are inlined into each
/// other are one place, and pprof looks for nothing more.
#[test]
fn functions_are_told_with_their_files_and_build_ids() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = compile(folder.path(), "work", &["-Wl,--build-id"]);
    let notes = Command::new("readelf").arg("-n").arg(&path).output().expect("readelf runs");
    let notes = String::from_utf8_lossy(&notes.stdout).into_owned();
    let build_id = notes.lines().find_map(|line| line.trim().strip_prefix("Build ID: "));
    let build_id = build_id.expect("the linker wrote one");
    let path = path.canonicalize().expect("it is there");
    let recording = Recording::of_command([path.clone().into_os_string(), "1".into()]).rate(250);
    assert!(recording.run().status().success());
    let trace = recording.trace();
    let trace = trace.to_str().expect("UTF-8");
    let told = |words: &[&str]| {
        let output = call(&recording.folder(), words);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let path = path.to_str().expect("UTF-8");
    let info = told(&["info", trace]);
    assert!(info.contains(&format!("  {path}, {build_id}\n")), "{info}");
    for format in ["json", "firefox"] {
        let file = told(&["convert", "--to", format, trace]);
        assert!(file.contains(path) && file.contains(build_id), "{file}");
    }
    pprof::samples(&recording);
    let Some(raw) = pprof::go(&recording, "-raw") else {
        return skip("no go tool pprof");
    };
    let mapping = format!("1: 0x0/0x0/0x0 {path} {build_id} [FN][FL][LN][IN]");
    assert!(raw.lines().any(|line| line.trim() == mapping), "{mapping} in:\n{raw}");
    // A line of a location alone stands under its first one.
    assert!(raw.lines().any(|line| line.starts_with("             inner ")), "{raw}");
    let mut tool = Command::new("go");
    tool.args(["tool", "pprof", "-raw", "cpu.pb.gz"]).current_dir(recording.folder());
    let output = tool.env("PPROF_TMPDIR", recording.folder()).output().expect("it ran before");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "it looks for names");
    assert_eq!(String::from_utf8_lossy(&output.stdout), raw);
}

/// A compiler that works while the program runs leaves names for profilers; no other name leads to that code.
#[test]
fn code_that_was_made_at_run_time_goes_by_the_name_in_its_map() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("made_code");
    let mut compiler = Command::new("gcc");
    compiler.args(["-O1", "-o"]).arg(&path).arg(program("made_code.c"));
    assert!(compiler.status().expect("gcc runs").success(), "made_code.c compiles");
    let recording = Recording::of_command([&path]).rate(250);
    recording.profile();
    let stacks = stacks(&recording);
    let made = share(&stacks, &["made while it ran"]);
    assert!(made > 0.9, "{made:.3} of {stacks:?}");
}

/// The C library picks the code that copies by the processor, and strips its name: its time goes by the name all the
/// same, in a forked child too.
#[test]
fn time_in_copies_goes_by_their_name() {
    let Some(python) = Python::any() else { return };
    let recording = Recording::of(&python, &program("joined.py"), &[]).rate(250);
    recording.profile();
    let stacks = stacks(&recording);
    let copying = share(&stacks, &["memmove"]);
    assert!(copying > 0.6, "{copying:.3} of {stacks:?}");
}
