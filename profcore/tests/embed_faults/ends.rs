//! Ends of the process, which are as without a profiler.

use super::system::{start, under_load};
use crate::embed_harness::work::{allocate, burn, ms};
use crate::embed_harness::{Case, Ends, this_binary};
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;

pub(crate) const CASES: &[Case] = &[
    Case::new("end_by_exit", || busy(|| std::process::exit(3))).ends(Ends::Code(3)),
    // SAFETY: ends the process.
    Case::new("end_by__exit", || busy(|| unsafe { libc::_exit(4) })).ends(Ends::Code(4)),
    Case::new("end_by_abort", || busy(|| std::process::abort()))
        .ends(Ends::Signal(libc::SIGABRT, "")),
    Case::new("end_by_a_fault", || busy(fault)).ends(Ends::Signal(libc::SIGSEGV, "")),
    Case::new("end_by_return_with_threads_alive", || busy(|| ())),
    Case::new("end_by_a_panic", || busy(|| panic!("on purpose"))).ends(Ends::Code(101)),
    Case::new("end_by_exit_in_a_hook_of_exit", at_exit).ends(Ends::Code(5)),
    Case::new("end_by_stack_overflow_of_the_main_thread", || overflows("overflow_of_main")),
    Case::new("end_by_stack_overflow_of_a_thread", || overflows("overflow_of_thread")),
];

/// Cases that others run.
pub(crate) const HIDDEN: &[Case] = &[
    Case::new("overflow_of_main", overflow_of_main),
    Case::new("overflow_of_thread", overflow_of_thread),
];

/// Ends amid work on all threads.
fn busy(end: impl FnOnce()) {
    start();
    for _ in 0..2 {
        std::thread::spawn(|| {
            loop {
                allocate(50);
            }
        });
    }
    burn(ms(200));
    end();
}

fn fault() {
    // SAFETY: is not: the process ends by it, on purpose.
    unsafe { black_box(std::ptr::without_provenance_mut::<u8>(16)).write_volatile(1) };
}

extern "C" fn stops() {
    if let Some(profiler) = profcore::embed::Profiler::current() {
        profiler.snapshot(ms(10));
        profiler.stop();
    }
}

fn at_exit() {
    start();
    // SAFETY: the function is one of this program.
    unsafe { libc::atexit(stops) };
    under_load(|| burn(ms(50)));
    std::process::exit(5);
}

const PROFILED: &str = "PROF_TEST_PROFILED";

fn start_if_asked() {
    if std::env::var_os(PROFILED).is_some() {
        start();
        burn(ms(20));
    }
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "on purpose")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    black_box(recurse(depth + 1)) + frame[3]
}

fn overflow_of_main() {
    start_if_asked();
    recurse(0);
}

fn overflow_of_thread() {
    start_if_asked();
    let thread = std::thread::Builder::new().name("deep".into()).spawn(|| recurse(0));
    let _ = thread.expect("it starts").join();
}

/// The end and the message are the same with a profiler and without.
fn overflows(case: &str) {
    let end = |profiled: bool| {
        let mut command = this_binary(case);
        if profiled {
            command.env(PROFILED, "1");
        }
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        // A thread's message names its id.
        let text: String = text.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        (output.status.signal(), text)
    };
    let bare = end(false);
    assert!(bare.1.contains("has overflowed its stack"), "{bare:?}");
    for _ in 0..5 {
        assert_eq!(end(true), bare);
    }
}
