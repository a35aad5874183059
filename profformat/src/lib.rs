//! A versioned binary trace format for profilers.
//!
//! # Writing and reading
//!
//! ```text
//! TraceWriter::new(out, &Header, Options) -> io::Result<TraceWriter<W>>
//!     .string(&[u8]) -> StringId        .function(Function) -> FunctionId
//!     .frame(Frame) -> FrameId          .stack(Option<StackId>, FrameId) -> StackId
//!     .write(&Record) -> io::Result<()> .flush() -> io::Result<()>
//!     .finish(Timestamp) -> io::Result<W>
//! TraceReader::new(&[u8]) -> Result<TraceReader, Error>
//!     .header() -> &Header              .tables() -> &Tables (usable between records)
//!     .next_record() -> Option<Result<Record, Error>>     .records() -> impl Iterator of the same
//!     .damage() -> &Damage              .into_tables() -> Tables      .strict() -> Self
//! map::open(&Path) -> Result<Mapped, Error> (dereferences to [u8])
//! recover::check(&[u8]) -> Result<Report, Error>
//! recover::recover(&[u8], out, compress) -> Result<Report, RecoverError>
//! merge::merge(&[&[u8]], out, compress) -> Result<Report, MergeError>
//! split::split(&[u8], from, until, out, compress) -> Result<Report, SplitError>
//! ```
//!
//! Definitions come before their use: a process before its threads, a thread before its events, and every
//! dictionary entry before the record that names it. Records of one kind keep the order in which they were
//! written, and so do allocations, frees and resizes among each other; between other kinds, only times tell.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod block;
mod chunk;
mod codec;
mod compress;
mod decode;
mod encode;
pub mod error;
mod filter;
#[doc = include_str!("../FORMAT.md")]
pub mod format {}
pub mod header;
pub mod ids;
pub mod index;
pub mod io;
mod kind;
mod known;
pub mod limit;
#[cfg(feature = "std")]
#[expect(unsafe_code, reason = "the one call that maps a file; everything else reads slices")]
pub mod map;
pub mod merge;
mod out;
mod pace;
mod payload;
pub mod reader;
pub mod record;
pub mod recover;
mod scan;
pub mod split;
pub mod tables;
pub mod units;
mod wire;
pub mod writer;

pub use block::Block;
pub use error::Error;
pub use filter::Filter;
pub use kind::Kind;
pub use reader::TraceReader;
pub use writer::{Options, TraceWriter};

#[cfg(feature = "analysis")]
pub mod analysis;
#[cfg(feature = "export")]
pub mod export;
