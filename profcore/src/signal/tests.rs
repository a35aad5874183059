//! Ticks, in processes of their own.

use crate::event::flag;
use crate::harness::{alone, burn, burn_until, check_books, drain, join, lost, memory, total};
use crate::session::{Count, Loss, Session, slot_word, word};
use crate::sync::Ordering;
use crate::sys::sigset::{self, Masked};
use crate::sys::syscall;
use crate::thread;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;

#[test]
fn weights_of_a_thread_add_up_to_its_clock() {
    alone(|| {
        let session = join();
        let done = AtomicUsize::new(0);
        let (mut told, clocks) = std::thread::scope(|scope| {
            let threads: Vec<_> = [60, 150, 240]
                .map(|millis| {
                    let done = &done;
                    scope.spawn(move || {
                        thread::born();
                        burn(millis * 1_000_000);
                        let (tid, clock) = (syscall::gettid(), syscall::thread_cpu());
                        thread::ending();
                        done.fetch_add(1, Ordering::Relaxed);
                        (tid, clock)
                    })
                })
                .into();
            let mut told: BTreeMap<u32, Vec<_>> = BTreeMap::new();
            let mut last_round = false;
            while !last_round {
                last_round = done.load(Ordering::Relaxed) == threads.len();
                for number in 1..8 {
                    let (owner, part) = drain(session, number);
                    told.entry(owner.tid).or_default().push(part);
                }
                burn(1_000_000);
            }
            let clocks: Vec<_> =
                threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
            (told, clocks)
        });
        let mut events = 0;
        let mut overruns = 0;
        for (tid, clock) in clocks {
            let parts = told.remove(&tid).expect("the thread had a slot");
            let ticks: Vec<_> = parts.iter().flat_map(|part| &part.ticks).collect();
            let weight: u64 = ticks.iter().map(|tick| tick.weight_ns).sum();
            let end = parts.iter().find_map(|part| part.end).expect("the thread told its end");
            assert!((clock..=end).contains(&weight), "{weight} of {clock} to {end}");
            assert_eq!(ticks.iter().filter(|tick| tick.is_rest()).count(), 1);
            assert!(ticks.last().is_some_and(|tick| tick.is_rest()), "the rest comes last");
            assert!(ticks.len() > 1, "the timer ticked");
            assert!(ticks.iter().all(|tick| (tick.pc == 0) == tick.is_rest()));
            events += ticks.len() as u64;
            overruns += ticks.iter().map(|tick| u64::from(tick.overruns)).sum::<u64>();
        }
        // The test's own thread and what it told between the last round and now.
        let rest: Vec<_> = told.into_values().flatten().collect();
        let _quiet = Masked::block(super::mask());
        let (_, own) = drain(session, 1);
        for tick in rest.iter().chain([&own]).flat_map(|part| &part.ticks) {
            events += 1;
            overruns += u64::from(tick.overruns);
        }
        check_books(session);
        assert_eq!(events, total(session, Count::Samples));
        assert_eq!(overruns, total(session, Count::Overruns));
        assert!(total(session, Count::SelfNanos) > 0);
        assert_eq!(session.word(word::TIMER_FAILED).load(Ordering::Relaxed), 0);
    });
}

fn own(session: Session, count: Count) -> u64 {
    let slot = thread::existing().expect("has a slot");
    let _ = session;
    slot.word(slot_word::COUNTERS + count as usize).load(Ordering::Relaxed)
}

#[test]
fn a_tick_inside_a_hook_is_lost_and_its_weight_goes_to_the_next() {
    alone(|| {
        let session = join();
        burn_until(|| own(session, Count::Samples) > 0);
        let busy = thread::enter().expect("is free");
        assert!(thread::enter().is_none());
        let begin = syscall::thread_cpu();
        let (ticks, samples) = (own(session, Count::Ticks), own(session, Count::Samples));
        burn_until(|| own(session, Count::Ticks) >= ticks + 3);
        assert_eq!(own(session, Count::Samples), samples);
        assert!(lost(session, Loss::Reentered) >= 3);
        let lost_ns = syscall::thread_cpu() - begin;
        drop(busy);
        drain(session, 1);
        burn_until(|| own(session, Count::Samples) > samples);
        let (_, told) = drain(session, 1);
        let interval = thread::existing().expect("has a slot").word(slot_word::INTERVAL);
        let interval = interval.load(Ordering::Relaxed);
        assert!(told.ticks[0].weight_ns + interval > lost_ns, "{told:?}");
        check_books(session);
    });
}

#[test]
fn a_full_ring_is_counted_and_its_weight_kept() {
    alone(|| {
        let session = join();
        let slot = thread::existing().expect("the main thread has a slot");
        let busy = thread::enter().expect("is free");
        let begin = slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
        while let Some(mut room) = slot.ring().reserve(3, crate::ring::spsc::Share::All) {
            room.word(crate::event::head_word(3, crate::event::kind::THREAD_END, 0, 0));
            room.word(0);
            room.word(0);
            room.commit();
        }
        drop(busy);
        burn_until(|| lost(session, Loss::RingFull) >= 2);
        let samples = own(session, Count::Samples);
        slot.word(slot_word::TAIL)
            .store(slot.word(slot_word::HEAD).load(Ordering::Relaxed), Ordering::Release);
        burn_until(|| own(session, Count::Samples) > samples);
        let (_, told) = drain(session, 1);
        let now = slot.word(slot_word::LAST_CPU).load(Ordering::Relaxed);
        assert_eq!(told.weight(), now - begin, "nothing is lost but the places");
        check_books(session);
    });
}

#[test]
fn errno_and_the_signal_mask_are_kept() {
    alone(|| {
        let session = join();
        let mask = sigset::change(libc::SIG_BLOCK, sigset::bit(libc::SIGSEGV));
        let mask = mask | sigset::bit(libc::SIGSEGV);
        let samples = own(session, Count::Samples);
        // SAFETY: the calling thread's errno.
        let errno = unsafe { libc::__errno_location() };
        // SAFETY: as above.
        unsafe { *errno = 77 };
        burn_until(|| {
            // SAFETY: as above.
            assert_eq!(unsafe { *errno }, 77);
            assert_eq!(sigset::change(libc::SIG_BLOCK, 0), mask);
            own(session, Count::Samples) > samples + 5
        });
    });
}

#[test]
fn kernel_time_is_flagged() {
    alone(|| {
        let session = join();
        let count_flagged = || {
            let (_, told) = drain(session, 1);
            (
                told.ticks.iter().filter(|tick| tick.flags & flag::KERNEL != 0).count(),
                told.ticks.len(),
            )
        };
        let mut bytes = vec![0_u8; 1 << 20];
        // SAFETY: a constant path.
        let zero = unsafe { libc::open(c"/dev/zero".as_ptr(), libc::O_RDONLY) };
        let samples = own(session, Count::Samples);
        while own(session, Count::Samples) < samples + 12 {
            // SAFETY: writes into `bytes`, whose length is given.
            let read = unsafe { libc::read(zero, bytes.as_mut_ptr().cast(), bytes.len()) };
            assert_eq!(read, bytes.len() as isize);
        }
        let (flagged, all) = count_flagged();
        assert!(flagged * 2 > all, "{flagged} of {all} in read");
        let samples = own(session, Count::Samples);
        while own(session, Count::Samples) < samples + 12 {
            for number in 0..100_000_u64 {
                std::hint::black_box(number.wrapping_mul(number));
            }
        }
        let (flagged, all) = count_flagged();
        assert!(flagged == 0, "{flagged} of {all} in a loop");
    });
}

/// Runs `body` on a thread with an alternate signal stack of that size.
fn on_alternate(bytes: usize, body: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut memory = vec![0_u8; bytes];
            let stack =
                libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: bytes };
            // SAFETY: `memory` outlives its use: Rust's own stack is given back below.
            let mut old = unsafe { std::mem::zeroed() };
            // SAFETY: as above.
            assert_eq!(unsafe { libc::sigaltstack(&stack, &mut old) }, 0);
            body();
            // SAFETY: as above.
            assert_eq!(unsafe { libc::sigaltstack(&old, std::ptr::null_mut()) }, 0);
        });
    });
}

/// Bytes that the kernel puts on an alternate stack for a signal. Its own figure, `AT_MINSIGSTKSZ`, counts registers
/// that only threads with a permission for them have (AMX).
fn signal_frame() -> usize {
    static FRAME: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn measure(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: the kernel's context of this handler.
        let stack = unsafe { (*context.cast::<libc::ucontext_t>()).uc_stack };
        let top = stack.ss_sp.addr() + stack.ss_size;
        FRAME.store(top - context.addr(), Ordering::Relaxed);
    }
    on_alternate(64 << 10, || {
        // SAFETY: all zeros is a sigaction.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = measure as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: a whole sigaction; its handler only stores.
        assert_eq!(unsafe { libc::sigaction(libc::SIGUSR2, &action, std::ptr::null_mut()) }, 0);
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { libc::raise(libc::SIGUSR2) }, 0);
    });
    FRAME.load(Ordering::Relaxed)
}

/// Runs `body` in a handler on the alternate stack.
fn amid_a_handler(body: fn()) {
    static BODY: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn handler(_: libc::c_int) {
        let body = std::ptr::with_exposed_provenance::<()>(BODY.load(Ordering::Relaxed));
        // SAFETY: only ever set below.
        unsafe { std::mem::transmute::<*const (), fn()>(body)() }
    }
    BODY.store((body as *const ()).expose_provenance(), Ordering::Relaxed);
    // SAFETY: all zeros is a sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_ONSTACK;
    // SAFETY: a whole sigaction; its handler calls a function that may be called there.
    assert_eq!(unsafe { libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()) }, 0);
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
}

fn session() -> Session {
    crate::process::session().expect("the test has joined one")
}

#[test]
fn little_alternate_stack_drops_the_sample() {
    alone(|| {
        let session = join();
        let frame = signal_frame();
        on_alternate(2 * frame + 2500, || {
            thread::born();
            amid_a_handler(|| burn_until(|| lost(self::session(), Loss::AltstackLow) > 2));
            thread::ending();
        });
        let before = lost(session, Loss::AltstackLow);
        on_alternate(3 * frame + 8192, || {
            thread::born();
            amid_a_handler(|| burn_until(|| own(self::session(), Count::Samples) > 2));
            thread::ending();
        });
        assert_eq!(lost(session, Loss::AltstackLow), before);
        check_books(session);
    });
}

#[test]
fn an_alternate_stack_without_room_stops_the_clock() {
    alone(|| {
        let session = join();
        let timer = || {
            let slot = thread::existing().expect("has a slot");
            slot.word(slot_word::TIMER).load(Ordering::Relaxed)
        };
        on_alternate(4096, || {
            thread::born();
            assert_eq!(timer(), 0, "it had one before it had a slot");
            burn(20_000_000);
            assert_eq!(own(session, Count::Ticks), 0);
            thread::ending();
        });
        let threads_last = |number| drain(session, number).1.ticks.last().copied();
        let rest = threads_last(2).expect("its time is told at its end");
        assert!(rest.is_rest() && rest.weight_ns >= 20_000_000, "{rest:?}");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                thread::born();
                assert_ne!(timer(), 0);
                let mut memory = vec![0_u8; 65536];
                let mut set = |size, flags| {
                    let ss_sp = memory.as_mut_ptr().cast();
                    let new = libc::stack_t { ss_sp, ss_flags: flags, ss_size: size };
                    super::alternate::before(&raw const new);
                    // SAFETY: `memory` outlives its use.
                    let result = unsafe { libc::sigaltstack(&raw const new, std::ptr::null_mut()) };
                    assert_eq!(result, 0);
                    super::alternate::after();
                };
                for (size, flags, ticks) in [
                    (4096, 0, false),
                    (2048, 0, false),
                    (65536, 0, true),
                    (4096, 0, false),
                    (4096, libc::SS_DISABLE, true),
                ] {
                    set(size, flags);
                    assert_eq!(timer() != 0, ticks, "{size} {flags}");
                }
                // One that the kernel refuses changes nothing.
                let bad = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: 0, ss_size: 100 };
                super::alternate::before(&raw const bad);
                assert_eq!(timer(), 0);
                super::alternate::after();
                assert_ne!(timer(), 0);
                super::alternate::before(std::ptr::without_provenance(64));
                assert_ne!(timer(), 0, "not an address");
                thread::ending();
            });
        });
        assert_eq!(session.word(word::LOW_ALTERNATES).load(Ordering::Relaxed), 4);
        check_books(session);
    });
}

#[test]
fn no_more_timers_than_there_is_room_for() {
    alone(|| {
        let session = join();
        // This thread's, and one more.
        session.word(word::TIMER_ROOM).store(3, Ordering::Relaxed);
        let begun = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    thread::born();
                    begun.wait();
                    thread::ending();
                });
            }
        });
        assert_eq!(session.word(word::TIMER_FAILED).load(Ordering::Relaxed), 2);
        assert_eq!(session.word(word::TIMERS).load(Ordering::Relaxed), 1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                thread::born();
                let slot = thread::existing().expect("has a slot");
                assert_ne!(slot.word(slot_word::TIMER).load(Ordering::Relaxed), 0, "given back");
                thread::ending();
            });
        });
    });
}

#[test]
fn a_thread_that_keeps_ticks_away_for_long_is_counted() {
    alone(|| {
        let session = join();
        let counted = || session.word(word::TICKS_BLOCKED).load(Ordering::Relaxed);
        for (nanos, blocked) in [(1_000_000, true), (200_000_000, false), (200_000_000, true)] {
            assert_eq!(counted(), 0);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    thread::born();
                    let _quiet = blocked.then(|| Masked::block(!0));
                    burn(nanos);
                    thread::ending();
                });
            });
        }
        assert_eq!(counted(), 1);
        check_books(session);
    });
}

#[test]
fn without_a_slot_ticks_count_on_slot_0() {
    alone(|| {
        let session = join();
        // As if the collector had taken the slot away: the timer goes on.
        let slot = thread::existing();
        thread::set(None);
        burn_until(|| lost(session, Loss::NoSlot) > 2);
        thread::set(slot);
        let nobody = session.slot(0).word(slot_word::COUNTERS + Count::Ticks as usize);
        assert_eq!(nobody.load(Ordering::Relaxed), lost(session, Loss::NoSlot));
        check_books(session);
    });
}

#[test]
fn switched_off_is_counted_as_off() {
    alone(|| {
        let session = join();
        session.word(word::CONTROL).store(0, Ordering::Relaxed);
        burn_until(|| lost(session, Loss::Off) > 2);
        check_books(session);
        let (_, other) = memory(1);
        other.word(word::CONTROL).store(0, Ordering::Relaxed);
        super::timer::arm(other, other.slot(1), syscall::gettid());
        assert_eq!(other.slot(1).word(slot_word::TIMER).load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_tick_mends_its_faults_although_the_thread_blocks_them() {
    alone(|| {
        const PAGE: usize = 4096;
        let session = join();
        let access = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // A loop at the very beginning of the second of two pages; the bytes before it cannot be read.
        // loop to itself, counting rcx (the fourth argument) down; ret
        let code = [0xe2, 0xfe, 0xc3_u8];
        // SAFETY: two fresh pages; the code is a function that takes a count and touches no memory.
        let spin = unsafe {
            let pages = libc::mmap(std::ptr::null_mut(), 2 * PAGE, access, flags, -1, 0);
            assert_ne!(pages, libc::MAP_FAILED);
            let start = pages.cast::<u8>().add(PAGE);
            start.copy_from_nonoverlapping(code.as_ptr(), code.len());
            assert_eq!(libc::mprotect(pages, PAGE, libc::PROT_NONE), 0);
            std::mem::transmute::<*mut u8, extern "C" fn(u64, u64, u64, u64)>(start)
        };
        sigset::change(libc::SIG_BLOCK, sigset::FAULTS);
        burn_until(|| {
            spin(0, 0, 0, 100_000);
            session.word(word::PROBE_FAULTS).load(Ordering::Relaxed) > 0
        });
        assert_eq!(sigset::change(libc::SIG_BLOCK, 0) & sigset::FAULTS, sigset::FAULTS);
        check_books(session);
    });
}

#[test]
fn a_handler_that_takes_too_much_is_called_half_as_often() {
    alone(|| {
        let session = join();
        let slot = thread::existing().expect("the main thread has a slot");
        let interval = || slot.word(slot_word::INTERVAL).load(Ordering::Relaxed);
        let before = interval();
        burn_until(|| own(session, Count::Ticks) > 256 + 8);
        assert_eq!(interval(), before, "an ordinary handler is left alone");
        // Two looks find that all time went into samples; one does not do.
        for look in 1..=2 {
            let next = (own(session, Count::Ticks) / 256 + 1) * 256 + 8;
            slot.word(slot_word::GUARD_OWN).store(3_600_000_000_000, Ordering::Relaxed);
            burn_until(|| {
                drain(session, 1);
                own(session, Count::Ticks) >= next
            });
            assert_eq!(interval(), if look == 2 { before * 2 } else { before });
        }
        assert_eq!(session.word(word::RATE_HALVED).load(Ordering::Relaxed), 1);
        let next = (own(session, Count::Ticks) / 256 + 2) * 256 + 8;
        burn_until(|| {
            drain(session, 1);
            own(session, Count::Ticks) >= next
        });
        assert_eq!(interval(), before * 2, "it is not slowed down again without need");
    });
}
