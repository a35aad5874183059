//! The weights of all samples add up to the process's CPU time.

use crate::embed_harness::work::{burn, ms, on_two, us};
use crate::embed_harness::{Case, clock};
use profcore::embed::Config;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    Case::new("sum_compute_on_one_thread", || sum(0.0, || burn(CPU))),
    Case::new("sum_compute_on_two_threads", || sum(0.0, || on_two(|_| burn(CPU / 2)))),
    Case::new("sum_ping_pong", || sum(0.0, ping_pong)),
    Case::new("sum_threads_of_1_ms", || sum(bare_end(ms(1)), || churn(ms(1)))),
    Case::new("sum_threads_of_10_ms", || sum(bare_end(ms(10)), || churn(ms(10)))),
    Case::new("sum_threads_that_sleep", || sum(0.0, sleepers)),
];

const CPU: Duration = Duration::from_secs(3);

/// Runs `work` under a profiler, and compares. `unseen` is the part of its CPU time that nobody in the process can see.
fn sum(unseen: f64, work: impl FnOnce()) {
    let profiler = Config::new().cpu(ms(1)).start().expect("it starts");
    let began = clock::process();
    work();
    let ended = clock::process();
    // Brings in what lies in rings.
    let snapshot = profiler.snapshot(Duration::from_secs(60));
    let stats = profiler.stop();
    let real = (ended - began).as_secs_f64();
    let of_others = (stats.cpu_total - stats.cpu_own).as_secs_f64();
    let sampled = stats.cpu_sampled.as_secs_f64();
    println!(
        "= unseen {unseen:.4}; {:.4} of {of_others:.3} s CPU by stats; {:.4} of {real:.3} s by the clock; own {:.1} ms, {} samples, lost {:?}",
        sampled / of_others,
        sampled / (real - stats.cpu_own.as_secs_f64()),
        stats.cpu_own.as_secs_f64() * 1e3,
        stats.samples,
        stats.lost,
    );
    assert!(real >= 3.0);
    let due = 0.99 - unseen..=1.01;
    assert!(due.contains(&(sampled / of_others)));
    assert!(due.contains(&(sampled / (real - stats.cpu_own.as_secs_f64()))));
    let of_snapshot = snapshot.cpu_sampled().as_secs_f64();
    let total = (snapshot.cpu_total() - snapshot.cpu_own()).as_secs_f64();
    assert!(due.contains(&(of_snapshot / total)), "{of_snapshot} of {total}");
}

fn enough() -> impl Fn() -> bool {
    let end = clock::process() + CPU;
    move || clock::process() >= end
}

fn ping_pong() {
    let enough = enough();
    let (ping, pinged) = sync_channel::<u64>(0);
    let (pong, ponged) = sync_channel::<u64>(0);
    std::thread::scope(|scope| {
        let other = scope.spawn(move || {
            while let Ok(number) = pinged.recv() {
                pong.send(number + 1).expect("the other one waits");
            }
        });
        let mut number = 0;
        while !enough() {
            for _ in 0..1_000 {
                ping.send(number).expect("the other one waits");
                number = ponged.recv().expect("the other one answers");
            }
        }
        drop(ping);
        other.join().expect("it does not panic");
    });
}

/// Threads of so much CPU time each, two at a time.
fn churn(each: Duration) {
    let enough = enough();
    while !enough() {
        on_two(|_| burn(each));
    }
}

/// The part of the CPU time of such threads that goes by after their last own code, in the C library and the kernel, without
/// a profiler. It is a thread's, but no code of the process runs any more that could tell it: a profiler that does not spread
/// what it has not seen shows it as unattributed.
fn bare_end(each: Duration) -> f64 {
    let seen = AtomicU64::new(0);
    let (began, began_here) = (clock::process(), clock::thread());
    for _ in 0..Duration::from_secs(1).as_nanos() / 2 / each.as_nanos() {
        on_two(|_| {
            burn(each);
            seen.fetch_add(clock::thread().as_nanos() as u64, Relaxed);
        });
    }
    let all = clock::process() - began;
    let here = clock::thread() - began_here;
    let seen = Duration::from_nanos(seen.into_inner());
    (all.saturating_sub(here).saturating_sub(seen)).as_secs_f64() / all.as_secs_f64()
}

/// Threads that sleep for most of the time.
fn sleepers() {
    let is_over = AtomicBool::new(false);
    let enough = enough();
    std::thread::scope(|scope| {
        let sleeper = || {
            while !is_over.load(Relaxed) {
                burn(us(500));
                std::thread::sleep(ms(20));
            }
        };
        let threads: Vec<_> = (0..40).map(|_| scope.spawn(sleeper)).collect();
        while !enough() {
            std::thread::sleep(ms(20));
        }
        is_over.store(true, Relaxed);
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
}
