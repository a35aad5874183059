//! Bad input: one clear line each, the right exit status, nothing lost and nothing left behind.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;

use crate::prof::{Python, Recording, call, one_line, program};

/// The first bytes of a JPEG file, and more of them than any header of ours has.
fn jpeg() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10];
    bytes.extend_from_slice(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    bytes.extend((0..4096_u32).map(|n| ((n * 37) >> 3) as u8));
    bytes
}

pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read").flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Expects `prof` to refuse: one line, this status, and no file that was not there.
#[track_caller]
pub(crate) fn expect_refusal(folder: &Path, words: &[&OsStr], status: i32, clue: &str) -> Output {
    let before = names_in(folder);
    let output = call(folder, words);
    let said = one_line(&output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(clue), "the message names {clue:?}: {said}");
    assert_eq!(output.stdout, b"", "nothing on standard output");
    assert_eq!(names_in(folder), before, "no file is left behind");
    output
}

#[track_caller]
fn expect_run_refusal(words: &[&str], status: i32, clue: &str) {
    let folder = scratch();
    let words: Vec<&OsStr> = ["run"].iter().chain(words).map(OsStr::new).collect();
    expect_refusal(folder.path(), &words, status, clue);
}

#[test]
fn missing_program() {
    expect_run_refusal(&["--", "no-such-program-anywhere"], 127, "no-such-program-anywhere");
    expect_run_refusal(&["--", "./no/such/program"], 127, "./no/such/program");
}

#[test]
fn missing_python_file() {
    expect_run_refusal(&["missing.py"], 127, "missing.py");
}

#[test]
fn directory_as_program() {
    expect_run_refusal(&["--", "/usr/bin"], 126, "/usr/bin");
}

#[test]
fn program_that_is_not_executable() {
    let folder = scratch();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "#!/bin/sh\ntouch ran\n").expect("scratch is writable");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("our own file");
    let words: [&OsStr; 3] = ["run".as_ref(), "--".as_ref(), path.as_os_str()];
    expect_refusal(folder.path(), &words, 126, "notes.txt");
}

#[test]
fn no_program_at_all() {
    expect_run_refusal(&[], 125, "prof");
}

/// A complete static program of 132 bytes that ends with status 42: `mov edi, 42; mov eax, 60; syscall`.
fn static_program(folder: &Path) -> PathBuf {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    bytes.extend_from_slice(&2_u16.to_le_bytes()); // ET_EXEC
    bytes.extend_from_slice(&62_u16.to_le_bytes()); // x86_64
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    bytes.extend_from_slice(&0x40_0078_u64.to_le_bytes()); // entry: behind both headers
    bytes.extend_from_slice(&64_u64.to_le_bytes()); // program headers
    bytes.extend_from_slice(&0_u64.to_le_bytes()); // no section headers
    bytes.extend_from_slice(&0_u32.to_le_bytes());
    for half in [64_u16, 56, 1, 0, 0, 0] {
        bytes.extend_from_slice(&half.to_le_bytes());
    }
    bytes.extend_from_slice(&1_u32.to_le_bytes()); // PT_LOAD
    bytes.extend_from_slice(&5_u32.to_le_bytes()); // readable, executable
    for word in [0_u64, 0x40_0000, 0x40_0000, 132, 132, 0x1000] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(b"\xbf\x2a\0\0\0\xb8\x3c\0\0\0\x0f\x05");
    assert_eq!(bytes.len(), 132);
    let path = folder.join("static-program");
    std::fs::write(&path, bytes).expect("scratch is writable");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("our own file");
    path
}

#[test]
fn static_program_is_refused_and_not_run() {
    let folder = scratch();
    let path = static_program(folder.path());
    let bare = std::process::Command::new(&path).status().expect("the program starts");
    assert_eq!(bare.code(), Some(42), "the program is a good one");
    let words: [&OsStr; 3] = ["run".as_ref(), "--".as_ref(), path.as_os_str()];
    expect_refusal(folder.path(), &words, 125, "static");
}

/// They need the runtime of a sanitizer; the last one only checks its own arithmetic.
#[test]
fn sanitized_programs_are_refused_and_not_run() {
    let folder = scratch();
    let source = folder.path().join("fine.c");
    std::fs::write(&source, "int main(void) { return 42; }\n").expect("scratch is writable");
    for (options, refused) in [
        (&["-fsanitize=address"][..], true),
        (&["-fsanitize=thread"], true),
        (&["-fsanitize=leak"], true),
        (&["-fsanitize=undefined"], false),
    ] {
        let path = folder.path().join("program");
        let mut compiler = std::process::Command::new("gcc");
        let built = compiler.args(options).arg("-o").arg(&path).arg(&source).output();
        match built {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                return crate::prof::skip(&format!("gcc {options:?}: {said}"));
            }
            Err(error) => return crate::prof::skip(&format!("gcc: {error}")),
        }
        let words: [&OsStr; 3] = ["run".as_ref(), "--".as_ref(), path.as_os_str()];
        if refused {
            expect_refusal(folder.path(), &words, 125, "sanitizer");
        } else {
            let words: [&OsStr; 4] =
                ["run".as_ref(), "--quiet".as_ref(), "--".as_ref(), path.as_os_str()];
            let output = call(folder.path(), &words);
            assert_eq!(output.status.code(), Some(42), "{output:?}");
        }
    }
}

#[test]
fn output_that_cannot_be_written() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    for out in ["/proc/no.proftrace", "no/such/folder/x.proftrace", "/dev/null/x.proftrace"] {
        expect_not_run(&python, folder.path(), &["-o", out], out);
    }
}

/// Expects the run to be refused with 125 before the program is started.
#[track_caller]
fn expect_not_run(python: &Python, folder: &Path, options: &[&str], clue: &str) {
    let mut words: Vec<&OsStr> = vec!["run".as_ref()];
    words.extend(options.iter().map(OsStr::new));
    words.extend([OsStr::new("--"), python.path().as_os_str()]);
    words.extend(["-c", "open('ran', 'w')"].iter().map(OsStr::new));
    expect_refusal(folder, &words, 125, clue);
}

#[test]
fn output_that_exists() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    std::fs::write(folder.path().join("there.proftrace"), "mine").expect("scratch is writable");
    expect_not_run(&python, folder.path(), &["-o", "there.proftrace"], "there.proftrace");
    let kept = std::fs::read(folder.path().join("there.proftrace")).expect("it is still there");
    assert_eq!(kept, b"mine");
}

#[test]
fn force_replaces_a_trace_of_ours_and_nothing_else() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    let photo = folder.path().join("photo.jpg");
    std::fs::write(&photo, jpeg()).expect("scratch is writable");
    expect_not_run(&python, folder.path(), &["--force", "-o", "photo.jpg"], "photo.jpg");
    assert_eq!(std::fs::read(&photo).expect("it is still there"), jpeg());

    let recording = recorded(&python);
    let trace = recording.trace();
    let words: Vec<&OsStr> = ["run", "--quiet", "--force", "-o"].iter().map(OsStr::new).collect();
    let words: Vec<&OsStr> = words
        .into_iter()
        .chain([trace.as_os_str(), "--".as_ref(), python.path().as_os_str()])
        .chain(["-c", "pass"].iter().map(OsStr::new))
        .collect();
    let output = call(folder.path(), &words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(recording.read().json["program"].to_string().contains("pass"));
}

#[test]
fn rates_that_make_no_sense() {
    let Some(python) = Python::any() else { return };
    let folder = scratch();
    for rate in ["0", "1e9", "-5", "nan", "fast", ""] {
        expect_not_run(&python, folder.path(), &[&format!("--rate={rate}")], "rate");
    }
}

#[test]
fn unknown_option() {
    let Some(python) = Python::any() else { return };
    expect_not_run(&python, scratch().path(), &["--no-such-option"], "--no-such-option");
}

fn recorded(python: &Python) -> Recording {
    let recording = Recording::of(python, &program("python_loop.py"), &["0.5"]);
    let ended = recording.run();
    assert!(ended.status().success(), "{}", ended.stderr());
    recording
}

/// Every command that reads a trace, on a file that is none.
#[track_caller]
fn expect_unreadable(bytes: &[u8]) {
    let folder = scratch();
    let path = folder.path().join("input.proftrace");
    std::fs::write(&path, bytes).expect("scratch is writable");
    let file = path.as_os_str();
    let readings: [&[&OsStr]; 5] = [
        &["report".as_ref(), file],
        &["info".as_ref(), file],
        &["check".as_ref(), file],
        &["convert".as_ref(), file, "--to".as_ref(), "json".as_ref()],
        &["recover".as_ref(), file, "-o".as_ref(), "out.proftrace".as_ref()],
    ];
    for words in readings {
        expect_refusal(folder.path(), words, 1, "input.proftrace");
    }
    assert_eq!(std::fs::read(&path).expect("it is still there"), bytes, "the input is untouched");
}

#[test]
fn empty_trace() {
    expect_unreadable(b"");
}

#[test]
fn jpeg_as_trace() {
    expect_unreadable(&jpeg());
}

#[test]
fn missing_trace() {
    let folder = scratch();
    let words: [&OsStr; 2] = ["report".as_ref(), "nowhere.proftrace".as_ref()];
    expect_refusal(folder.path(), &words, 1, "nowhere.proftrace");
}

#[test]
fn directory_as_trace() {
    let folder = scratch();
    let words: [&OsStr; 2] = ["report".as_ref(), "/usr".as_ref()];
    expect_refusal(folder.path(), &words, 1, "/usr");
}

#[test]
fn cut_trace_keeps_what_is_before_the_cut() {
    let Some(python) = Python::any() else { return };
    let recording = recorded(&python);
    let bytes = std::fs::read(recording.trace()).expect("the trace can be read");
    let whole = recording.read().cpu().sum();
    let folder = scratch();
    let cut = folder.path().join("cut.proftrace");
    std::fs::write(&cut, &bytes[..bytes.len() - 20]).expect("scratch is writable");

    let check = call(folder.path(), &["check".as_ref(), cut.as_os_str()]);
    assert_eq!(check.status.code(), Some(1), "{}", String::from_utf8_lossy(&check.stderr));
    let report = call(folder.path(), &["report".as_ref(), cut.as_os_str()]);
    assert_eq!(report.status.code(), Some(0), "what is readable is reported");
    one_line(&report);
    let report = String::from_utf8(report.stdout).expect("UTF-8");
    assert!(report.contains("python_loop.py"), "{report}");

    let words = ["recover".as_ref(), cut.as_os_str(), "-o".as_ref(), "mended.proftrace".as_ref()];
    let recover = call(folder.path(), &words);
    assert!(recover.status.success(), "{}", String::from_utf8_lossy(&recover.stderr));
    let mended = folder.path().join("mended.proftrace");
    let check = call(folder.path(), &["check".as_ref(), mended.as_os_str()]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let kept = crate::prof::Profile::of_trace(&mended).cpu().sum();
    assert!(kept >= 0.9 * whole, "only the end was cut: {kept:.3} of {whole:.3} s");
}

#[test]
fn trace_cut_anywhere_is_never_a_panic() {
    let Some(python) = Python::any() else { return };
    let recording = recorded(&python);
    let bytes = std::fs::read(recording.trace()).expect("the trace can be read");
    let folder = scratch();
    let cut = folder.path().join("cut.proftrace");
    for part in 1..24 {
        std::fs::write(&cut, &bytes[..bytes.len() * part / 24]).expect("scratch is writable");
        let report = call(folder.path(), &["report".as_ref(), cut.as_os_str()]);
        let said = String::from_utf8_lossy(&report.stderr);
        assert!(matches!(report.status.code(), Some(0 | 1)), "{}: {said}", report.status);
        assert_eq!(said.lines().count(), 1, "one line at {part}/24:\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
