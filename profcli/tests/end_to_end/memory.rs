//! Memory and copies against sizes that are known.

use crate::prof::{Profile, Python, Recording, every_python, program, skip};

const MIB: f64 = 1_048_576.0;

every_python!(
    allocated_bytes_are_right,
    the_peak_is_right,
    calloc_pages_stay_untouched,
    growth_by_realloc_shows_its_peak,
    copied_bytes_are_right,
    mappings_are_a_kind_of_their_own,
);

#[track_caller]
fn expect_near(what: &str, told: f64, truth: f64, tolerance: f64) {
    let error = (told - truth) / truth;
    assert!(error.abs() <= tolerance, "{what}: {told:.0}, in truth {truth:.0} ({error:+.4})");
}

fn record(python: &Python, name: &str, arguments: &[&str]) -> (serde_json::Value, Profile) {
    let (ended, profile) = Recording::of(python, &program(name), arguments).profile();
    (ended.truth(), profile)
}

/// 100 MB on one line, as a few large blocks, as one, and as many small ones.
fn allocated_bytes_are_right(python: &Python) {
    let (truth, profile) = record(python, "bytearrays.py", &[]);
    let path = program("bytearrays.py");
    for tag in ["FREED", "ONE"] {
        let line = profile.tagged(&path, tag);
        expect_near(tag, line.alloc, truth[tag].as_f64().expect("bytes"), 0.02);
        assert!(line.live_at_end <= 2.0 * MIB, "{tag} was freed: {line:?}");
    }
    // While there is so much in so short a time, samples are far apart.
    let line = profile.tagged(&path, "KEPT");
    let kept = truth["kept"].as_f64().expect("bytes");
    expect_near("KEPT", line.alloc, kept, 0.03);
    expect_near("KEPT at the end", line.live_at_end, kept, 0.05);
}

fn the_peak_is_right(python: &Python) {
    // Without `site`: what an installation imports at start is memory too, some 6 MB in a full one.
    let path = program("peak.py");
    let words = [python.path().as_os_str(), "-I".as_ref(), "-S".as_ref(), path.as_os_str()];
    let (ended, profile) = Recording::of_command(words).profile();
    let truth = ended.truth();
    let held = truth["held"].as_f64().expect("bytes");
    expect_near("peak", profile.peak_bytes(), 512.0 * MIB, 0.01);
    let line = profile.tagged(&path, "HELD");
    expect_near("live at the peak on its line", line.live_at_peak, held, 0.01);
    assert!(line.live_at_end <= 0.01 * held, "all of it was freed: {line:?}");
    let end = profile.json["footprint"]["end_bytes"].as_f64().expect("bytes");
    assert!(end <= 32.0 * MIB, "{end} bytes at the end");
}

fn calloc_pages_stay_untouched(python: &Python) {
    let recording = Recording::of(python, &program("zero_pages.py"), &["bytes"]);
    expect_untouched(python, &recording, "BYTES");
}

#[test]
fn numpy_zeros_stay_untouched() {
    let Some(python) = Python::any() else { return };
    let Some(packages) = crate::apps::packages(&python) else { return };
    let recording = Recording::of(&python, &program("zero_pages.py"), &["numpy"]);
    expect_untouched(&python, &recording.variable("PYTHONPATH", packages), "NUMPY");
}

#[track_caller]
fn expect_untouched(python: &Python, recording: &Recording, tag: &str) {
    let bare = recording.run_bare();
    if !bare.status().success() {
        return skip(&format!("{python} cannot run this: {}", bare.stderr()));
    }
    let grown = |truth: &serde_json::Value| truth["grown"].as_f64().expect("bytes");
    let (ended, profile) = recording.profile();
    let (bare, profiled) = (grown(&bare.truth()), grown(&ended.truth()));
    assert!((profiled - bare).abs() <= 16.0 * MIB, "resident: {profiled}, bare: {bare}");
    let line = profile.tagged(&program("zero_pages.py"), tag);
    expect_near("calloc on its line", line.alloc, 480_000_000.0, 0.01);
}

fn growth_by_realloc_shows_its_peak(python: &Python) {
    let (truth, profile) = record(python, "realloc_growth.py", &[]);
    let peak = truth["peak"].as_f64().expect("bytes");
    let told = profile.peak_bytes();
    assert!(told >= 0.99 * peak && told <= peak + 16.0 * MIB, "peak: {told}, the block: {peak}");
    let line = profile.tagged(&program("realloc_growth.py"), "GROW");
    expect_near("growth on its line", line.alloc, peak, 0.02);
    expect_near("live at the peak", line.live_at_peak, peak, 0.02);
    assert!(line.live_at_end <= MIB, "it was freed: {line:?}");
}

fn copied_bytes_are_right(python: &Python) {
    let (truth, profile) = record(python, "copies.py", &[]);
    let copied = truth["COPY"].as_f64().expect("bytes");
    expect_near("copies", profile.tagged(&program("copies.py"), "COPY").copied, copied, 0.02);
    let all = profile.copy_bytes();
    assert!(all >= 0.99 * copied && all <= 1.2 * copied, "copied in all: {all}");
}

#[test]
fn what_is_switched_off_is_not_measured() {
    let Some(python) = Python::any() else { return };
    let path = program("copies.py");
    let (_, profile) = Recording::of(&python, &path, &[]).option(&["--no-copies"]).profile();
    assert_eq!(profile.tagged(&path, "COPY").copied, 0.0);
    assert!(profile.tagged(&path, "COPY").alloc > 200e6, "allocations are still measured");
    let (_, profile) = Recording::of(&python, &path, &[]).option(&["--no-memory"]).profile();
    assert_eq!(profile.tagged(&path, "COPY").alloc, 0.0);
    assert!(profile.tagged(&path, "COPY").copied > 200e6, "copies are still measured");
}

/// A child of a child: what both inherit is there once, and the peak is of all three together.
#[test]
fn what_forked_children_inherit_counts_once() {
    let Some(python) = Python::any() else { return };
    let (truth, profile) = record(&python, "forked_heap.py", &[]);
    let (held, told) = (truth["held"].as_f64().expect("bytes"), profile.peak_bytes());
    // Beyond the blocks: what Python itself holds, once.
    assert!(told >= held && told <= held + 8.0 * MIB, "peak: {told}, held: {held}");
}

#[track_caller]
fn expect_mapped(profile: &Profile, [anonymous, file, unmapped, peak, end]: [u64; 5]) {
    let wanted = serde_json::json!({
        "anonymous_bytes": anonymous,
        "file_bytes": file,
        "unmapped_bytes": unmapped,
        "peak_bytes": peak,
        "end_bytes": end,
    });
    assert_eq!(profile.json["footprint"]["mapped"], wanted);
}

fn mappings_are_a_kind_of_their_own(python: &Python) {
    let (truth, profile) = record(python, "mapped.py", &[]);
    let bytes = ["anonymous", "file", "unmapped", "peak", "end"];
    expect_mapped(&profile, bytes.map(|name| truth[name].as_u64().expect("bytes")));
    assert!(profile.peak_bytes() < 32.0 * MIB, "no part of the heap: {}", profile.peak_bytes());
    let share = profile.json["footprint"]["proportional_peak_bytes"].as_f64().expect("bytes");
    let resident = profile.json["footprint"]["resident_peak_bytes"].as_f64().expect("bytes");
    assert!(0.0 < share && share <= resident, "share: {share}, resident: {resident}");
}

/// What `mappings.c` does in 50 rounds, and then with the end of the heap, in pages.
#[test]
fn a_native_program_maps_what_it_says() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let program = crate::behaviors::programs::compile("mappings", folder.path(), &[]);
    let (_, profile) = Recording::of_command([program.to_str().expect("UTF-8")]).profile();
    let (rounds, heap) = (50 * (10 + 190 + 200), 40 + 100);
    let end = 40;
    expect_mapped(&profile, [rounds + heap, 0, rounds + heap - end, 400, end].map(|n| n * 4096));
}

/// What is dropped by the next block is churn, what is kept to the end is none of it.
#[test]
fn what_is_freed_at_once_is_churn() {
    let Some(python) = Python::any() else { return };
    let (truth, profile) = record(&python, "churning.py", &[]);
    let churn = |tag| {
        let line = profile.tagged(&program("churning.py"), tag);
        expect_near(tag, line.alloc, truth[tag].as_f64().expect("bytes"), 0.02);
        line.churn / line.alloc
    };
    assert!(churn("AT_ONCE") > 0.5, "{}", churn("AT_ONCE"));
    assert!(churn("LATER") < 0.1, "{}", churn("LATER"));
    // The list grows on that line: now and then a sample meets what it leaves behind.
    assert!(churn("KEPT") < 0.01, "{}", churn("KEPT"));
}

#[test]
fn small_native_blocks_are_counted_when_they_come_and_when_they_go() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("native_blocks");
    let compiled = std::process::Command::new("cc")
        .arg(program("native_blocks.c"))
        .arg("-o")
        .arg(&path)
        .status()
        .expect("cc starts");
    assert!(compiled.success());
    let (_, profile) = Recording::of_command([path.into_os_string()]).profile();
    // A block of glibc's has 8 usable bytes more than asked for here.
    let kept = 16_000.0 * 1008.0;
    expect_near("peak", profile.peak_bytes(), kept, 0.01);
    let end = profile.json["footprint"]["end_bytes"].as_f64().expect("bytes");
    expect_near("end", end, kept, 0.01);
}
