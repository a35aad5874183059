//! The minor versions of CPython 3 that are known, each as pure data.

use super::layout::Layout;
use super::offsets::DebugOffsets;

mod v3_10;
mod v3_11;
mod v3_12;
mod v3_13;
mod v3_14;
mod v3_15;
mod v3_9;

/// What is known of one minor version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    pub(crate) minor: u8,
    pub(crate) layout: Layout,
    /// Where this version describes its own layout, if it does.
    pub(crate) debug_offsets: Option<DebugOffsets>,
    /// Where the runtime has the key of each thread's thread state, a `Py_tss_t`; `None` where it has none.
    pub(crate) thread_key: Option<usize>,
    /// Where the runtime has the thread state that holds the GIL, if a thread that runs in a subinterpreter has
    /// another state under the key.
    pub(crate) holder: Option<usize>,
    /// Instructions during which a C function may be running, with their numbers. Instructions that can
    /// only enter a Python function are left out: those push a frame of their own.
    pub(crate) calls: &'static [(&'static str, u8)],
}

/// All known versions, oldest first.
pub(crate) const VERSIONS: [Version; 7] = [
    v3_9::VERSION,
    v3_10::VERSION,
    v3_11::VERSION,
    v3_12::VERSION,
    v3_13::VERSION,
    v3_14::VERSION,
    v3_15::VERSION,
];
