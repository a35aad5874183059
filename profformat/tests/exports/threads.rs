//! speedscope's file: which threads have a profile of their own.

use profformat::export::{Format, Metric};
use profformat::ids::{ProcessId, ThreadId};
use profformat::record::{Class, Record, Thread};
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
