//! A lock-free sampler: what runs inside a profiled process, and the collector that drains it.
//!
//! ```text
//!   profiled process                                   collector
//!
//!   tick   -> signal --+
//!   malloc -> memory --+-> stack -> event -> ring ===> drain -> recorder -> trace
//!   thread -> thread --+        (session memory)
//! ```
//!
//! [`process`] joins a session (or stays dormant), [`thread`] gives each thread a slot with a ring,
//! `signal` turns timer ticks into events and [`memory`] allocations and copies. Nothing in there locks,
//! allocates or calls libc where it could be seen. The `collector` (feature `record`) is the other side.
//!
//! In a Rust program that embeds it (`embed`, the default feature), the session is the program's own memory, and a thread of
//! the program is the other side.
//!
//! Safe code, except where a module says why not. x86_64 Linux with glibc.
#![deny(unsafe_code)]
#![cfg_attr(loom, allow(dead_code, reason = "models have ring and registry alone"))]
#![cfg_attr(
    not(feature = "record"),
    allow(dead_code, reason = "what both sides agree on stands in one place")
)]

pub mod config;
mod event;
mod ring;
mod session;
mod sync;

#[cfg(all(not(loom), feature = "bench"))]
#[doc(hidden)]
pub mod bench;
#[cfg(all(not(loom), any(feature = "record", feature = "symbolize")))]
mod binaries;
#[cfg(all(not(loom), any(feature = "record", feature = "embed")))]
mod budget;
#[cfg(all(not(loom), any(feature = "record", feature = "embed")))]
mod call_frames;
#[cfg(not(loom))]
mod codes;
#[cfg(all(not(loom), feature = "record"))]
pub mod collector;
#[cfg(not(loom))]
mod cpython;
#[cfg(all(not(loom), feature = "embed"))]
pub mod embed;
#[cfg(not(loom))]
pub mod exec;
#[cfg(not(loom))]
mod handshake;
#[cfg(all(test, not(loom)))]
#[expect(unsafe_code, reason = "an allocator that watches, and the collector's part of a session")]
mod harness;
#[cfg(not(loom))]
mod interval;
mod live;
#[cfg(not(loom))]
pub mod memory;
#[cfg(all(not(loom), any(feature = "record", feature = "embed")))]
mod modules;
#[cfg(all(not(loom), feature = "record"))]
mod pace;
#[cfg(not(loom))]
#[expect(
    unsafe_code,
    reason = "reads the environment; maps the session's memory and takes it away"
)]
pub mod process;
#[cfg(all(not(loom), any(feature = "record", feature = "embed")))]
mod published;
#[cfg(all(not(loom), any(feature = "record", feature = "trace")))]
mod redact;
#[cfg(not(loom))]
pub mod signal;
#[cfg(not(loom))]
mod stack;
#[cfg(not(loom))]
#[expect(
    unsafe_code,
    reason = "talks to the machine: system calls, thread pointer, faulting reads"
)]
mod sys;
#[cfg(not(loom))]
pub mod thread;
#[cfg(not(loom))]
pub mod unload;
mod unwind;
