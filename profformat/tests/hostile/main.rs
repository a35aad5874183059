//! Files from strangers who mean harm: a value or an error in time that follows their length, in little memory,
//! and never a panic.
#![cfg(all(feature = "zstd", feature = "export"))]

mod corpus;
#[path = "../example/mod.rs"]
mod example;
mod forge;
mod splice;
mod trial;

use std::panic::catch_unwind;
use std::process::Command;
use std::time::Duration;

use corpus::{Case, Weight, corpus};

/// Tries the files that are wanted. One that does harm does not hide the next.
fn run(wanted: impl Fn(&Case) -> bool) {
    let (mut count, mut harmful) = (0, Vec::new());
    for case in corpus().into_iter().filter(wanted) {
        let bytes = case.bytes();
        count += 1;
        match catch_unwind(|| trial::run(&case.name, &bytes)) {
            Ok((step, took)) if took > Duration::from_secs(1) => {
                println!("{:?} ({} bytes): {step} {took:?}", case.name, bytes.len());
            }
            Ok(_) => {}
            Err(_) => harmful.push(case.name),
        }
    }
    assert!(harmful.is_empty() && count > 0, "{} of {count}: {harmful:#?}", harmful.len());
}

#[test]
fn small_files_do_no_harm() {
    run(|case| case.weight == Weight::Small);
}

/// Half a gigabyte is all the memory that a reader of any file gets, libraries, stacks and the file with it.
const KIBIBYTES: u32 = 512 << 10;

/// Runs a test of this file in a child of its own with bounded memory.
fn in_half_a_gigabyte(test: &str, name: &str) {
    let exe = std::env::current_exe().unwrap();
    let status = Command::new("sh")
        .args(["-c", &format!("ulimit -v {KIBIBYTES} && exec \"$0\" \"$@\"")])
        .arg(exe)
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env("HOSTILE_FILE", name)
        // An arena for each thread would reserve 64 MiB each.
        .env("MALLOC_ARENA_MAX", "1")
        // What one step frees is there for the next one: glibc would keep more and more of it in its heap.
        .env("MALLOC_MMAP_THRESHOLD_", "131072")
        .status()
        .unwrap();
    assert!(status.success(), "{name:?} under {KIBIBYTES} KiB: {status}");
}

#[test]
fn every_file_is_survived_in_half_a_gigabyte() {
    in_half_a_gigabyte("child_takes_small_and_large_files", "");
}

#[test]
#[ignore = "in the child of every_file_is_survived_in_half_a_gigabyte"]
fn child_takes_small_and_large_files() {
    run(|case| case.weight != Weight::Greedy);
}

/// Every second greedy file, so that two processors have work.
fn greedy_files(first: usize) {
    let files = corpus().into_iter().filter(|case| case.weight == Weight::Greedy);
    for case in files.skip(first).step_by(2) {
        in_half_a_gigabyte("child_takes_one_file", &case.name);
    }
}

#[test]
fn greedy_files_are_survived_in_half_a_gigabyte() {
    greedy_files(0);
}

#[test]
fn other_greedy_files_are_survived_in_half_a_gigabyte() {
    greedy_files(1);
}

#[test]
#[ignore = "in a child, or by hand with the name of a file in HOSTILE_FILE"]
fn child_takes_one_file() {
    let name = std::env::var("HOSTILE_FILE").unwrap_or_default();
    run(|case| case.name == name);
}

/// Writes the small files where a fuzzer finds them.
#[test]
#[ignore = "for fuzz/seeds.sh, with a folder in HOSTILE_OUT"]
fn write_seeds() {
    let Some(folder) = std::env::var_os("HOSTILE_OUT").map(std::path::PathBuf::from) else {
        return;
    };
    for (number, case) in corpus().into_iter().enumerate() {
        let bytes = if case.weight == Weight::Small { case.bytes() } else { continue };
        if bytes.len() <= 8_192 {
            std::fs::write(folder.join(format!("hostile-{number}")), bytes).unwrap();
        }
    }
}
