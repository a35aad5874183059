//! Each thread and each function gets its part, and each sample the labels that were set.

use crate::embed_harness::chance::{self, SURE};
use crate::embed_harness::symbols::range;
use crate::embed_harness::work::{burn, heavy, light, ms, on_two};
use crate::embed_harness::{Case, clock};
use profcore::embed::labels::{Key, Value};
use profcore::embed::{Config, Sample, Snapshot, What};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub(crate) const CASES: &[Case] = &[
    Case::new("shares_of_functions_in_threads_of_1_ms", || functions(ms(1), ms(1))),
    Case::new("shares_of_functions_in_threads_of_5_ms", || functions(ms(5), ms(1))),
    Case::new("shares_of_functions_at_100_hz", || functions(ms(1), ms(10))),
    Case::new("shares_of_four_threads", four_threads),
    Case::new("shares_of_labels", labels),
];

const ALL: Duration = Duration::from_secs(60);

fn ns(sample: &Sample<'_>) -> u64 {
    match sample.what() {
        What::Cpu { ns } => ns,
        _ => 0,
    }
}

/// CPU nanoseconds of samples that one says yes to, and how many.
fn sum(snapshot: &Snapshot, is: impl Fn(&Sample<'_>) -> bool) -> (u64, u64) {
    let samples = snapshot.samples().filter(|sample| ns(sample) > 0 && is(sample));
    samples.fold((0, 0), |(all, count), sample| (all + ns(&sample), count + 1))
}

/// Whether an address of the stack is in this code.
fn is_on<'c>(code: &'c Range<u64>) -> impl Fn(&Sample<'_>) -> bool + 'c {
    |sample| sample.stack().iter().any(|pc| code.contains(pc))
}

/// Standard deviation of a share of a snapshot's time.
fn sigma(snapshot: &Snapshot, share: f64) -> f64 {
    chance::sigma(&Vec::from_iter(snapshot.samples().map(|sample| ns(&sample))), share)
}

/// A number for a thread's part of a round. Random: the kernel's ticks are regular, and would follow a pattern.
fn random(round: u64, thread: u64) -> u64 {
    let word = (round * 2 + thread + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (word ^ word >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
}

/// Whether a thread has the smaller part of the work.
fn is_light(round: u64, thread: u64) -> bool {
    random(round, thread).is_multiple_of(4)
}

/// Threads that spend three quarters in one function and one in another, most without meeting a tick. As many are sampled
/// as were asked for, of those that the kernel lets meet one: on a busy machine most begin behind a tick and are over before
/// the next.
fn functions(each: Duration, interval: Duration) {
    let [heavy_code, light_code] = [heavy as *const (), light as *const ()].map(range);
    let profiler = Config::new().cpu(interval).start().expect("it starts");
    let (lights, ticks) = (AtomicU64::new(0), AtomicU64::new(0));
    for round in 0..rounds(each) {
        on_two(|thread| {
            let (began, cpu, tick) = (Instant::now(), clock::thread(), clock::last_tick());
            match is_light(round, thread) {
                true => {
                    lights.fetch_add(1, Relaxed);
                    light(each);
                }
                false => heavy(each),
            }
            let passed = (clock::last_tick() - tick).as_nanos() / clock::kernel_tick().as_nanos();
            // Who was kept waiting did not meet all that passed.
            if began.elapsed() < (clock::thread() - cpu) * 11 / 10 {
                ticks.fetch_add(passed as u64, Relaxed);
            }
        });
    }
    let due = 1.0 - lights.into_inner() as f64 / (2 * rounds(each)) as f64;
    let snapshot = profiler.snapshot(ALL);
    let (a, samples_a) = sum(&snapshot, is_on(&heavy_code));
    let (b, samples_b) = sum(&snapshot, is_on(&light_code));
    let (all, _) = sum(&snapshot, |_| true);
    let (share, of_all) = (a as f64 / (a + b) as f64, (a + b) as f64 / all as f64);
    let off = sigma(&snapshot, due);
    let (samples, asked) = (samples_a + samples_b, (a + b) as f64 / interval.as_nanos() as f64);
    let a_tick = clock::kernel_tick().as_secs_f64() / interval.as_secs_f64();
    let possible = ticks.into_inner() as f64 * a_tick.min(1.0);
    println!(
        "= heavy {share:.4} (due {due:.4}, sigma {off:.4}) of {samples} samples (asked for {asked:.0}, ticks allow \
         {possible:.0}); both are {of_all:.3} of all"
    );
    assert!((share - due).abs() <= SURE * off);
    // The rest is making and ending threads, which no tick can meet. It takes longer under a sanitizer.
    assert!(of_all > 0.75 - SURE * sigma(&snapshot, 0.75));
    assert!((samples as f64) < asked + 4.0 * asked.sqrt());
    // A first expiry at any time of an interval, not at a tick, would have half or an eighth of them.
    assert!(samples as f64 > possible - 4.0 * possible.sqrt());
}

fn rounds(each: Duration) -> u64 {
    Duration::from_secs(4).as_nanos() as u64 / 2 / each.as_nanos() as u64
}

fn four_threads() {
    let profiler = Config::new().cpu(ms(1)).start().expect("it starts");
    std::thread::scope(|scope| {
        let threads = [1, 2, 3, 4].map(|part| {
            let builder = std::thread::Builder::new().name(format!("part-{part}"));
            builder.spawn_scoped(scope, move || burn(ms(part * 400))).expect("it starts")
        });
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
    let snapshot = profiler.snapshot(ALL);
    let (all, _) = sum(&snapshot, |_| true);
    let shares = [1, 2, 3, 4].map(|part| {
        let (sum, _) = sum(&snapshot, |sample| sample.thread().1 == format!("part-{part}"));
        sum as f64 / all as f64
    });
    println!("= {shares:.4?}");
    // Nor has what a thread did after its last tick been nowhere.
    let (nowhere, _) = sum(&snapshot, |sample| {
        sample.thread().1.starts_with("part-") && sample.stack().is_empty()
    });
    assert_eq!(nowhere, 0);
    for (share, due) in shares.iter().zip([0.1, 0.2, 0.3, 0.4]) {
        assert!((share - due).abs() < 0.02);
    }
}

static REQUEST: Key = Key::new("request");
const ROUNDS: u64 = 200;

fn labels() {
    let profiler = Config::new().cpu(ms(1)).start().expect("it starts");
    let number = |round: u64, thread: u64| thread * 10 + random(round, thread) / 4 % 2;
    on_two(|thread| {
        for round in 0..ROUNDS {
            let _request = REQUEST.set(number(round, thread));
            if is_light(round, thread) {
                let _region = profcore::region!("part");
                heavy(ms(10));
            } else {
                light(ms(10));
            }
        }
    });
    let snapshot = profiler.snapshot(ALL);
    let request = |number| {
        move |sample: &Sample<'_>| {
            sample.labels().any(|label| label == ("request", Value::Number(number)))
        }
    };
    let in_region =
        |sample: &Sample<'_>| sample.labels().any(|label| label == ("region", Value::Text("part")));
    let (all, _) = sum(&snapshot, |_| true);
    let share = |(sum, _): (u64, u64)| sum as f64 / all as f64;
    let due = |is: &dyn Fn(u64, u64) -> bool| {
        let parts = (0..ROUNDS).flat_map(|round| [(round, 0), (round, 1)]);
        parts.filter(|&(round, thread)| is(round, thread)).count() as f64 / (2 * ROUNDS) as f64
    };
    let of_requests = [0, 1, 10, 11].map(|of| {
        (share(sum(&snapshot, request(of))), due(&|round, thread| number(round, thread) == of))
    });
    let region = (share(sum(&snapshot, in_region)), due(&is_light));
    println!("= share and what is due: requests {of_requests:.4?}, region {region:.4?}");
    for (share, due) in of_requests.into_iter().chain([region]) {
        assert!((share - due).abs() < SURE * sigma(&snapshot, due));
    }
    let [heavy_code, light_code] = [heavy as *const (), light as *const ()].map(range);
    // The region is entered around one function only. A tick is told at its end: none is in the other one.
    let (wrong, _) = sum(&snapshot, |sample| is_on(&light_code)(sample) && in_region(sample));
    assert_eq!(wrong, 0);
    let (unlabelled, _) = sum(&snapshot, |sample| is_on(&heavy_code)(sample) && !in_region(sample));
    assert_eq!(unlabelled, 0);
    let both = |sample: &Sample<'_>| request(0)(sample) && request(1)(sample);
    assert_eq!(sum(&snapshot, both), (0, 0));
}
