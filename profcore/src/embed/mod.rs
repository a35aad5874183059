//! The sampler inside a Rust program.

#[expect(unsafe_code, reason = "an allocator around another one")]
mod alloc;
mod ignore;
mod measure;
mod snapshot;

pub use alloc::SampledAlloc;
pub use ignore::{Ignored, ignore_current};
pub use snapshot::{Module, Sample, Snapshot, What};

/// For tests of what a program allocates.
pub mod test {
    pub use super::measure::{Measured, NotInstalled, measure};
}
