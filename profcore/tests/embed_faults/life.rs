//! Start, stop, pause, snapshots: in any order, from any thread, and very often.

use super::system::{
    ALL, Over, counts, descriptors, fastest, resident, start, threads, timers, under_load,
};
use crate::embed_harness::work::{allocate, burn, ms};
use crate::embed_harness::{Case, rounds};
use profcore::embed::{Profiler, StartError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub(crate) const CASES: &[Case] = &[
    Case::new("life_start_and_stop_under_load", start_and_stop),
    Case::new("life_four_threads_race_to_start_and_stop", race),
    Case::new("life_handles", handles),
    Case::new("life_pause_and_resume", pause_and_resume),
    Case::new("life_blocks_freed_during_a_pause", freed_while_paused),
    Case::new("life_snapshots_while_threads_come_and_go", snapshots),
];

fn start_and_stop() {
    under_load(|| {
        let cycles = rounds(2_000, 10_000);
        let mut after_a_while = None;
        let mut most_timers = 0;
        for cycle in 0..cycles {
            let profiler = start();
            if cycle % 100 == 0 {
                assert!(matches!(fastest().start(), Err(StartError::AlreadyRunning)));
                most_timers = most_timers.max(timers().unwrap_or(0));
            }
            if cycle % 10 == 0 {
                std::thread::sleep(ms(1));
            }
            profiler.stop();
            if cycle == 1_000 {
                after_a_while = Some((resident(), descriptors(), threads()));
            }
        }
        let (resident_then, descriptors_then, threads_then) = after_a_while.expect("long enough");
        println!(
            "= {cycles} cycles; RSS {resident_then} -> {} KiB, descriptors {descriptors_then} -> {}, threads {threads_then} -> {}, timers {most_timers} -> {:?}",
            resident(),
            descriptors(),
            threads(),
            timers()
        );
        assert_eq!(descriptors(), descriptors_then);
        assert!(threads() <= threads_then + 1, "a helper's end may be a moment old");
        assert_eq!(timers().unwrap_or(0), 0);
        // The sanitizer keeps freed blocks for a while, hundreds of MiB of them.
        let is_sanitized = std::env::var_os("ASAN_OPTIONS").is_some();
        assert!(is_sanitized || resident() < resident_then + 1_024);
        // It still works.
        let profiler = start();
        std::thread::sleep(ms(200));
        let (cpu, alloc) = counts(&profiler.snapshot(ALL));
        assert!(cpu > 5 && alloc > 5, "{cpu} {alloc}");
        profiler.stop();
    });
}

fn race() {
    let (started, stopped) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..rounds(300, 5_000) {
                    match fastest().start() {
                        Ok(_) => started.fetch_add(1, Relaxed),
                        Err(StartError::AlreadyRunning) => 0,
                        Err(error) => panic!("{error}"),
                    };
                    allocate(5);
                    if let Some(profiler) = Profiler::current() {
                        let other = profiler.clone();
                        other.snapshot(ms(1));
                        stopped.fetch_add(u64::from(profiler.is_running()), Relaxed);
                        profiler.stop();
                        other.pause();
                        other.stop();
                    }
                }
            });
        }
    });
    if let Some(profiler) = Profiler::current() {
        profiler.stop();
    }
    println!("= {started:?} starts, {stopped:?} seen running");
    assert!(started.load(Relaxed) > 100 && Profiler::current().is_none());
    assert_eq!(timers().unwrap_or(0), 0);
    // Threads that were waited for are in the kernel's list for a moment more. A helper that was left behind stays there.
    let end = Instant::now() + Duration::from_secs(60);
    while threads() > 1 {
        assert!(Instant::now() < end, "{} threads are left", threads());
        std::thread::sleep(ms(5));
    }
}

fn handles() {
    let profiler = start();
    assert!(profiler.is_running());
    drop(profiler);
    burn(ms(100));
    let profiler = Profiler::current().expect("it goes on when handles are dropped");
    assert!(counts(&profiler.snapshot(ALL)).0 > 0);
    let other = profiler.clone();
    let stats = std::thread::spawn(|| other.stop()).join().expect("stops from any thread");
    assert!(stats.samples > 0);
    assert!(!profiler.is_running() && Profiler::current().is_none());
    assert_eq!(profiler.snapshot(ALL).samples().count(), 0);
    assert_eq!(profiler.stats(), Default::default());
    profiler.resume();
    profiler.pause();
    profiler.resume();
    burn(ms(20));
    assert_eq!(timers().unwrap_or(0), 0);
    // A handle of one that is over does nothing to the next one.
    let next = start();
    profiler.pause();
    profiler.clone().stop();
    assert!(next.is_running());
    // A machine that stops for a while may keep a tick from a tenth of a second. For ever: the case is ended.
    while counts(&next.snapshot(ALL)).0 == 0 {
        burn(ms(100));
    }
    next.stop();
}

fn pause_and_resume() {
    let profiler = start();
    under_load(|| {
        for round in 0..rounds(1_000, 10_000) {
            profiler.pause();
            profiler.pause();
            if round % 50 == 0 {
                assert_eq!(timers().unwrap_or(0), 0);
                assert!(!profiler.is_running());
            }
            profiler.resume();
            if round % 20 == 0 {
                std::thread::sleep(ms(1));
            }
        }
        profiler.pause();
        let samples = profiler.stats().samples;
        std::thread::sleep(ms(300));
        // What was in rings, and ends of threads that began before.
        let later = profiler.stats().samples;
        std::thread::sleep(ms(300));
        assert_eq!(profiler.stats().samples, later, "{samples} before");
        assert_eq!(timers().unwrap_or(0), 0, "none is found for a thread meanwhile");
        profiler.resume();
        std::thread::sleep(ms(300));
        profiler.snapshot(ms(1));
        assert!(profiler.stats().samples > later);
        println!("= {:?}", profiler.stats());
    });
    profiler.stop();
}

fn freed_while_paused() {
    let profiler = start();
    let blocks: Vec<Vec<u8>> = (0..1_000).map(|_| Vec::with_capacity(5_000)).collect();
    assert!(profiler.snapshot(ALL).live().count() > 100);
    profiler.pause();
    drop(blocks);
    profiler.resume();
    let held = profiler.snapshot(ALL).live().count();
    assert!(held < 10, "{held}");
    profiler.stop();
}

fn snapshots() {
    let profiler = start();
    let is_over = AtomicBool::new(false);
    let taken = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    let snapshot = profiler.snapshot(ms(500));
                    for sample in snapshot.samples().chain(snapshot.live()) {
                        std::hint::black_box((sample.stack(), sample.thread(), sample.time()));
                        // That of a thread's end is empty.
                        assert!(sample.stack().len() < 4_096);
                    }
                    taken.fetch_add(1, Relaxed);
                }
            });
        }
        let _over = Over(&is_over);
        for _ in 0..rounds(500, 20_000) {
            let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| allocate(30))).collect();
            threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
        }
    });
    println!("= {taken:?} snapshots; {:?}", profiler.stats());
    profiler.stop();
}
