//! Nanoseconds of a label's guard, entered and left, where nobody listens: `labels [THREADS]`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use profcore::embed::Config;
use profcore::embed::labels::Key;

const TURNS: u32 = 2_000_000;
const ROUNDS: usize = 11;

static NUMBER: Key = Key::new("number");

fn main() {
    let threads =
        std::env::args().nth(1).map_or(1, |word| word.parse().expect("a number of threads"));
    measure(threads, "loop alone", || {});
    labels(threads, "");
    measure(threads, "tracing span, no subscriber", || {
        drop(black_box(tracing::info_span!("parse").entered()))
    });
    measure(threads, "fastrace span, no parent", || {
        drop(black_box(fastrace::local::LocalSpan::enter_with_local_parent("parse")));
    });
    let profiler = Config::new().cpu(Duration::from_millis(10)).start().expect("starts");
    labels(threads, ", profiler at 100 Hz");
    profiler.stop();
}

fn labels(threads: usize, how: &str) {
    measure(threads, &format!("region!{how}"), || drop(black_box(profcore::region!("parse"))));
    measure(threads, &format!("Key::set{how}"), || drop(black_box(NUMBER.set(black_box(7)))));
}

/// Prints the median over rounds of the slowest thread's time, the least and the largest.
fn measure(threads: usize, name: &str, guard: impl Fn() + Sync) {
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| round(threads, &guard)).collect();
    rounds.sort_by(f64::total_cmp);
    println!("{name}|{:.2}|{:.2}|{:.2}", rounds[ROUNDS / 2], rounds[0], rounds[ROUNDS - 1]);
}

fn round(threads: usize, guard: &(impl Fn() + Sync)) -> f64 {
    let one = || {
        let began = Instant::now();
        for _ in 0..TURNS {
            guard();
        }
        began.elapsed().as_nanos() as f64 / f64::from(TURNS)
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        others.into_iter().map(|other| other.join().expect("no panic")).fold(0.0, f64::max)
    })
}
