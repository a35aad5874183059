//! The machine: raw system calls, thread-local words, guarded reads. x86_64 Linux with glibc only.
//!
//! Everything here may be called from a signal handler (rule R1 of `signal`): no libc, no allocation, no
//! lock, errno untouched.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
compile_error!("profcore runs on x86_64 Linux with glibc only");

#[cfg(feature = "embed")]
pub(crate) mod futex;
#[cfg(feature = "embed")]
pub(crate) mod labels;
pub(crate) mod mapping;
pub(crate) mod probe;
pub(crate) mod registers;
pub(crate) mod signal_stack;
pub(crate) mod sigset;
pub(crate) mod socket;
pub(crate) mod syscall;
pub(crate) mod tls;
pub(crate) mod vdso;
