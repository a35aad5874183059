//! Samples, blocks that are held and clocks go in; what comes out, and what is forgotten.

use super::*;

const SECOND: u64 = 1_000_000_000;

fn kept(history: &mut History, time_ns: u64, stack: &[u64], ns: u64) -> Kept {
    let thread = Arc::new((7, "seven".to_owned()));
    Kept { time_ns, what: What::Cpu { ns }, thread, stack: history.stack(stack), labels: None }
}

fn at(time_ns: u64) -> Clocks {
    Clocks { time_ns, process_ns: time_ns / 2, own_ns: time_ns / 100 }
}

fn sum(snapshot: &Snapshot) -> u64 {
    snapshot.cpu_sampled().as_nanos() as u64
}

/// A sample of 1 ns every millisecond for so many seconds, each of ten stacks in turn.
fn filled(keep: u64, most: u64, seconds: u64) -> History {
    let mut history = History::new(keep * SECOND, most);
    for millisecond in 0..seconds * 1000 {
        let now = millisecond * SECOND / 1000;
        let sample = kept(&mut history, now, &[1, millisecond % 10, 3], 1);
        history.push(sample);
        if millisecond % 50 == 0 {
            history.settle(at(now));
        }
    }
    history.settle(at(seconds * SECOND));
    history
}

#[test]
fn the_last_seconds_are_there_and_older_ones_go() {
    let history = filled(10, u64::MAX, 30);
    for last in [0, 1, 3, 10] {
        let snapshot = history.since((30 - last) * SECOND);
        assert_eq!(sum(&snapshot), last * 1000);
        assert!(snapshot.samples.iter().is_sorted_by_key(|sample| sample.time_ns));
        assert_eq!(snapshot.cpu_ns, last * SECOND / 2);
        assert_eq!(snapshot.own_cpu_ns, last * SECOND / 100);
    }
    let all = sum(&history.since(0));
    assert!((10_000..13_000).contains(&all), "{all}");
    assert_eq!(history.forgotten, 0);
    assert_eq!(history.stacks.len(), 10, "once each");
    assert_eq!(history.passed().process_ns, 15 * SECOND);
}

#[test]
fn memory_is_bounded_and_the_newest_stays() {
    let most = 200 << 10;
    let history = filled(60, most, 30);
    assert!(history.bytes() <= most, "{}", history.bytes());
    assert!(sum(&history.since(29 * SECOND)) == 1000);
    let kept = sum(&history.since(0));
    assert_eq!(kept + history.forgotten, 30_000);
    // A flood in one second.
    let mut history = History::new(60 * SECOND, most);
    for number in 0..100_000 {
        let sample = self::kept(&mut history, number, &[number], 1);
        history.push(sample);
        if number % 100 == 0 {
            history.settle(at(number));
        }
    }
    history.settle(at(100_000));
    assert!(history.bytes() <= most, "{}", history.bytes());
    assert_eq!(sum(&history.since(0)) + history.forgotten, 100_000);
}

#[test]
fn a_snapshot_stays_as_it_is() {
    let most = 100 << 10;
    let mut history = History::new(60 * SECOND, most);
    let times = |snapshot: &Snapshot| -> Vec<u64> {
        snapshot.samples.iter().map(|kept| kept.time_ns).collect()
    };
    let mut held = Vec::new();
    for number in 0..3_000 {
        // Pairs come the wrong way round.
        let sample = kept(&mut history, number ^ 1, &[number % 7], 1);
        history.push(sample);
        history.settle(at(number));
        if number % 100 == 99 {
            let snapshot = history.since(0);
            let seen = times(&snapshot);
            assert!(seen.iter().copied().eq(history.forgotten..=number));
            held.push((snapshot, seen));
        }
    }
    assert!(history.forgotten > 0);
    assert!(held.iter().all(|(snapshot, seen)| times(snapshot) == *seen));
    assert!(history.bytes() <= most, "{}", history.bytes());
    assert!(history.segments.len() > 10);
    // Nobody has them: the last one goes on.
    drop(held);
    let before = history.segments.len();
    let sample = kept(&mut history, 3_000, &[1], 1);
    history.push(sample);
    assert_eq!(history.segments.len(), before);
}

#[test]
fn stacks_of_what_has_gone_are_let_go() {
    let mut history = History::new(2 * SECOND, u64::MAX);
    for second in 0..20 {
        let sample = kept(&mut history, second * SECOND, &[second], 1);
        history.push(sample);
        history.settle(at(second * SECOND));
    }
    assert!(history.stacks.len() <= 4, "{}", history.stacks.len());
    assert_eq!(history.stack_bytes, history.stacks.iter().map(bytes_of).sum::<u64>());
}

#[test]
fn blocks_are_held_until_they_end() {
    let mut history = History::new(SECOND, 1 << 20);
    let alloc = |history: &mut History, bytes, size| {
        let sample = kept(history, 0, &[9], 0);
        Kept { what: What::Alloc { bytes, size }, ..sample }
    };
    for (block, bytes) in [(1, 1000), (2, 2000)] {
        let sample = alloc(&mut history, bytes, 10);
        history.hold(block, sample);
    }
    history.release(1);
    let bytes = |history: &History| {
        let of = |kept: Kept| match kept.what {
            What::Alloc { bytes, .. } => bytes,
            What::Cpu { .. } => 0,
        };
        history.since(0).live.into_iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(bytes(&history), [2000]);
    history.resize(2, 10, 30);
    assert_eq!(bytes(&history), [2000], "what is new has its own samples");
    let sample = alloc(&mut history, 500, 20);
    history.hold(2, sample.clone());
    assert_eq!(bytes(&history), [2500], "in the same stack");
    let stack = history.stack(&[8]);
    history.hold(2, Kept { stack, ..sample.clone() });
    assert_eq!(bytes(&history), [2500, 500]);
    history.resize(2, 30, 6);
    assert_eq!(bytes(&history), [500, 100]);
    history.release(2);
    assert_eq!((bytes(&history), history.live_samples), (vec![], 0));
    (10..100_010).for_each(|block| history.hold(block, sample.clone()));
    assert!(history.bytes() <= 1 << 20 && history.live_refused > 90_000);
}

#[test]
fn an_end_that_comes_before_the_beginning_is_the_end() {
    let mut history = History::new(SECOND, 1 << 20);
    let sample = kept(&mut history, 0, &[9], 0);
    let sample = Kept { what: What::Alloc { bytes: 5, size: 5 }, ..sample };
    history.settle(at(SECOND));
    history.release(1);
    history.hold(1, sample.clone());
    assert!(history.since(0).live.is_empty());
    history.settle(at(SECOND + ENDED + 1));
    assert!(history.ends.is_empty() && history.ended.is_empty(), "not for ever");
    (0..100_000).for_each(|block| history.release(block));
    history.settle(at(SECOND + ENDED + 2));
    assert_eq!((history.ends.len(), history.ended.len()), (MOST_ENDED, MOST_ENDED));
}

#[test]
fn labels_are_kept_once_and_none_is_none() {
    let mut history = History::new(SECOND, 1 << 20);
    assert!(history.labels(&[0; 8]).is_none());
    let [one, two] = [(); 2].map(|()| history.labels(&[0, 1, 0, 0, 0, 0, 0, 0]));
    assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
}
