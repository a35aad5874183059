//! The program's view of the signals we took, in processes of their own: each behaves as if we were not
//! there. What a child of a test prints and how it ends is compared with what Linux does without us.

use super::*;
use crate::harness::{alone, burn_until, end_of, join, total};
use crate::session::{Count, word};
use crate::sys::probe;
use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::sync::atomic::{AtomicI32, AtomicUsize};

/// What the program's handlers saw.
static CALLS: AtomicUsize = AtomicUsize::new(0);
static CODE: AtomicI32 = AtomicI32::new(0);
static MASK: AtomicU64 = AtomicU64::new(0);

extern "C" fn note(_: c_int, info: *const libc::siginfo_t, _: *mut libc::c_void) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: only used with SA_SIGINFO.
    CODE.store(unsafe { (*info).si_code }, Ordering::Relaxed);
    MASK.store(sigset::change(libc::SIG_BLOCK, 0), Ordering::Relaxed);
}

/// As faulthandler: writes something, gives the signal back and lets the fault happen again.
extern "C" fn write_and_give_back(signal: c_int) {
    let text = "fault seen\n";
    // SAFETY: writes a constant.
    unsafe { libc::write(1, text.as_ptr().cast(), text.len()) };
    set(signal, libc::SIG_DFL, 0, 0);
}

fn note_address() -> usize {
    note as *const () as usize
}

/// `sigaction` as the interposed function does it; the old handler and flags.
fn set(signal: i32, handler: usize, flags: i32, mask: u64) -> (usize, i32, u64) {
    // SAFETY: a zeroed sigaction is a valid one.
    let (mut new, mut old): (libc::sigaction, libc::sigaction) = unsafe { core::mem::zeroed() };
    new.sa_sigaction = handler;
    new.sa_flags = flags;
    // SAFETY: a set is at least one word.
    unsafe { (&raw mut new.sa_mask).cast::<u64>().write(mask) };
    // SAFETY: both are whole structs.
    let result = unsafe { sigaction(signal, &new, &mut old) };
    assert_eq!(result, Some(0));
    // SAFETY: as above.
    let mask = unsafe { (&raw const old.sa_mask).cast::<u64>().read() };
    (old.sa_sigaction, old.sa_flags & !(SA_RESTORER as i32), mask)
}

/// Rust's runtime has handlers of its own for overflowed stacks.
fn join_without_handlers() {
    join();
    set(libc::SIGSEGV, libc::SIG_DFL, 0, 0);
    set(libc::SIGBUS, libc::SIG_DFL, 0, 0);
}

fn fault() {
    // SAFETY: none: this is meant to fault.
    unsafe { core::ptr::with_exposed_provenance_mut::<u64>(64).write_volatile(1) };
}

fn send(signal: i32) {
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { libc::pthread_kill(libc::pthread_self(), signal) }, 0);
}

fn assert_killed(output: Option<Output>, by: i32, text: &str) {
    let Some(output) = output else { return };
    assert_eq!(output.status.signal(), Some(by), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains(text), "{output:?}");
}

#[test]
fn a_fault_kills_as_ever() {
    assert_killed(
        end_of(|| {
            join_without_handlers();
            fault();
        }),
        libc::SIGSEGV,
        "",
    );
}

#[test]
fn a_fault_of_who_ignores_it_kills_as_ever() {
    assert_killed(
        end_of(|| {
            join();
            set(libc::SIGSEGV, libc::SIG_IGN, 0, 0);
            send(libc::SIGSEGV);
            println!("still here");
            fault();
        }),
        libc::SIGSEGV,
        "still here",
    );
}

#[test]
fn a_handler_that_gives_the_signal_back_is_followed_by_death() {
    assert_killed(
        end_of(|| {
            join();
            set(libc::SIGSEGV, write_and_give_back as *const () as usize, 0, 0);
            fault();
        }),
        libc::SIGSEGV,
        "fault seen",
    );
}

#[test]
fn a_signal_that_was_sent_kills_too() {
    assert_killed(
        end_of(|| {
            join_without_handlers();
            send(libc::SIGBUS);
        }),
        libc::SIGBUS,
        "",
    );
}

#[test]
fn our_signal_kills_too_when_it_is_no_tick() {
    let Some(output) = end_of(|| {
        join();
        send(number());
    }) else {
        return;
    };
    assert!(output.status.signal().is_some_and(|signal| signal >= 34), "{output:?}");
}

#[test]
fn a_reset_handler_runs_once() {
    assert_killed(
        end_of(|| {
            join();
            set(libc::SIGBUS, note_address(), libc::SA_SIGINFO | libc::SA_RESETHAND, 0);
            send(libc::SIGBUS);
            assert_eq!(CALLS.load(Ordering::Relaxed), 1);
            let flags = libc::SA_SIGINFO | libc::SA_RESETHAND;
            assert_eq!(set(libc::SIGBUS, libc::SIG_DFL, 0, 0), (libc::SIG_DFL, flags, 0));
            println!("once");
            send(libc::SIGBUS);
        }),
        libc::SIGBUS,
        "once",
    );
}

#[test]
fn the_program_sees_sets_and_keeps_its_own() {
    alone(|| {
        // SAFETY: two null pointers.
        let result = unsafe { sigaction(libc::SIGSEGV, core::ptr::null(), core::ptr::null_mut()) };
        assert_eq!(result, None, "dormant");
        // A handler from before us stays the program's.
        let before = sigset::action(libc::SIGSEGV).expect("a good signal");
        let session = join();
        let flags = libc::SA_SIGINFO | libc::SA_NODEFER;
        let first = set(libc::SIGSEGV, note_address(), flags | 0x400, u64::MAX);
        assert_eq!(first.0, before.handler);
        assert_eq!(first.1 as u32 as u64, before.flags & !SA_RESTORER);
        let ours = entry::entry as *const () as usize;
        assert_eq!(sigset::action(libc::SIGSEGV).map(|action| action.handler), Ok(ours));
        // Asked again, it is what was set, less what the kernel would not have kept.
        assert_eq!(
            signal(libc::SIGSEGV, libc::SIG_IGN),
            Some(note_address()),
            "signal names the former handler"
        );
        let bit = sigset::bit(libc::SIGSEGV);
        assert_eq!(
            set(libc::SIGSEGV, note_address(), flags, 0),
            (libc::SIG_IGN, libc::SA_RESTART, bit)
        );
        assert_eq!(set(libc::SIGSEGV, note_address(), flags, 0), (note_address(), flags, 0));
        // Signals that are none of ours are not answered.
        assert_eq!(signal(libc::SIGUSR1, libc::SIG_IGN), None);
        assert_eq!(session.word(word::SIGNAL).load(Ordering::Relaxed), number() as u64);
        assert!((35..64).contains(&number()));
        assert_eq!(super::super::install(), number(), "a second time changes nothing");
        assert_eq!(set(libc::SIGSEGV, note_address(), flags, 0).0, note_address());
    });
}

#[test]
fn masks_are_as_the_program_asked() {
    alone(|| {
        join();
        let before = sigset::change(libc::SIG_BLOCK, sigset::bit(libc::SIGUSR2));
        let around = before | sigset::bit(libc::SIGUSR2);
        let asked = sigset::bit(libc::SIGUSR1);
        // On one that is as small as this thread's may be, handlers keep ticks out.
        // SAFETY: zeros are a stack_t.
        let mut none: libc::stack_t = unsafe { core::mem::zeroed() };
        none.ss_flags = libc::SS_DISABLE;
        // SAFETY: the thread has no use for its stack: it does not overflow the other one.
        assert_eq!(unsafe { libc::sigaltstack(&raw const none, core::ptr::null_mut()) }, 0);
        for signal in [libc::SIGSEGV, libc::SIGBUS, number()] {
            for (flags, own) in [(0, sigset::bit(signal)), (libc::SA_NODEFER, 0)] {
                let calls = CALLS.load(Ordering::Relaxed);
                set(signal, note_address(), libc::SA_SIGINFO | flags, asked);
                send(signal);
                assert_eq!(CALLS.load(Ordering::Relaxed), calls + 1);
                assert_eq!(CODE.load(Ordering::Relaxed), libc::SI_TKILL);
                assert_eq!(
                    MASK.load(Ordering::Relaxed),
                    around | asked | own,
                    "{signal} {flags:#x}"
                );
                assert_eq!(sigset::change(libc::SIG_BLOCK, 0), around);
            }
        }
    });
}

#[test]
fn flags_that_act_before_the_handler_reach_the_kernel() {
    alone(|| {
        join_without_handlers();
        let kernel = || sigset::action(libc::SIGSEGV).expect("a good signal").flags;
        assert_eq!(kernel() & (ONSTACK | RESTART | NODEFER), ONSTACK | RESTART | NODEFER);
        set(libc::SIGSEGV, note_address(), 0, 0);
        assert_eq!(kernel() & (ONSTACK | RESTART | NODEFER), NODEFER);
        set(libc::SIGSEGV, note_address(), libc::SA_ONSTACK, 0);
        assert_eq!(kernel() & (ONSTACK | RESTART), ONSTACK);
        let tick = || sigset::action(number()).expect("a good signal").flags;
        let always = SIGINFO | ONSTACK | RESTART | SA_RESTORER;
        set(number(), note_address(), 0, 0);
        assert_eq!(tick(), always, "a tick is always taken our way");
    });
}

#[test]
fn guarded_reads_are_mended_whatever_the_program_does() {
    alone(|| {
        let session = join();
        let faults = || session.word(word::PROBE_FAULTS).load(Ordering::Relaxed);
        for handler in [libc::SIG_DFL, libc::SIG_IGN, note_address()] {
            set(libc::SIGSEGV, handler, libc::SA_SIGINFO, 0);
            let before = faults();
            assert_eq!(probe::word(64), None);
            assert_eq!(faults(), before + 1);
            assert_eq!(CALLS.load(Ordering::Relaxed), 0);
        }
        // The program's own fault still goes to its handler, and ticks go on beside it.
        extern "C" fn skip(_: c_int, _: *const libc::siginfo_t, context: *mut libc::ucontext_t) {
            CALLS.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the kernel's context.
            unsafe { (*context).uc_mcontext.gregs[libc::REG_RIP as usize] += 2 };
        }
        set(libc::SIGSEGV, skip as *const () as usize, libc::SA_SIGINFO, 0);
        let samples = total(session, Count::Samples);
        burn_until(|| {
            let calls = CALLS.load(Ordering::Relaxed);
            // SAFETY: the faulting instruction has two bytes (40 8a 00 would have three), the handler skips it.
            unsafe { core::arch::asm!("mov [rax], cl", in("rax") 64, in("cl") 0_i8) };
            assert_eq!(CALLS.load(Ordering::Relaxed), calls + 1);
            total(session, Count::Samples) > samples + 5
        });
    });
}
