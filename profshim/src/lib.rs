//! The preloaded shim: the symbols through which a program meets the profiler.
//!
//! The life of a `malloc` call:
//!
//! 1. the program's call binds to the entry `malloc`, made by the `hooks!` list in [`hooks`];
//! 2. the next `malloc` of the program is called, found by [`next`] (before that: [`bootstrap`]);
//! 3. a process that is not profiled is done here: the hook only forwards;
//! 4. the block's usable size is read and added to words of the thread's slot: by `hooks/hot.rs` in the usual case, by
//!    `profcore::memory::allocated` in all others;
//! 5. if a sample point lies in those bytes, an event with the caller and the thread's stack goes into its ring;
//! 6. the program gets the pointer that the next `malloc` returned, and its errno.
//!
//! Hooks wrap and never replace. What they run has no lock, no allocation and no panic, and no thread-local
//! of the compiler's: the shim allocates nothing after its constructor, and in it only through libc.
#![no_std]
#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "memory for the allocator's callers before there is an allocator")]
mod bootstrap;
#[expect(unsafe_code, reason = "C functions that the whole program calls")]
mod hooks;
#[expect(unsafe_code, reason = "addresses from the dynamic linker become functions")]
mod next;
#[expect(unsafe_code, reason = "functions that the dynamic linker calls at start and end")]
mod start;
