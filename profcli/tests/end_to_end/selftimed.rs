//! The programs of `tests/truth` tell about themselves what `cargo run -p benches --bin truth` compares. How exact the
//! profiler is, is measured there and not here: that takes minutes, and a quiet machine.

use std::path::Path;

use serde_json::Value;

use crate::prof::{Profile, Python, Recording, crate_folder, line_of};

/// One of each kind: turns in the main thread, garbage, threads, waits, processes.
const PROGRAMS: [(&str, &[&str]); 5] = [
    ("loop.py", &["0.2"]),
    ("gc_cycles.py", &["0.2"]),
    ("gil_fight.py", &["0.3", "2"]),
    ("sleep.py", &["0.5"]),
    ("process_pool.py", &["0.4"]),
];

#[test]
fn programs_measure_themselves() {
    let Some(python) = Python::any() else { return };
    for (file, arguments) in PROGRAMS {
        let path = crate_folder().join("tests/truth").join(file);
        let (ended, profile) = Recording::of(&python, &path, arguments).profile();
        let said = ended.stdout();
        let said: Value = serde_json::from_str(said.lines().last().expect("a last line"))
            .unwrap_or_else(|error| panic!("{file}: {error}: {said}"));
        let threads = said["threads"].as_array().expect("threads");
        assert!(!threads.is_empty(), "{file}: no thread");
        threads.iter().for_each(|thread| check(&path, thread, &profile));
    }
}

#[track_caller]
fn check(path: &Path, thread: &Value, profile: &Profile) {
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{thread}"));
    let sums = |key: &str| thread[key].as_object().unwrap_or_else(|| panic!("{key}: {thread}"));
    for key in ["name", "root"] {
        assert!(thread[key].as_str().is_some_and(|name| !name.is_empty()), "{key}: {thread}");
    }
    let (cpu, wall) = (number(&thread["root_cpu_s"]), number(&thread["root_wall_s"]));
    assert!(0.0 < cpu && cpu <= number(&thread["cpu_s"]), "{thread}");
    // What a program books to a class it has spent.
    let on_cpu = |class: &str| !matches!(class, "gil" | "wait" | "off");
    let classes = sums("classes").iter();
    let booked: f64 = classes.filter(|(class, _)| on_cpu(class)).map(|(_, s)| number(s)).sum();
    assert!(booked <= 1.001 * cpu, "{booked} of {cpu}: {thread}");
    for (tag, seconds) in sums("lines").iter().chain(sums("waits")) {
        line_of(path, tag);
        assert!((0.0..=wall + cpu).contains(&number(seconds)), "{tag}: {thread}");
    }
    assert!(sums("functions").values().all(|seconds| number(seconds) <= 1.001 * cpu), "{thread}");
    let tid = thread["tid"].as_u64().expect("an id");
    assert!(profile.thread(tid).is_some(), "not in the profile: {thread}");
}
