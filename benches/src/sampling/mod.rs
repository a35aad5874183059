//! Sampling by bytes: ways of doing it, and streams of allocations that are hard on one or the other.

mod estimators;
mod streams;

pub use estimators::{ALL, Estimator};
pub use streams::{Stream, streams};
