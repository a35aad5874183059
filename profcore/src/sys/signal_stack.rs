//! A thread's alternate signal stack.

#[cfg(feature = "embed")]
use super::syscall::Errno;
use super::syscall::call;

/// In the words of `stack_t`: address, flags, size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignalStack([u64; 3]);

impl SignalStack {
    pub(crate) const NONE: Self = Self([0, libc::SS_DISABLE as u64, 0]);

    pub(crate) fn of_words(words: [u64; 3]) -> Self {
        Self(words)
    }

    #[cfg(feature = "embed")]
    pub(crate) fn at(address: usize, size: usize) -> Self {
        Self([address as u64, 0, size as u64])
    }

    /// The calling thread's.
    pub(crate) fn current() -> Self {
        let mut stack = Self::NONE;
        // SAFETY: the kernel writes one stack_t, 24 bytes.
        let _ = unsafe { call(libc::SYS_sigaltstack, [0, (&raw mut stack).expose_provenance()]) };
        stack
    }

    /// Makes it the calling thread's, and says which one that had. An error if the thread is on that just now.
    ///
    /// # Safety
    /// Its memory is for nobody else to use while it is this thread's.
    #[cfg(feature = "embed")]
    pub(crate) unsafe fn set(self) -> Result<Self, Errno> {
        let mut old = Self::NONE;
        let arguments = [(&raw const self).expose_provenance(), (&raw mut old).expose_provenance()];
        // SAFETY: the kernel reads one stack_t and writes one; what comes to lie on the stack is by the caller's promise.
        unsafe { call(libc::SYS_sigaltstack, arguments) }.map(|_| old)
    }

    pub(crate) fn is_none(self) -> bool {
        self.0[1] as u32 & libc::SS_DISABLE as u32 != 0
    }

    #[cfg(feature = "embed")]
    pub(crate) fn address(self) -> usize {
        self.0[0] as usize
    }

    pub(crate) fn size(self) -> usize {
        self.0[2] as usize
    }
}
