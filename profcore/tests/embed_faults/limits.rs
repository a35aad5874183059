//! What the system refuses, and what the profiler takes.

use super::system::{ALL, counts, resident, start, timers, under_load};
use crate::embed_harness::work::{allocate, burn, ms};
use crate::embed_harness::{Case, rounds, skip};
use profcore::embed::Config;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    Case::new("limits_of_queued_signals", queued_signals),
    Case::new("limits_of_descriptors", descriptors),
    Case::new("limits_of_threads", no_threads),
    Case::new("limits_without_proc", without_proc),
    Case::new("limits_of_memory", memory),
    Case::new("limits_under_prof_run", under_prof_run),
];

/// Cases that others run.
pub(crate) const HIDDEN: &[Case] =
    &[Case::new("without_proc_inside", without_proc_inside), Case::new("both", both)];

fn limit(what: libc::__rlimit_resource_t, to: u64) {
    let limit = libc::rlimit { rlim_cur: to, rlim_max: to };
    // SAFETY: reads one rlimit.
    assert_eq!(unsafe { libc::setrlimit(what, &limit) }, 0);
}

/// Each timer takes a place in the queue of signals.
fn queued_signals() {
    limit(libc::RLIMIT_SIGPENDING, 0);
    let profiler = start();
    under_load(|| burn(ms(300)));
    let snapshot = profiler.snapshot(ALL);
    println!("= {:?} samples, {:?} timers; {:?}", counts(&snapshot), timers(), profiler.stats());
    let stats = profiler.stop();
    let refused = stats.lost.iter().find(|(name, _)| *name == "timer_refused");
    assert!(refused.is_some_and(|(_, count)| *count > 0), "{stats:?}");
}

fn descriptors() {
    let profiler = start();
    limit(libc::RLIMIT_NOFILE, 0);
    under_load(|| {
        for _ in 0..20 {
            std::thread::spawn(|| burn(ms(5))).join().expect("it does not panic");
            profiler.snapshot(ms(100));
        }
        std::thread::sleep(ms(1_500));
    });
    let snapshot = profiler.snapshot(ALL);
    println!("= {:?} samples; {:?}", counts(&snapshot), profiler.stats());
    assert!(counts(&snapshot).0 > 50);
    profiler.stop();
    let again = start();
    burn(ms(100));
    again.stop();
}

fn no_threads() {
    // Root is above this limit, so that it only holds for others.
    // SAFETY: changes who this process is.
    unsafe { libc::setuid(65_534) };
    limit(libc::RLIMIT_NPROC, 0);
    if std::thread::Builder::new().spawn(|| ()).is_ok() {
        skip("threads cannot be refused");
    }
    let error = Config::new().start().expect_err("there is no thread for it");
    println!("= {error}");
    assert!(matches!(error, profcore::embed::StartError::System(_)));
    assert!(profcore::embed::Profiler::current().is_none());
    burn(ms(50));
    assert_eq!(timers().unwrap_or(0), 0);
}

fn without_proc() {
    let status = Command::new("unshare")
        .args(["--mount", "--", "sh", "-c", "umount -l /proc && exec \"$0\""])
        .arg(std::env::current_exe().expect("the test binary is there"))
        .env("PROF_TEST_CASE", "without_proc_inside")
        .output();
    match status {
        Ok(output) if output.status.success() => {
            print!("{}", String::from_utf8_lossy(&output.stdout));
        }
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            if text.contains("unshare:") || text.contains("umount:") {
                skip(&text);
            }
            panic!("{}: {text}", output.status);
        }
        Err(error) => skip(&error.to_string()),
    }
}

fn without_proc_inside() {
    assert!(!std::path::Path::new("/proc/self").exists());
    let profiler = start();
    under_load(|| {
        for _ in 0..100 {
            std::thread::spawn(|| allocate(30)).join().expect("it does not panic");
        }
        // How long it takes says how busy the machine is. For ever: the case is ended.
        let few = |(cpu, alloc): (usize, usize)| cpu <= 20 || alloc <= 20;
        while few(counts(&profiler.snapshot(ALL))) {
            std::thread::sleep(ms(50));
        }
    });
    let snapshot = profiler.snapshot(ALL);
    println!("= {:?} samples; {:?}", counts(&snapshot), profiler.stats());
    profiler.stop();
}

fn memory() {
    let is_over = AtomicBool::new(false);
    let ready = std::sync::Barrier::new(5);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                allocate(5_000);
                ready.wait();
                while !is_over.load(Relaxed) {
                    allocate(100);
                }
            });
        }
        ready.wait();
        std::thread::sleep(ms(500));
        let bare = resident();
        let profiler = Config::new().cpu(ms(1)).start().expect("it starts");
        std::thread::sleep(Duration::from_secs(rounds(5, 70)));
        let extra = resident().saturating_sub(bare);
        println!("= {extra} KiB beside {bare}; {} bytes of samples", profiler.stats().memory);
        is_over.store(true, Relaxed);
        profiler.stop();
        assert!(extra <= 8 << 10);
    });
}

/// Both profilers must see the program, and the program must run as ever.
fn under_prof_run() {
    // Where the whole workspace is tested it has been built.
    let beside = std::env::current_exe().expect("it has a file");
    let beside = beside.parent().and_then(|deps| deps.parent()).map(|target| target.join("prof"));
    let named = std::env::var_os("PROF_BIN").map(Into::into);
    let Some(prof) = named.or(beside).filter(|prof| prof.exists()) else {
        skip("there is no prof, and PROF_BIN names none")
    };
    let folder = tempfile::tempdir().expect("there is room");
    let trace = folder.path().join("trace.prof");
    let output = Command::new(prof)
        .args(["run", "-o"])
        .arg(&trace)
        .arg("--")
        .arg(std::env::current_exe().expect("the test binary is there"))
        .env("PROF_TEST_CASE", "both")
        .output()
        .expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{}: {text}", output.status);
    print!("{text}");
    assert!(trace.metadata().expect("there is a trace").len() > 1_000);
}

fn both() {
    let profiler = start();
    under_load(|| burn(ms(800)));
    let (cpu, alloc) = counts(&profiler.snapshot(ALL));
    println!("= {cpu} and {alloc} samples of its own");
    assert!(cpu > 50 && alloc > 50);
    profiler.stop();
}
