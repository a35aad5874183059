//! Forked children, and programs that are started.

use super::system::{ALL, Over, counts, start, timers, under_load};
use crate::embed_harness::work::{allocate, burn, ms};
use crate::embed_harness::{Case, rounds};
use profcore::embed::{Profiler, StartError};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub(crate) const CASES: &[Case] = &[
    Case::new("fork_children_run_and_can_start_their_own", children),
    Case::new("fork_while_another_thread_takes_snapshots", amid_snapshots),
    Case::new("fork_of_a_fork", grandchild),
    Case::new("spawn_of_commands", commands),
];

/// Forks; the child's `work` says whether it went well.
fn fork(work: impl FnOnce() -> Result<(), &'static str>) -> libc::pid_t {
    // SAFETY: the child runs what it needs and leaves by `_exit`. glibc's allocator works in one.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "it forks");
    if child == 0 {
        let status = match work() {
            Ok(()) => 0,
            Err(why) => {
                // SAFETY: writes a text.
                unsafe { libc::write(2, why.as_ptr().cast(), why.len()) };
                1
            }
        };
        // SAFETY: ends the process.
        unsafe { libc::_exit(status) };
    }
    child
}

/// Waits; the child must end well.
fn wait(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: writes a number of ours.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child's status");
}

/// What a child does: it is not profiled, works as ever, and can have a profiler of its own.
fn child_work() -> Result<(), &'static str> {
    let check = |holds: bool, why| if holds { Ok(()) } else { Err(why) };
    check(Profiler::current().is_none(), "the child has its parent's profiler\n")?;
    allocate(50);
    burn(ms(5));
    check(timers().unwrap_or(0) == 0, "the child has timers\n")?;
    let own = match super::system::fastest().start() {
        Ok(own) => own,
        Err(StartError::AlreadyRunning) => return Err("the child cannot start: already\n"),
        Err(_) => return Err("the child cannot start\n"),
    };
    allocate(300);
    // How many of the kernel's ticks meet a process among others is luck. All of its time is told by those that do.
    let mut seen = false;
    for _ in 0..500 {
        burn(ms(20));
        let snapshot = own.snapshot(ALL);
        let (cpu, alloc) = counts(&snapshot);
        let others = snapshot.cpu_total().saturating_sub(snapshot.cpu_own());
        seen = cpu > 2 && alloc > 2 && snapshot.cpu_sampled() >= others / 2;
        if seen {
            break;
        }
    }
    check(seen, "the child's profiler sees nothing\n")?;
    check(own.snapshot(ALL).samples().all(|sample| !sample.stack().is_empty()), "no stacks\n")?;
    own.stop();
    check(Profiler::current().is_none(), "the child's own has not stopped\n")
}

fn children() {
    let profiler = start();
    under_load(|| {
        for _ in 0..rounds(40, 200) {
            wait(fork(child_work));
        }
    });
    assert!(counts(&profiler.snapshot(ALL)).0 > 100, "the parent's goes on");
    profiler.stop();
}

/// Locks of the profiler's may be held at the fork. The child has its own.
fn amid_snapshots() {
    let profiler = start();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                profiler.snapshot(ALL);
            }
        });
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                Profiler::current();
                profiler.stats();
            }
        });
        let _over = Over(&is_over);
        for _ in 0..rounds(100, 2_000) {
            wait(fork(|| {
                if Profiler::current().is_some() {
                    return Err("the child has its parent's profiler\n");
                }
                if profiler.is_running() || profiler.snapshot(ALL).samples().count() != 0 {
                    return Err("the parent's handle works in the child\n");
                }
                allocate(50);
                let own =
                    super::system::fastest().start().map_err(|_| "the child cannot start\n")?;
                burn(ms(10));
                own.stop();
                Ok(())
            }));
        }
    });
    profiler.stop();
}

fn grandchild() {
    let profiler = start();
    burn(ms(20));
    wait(fork(|| {
        child_work()?;
        let own = super::system::fastest().start().map_err(|_| "no second start\n")?;
        burn(ms(20));
        wait(fork(child_work));
        own.stop();
        Ok(())
    }));
    profiler.stop();
}

fn commands() {
    let profiler = start();
    under_load(|| {
        for _ in 0..rounds(50, 500) {
            let output = Command::new("/bin/echo").arg("well").output().expect("it runs");
            assert_eq!(output.stdout, b"well\n");
        }
    });
    assert!(profiler.is_running());
    profiler.stop();
}
