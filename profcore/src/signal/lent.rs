//! Alternate signal stacks that an embedded profiler lends to threads which have none.
//!
//! Without one a tick runs on the thread's own stack, which may have no room left for it. Rust's std sets one up for each of
//! its threads that has none by then: 8 KiB, mapped for this thread and unmapped at its end, untouched when the first tick
//! comes. A lent one is larger and outlives the thread: its pages are there for the next.

use crate::session::SLOTS;
use crate::sync::Ordering;
use crate::sys::mapping;
use crate::sys::signal_stack::SignalStack;
use crate::sys::tls;
use core::sync::atomic::AtomicUsize;

/// Bytes of a stack: handlers of the program's that ask for an alternate one run there too.
const SIZE: usize = 64 << 10;

/// Addresses of the stacks: as many as there may be threads with a slot. 0 where none was needed yet. They stay for ever.
static STACKS: [AtomicUsize; SLOTS] = [const { AtomicUsize::new(0) }; SLOTS];
/// In an address, which is a page's: a thread has it.
const TAKEN: usize = 1;

/// Sets a stack for the calling thread, which has none so far, blocks all signals meanwhile, and will give it back. The first
/// one that is free: it was used lately.
pub(crate) fn lend(block: &tls::Block) {
    let Some((index, before)) = (0..SLOTS).find_map(|index| Some((index, take(index)?))) else {
        return;
    };
    let at = match before {
        0 => mapping::map_stack(SIZE).unwrap_or(0),
        at => at,
    };
    // SAFETY: a whole stack, which is this thread's alone as long as its place says that it is taken.
    if at != 0 && unsafe { SignalStack::at(at, SIZE).set() }.is_ok() {
        STACKS[index].store(at | TAKEN, Ordering::Relaxed);
        block.lent.store(index as u32 + 1, Ordering::Relaxed);
    } else {
        STACKS[index].store(at, Ordering::Release);
    }
}

/// Takes a place, and says which stack is there; `None` if a thread has it.
fn take(index: usize) -> Option<usize> {
    let place = &STACKS[index];
    let at = place.load(Ordering::Relaxed);
    // Acquire: who had it is off it.
    let is_free = at & TAKEN == 0
        && place.compare_exchange(at, at | TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok();
    is_free.then_some(at)
}

/// Takes back what the calling thread was lent, if it was: at its end. One that it is on just now stays taken.
pub(crate) fn take_back(block: &tls::Block) {
    let Some(index) = (block.lent.swap(0, Ordering::Relaxed) as usize).checked_sub(1) else {
        return;
    };
    let place = &STACKS[index];
    let at = place.load(Ordering::Relaxed) & !TAKEN;
    // SAFETY: none needs no memory.
    let Ok(found) = (unsafe { SignalStack::NONE.set() }) else { return };
    if !found.is_none() && found.address() != at {
        // SAFETY: as it was: the program has set another one meanwhile.
        let _ = unsafe { found.set() };
    }
    place.store(at, Ordering::Release);
}

/// In a forked child, on its only thread: nobody else has one.
pub(crate) fn forked_child(block: &tls::Block) {
    let own = block.lent.load(Ordering::Relaxed) as usize;
    for (_, place) in (1..).zip(&STACKS).filter(|&(number, _)| number != own) {
        place.fetch_and(!TAKEN, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::alone;

    /// Runs `body` on a new thread that has no alternate stack.
    fn on_a_bare_thread(body: impl FnOnce() + Send) {
        let work = || {
            // SAFETY: none needs no memory; what std has made is put back for it to take away.
            unsafe {
                let of_std = SignalStack::NONE.set().expect("it is not in use");
                body();
                of_std.set().expect("nor is another one");
            }
        };
        std::thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"));
    }

    fn current() -> Option<usize> {
        let stack = SignalStack::current();
        (!stack.is_none()).then_some(stack.address())
    }

    #[test]
    fn two_never_have_the_same_and_the_next_has_it_again() {
        alone(|| {
            on_a_bare_thread(|| {
                lend(tls::block());
                let first = current().expect("it was lent one");
                on_a_bare_thread(|| {
                    lend(tls::block());
                    assert!(current().is_some_and(|second| second != first));
                    take_back(tls::block());
                    assert_eq!(current(), None);
                });
                take_back(tls::block());
                on_a_bare_thread(|| {
                    lend(tls::block());
                    assert_eq!(current(), Some(first));
                    take_back(tls::block());
                });
                take_back(tls::block());
                assert_eq!(current(), None, "it has none any more");
            });
        });
    }

    #[test]
    fn there_are_as_many_as_threads_with_a_slot() {
        alone(|| {
            on_a_bare_thread(|| {
                STACKS[2..].iter().for_each(|place| place.store(TAKEN, Ordering::Relaxed));
                for has_one in [true, true, false] {
                    lend(tls::block());
                    assert_eq!(current().is_some(), has_one);
                    // SAFETY: none needs no memory.
                    unsafe { SignalStack::NONE.set() }.expect("it is not in use");
                    tls::block().lent.store(0, Ordering::Relaxed);
                }
            });
        });
    }

    #[test]
    fn what_the_program_has_set_meanwhile_stays() {
        alone(|| {
            on_a_bare_thread(|| {
                lend(tls::block());
                let lent = current();
                let mut own = vec![0_u8; 16 << 10];
                let address = own.as_mut_ptr().expose_provenance();
                // SAFETY: it outlives its use.
                unsafe { SignalStack::at(address, own.len()).set() }.expect("none is in use");
                take_back(tls::block());
                assert_eq!(current(), Some(address));
                on_a_bare_thread(|| {
                    lend(tls::block());
                    assert_eq!(current(), lent);
                    take_back(tls::block());
                });
            });
        });
    }

    extern "C" fn leaves(_: i32) {
        take_back(tls::block());
    }

    #[test]
    fn one_that_a_thread_is_on_stays_taken() {
        alone(|| {
            on_a_bare_thread(|| {
                // SAFETY: all zero is a plain action; the handler makes system calls only.
                unsafe {
                    let mut action: libc::sigaction = std::mem::zeroed();
                    action.sa_sigaction = leaves as *const () as usize;
                    action.sa_flags = libc::SA_ONSTACK;
                    assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
                }
                lend(tls::block());
                let first = current();
                // SAFETY: has a handler.
                unsafe { libc::raise(libc::SIGUSR1) };
                assert_eq!(current(), first);
                on_a_bare_thread(|| {
                    lend(tls::block());
                    assert_ne!(current(), first);
                    take_back(tls::block());
                });
            });
        });
    }

    #[test]
    fn a_forked_child_has_all_but_its_own_again() {
        alone(|| {
            on_a_bare_thread(|| {
                lend(tls::block());
                on_a_bare_thread(|| {
                    lend(tls::block());
                    let (first, second) = (STACKS[0].load(Ordering::Relaxed), current());
                    // SAFETY: the child makes system calls, compares and leaves.
                    unsafe {
                        let child = libc::fork();
                        if child == 0 {
                            forked_child(tls::block());
                            let is_own = STACKS[1].load(Ordering::Relaxed) & TAKEN != 0;
                            let is_free = STACKS[0].load(Ordering::Relaxed) == first & !TAKEN;
                            libc::_exit(i32::from(!(is_own && is_free && current() == second)));
                        }
                        let mut status = 0;
                        assert_eq!(libc::waitpid(child, &mut status, 0), child);
                        assert_eq!(status, 0);
                    }
                    take_back(tls::block());
                });
                take_back(tls::block());
            });
        });
    }
}
