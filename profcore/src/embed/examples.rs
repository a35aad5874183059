//! Snapshots made by hand, for tests of what is written of them.

use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::samples::{Kept, Named};
use super::{Module, Snapshot, What};
use crate::cpython::interpreters::skip;

/// Two of one name, two that cannot be told apart, and one of which nothing is known.
static THREADS: LazyLock<[Named; 5]> = LazyLock::new(|| {
    let all = [(71, "worker"), (72, "worker"), (7, "a"), (7, "a"), (0, "")];
    all.map(|(tid, name)| Arc::new((tid, name.to_owned())))
});

pub(super) fn sample(time_ns: u64, thread: usize, what: What, stack: &[u64]) -> Kept {
    Kept { time_ns, what, thread: THREADS[thread].clone(), stack: Arc::from(stack), labels: None }
}

pub(super) fn cpu(ns: u64) -> What {
    What::Cpu { ns }
}

pub(super) fn alloc(bytes: u64, size: u64) -> What {
    What::Alloc { bytes, size }
}

pub(super) fn module(start: u64, end: u64, offset: u64, path: &str, build_id: &str) -> Module {
    let [path, build_id] = [path, build_id].map(str::to_owned);
    Module { start, end, offset, path, build_id }
}

/// Two threads of one name, three modules, the last of them in no stack; a block that is older than the snapshot, one
/// that is freed within it, and one that is not.
pub(super) fn snapshot() -> Snapshot {
    const LIB: u64 = 0x7f00_0000_0000;
    Snapshot {
        from_ns: 0,
        began: Duration::from_secs(1_700_000_000),
        length: Duration::from_millis(2_500),
        cpu_interval_ns: 10_000_000,
        alloc_interval: 524_288,
        samples: vec![
            sample(10, 0, cpu(9_000_000), &[0x40_1000, 0x40_2000, LIB + 0x500]),
            sample(20, 0, cpu(11_000_000), &[0x40_1000, 0x40_2000, LIB + 0x500]),
            sample(30, 1, cpu(5_000_000), &[0x40_1000, 0x40_2000, LIB + 0x500]),
            sample(40, 1, alloc(1_048_576, 400_000), &[LIB + 0x10, 0x40_2000]),
            sample(50, 1, alloc(1_048_576, 400_000), &[LIB + 0x10, 0x40_2000]),
            sample(60, 1, cpu(1_000_000), &[]),
            sample(70, 0, alloc(600_000, 600_000), &[LIB + 0x10]),
        ]
        .into(),
        live: vec![
            sample(0, 0, alloc(524_288, 64), &[LIB + 0x20, 0x40_3000]),
            sample(50, 1, alloc(1_048_576, 400_000), &[LIB + 0x10, 0x40_2000]),
        ],
        modules: vec![
            module(0x40_0000, 0x41_0000, 0x1000, "/nowhere/app", "00ff"),
            module(LIB, LIB + 0x1000, 0, "/nowhere/lib.so", ""),
            module(LIB + 0x2000, LIB + 0x3000, 0, "[vdso]", ""),
        ]
        .into(),
        cpu_ns: 30_000_000,
        own_cpu_ns: 1_000_000,
    }
}

/// Nothing in it is as it should be.
pub(super) fn hostile() -> Snapshot {
    let long = "a\0\u{1b}\u{7f}é".repeat(150_000);
    let [low, high] = [0, u64::MAX];
    let deep: Vec<u64> = (0..10_000).map(|i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let threads = [(u32::MAX, long.clone()), (0, String::new())].map(Arc::new);
    let mut samples = Vec::new();
    for what in [cpu(0), cpu(7), cpu(u64::MAX), alloc(0, 0), alloc(u64::MAX, 0), alloc(1, u64::MAX)]
    {
        for stack in [&[][..], &[low], &[high], &[low, low, high, high, 1], &deep] {
            samples.extend(
                threads.each_ref().map(|thread| Kept {
                    thread: thread.clone(),
                    ..sample(u64::MAX, 0, what, stack)
                }),
            );
        }
    }
    Snapshot {
        from_ns: 1,
        began: Duration::MAX,
        length: Duration::MAX,
        cpu_interval_ns: u64::MAX,
        alloc_interval: u64::MAX,
        live: samples.clone(),
        samples: samples.into(),
        modules: vec![
            module(high, low, high, &long, &long),
            module(low, high, high, &format!("/{long}"), "\0"),
            module(low, 0, low, "", ""),
            module(low, high, low, "/proc/self/mem", ""),
            module(5, 9, high, "[vdso]", ""),
        ]
        .into(),
        cpu_ns: u64::MAX,
        own_cpu_ns: 1,
    }
}

/// What `go tool pprof -raw` prints of a profile; `None`, said aloud, where there is no Go.
pub(super) fn go_raw(profile: &[u8], options: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.pb");
    std::fs::write(&file, profile).unwrap();
    let mut tool = Command::new("go");
    tool.args(["tool", "pprof"]).args(options).arg(&file);
    tool.env("PPROF_TMPDIR", folder.path()).current_dir(folder.path());
    let output = tool.output();
    let Some(output) = output.ok().filter(|o| !contains(&o.stderr, "no such tool")) else {
        skip("no go tool pprof to read a profile with");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}
