//! The sampler inside a Rust program.

#[cfg(test)]
mod examples;
mod modules;
mod pprof;
mod remarks;
mod snapshot;
#[cfg_attr(not(feature = "symbolize"), path = "unnamed.rs")]
mod symbols;
#[cfg(feature = "trace")]
mod trace;

pub use snapshot::{Module, Sample, Snapshot, What};
#[cfg(feature = "symbolize")]
pub use symbols::{Frame, Symbols};
