//! The weights of all samples add up to the process's CPU time.

use crate::embed_harness::work::{burn, ms, on_two, us};
use crate::embed_harness::{Case, clock};
use profcore::embed::{Config, Sample, What};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    Case::new("sum_compute_on_one_thread", || sum(0.0, || burn(CPU))),
    Case::new("sum_compute_on_two_threads", || sum(0.0, || on_two(|_| burn(CPU / 2)))),
    Case::new("sum_ping_pong", || sum(0.0, ping_pong)),
    Case::new("sum_threads_of_1_ms", || sum(bare_ends(ms(1)), || churn(ms(1)))),
    Case::new("sum_threads_of_10_ms", || sum(bare_ends(ms(10)), || churn(ms(10)))),
    Case::new("sum_threads_that_sleep", || {
        sum(SLEEPERS as f64 / 300.0 * bare_ends(ms(10)), sleepers)
    }),
    Case::new("sum_around_a_pause", around_a_pause),
    Case::new("sum_of_threads_that_nobody_sees", unseen),
];

const CPU: Duration = Duration::from_secs(3);

/// Runs `work` under a profiler, and compares. `ends` is the part of its CPU time that its threads use after their last own code.
fn sum(ends: f64, work: impl FnOnce()) {
    let profiler = Config::new().cpu(ms(1)).start().expect("it starts");
    // Ticks meet this thread before it has others whose time is left to the next one that a tick meets.
    let here_began = clock::thread();
    burn(ms(20));
    let began = clock::process();
    work();
    let ended = clock::process();
    // Brings in what lies in rings.
    let snapshot = profiler.snapshot(Duration::from_secs(60));
    let here = clock::thread() - here_began;
    let stats = profiler.stop();
    let real = (ended - began).as_secs_f64();
    let of_others = (stats.cpu_total - stats.cpu_own).as_secs_f64();
    let sampled = stats.cpu_sampled.as_secs_f64();
    // Where it only makes threads and waits for them, it runs in bursts of microseconds, which on a busy machine begin right
    // after a tick and are over before the next: it may be long that none has met it. Its clock is still running, so that the next
    // one would tell.
    // SAFETY: takes no argument.
    let own_id = unsafe { libc::gettid() } as u32;
    let here_told: u64 =
        snapshot.samples().filter(|s| s.thread().0 == own_id).map(|s| ns(&s)).sum();
    let untold = here.saturating_sub(Duration::from_nanos(here_told)).as_secs_f64() / real;
    println!(
        "= untold here {untold:.4}, ends {:.4} (due {ends:.4}); {:.4} of {of_others:.3} s CPU by stats; {:.4} of {real:.3} s by the clock; own {:.1} ms, {} samples, lost {:?}",
        stats.cpu_ended.as_secs_f64() / of_others,
        sampled / of_others,
        (sampled - 0.02) / (real - stats.cpu_own.as_secs_f64()),
        stats.cpu_own.as_secs_f64() * 1e3,
        stats.samples,
        stats.lost,
    );
    assert!(real >= 3.0);
    let due = 0.99 - untold..=1.01;
    assert!(due.contains(&(sampled / of_others)));
    assert!(due.contains(&((sampled - 0.02) / (real - stats.cpu_own.as_secs_f64()))));
    let of_snapshot = snapshot.cpu_sampled().as_secs_f64();
    let total = (snapshot.cpu_total() - snapshot.cpu_own()).as_secs_f64();
    assert!(due.contains(&(of_snapshot / total)), "{of_snapshot} of {total}");
    // A profiler is one more thing that ends have to clear away, and the machine is not always as it was a moment ago.
    let told = stats.cpu_ended.as_secs_f64() / of_others;
    assert!((ends / 8.0..=ends * 2.0 + 0.001).contains(&told));
    let of_nobody = snapshot.samples().filter(|sample| sample.thread() == (0, "[ended threads]"));
    let in_samples: u64 = of_nobody.map(|sample| ns(&sample)).sum();
    // The stop looked again at what ends took; who asks while it runs may miss about a five hundredth of the time.
    let missing = stats.cpu_ended.saturating_sub(Duration::from_nanos(in_samples));
    assert!(Duration::from_nanos(in_samples) <= stats.cpu_ended);
    assert!(missing.as_secs_f64() <= of_others / 250.0, "{missing:?}");
}

fn ns(sample: &Sample<'_>) -> u64 {
    match sample.what() {
        What::Cpu { ns } => ns,
        _ => 0,
    }
}

/// What goes by in a pause is nobody's, and is not taken for ends of threads when it is over.
fn around_a_pause() {
    let ends = bare_ends(ms(1));
    let profiler = Config::new().cpu(ms(1)).start().expect("it starts");
    let mut real = Duration::ZERO;
    for _ in 0..3 {
        let began = clock::process();
        (0..200).for_each(|_| on_two(|_| burn(ms(1))));
        profiler.pause();
        real += clock::process() - began;
        (0..200).for_each(|_| on_two(|_| burn(ms(1))));
        profiler.resume();
    }
    let stats = profiler.stop();
    let told = stats.cpu_ended.as_secs_f64() / real.as_secs_f64();
    println!("= ends {told:.4} (due {ends:.4}, less until the first look after each start)");
    assert!(told <= ends * 2.0 + 0.001);
    assert!(stats.cpu_sampled <= real);
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

/// Threads that allocate nothing and are gone before anybody has looked: their time is in no sample, and not taken for the
/// ends of others.
fn unseen() {
    extern "C" fn run(_: *mut libc::c_void) -> *mut libc::c_void {
        burn(ms(1));
        std::ptr::null_mut()
    }
    let profiler = Config::new().cpu(ms(1)).start().expect("it starts");
    // Until the helper has looked for the first time.
    std::thread::sleep(ms(300));
    for round in 0..1_000 {
        let mut thread = 0;
        let none = std::ptr::null_mut();
        // SAFETY: makes a thread, whose function asks for nothing, and waits for it.
        unsafe {
            assert_eq!(libc::pthread_create(&raw mut thread, std::ptr::null(), run, none), 0);
            libc::pthread_join(thread, std::ptr::null_mut());
        }
        if round % 100 == 0 {
            std::thread::spawn(|| burn(ms(1))).join().expect("it does not panic");
        }
    }
    let stats = profiler.stop();
    let [total, told, sampled] =
        [stats.cpu_total - stats.cpu_own, stats.cpu_ended, stats.cpu_sampled]
            .map(|time| time.as_secs_f64());
    println!("= ends {:.4}, in no sample {:.4}", told / total, 1.0 - sampled / total);
    // One in a hundred tells its end, and others that the helper has found: not the time of all.
    assert!(told / total < 0.05);
    assert!(sampled / total < 0.9);
}

/// The part of the CPU time of such threads that goes by after their last own code, in the C library and the kernel, without
/// a profiler.
fn bare_ends(each: Duration) -> f64 {
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

/// As many ends as there are of them, where 300 threads of 10 ms take as much time.
const SLEEPERS: usize = 40;

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
        let threads: Vec<_> = (0..SLEEPERS).map(|_| scope.spawn(sleeper)).collect();
        while !enough() {
            std::thread::sleep(ms(20));
        }
        is_over.store(true, Relaxed);
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
}
