//! The profiler inside a Rust program: CPU time, allocations and labels, all the time, by one dependency.
//!
//! ```no_run
//! use profcore::embed::{Config, SampledAlloc};
//! use std::{fs::File, time::Duration};
//!
//! #[global_allocator]
//! static ALLOC: SampledAlloc = SampledAlloc::system();
//!
//! # fn work() {}
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let profiler = Config::from_env()?.start()?;
//! work();
//! let snapshot = profiler.snapshot(Duration::from_secs(60));
//! snapshot.write_pprof(File::create("cpu.pb")?)?;
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//!   any thread   tick, SampledAlloc -> stack -> event -> ring --+
//!   any thread   labels ------------------------^               v
//!   prof-collect threads, tables, drain ----------------------> history -> Snapshot -> pprof, trace, samples
//! ```
//!
//! Nothing here panics, prints or exits, and the program's own signal handlers stay as they are: one free real-time signal is
//! taken. A forked child is not profiled.

#[expect(unsafe_code, reason = "an allocator around another one")]
mod alloc;
pub(crate) mod call;
mod config;
mod current;
mod drain;
mod ended;
#[cfg(test)]
mod examples;
mod history;
mod ignore;
pub mod labels;
mod measure;
mod modules;
mod pprof;
mod profiler;
mod remarks;
mod run;
mod samples;
mod snapshot;
mod start;
mod stats;
#[cfg_attr(not(feature = "symbolize"), path = "unnamed.rs")]
mod symbols;
mod tables;
mod threads;
#[cfg(feature = "trace")]
mod trace;

pub use alloc::SampledAlloc;
pub use config::{Bytes, Config, ConfigError};
pub use ignore::{Ignored, ignore_current};
pub use profiler::Profiler;
pub use snapshot::{Module, Sample, Snapshot, What};
pub use start::StartError;
pub use stats::Stats;
#[cfg(feature = "symbolize")]
pub use symbols::{Frame, Symbols};

/// For tests of what a program allocates.
pub mod test {
    pub use super::measure::{Measured, NotInstalled, measure};

    /// Whether the calling thread is inside a handler of the profiler's or a hook's slow path, where nothing may allocate.
    /// For an allocator that checks that.
    #[doc(hidden)]
    pub fn is_sampling() -> bool {
        crate::thread::is_busy()
    }
}

#[cfg(all(doctest, feature = "symbolize"))]
#[doc = include_str!("../../../docs/EMBEDDING.md")]
mod page {}
