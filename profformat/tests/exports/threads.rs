//! speedscope's file: which threads have a profile of their own, and which stacks are told apart.

use profformat::export::{Format, Metric, speedscope};
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::{Class, Lang, Record, Thread};
use profformat::units::Timestamp;
use serde_json::Value;

use crate::run::{Run, THREADS};
use crate::totals::json;

/// Names and weights of the profiles.
fn profiles(run: &Run) -> Vec<(String, u64)> {
    let file = json(&run.profile(), Format::Speedscope, Metric::Cpu);
    let of = |profile: &Value| {
        let weights = profile["weights"].as_array().unwrap().iter();
        let sum = weights.map(|weight| weight.as_u64().unwrap()).sum();
        (profile["name"].as_str().unwrap().to_owned(), sum)
    };
    file["profiles"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn all_threads_come_first_and_then_the_heaviest() {
    let mut run = Run::new();
    run.sample(0, 3, Class::Python, 5);
    run.sample(1, 3, Class::Native, 20);
    run.sample(1, 4, Class::Native, 30);
    run.sample(2, 3, Class::Python, 40);
    run.sample(2, 3, Class::Wait, 1_000);
    let expected = [
        ("all 3 threads", 95),
        ("python3 4000 / thread 5001", 50),
        ("python3 4001 / Main;\\x0aThread 5002", 40),
        ("python3 4000 / Main;\\x0aThread 5000", 5),
    ];
    assert_eq!(profiles(&run), expected.map(|(name, weight)| (name.to_owned(), weight)));
}

#[test]
fn a_thread_alone_is_the_whole() {
    let mut run = Run::new();
    assert_eq!(profiles(&run), [("nothing was sampled".to_owned(), 0)]);
    run.sample(1, 3, Class::Python, 7);
    assert_eq!(profiles(&run), [("python3 4000 / thread 5001".to_owned(), 7)]);
}

/// A file with a profile for each of thousands of threads is of no use to anybody.
#[test]
fn threads_beyond_the_hundred_heaviest_share_a_profile() {
    let mut run = Run::new();
    let first = 1_000_000;
    for id in THREADS..THREADS + 3_000 {
        run.records.push(Record::Thread(Thread {
            id: ThreadId::new(id),
            process: ProcessId::new(1),
            tid: 5000 + id,
            time: Timestamp::ZERO,
            name: b"worker".to_vec(),
        }));
        for stack in [3, 4] {
            run.sample(id, stack, Class::Python, u64::from(first - id));
        }
    }
    let found = profiles(&run);
    let weight = |id: u32| 2 * u64::from(first - id);
    let sum = |ids: std::ops::Range<u32>| ids.map(weight).sum::<u64>();
    assert_eq!(found.len(), 102);
    assert_eq!(found[0], ("all 3000 threads".to_owned(), sum(3..3_003)));
    assert_eq!(found[1], ("python3 4001 / worker 5003".to_owned(), weight(3)));
    assert_eq!(found[100], ("python3 4001 / worker 5102".to_owned(), weight(102)));
    assert_eq!(found[101], ("other threads (2900 of 3000)".to_owned(), sum(103..3_003)));

    // What they share is one entry for each stack, too.
    let file = json(&run.profile(), Format::Speedscope, Metric::Cpu);
    assert_eq!(file["profiles"][0]["samples"].as_array().unwrap().len(), 2);
    assert_eq!(file["profiles"][101]["samples"].as_array().unwrap().len(), 2);
}

#[test]
fn the_lightest_stacks_are_one() {
    let mut run = Run::new();
    for weight in [3u32, 50, 7, 40, 1] {
        let frame = run.frame(&format!("f{weight}"), "app.py", weight, Lang::Python);
        let stack = run.interner.stack(None, frame);
        let stack = run.keep(Some(stack));
        run.sample(1, stack, Class::Python, weight.into());
    }
    run.sample(2, 3, Class::Python, 5);
    let mut out = Vec::new();
    speedscope::write_at_most(&run.profile(), Metric::Cpu, 2, &mut out).unwrap();
    let file: Value = serde_json::from_slice(&out).unwrap();
    let names: Vec<&str> =
        file["profiles"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    let expected = [
        "all 2 threads (2 of 6 stacks, the others as [other])",
        "python3 4000 / thread 5001 (2 of 5 stacks, the others as [other])",
        "python3 4001 / Main;\\x0aThread 5002",
    ];
    assert_eq!(names, expected);
    let frames = file["shared"]["frames"].as_array().unwrap();
    let profile = |at: usize| {
        let profile = &file["profiles"][at];
        let samples = profile["samples"].as_array().unwrap().iter();
        let leaf = |sample: &Value| {
            let leaf = sample.as_array().unwrap().last().unwrap();
            frames[leaf.as_u64().unwrap() as usize]["name"].as_str().unwrap().to_owned()
        };
        let weights = profile["weights"].as_array().unwrap().iter();
        let weights = weights.map(|weight| weight.as_u64().unwrap());
        let pairs: Vec<(String, u64)> = samples.map(leaf).zip(weights).collect();
        assert_eq!(profile["endValue"], pairs.iter().map(|pair| pair.1).sum::<u64>());
        pairs
    };
    let pair = |name: &str, weight| (name.to_owned(), weight);
    assert_eq!(profile(0), [pair("f50", 50), pair("f40", 40), pair("[other]", 16)]);
    assert_eq!(profile(1), [pair("f50", 50), pair("f40", 40), pair("[other]", 11)]);
    // What is in no stack that is told apart is not listed.
    assert!(!frames.iter().any(|frame| frame["name"] == "f7"));
}

/// A file that no browser could open is of no use either.
#[test]
fn deep_stacks_are_fewer() {
    let mut run = Run::new();
    let mut base = None;
    for line in 0..4_000 {
        let frame = run.frame("deep", "app.py", line, Lang::Python);
        base = Some(run.interner.stack(base, frame));
    }
    for line in 0..2_000 {
        let frame = run.frame("leaf", "app.py", line, Lang::Python);
        let stack = run.interner.stack(base, frame);
        let stack = run.keep(Some(stack));
        run.sample(0, stack, Class::Python, u64::from(line) + 1);
    }
    let mut out = Vec::new();
    speedscope::write(&run.profile(), Metric::Cpu, &mut out).unwrap();
    assert!(out.len() < 50_000_000, "{} bytes", out.len());
    let file: Value = serde_json::from_slice(&out).unwrap();
    let profile = &file["profiles"][0];
    assert_eq!(profile["endValue"], 2_000 * 2_001 / 2);
    assert!(
        profile["name"].as_str().unwrap().contains("(1499 of 2000 stacks, "),
        "{}",
        profile["name"]
    );
}
