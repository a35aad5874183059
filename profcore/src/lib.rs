//! A lock-free sampler.
#![deny(unsafe_code)]

pub mod config;
mod event;
mod ring;
mod session;
mod sync;

#[cfg(not(loom))]
mod codes;
#[cfg(all(not(loom), feature = "record"))]
pub mod collector;
#[cfg(not(loom))]
mod cpython;
#[cfg(not(loom))]
mod handshake;
#[cfg(not(loom))]
mod interval;
#[cfg(not(loom))]
mod live;
#[cfg(not(loom))]
pub mod memory;
#[cfg(not(loom))]
pub mod process;
#[cfg(not(loom))]
pub mod signal;
#[cfg(not(loom))]
mod stack;
#[cfg(not(loom))]
mod sys;
#[cfg(not(loom))]
pub mod thread;
