//! Python's allocators as the user chose them: what is Python's stays so.

use crate::prof::{Profile, Python, Recording, program, some_python};

some_python!(
    small_objects_are_pythons_whichever_allocator_they_have,
    development_mode_changes_nothing
);

#[track_caller]
fn expect_python(what: &str, recording: &Recording) {
    let path = program("small_objects.py");
    let (ended, profile) = recording.profile();
    let truth = ended.truth();
    for tag in ["SMALL", "LARGE"] {
        let bytes = truth[tag].as_f64().expect("bytes");
        let line = profile.tagged(&path, tag);
        let error = (line.alloc - bytes).abs() / bytes;
        assert!(error < 0.05, "{what}: {tag} has {} of {bytes} bytes", line.alloc);
        let python = python_bytes(&profile, line.line);
        let part = python / line.alloc;
        assert!(part > 0.98, "{what}: {tag} has {python} bytes through Python of {}", line.alloc);
    }
}

/// Bytes of a line of the program that came through Python's allocators.
fn python_bytes(profile: &Profile, line: u64) -> f64 {
    let files = profile.json["files"].as_array().expect("files");
    let ours = files.iter().filter(|file| {
        file["path"].as_str().is_some_and(|path| path.ends_with("small_objects.py"))
    });
    let lines = ours.flat_map(|file| file["lines"].as_array().expect("lines"));
    let bytes = lines.filter(|of| of["line"] == line);
    bytes.map(|of| of["alloc_python_bytes"].as_f64().expect("bytes")).sum()
}

fn small_objects_are_pythons_whichever_allocator_they_have(python: &Python) {
    for name in ["malloc", "malloc_debug", "pymalloc", "debug"] {
        let recording = Recording::of(python, &program("small_objects.py"), &[]);
        expect_python(name, &recording.variable("PYTHONMALLOC", name));
    }
}

fn development_mode_changes_nothing(python: &Python) {
    let path = program("small_objects.py");
    let words = [python.path().as_os_str(), "-X".as_ref(), "dev".as_ref(), path.as_os_str()];
    expect_python("-X dev", &Recording::of_command(words));
}
