//! A versioned binary trace format for profilers.
#![deny(unsafe_code)]

pub mod ids;
pub mod record;
pub mod tables;
pub mod units;

#[cfg(feature = "analysis")]
pub mod analysis;
#[cfg(feature = "export")]
pub mod export;
