//! Sections of a thread's work whose allocations nobody wants to see: the profiler's own, or what the program says.

use crate::thread;
use std::marker::PhantomData;

/// While it lives, allocations of the thread that made it are neither counted nor sampled. As many as are alive must be
/// dropped before they are again.
#[derive(Debug)]
#[must_use = "the thread is ignored until this is dropped"]
pub struct Ignored {
    /// Belongs to this thread.
    here: PhantomData<*const ()>,
}

impl Ignored {
    /// Passes the calling thread's allocations by from now on.
    #[inline]
    pub(super) fn begin() -> Self {
        thread::ignore();
        Self { here: PhantomData }
    }
}

impl Drop for Ignored {
    #[inline]
    fn drop(&mut self) {
        thread::heed();
    }
}

/// Whether the calling thread's allocations are passed by.
#[inline]
pub(super) fn is_ignored() -> bool {
    thread::is_ignored()
}

/// Work of this thread until the guard drops is not counted as allocation.
///
/// CPU time is sampled as always, and [`measure`](super::test::measure) is not affected. Calls nest. What is allocated
/// here and given back later (or the other way round) is seen by half: the profiler's sum of bytes held is off by it. A
/// sampled block that is given back here has ended all the same.
///
/// ```
/// let quiet = profcore::embed::ignore_current();
/// let log = vec![0_u8; 1 << 20];
/// drop(log);
/// drop(quiet);
/// ```
pub fn ignore_current() -> Ignored {
    Ignored::begin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_nest_in_any_order() {
        assert!(!is_ignored());
        let first = ignore_current();
        let second = Ignored::begin();
        drop(first);
        assert!(is_ignored());
        assert!(!std::thread::spawn(is_ignored).join().expect("only looks"), "the other thread");
        drop(second);
        assert!(!is_ignored());
    }

    #[test]
    fn a_panic_ends_it() {
        let caught = std::panic::catch_unwind(|| {
            let _quiet = ignore_current();
            panic!("on purpose");
        });
        assert!(caught.is_err() && !is_ignored());
    }
}
