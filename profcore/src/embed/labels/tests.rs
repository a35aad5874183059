//! Scopes, keys and texts; what they have in common with the other tests.

mod futures;
mod oracle;
mod telling;

use super::*;
use crate::embed::examples::sample;
use crate::embed::samples::Kept;
use crate::embed::snapshot::{Snapshot, What};
use crate::harness::alone;
use crate::region;
use std::sync::Arc;

// The registry is the process's, so all tests take these.
pub(super) static JOB: Key = Key::new("job");
pub(super) static SHARD: Key = Key::new("shard");
pub(super) static TENANT: TextKey = TextKey::new("tenant");

/// The calling thread's labels, by name.
pub(super) fn now() -> Vec<(&'static str, Value)> {
    let mut labels: Vec<_> = LabelContext::capture().labels().collect();
    labels.sort();
    labels
}

fn job(value: u64) -> (&'static str, Value) {
    ("job", Value::Number(value))
}

fn within(name: &'static str) -> (&'static str, Value) {
    ("region", Value::Text(name))
}

#[test]
fn scopes_nest_and_restore_on_each_thread() {
    let _outside = region!("outside");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                assert_eq!(now(), [], "labels of another thread");
                for round in 0..100 {
                    let _outer = region!("outer");
                    let _job = JOB.set(thread);
                    {
                        let _inner = region("inner");
                        let _job = JOB.set(round);
                        assert_eq!(now(), [job(round), within("inner")]);
                        std::thread::yield_now();
                        assert_eq!(now(), [job(round), within("inner")]);
                    }
                    assert_eq!(now(), [job(thread), within("outer")]);
                }
                assert_eq!(now(), []);
            });
        }
    });
    assert_eq!(now(), [within("outside")]);
}

#[test]
fn a_panic_restores() {
    let _job = JOB.set(1);
    let caught = std::panic::catch_unwind(|| {
        let _labels = LabelContext::default().attach();
        let _region = region!("panics");
        let _job = JOB.set(2);
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(caught.is_err());
    assert_eq!(now(), [job(1)]);
}

#[test]
fn guards_out_of_order_restore_what_each_found() {
    let (one, region) = (JOB.set(1), region!("one"));
    let two = JOB.set(2);
    drop(one);
    assert_eq!(now(), [within("one")], "before the first there was none");
    drop(two);
    assert_eq!(now(), [job(1), within("one")], "the second found the first");
    let (attached, three) = (LabelContext::default().attach(), JOB.set(3));
    drop(region);
    assert_eq!(now(), [job(3)]);
    drop(attached);
    assert_eq!(now(), [job(1), within("one")]);
    drop(three);
    assert_eq!(now(), [within("one")]);
    drop(LabelContext::default().attach());
    std::mem::forget(LabelContext::default().attach());
    assert_eq!(now(), []);
}

#[test]
fn numbers_come_back_and_zero_is_one_of_them() {
    for value in [0, 1, u64::MAX - 2, u64::MAX] {
        let _job = JOB.set(value);
        assert_eq!(now(), [job(value)]);
    }
    let _job = JOB.set(u64::MAX - 1);
    assert_eq!(now(), [job(u64::MAX)], "as documented");
}

#[test]
fn the_same_name_is_the_same_key() {
    static AGAIN: Key = Key::new("job");
    static TEXT: TextKey = TextKey::new("job");
    static REGION: TextKey = TextKey::new("region");
    let _first = JOB.set(1);
    let _second = AGAIN.set(2);
    assert_eq!(now(), [job(2)]);
    // Their words mean other things.
    let text = TEXT.set(&Text::new("night"));
    assert_eq!(now(), [job(2), ("job", Value::Text("night"))]);
    drop(text);
    let _region = REGION.set(&Text::new(&format!("made {}", 1)));
    assert_eq!(now(), [job(2), within("made 1")]);
}

#[test]
fn keys_after_the_seventh_are_counted_and_ignored() {
    alone(|| {
        static KEYS: [Key; 9] = [
            Key::new("0"),
            Key::new("1"),
            Key::new("2"),
            Key::new("3"),
            Key::new("4"),
            Key::new("5"),
            Key::new("6"),
            Key::new("7"),
            Key::new("8"),
        ];
        // All at once, on two threads: none gets two numbers.
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| KEYS.iter().for_each(|key| drop(key.set(1))));
            }
        });
        assert_eq!(refused(), 2);
        let guards: Vec<_> = KEYS.iter().map(|key| key.set(4)).collect();
        assert_eq!(now().len(), 7, "{:?}", now());
        drop(TENANT.set(&Text::new("late")));
        assert_eq!(refused(), 3);
        assert_eq!(now().len(), 7);
        let _region = region!("there is always room for a region");
        assert_eq!(now().len(), 8);
        drop(guards);
        assert_eq!(now().len(), 1);
        assert_eq!(refused(), 3);
    });
}

#[test]
fn texts_that_find_the_table_full_are_other() {
    alone(|| {
        let first = Text::new("first");
        assert_eq!(first, Text::new(&String::from("first")));
        for number in 1..texts::MOST {
            assert_ne!(Text::new(&number.to_string()).as_str(), "[other]");
        }
        assert_eq!(other_texts(), 0);
        let late = Text::new("late");
        assert_eq!(late.as_str(), "[other]");
        assert_eq!(late, Text::new("later"));
        assert_eq!(other_texts(), 2);
        assert_eq!(Text::new("77").as_str(), "77");
        assert_eq!((first, first.as_str()), (Text::new("first"), "first"));
        let _region = region!("a new one");
        assert_eq!(now(), [within("[other]")]);
    });
}

#[test]
fn texts_are_bounded_by_their_bytes_too() {
    alone(|| {
        let long = "x".repeat(10 << 20);
        assert_eq!(Text::new(&long).as_str(), long);
        assert_eq!(Text::new(&long[1..]).as_str(), "[other]");
        assert_eq!(Text::new("short").as_str(), "short");
    });
}

#[test]
fn names_that_begin_at_the_same_place_are_told_apart() {
    static NAMES: &str = "parse again";
    for end in [5, 11, 5, 0] {
        let _region = region(&NAMES[..end]);
        assert_eq!(now(), [within(&NAMES[..end])]);
    }
}

#[test]
fn words_that_nobody_set_say_nothing() {
    assert_eq!(resolve(0, 0), None);
    assert_eq!(resolve(8, 1), None);
    assert_eq!(resolve(usize::MAX, u64::MAX), None);
    assert_eq!(resolve(0, u64::MAX), None);
    assert_eq!(resolve(0, 1 + texts::MOST as u64), None);
}

#[test]
fn a_sample_says_its_labels() {
    let _job = JOB.set(3);
    let _region = region!("sampled");
    let words = LabelContext::capture().words;
    let labelled = |labels| Kept { labels, ..sample(0, 0, What::Cpu { ns: 1 }, &[]) };
    let samples = vec![labelled(Some(Arc::new(words))), labelled(None)];
    let snapshot = Snapshot { samples: samples.into(), ..Snapshot::default() };
    let labels: Vec<Vec<_>> = snapshot.samples().map(|sample| sample.labels().collect()).collect();
    assert_eq!(labels, [vec![within("sampled"), job(3)], vec![]]);
}
