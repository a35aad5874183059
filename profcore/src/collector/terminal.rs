//! Signals that a view in a terminal must know of: it gives the terminal back before the process stops, takes it again
//! when the process goes on, and follows its size.
//!
//! Nothing is handled, only blocked and read: dispositions stay as they are, and so does what a program gets that is
//! started by us.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use libc::c_int;

use super::launch::{set_of, take, watch};

/// To be told of while a program runs beside us, which gets all others as without us. The last two only have to be
/// blocked: a view that lost the foreground a moment ago must not be stopped for touching the terminal.
const BESIDE: [c_int; 5] =
    [libc::SIGTSTP, libc::SIGCONT, libc::SIGWINCH, libc::SIGTTIN, libc::SIGTTOU];
/// To be told of when nothing but the view runs.
const ALONE: [c_int; 9] = [
    libc::SIGTSTP,
    libc::SIGCONT,
    libc::SIGWINCH,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGHUP,
];

/// What a signal says to a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Give the terminal back, then [stop](TerminalSignals::stop).
    Stop,
    /// The process was stopped, and goes on.
    GoOn,
    /// The terminal may have another size.
    Resized,
    /// Give the terminal back and end by this signal.
    End(c_int),
}

/// Signals of a terminal, to be read instead of being acted on.
#[derive(Debug)]
pub struct TerminalSignals {
    descriptor: OwnedFd,
}

impl TerminalSignals {
    /// Watches them beside a running program, which gets what ends processes. Call it before any thread is started, and
    /// after [`Signals::guard`](super::launch::Signals::guard), which keeps the mask for the program.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn beside_a_program() -> io::Result<Self> {
        Ok(Self { descriptor: watch(&BESIDE)?.0 })
    }

    /// Watches them, and what ends processes. Call it before any thread is started.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn alone() -> io::Result<Self> {
        Ok(Self { descriptor: watch(&ALONE)?.0 })
    }

    /// Becomes readable when there is something.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// What was said, if anything was.
    pub fn next_word(&self) -> Option<Word> {
        Some(match take(&self.descriptor)?.ssi_signo as c_int {
            libc::SIGTSTP => Word::Stop,
            libc::SIGCONT => Word::GoOn,
            libc::SIGWINCH | libc::SIGTTIN | libc::SIGTTOU => Word::Resized,
            signal => Word::End(signal),
        })
    }

    /// Stops this process as the signal would have done, and returns when it goes on. The kernel does not stop a process
    /// whose group nobody could continue.
    pub fn stop(&self) {
        let set = set_of(&[libc::SIGTSTP]);
        // SAFETY: plain calls with a set of this function; nobody handles the signal, so no code of ours runs.
        unsafe {
            libc::raise(libc::SIGTSTP);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_read_once() {
        // Blocked in this thread alone, so only a signal to this thread is read.
        let signals = TerminalSignals::alone().unwrap();
        assert_eq!(signals.next_word(), None);
        // SAFETY: a signal to this thread, which blocks it.
        unsafe { libc::raise(libc::SIGWINCH) };
        assert_eq!(signals.next_word(), Some(Word::Resized));
        // SAFETY: as above.
        unsafe { libc::raise(libc::SIGTERM) };
        assert_eq!(signals.next_word(), Some(Word::End(libc::SIGTERM)));
        assert_eq!(signals.next_word(), None);
    }
}
