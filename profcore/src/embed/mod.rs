//! The sampler inside a Rust program.

pub mod labels;
mod snapshot;

pub use snapshot::{Module, Sample, Snapshot, What};
