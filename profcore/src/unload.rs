//! Libraries that the program unloads: what was at an address is something else then.
//!
//! The collector reads mappings when it meets an address that it does not know. A library that takes the place of another
//! gives it none, so the program tells of each unloading: that one began, that one is over, and when. What was sampled
//! before the last of them is not looked up in mappings that were read after it.

use crate::process;
use crate::session::word;
use crate::sync::Ordering;
use crate::sys::syscall;

/// To be called before `dlclose` does its work. No lock, and async-signal-safe.
pub fn begins() {
    if let Some(session) = process::session() {
        session.word(word::UNLOADS_BEGUN).fetch_add(1, Ordering::SeqCst);
    }
}

/// To be called when it is done.
pub fn is_over() {
    if let Some(session) = process::session() {
        session.word(word::LAST_UNLOAD).fetch_max(syscall::monotonic(), Ordering::SeqCst);
        session.word(word::UNLOADS_OVER).fetch_add(1, Ordering::SeqCst);
    }
}
