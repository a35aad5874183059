//! Processes: however one is started, its samples are its own, and whatever ends it, they are complete.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::prof::{Profile, Python, Recording, call, program, tracks};

/// What a process said of itself at its end.
#[derive(Debug)]
struct Told {
    way: String,
    pid: u64,
    parent: u64,
    cpu_s: f64,
}

/// The last word of each process, and of each image in the process that has two.
fn told(recording: &Recording) -> Vec<Told> {
    let path = recording.folder().join("truth.jsonl");
    let text = std::fs::read_to_string(path).expect("the program has written it");
    let mut last = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let number = |name: &str| line[name].as_u64().expect("a number");
        let way = line["way"].as_str().expect("a name").to_owned();
        let (pid, parent) = (number("pid"), number("parent"));
        let cpu_s = line["cpu_s"].as_f64().expect("seconds");
        last.insert((pid, way.clone()), Told { way, pid, parent, cpu_s });
    }
    let exec =
        last.values().find(|told| told.way == "before_exec").map(|told| (told.pid, told.cpu_s));
    let (pid, before) = exec.expect("one of them is another program later");
    let mut all: Vec<Told> = last.into_values().collect();
    for told in all.iter_mut().filter(|told| told.pid == pid && told.way == "after_exec") {
        // The clock goes on.
        told.cpu_s -= before;
    }
    all
}

/// Positions of the images of a process that were profiled, in order.
fn images(profile: &Profile, pid: u64) -> Vec<usize> {
    let processes = profile.json["processes"].as_array().expect("processes");
    let threads = profile.json["threads"].as_array().expect("threads");
    let has_threads = |at: usize| threads.iter().any(|thread| thread["process"] == at);
    let of_pid = processes.iter().enumerate().filter(|(_, process)| process["pid"] == pid);
    of_pid.map(|(at, _)| at).filter(|&at| has_threads(at)).collect()
}

fn cpu(profile: &Profile, process: usize) -> f64 {
    let threads = profile.json["threads"].as_array().expect("threads");
    let those = threads.iter().filter(|thread| thread["process"] == process);
    those.map(|thread| thread["cpu_s"].as_f64().expect("seconds")).sum()
}

/// The pid of the process that started this one: an image before it in the same process did not.
fn parent(profile: &Profile, mut process: usize) -> Option<u64> {
    let processes = profile.json["processes"].as_array().expect("processes");
    let own = &processes[process]["pid"];
    loop {
        process = processes[process]["parent"].as_u64()? as usize;
        if processes[process]["pid"] != *own {
            return processes[process]["pid"].as_u64();
        }
    }
}

fn every_process_has_its_own(python: &Python) {
    let path = program("processes.py");
    let recording = Recording::of(python, &path, &["0.8"]);
    let (_, profile) = recording.profile();
    profile.assert_books_balance();
    let all = told(&recording);
    let ways = [
        ("fork", 1),
        ("mp_fork", 2),
        ("mp_spawn", 2),
        ("mp_forkserver", 2),
        ("pool", 2),
        ("subprocess", 1),
        ("shell", 1),
        ("before_exec", 1),
        ("after_exec", 1),
        ("served", 2),
        ("killed", 1),
        ("main", 1),
    ];
    for (way, expected) in ways {
        assert_eq!(all.iter().filter(|told| told.way == way).count(), expected, "{way}: {all:?}");
    }
    let tracks = tracks(&recording);
    let main = all.iter().find(|told| told.way == "main").expect("told").pid;
    for told in &all {
        let Told { way, pid, cpu_s, .. } = told;
        let images = images(&profile, *pid);
        let image = match (way.as_str(), images.as_slice()) {
            ("before_exec", &[first, _]) | ("after_exec", &[_, first]) => first,
            (_, &[only]) => only,
            // Where a program is started by fork and exec, the fork is seen.
            ("subprocess" | "mp_spawn", &[fork, own]) if cpu(&profile, fork) < 0.05 => own,
            _ => panic!("{told:?}: {images:?} of {}", profile.json["processes"]),
        };
        // What a new image does before the shim is in it; and the first process takes its interpreter down after its
        // last word.
        let seen = cpu(&profile, image);
        let after = if *pid == main { 0.2 } else { 0.0 };
        let bound = 0.03 * cpu_s + 0.03;
        assert!((cpu_s - bound..=cpu_s + bound + after).contains(&seen), "{told:?}: {seen:.3} s");
        if *pid != main {
            assert_eq!(parent(&profile, image), Some(told.parent), "{told:?}");
        }
        let process = &profile.json["processes"][image];
        let version = process["python"].as_str().expect("a version");
        assert!(version.starts_with(&python.version), "{told:?}: {process}");

        let work = format!("work_{way}");
        let thread = format!(" {pid}");
        let mine = tracks.iter().filter(|track| track.name.ends_with(&thread));
        let mine: Vec<_> = mine.filter(|track| way == "main" || track.share(&work) > 0.0).collect();
        let [track] = mine.as_slice() else { panic!("{told:?} has {} threads", mine.len()) };
        assert!(track.name.contains(&format!(" {pid} / ")), "{}", track.name);
        let strangers: Vec<_> = track.stacks.iter().flat_map(|(functions, _)| functions).collect();
        let strangers =
            strangers.iter().filter(|name| name.starts_with("work_") && ***name != work);
        assert_eq!(strangers.collect::<Vec<_>>(), Vec::<&&String>::new(), "{told:?}");
        if way != "main" {
            let share = track.share(&work);
            assert!(share > 0.8, "{told:?}: {share:.3} of its time is in {work}");
        }
    }
    let commands = |pid: u64| {
        let process = &profile.json["processes"][*images(&profile, pid).last().expect("an image")];
        process["command"].to_string()
    };
    for (way, word) in [
        ("subprocess", "work_subprocess"),
        ("after_exec", "work_after_exec"),
        ("shell", "work_shell"),
    ] {
        let pid = all.iter().find(|told| told.way == way).expect("told").pid;
        assert!(commands(pid).contains(word), "{way}: {}", commands(pid));
    }
    let trace = recording.trace();
    let trace = trace.to_str().expect("UTF-8");
    let words = ["report", "--processes", "--threads", "--width", "200", trace];
    let output = call(&recording.folder(), &words);
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    for told in &all {
        // A process by its number and command, a thread by its number in it.
        let process = format!(" {} ", told.pid);
        let thread = format!(" {0} in {0} ", told.pid);
        let has = |part: &str| report.lines().any(|line| line.contains(part));
        assert!(has(&process) && has(&thread), "{told:?}:\n{report}");
    }
}

#[test]
fn every_process_has_its_own_3_9() {
    if let Some(python) = Python::of_version("3.9") {
        every_process_has_its_own(&python);
    }
}

#[test]
fn every_process_has_its_own_3_12() {
    if let Some(python) = Python::of_version("3.12") {
        every_process_has_its_own(&python);
    }
}

#[test]
fn every_process_has_its_own_3_14() {
    if let Some(python) = Python::of_sid("3.14") {
        every_process_has_its_own(&python);
    }
}

#[test]
fn without_children_there_is_one_process() {
    let Some(python) = Python::any() else { return };
    let recording =
        Recording::of(&python, &program("processes.py"), &["0.1"]).option(&["--no-children"]);
    let (_, profile) = recording.profile();
    let all = told(&recording);
    let main = all.iter().find(|told| told.way == "main").expect("told").pid;
    let processes = profile.json["processes"].as_array().expect("processes");
    let threads = profile.json["threads"].as_array().expect("threads");
    assert!(!threads.is_empty());
    for thread in threads {
        let process = thread["process"].as_u64().expect("a process") as usize;
        assert_eq!(processes[process]["pid"], main, "{thread}");
    }
    let others = profile.entries().into_iter().filter(|line| line.function.starts_with("work_"));
    assert_eq!(others.count(), 0);
    // Each has its clock: they did run.
    assert!(all.len() > 10 && all.iter().all(|told| told.cpu_s > 0.03), "{all:?}");
}

/// A forked child waits at a line as any other process does: it knows of the interpreter what its parent knew.
#[test]
fn a_forked_child_waits_at_its_line() {
    let Some(python) = Python::any() else { return };
    let path = program("asleep.py");
    let (_, profile) = Recording::of(&python, &path, &["1.5"]).profile_alone();
    let (gil, wait) = profile.tagged_waits(&path, "ASLEEP");
    assert!((wait - 1.5).abs() < 0.3 && gil < 0.05, "{wait:.3} s, and {gil:.3} s for the GIL");
}
