//! The collector's side of a session mapping.

use std::io;
use std::os::fd::OwnedFd;
use std::ptr::{self, NonNull};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::process::{Resource, Rlimit};

use crate::session::{self, Session};
use crate::sync::{AtomicU64, Ordering};

/// Addresses that a session must leave to us where they are limited (`ulimit -v`): who has none left for a list dies.
const RESERVE: usize = 128 << 20;

/// A session's memory, mapped here until this value is dropped.
#[derive(Debug)]
pub(crate) struct Region {
    address: NonNull<AtomicU64>,
}

// SAFETY: the mapping belongs to this value alone and is only reached through atomics.
unsafe impl Send for Region {}
// SAFETY: the address never changes, and every word behind it is an atomic.
unsafe impl Sync for Region {}

impl Region {
    /// A new session: the mapping, and the descriptor that a process can map it from.
    ///
    /// The size is sealed: no process that holds the descriptor can cut the memory away under us.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let memory =
            rustix::fs::memfd_create(c"prof", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        extend(&memory)?;
        rustix::fs::fcntl_add_seals(
            &memory,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
        )?;
        // SAFETY: a fresh mapping at an address the kernel chooses; no memory of ours is replaced.
        let address = unsafe {
            rustix::mm::mmap(
                ptr::null_mut(),
                session::BYTES,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &memory,
                0,
            )
        }?;
        let address = NonNull::new(address.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let region = Self { address };
        has_reserve()?;
        Ok((region, memory))
    }

    /// The session's words. The view must not be used after this value is dropped: the collector keeps
    /// none, it asks for one at each drain.
    pub(crate) fn session(&self) -> Option<Session> {
        // SAFETY: the mapping has `session::BYTES` bytes, is page-aligned, zeroed by the kernel and stays
        // until `drop`; its size is sealed, so no page of it can vanish. Everyone uses atomics in it.
        let words: &'static [AtomicU64] =
            unsafe { std::slice::from_raw_parts(self.address.as_ptr(), session::area::END) };
        Session::new(words)
    }

    /// Writes the header that makes the memory a session, whose process may have so many timers.
    pub(crate) fn begin(&self, control: u64, intervals: [u64; 3], timers: u64) {
        use session::word;
        let Some(session) = self.session() else { return };
        session.word(word::CONTROL).store(control, Ordering::Relaxed);
        session.word(word::CPU_INTERVAL_NS).store(intervals[0], Ordering::Relaxed);
        session.word(word::MEMORY_INTERVAL).store(intervals[1], Ordering::Relaxed);
        session.word(word::COPY_INTERVAL).store(intervals[2], Ordering::Relaxed);
        session.word(word::TIMER_ROOM).store(timers.saturating_add(1), Ordering::Relaxed);
        session.word(word::MAGIC).store(session::MAGIC, Ordering::Release);
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: exactly what `create` mapped; views are not kept (see `session`).
        let result = unsafe { rustix::mm::munmap(self.address.as_ptr().cast(), session::BYTES) };
        debug_assert!(result.is_ok());
    }
}

/// Makes memory as long as a session. To the kernel it is a file, and too long a one where the size of files is limited
/// (`ulimit -f`): the limit is lifted meanwhile, as far as we may. No program is started by then that would inherit it.
fn extend(memory: &OwnedFd) -> Result<(), Errno> {
    let long = || rustix::fs::ftruncate(memory, session::BYTES as u64);
    match long() {
        Err(Errno::FBIG) => {}
        done => return done,
    }
    let limit = rustix::process::getrlimit(Resource::Fsize);
    let none = Rlimit { current: None, maximum: None };
    rustix::process::setrlimit(Resource::Fsize, none).or_else(|_| {
        let most = Rlimit { current: limit.maximum, ..limit };
        rustix::process::setrlimit(Resource::Fsize, most)
    })?;
    let done = long();
    rustix::process::setrlimit(Resource::Fsize, limit)?;
    done
}

/// Fails where nothing would be left to us.
fn has_reserve() -> Result<(), Errno> {
    // SAFETY: a fresh mapping at an address the kernel chooses, which nobody gets to know.
    let address = unsafe {
        rustix::mm::mmap_anonymous(ptr::null_mut(), RESERVE, ProtFlags::empty(), MapFlags::PRIVATE)
    }?;
    // SAFETY: exactly what was just mapped.
    unsafe { rustix::mm::munmap(address, RESERVE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_session_of_fixed_size() {
        let (region, memory) = Region::create().unwrap();
        region.begin(3, [1, 2, 3], 4);
        let session = region.session().unwrap();
        assert_eq!(session.word(session::word::MAGIC).load(Ordering::Relaxed), session::MAGIC);
        assert_eq!(session.word(session::word::MEMORY_INTERVAL).load(Ordering::Relaxed), 2);
        assert_eq!(session.word(session::word::TIMER_ROOM).load(Ordering::Relaxed), 5);
        assert!(rustix::fs::ftruncate(&memory, 4096).is_err(), "the size must be sealed");
    }
}
