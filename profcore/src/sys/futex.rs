//! Sleeping until a word changes, and waking who sleeps: the low half of a word, by the threads of this process.

use super::syscall::call;
use core::sync::atomic::AtomicU64;

fn address(word: &AtomicU64) -> usize {
    // Little-endian: the low half comes first.
    core::ptr::from_ref(word).expose_provenance()
}

/// Sleeps while the word's low half is `value`, for so many nanoseconds at most. May return at any time.
pub(crate) fn wait(word: &AtomicU64, value: u32, nanos: u64) {
    let timeout = libc::timespec {
        tv_sec: (nanos / 1_000_000_000) as i64,
        tv_nsec: (nanos % 1_000_000_000) as i64,
    };
    let operation = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    let timeout = (&raw const timeout).expose_provenance();
    // SAFETY: the kernel reads four bytes of the word, which is borrowed, and one timespec.
    let _ = unsafe { call(libc::SYS_futex, [address(word), operation, value as usize, timeout]) };
}

/// Wakes a thread that sleeps by this word, if one does. Safe in a handler.
pub(crate) fn wake(word: &AtomicU64) {
    let operation = (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: the kernel takes the address as a name.
    let _ = unsafe { call(libc::SYS_futex, [address(word), operation, 1]) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::Ordering;

    #[test]
    fn a_sleeper_is_woken_or_wakes_by_itself() {
        let word = AtomicU64::new(0xffff_ffff_0000_0000);
        wait(&word, 0, 1_000_000);
        wait(&word, 1, u64::MAX);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while word.load(Ordering::Relaxed) as u32 == 0 {
                    wait(&word, 0, 3_600_000_000_000);
                }
            });
            std::thread::yield_now();
            word.fetch_add(1, Ordering::Relaxed);
            wake(&word);
        });
    }
}
