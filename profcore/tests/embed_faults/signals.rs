//! The program's own signals: its handlers, masks and waits stay as they are.

use super::system::{ALL, Over, counts, fastest, signals, start, timers, under_load};
use crate::embed_harness::work::{burn, ms};
use crate::embed_harness::{Case, clock, rounds};
use profcore::embed::What;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub(crate) const CASES: &[Case] = &[
    Case::new("signals_a_host_with_a_sigprof_timer", sigprof),
    Case::new("signals_a_host_with_a_fault_handler", faults),
    Case::new("signals_dispositions_stay", dispositions),
    Case::new("signals_a_thread_that_blocks_all", all_blocked),
    Case::new("signals_a_thread_that_waits_for_all", waiter),
    Case::new("signals_system_calls_are_not_interrupted", interruptions),
    Case::new("signals_all_real_time_ones_have_handlers", none_free),
];

static CAUGHT: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_: libc::c_int) {
    CAUGHT.fetch_add(1, Relaxed);
}

fn handle(signal: i32, handler: extern "C" fn(libc::c_int), flags: i32) {
    // SAFETY: all zero is a plain action; the handler is a function of this program that only counts or jumps nowhere.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
    }
}

/// Handler, flags and mask of a signal.
fn disposition(signal: i32) -> (usize, i32, Vec<bool>) {
    // SAFETY: all zero is a plain action, which this writes only.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signal, std::ptr::null(), &mut action) != 0 {
            return (0, 0, Vec::new());
        }
        let mask = (1..=64).map(|other| libc::sigismember(&action.sa_mask, other) == 1).collect();
        (action.sa_sigaction, action.sa_flags, mask)
    }
}

fn sigprof() {
    handle(libc::SIGPROF, count, libc::SA_RESTART);
    let every = libc::timeval { tv_sec: 0, tv_usec: 10_000 };
    let timer = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: reads one itimerval.
    assert_eq!(unsafe { libc::setitimer(libc::ITIMER_PROF, &timer, std::ptr::null_mut()) }, 0);
    let profiler = start();
    burn(Duration::from_secs(1));
    let before = CAUGHT.load(Relaxed);
    let (cpu, _) = counts(&profiler.snapshot(ALL));
    profiler.stop();
    burn(ms(500));
    let after = CAUGHT.load(Relaxed);
    println!("= {before} and {after} signals of its own, {cpu} samples");
    assert!(before >= 40 && after >= before + 20 && cpu >= 100);
}

static PAGE: AtomicU64 = AtomicU64::new(0);

extern "C" fn mend(_: libc::c_int) {
    CAUGHT.fetch_add(1, Relaxed);
    // SAFETY: the page is ours.
    unsafe {
        libc::mprotect(PAGE.load(Relaxed) as *mut _, 4096, libc::PROT_READ | libc::PROT_WRITE)
    };
}

fn faults() {
    handle(libc::SIGSEGV, mend, libc::SA_RESTART);
    let before = disposition(libc::SIGSEGV);
    // SAFETY: a new page.
    let page = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_NONE, flags, -1, 0)
    };
    PAGE.store(page as u64, Relaxed);
    let profiler = start();
    under_load(|| {
        for round in 0..rounds(2_000, 50_000) {
            // SAFETY: the handler gives access to the page.
            unsafe { page.cast::<u64>().write_volatile(round) };
            // SAFETY: the page is ours.
            unsafe { libc::mprotect(page, 4096, libc::PROT_NONE) };
        }
    });
    assert_eq!(CAUGHT.load(Relaxed), rounds(2_000, 50_000));
    profiler.stop();
    assert_eq!(disposition(libc::SIGSEGV), before);
}

fn dispositions() {
    let all = || (1..=64).map(disposition).collect::<Vec<_>>();
    let before = all();
    let profiler = start();
    under_load(|| std::thread::sleep(ms(300)));
    profiler.stop();
    let after = all();
    let changed: Vec<_> = (0..64)
        .filter(|&signal| before[signal] != after[signal])
        .map(|signal| signal + 1)
        .collect();
    println!("= taken: {changed:?}");
    assert!(changed.len() == 1 && (34..=64).contains(&changed[0]), "{changed:?}");
}

fn block_all() {
    let all = signals(None);
    // SAFETY: reads a set.
    assert_eq!(unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &all, std::ptr::null_mut()) }, 0);
}

/// Its ticks wait for ever. Its time is told by its clock, at its end.
fn all_blocked() {
    let profiler = fastest().start().expect("it starts");
    let thread = std::thread::Builder::new().name("blocked".into()).spawn(|| {
        let _kept = std::hint::black_box(vec![0_u8; 100]);
        block_all();
        burn(ms(700));
    });
    thread.expect("it starts").join().expect("it does not panic");
    let snapshot = profiler.snapshot(ALL);
    let of = snapshot.samples().map(|sample| match sample.what() {
        What::Cpu { ns } if sample.thread().1 == "blocked" => ns,
        _ => 0,
    });
    let told = of.sum::<u64>() as f64 / 1e6;
    println!("= {told:.1} of 700 ms");
    assert!((690.0..730.0).contains(&told));
    profiler.stop();
}

fn waiter() {
    block_all();
    let profiler = start();
    let is_over = AtomicBool::new(false);
    let own: Vec<i32> = std::thread::scope(|scope| {
        let _over = Over(&is_over);
        let waiter = scope.spawn(|| {
            let mut got = Vec::new();
            while !is_over.load(Relaxed) {
                // SAFETY: reads a set and a time, writes nothing else.
                let signal = unsafe {
                    let time = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
                    libc::sigtimedwait(&signals(None), std::ptr::null_mut(), &time)
                };
                if signal > 0 {
                    CAUGHT.fetch_add(u64::from(signal == libc::SIGUSR1), Relaxed);
                    got.push(signal);
                }
                burn(ms(2));
            }
            got
        });
        for sent in 1..=20 {
            // SAFETY: a signal that everybody blocks and one waits for.
            unsafe { libc::kill(libc::getpid(), libc::SIGUSR1) };
            // Two that wait are one: the next is sent when this one has come.
            let end = Instant::now() + Duration::from_secs(60);
            while CAUGHT.load(Relaxed) < sent {
                assert!(Instant::now() < end, "signal {sent} does not come");
                std::thread::sleep(ms(5));
            }
            std::thread::sleep(ms(20));
        }
        is_over.store(true, Relaxed);
        waiter.join().expect("it does not panic")
    });
    let usual = own.iter().filter(|&&signal| signal == libc::SIGUSR1).count();
    println!("= {usual} of its own, {} of ours; {:?}", own.len() - usual, profiler.stats().lost);
    assert_eq!(usual, 20);
    profiler.stop();
}

fn interruptions() {
    let profiler = start();
    // Samples, not seconds: on a busy machine a thread that often waits is met by few ticks.
    let enough = rounds(200, 10_000) as usize;
    let is_over = AtomicBool::new(false);
    let interrupted = AtomicU64::new(0);
    let mut pipe = [0; 2];
    // SAFETY: writes two descriptors.
    assert_eq!(unsafe { libc::pipe(pipe.as_mut_ptr()) }, 0);
    let waits: [&(dyn Fn() -> i32 + Sync); 3] = [
        &|| {
            let time = libc::timespec { tv_sec: 0, tv_nsec: 700_000 };
            // SAFETY: reads one timespec.
            unsafe { libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &time, std::ptr::null_mut()) }
        },
        &|| {
            let mut poll = libc::pollfd { fd: pipe[0], events: 0, revents: 0 };
            // SAFETY: one pollfd of ours.
            match unsafe { libc::poll(&mut poll, 1, 1) } {
                -1 => std::io::Error::last_os_error().raw_os_error().unwrap_or(0),
                _ => 0,
            }
        },
        &|| {
            let mut byte = 0_u8;
            // SAFETY: writes one byte of ours.
            match unsafe { libc::read(pipe[0], (&raw mut byte).cast(), 1) } {
                -1 => std::io::Error::last_os_error().raw_os_error().unwrap_or(0),
                _ => 0,
            }
        },
    ];
    let sampled = || counts(&profiler.snapshot(ALL)).0;
    std::thread::scope(|scope| {
        let _over = Over(&is_over);
        let threads = waits.map(|wait| {
            let (is_over, interrupted) = (&is_over, &interrupted);
            scope.spawn(move || {
                while !is_over.load(Relaxed) {
                    // Work before each, so that ticks are due.
                    burn(ms(1));
                    if wait() == libc::EINTR {
                        interrupted.fetch_add(1, Relaxed);
                    }
                }
            })
        });
        // The reader needs something to read, to its end.
        for round in 0_u64.. {
            if threads.iter().all(|thread| thread.is_finished()) {
                break;
            }
            if round % 50 == 49 && sampled() >= enough {
                is_over.store(true, Relaxed);
            }
            // SAFETY: reads one byte of ours.
            unsafe { libc::write(pipe[1], [7_u8].as_ptr().cast(), 1) };
            std::thread::sleep(ms(2));
        }
    });
    println!("= {interrupted:?} interruptions, {} samples", sampled());
    assert_eq!(interrupted.load(Relaxed), 0);
    profiler.stop();
}

fn none_free() {
    for signal in libc::SIGRTMIN()..=libc::SIGRTMAX() {
        handle(signal, count, 0);
    }
    let error = fastest().start().expect_err("there is no signal for it");
    assert!(matches!(error, profcore::embed::StartError::NoSignal), "{error}");
    let disabled = fastest().start_or_disabled(|error| println!("= {error}"));
    assert!(!disabled.is_running());
    let began = clock::thread();
    burn(ms(50));
    assert!(clock::thread() - began >= ms(50));
    assert_eq!(timers().unwrap_or(0), 0);
    assert_eq!(disabled.snapshot(ALL).samples().count(), 0);
    disabled.stop();
}
