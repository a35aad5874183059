//! The sampler inside a Rust program.

mod snapshot;

pub use snapshot::{Module, Sample, Snapshot, What};
