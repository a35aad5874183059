//! Atomics: the real ones, or loom's. The only file that knows which.
//!
//! loom explores thread interleavings and memory orders, not signals: that a handler cannot interrupt a
//! half-made event of its own thread is held by the busy flag in `thread`, and tested there.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
