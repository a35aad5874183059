//! What this process was started with and Rust's runtime changes before `main`: it ignores SIGPIPE, and opens
//! `/dev/null` where a standard stream is closed. A program that we start gets both as we got them.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::c_int;

/// Standard streams that were closed.
static CLOSED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];
/// SIGPIPE was ignored; by default it ends a process.
static IGNORES_PIPE: AtomicBool = AtomicBool::new(false);

/// The C library calls what stands in this section before `main`, and so before Rust's runtime.
#[used]
// SAFETY: the section holds addresses of functions of this type; this one neither panics nor needs a runtime.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    for (descriptor, closed) in CLOSED.iter().enumerate() {
        // SAFETY: passes numbers only.
        let flags = unsafe { libc::fcntl(descriptor as c_int, libc::F_GETFD) };
        closed.store(flags == -1, Ordering::Relaxed);
    }
    // SAFETY: zeros are a valid action, and the call writes one of this function's.
    let (old, result) = unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        let result = libc::sigaction(libc::SIGPIPE, std::ptr::null(), &mut old);
        (old, result)
    };
    IGNORES_PIPE.store(result == 0 && old.sa_sigaction == libc::SIG_IGN, Ordering::Relaxed);
}

/// From here on a write to a pipe that nobody reads ends this process, unless it was started to live on: as other
/// programs do whose output goes to `head`.
pub fn restore_pipe_signal() {
    let ignored = IGNORES_PIPE.load(Ordering::Relaxed);
    let action = if ignored { libc::SIG_IGN } else { libc::SIG_DFL };
    // SAFETY: neither of the two runs code of ours. Async-signal-safe.
    unsafe { libc::signal(libc::SIGPIPE, action) };
}

/// Gives a program that is about to be executed what we were started with. Async-signal-safe.
pub(super) fn hand_on() -> io::Result<()> {
    restore_pipe_signal();
    for (descriptor, closed) in CLOSED.iter().enumerate() {
        if closed.load(Ordering::Relaxed) {
            // SAFETY: it is the runtime's `/dev/null`, in a process that will be another program; nobody else has it.
            unsafe { libc::close(descriptor as c_int) };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo test` gives its tests all three streams.
    #[test]
    fn streams_that_are_open_are_not_taken_for_closed() {
        for closed in &CLOSED {
            assert!(!closed.load(Ordering::Relaxed));
        }
    }
}
