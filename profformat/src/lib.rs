//! A versioned binary trace format for profilers: a writer, a reader that takes any bytes, recovery of what is left of
//! a damaged file, merging and splitting, analysis and exporters.
//!
//! A trace holds samples of time, allocations with what became of them, copies, footprints and counters, of any
//! number of processes and threads, with their call stacks. It survives its writer: every prefix of a file is a good
//! trace. [`format`](mod@format) is the specification, from which a reader in another language can be written (and was:
//! `tests/read_trace.py`).
//!
//! # Writing
//!
//! ```
//! use profformat::record::{Class, Header, Record, Sample};
//! use profformat::units::Timestamp;
//! use profformat::{Options, TraceWriter};
//!
//! # fn main() -> std::io::Result<()> {
//! let header = Header { cpu_interval_ns: 10_000_000, ..Header::default() };
//! let mut writer = TraceWriter::new(Vec::new(), &header, Options::default())?;
//! let process = writer.process(4242, &["app", "--fast"])?;
//! let thread = writer.thread(process, 4242, "main")?;
//! let main = writer.call(None, "main", "app.rs", 3);
//! let stack = Some(writer.call(Some(main), "work", "app.rs", 12));
//! for i in 1..=100 {
//!     let (time, weight_ns) = (Timestamp::from_nanos(i * 10_000_000), 10_000_000);
//!     writer.write(&Record::Sample(Sample { time, thread, stack, weight_ns, class: Class::Native }))?;
//! }
//! let bytes = writer.finish(Timestamp::from_nanos(1_000_000_000))?;
//! # assert_eq!(total(&bytes).unwrap(), 1_000_000_000);
//! # Ok(())
//! # }
//! # fn total(bytes: &[u8]) -> Result<u64, profformat::Error> {
//! #     let mut ns = 0;
//! #     for record in profformat::TraceReader::new(bytes)?.strict().records() {
//! #         if let Record::Sample(sample) = record? { ns += sample.weight_ns; }
//! #     }
//! #     Ok(ns)
//! # }
//! ```
//!
//! Definitions come before their use: a process before its threads, a thread before its events, and every dictionary
//! entry before the record that names it. The output is any [`io::Write`]; each chunk is one `write`.
//!
//! # Reading
//!
//! ```
//! use profformat::{Block, TraceReader};
//!
//! fn cpu_and_waiting_ns(bytes: &[u8]) -> Result<u64, profformat::Error> {
//!     let mut reader = TraceReader::new(bytes)?;
//!     let mut ns = 0;
//!     while let Some(block) = reader.next_block() {
//!         if let Block::Samples(samples) = block? {
//!             ns += samples.iter().map(|sample| sample.weight_ns).sum::<u64>();
//!         }
//!     }
//!     Ok(ns)
//! }
//! ```
//!
//! Bytes come from anywhere; `map::open` maps a file. [`TraceReader::next_block`] lends the records of a chunk without
//! a copy, [`TraceReader::next_record`] gives them one by one. Records of one kind keep the order in which they were
//! written, and so do allocations, frees and resizes among each other; between other kinds, only times tell.
//! [`TraceReader::filter`] asks for a time range, threads, processes or kinds, and skips the rest by the index.
//!
//! Any input gives records or an [`Error`], in linear time, in memory that follows the dictionaries, and never panics.
//! By default damage is passed over and counted ([`reader::Damage`]); [`TraceReader::strict`] makes it an error.
//!
//! # Whole traces
//!
//! [`recover`] checks and mends, [`merge`](mod@merge) makes one trace of several, [`split`](mod@split) cuts out a time
//! range, `analysis` adds up a whole trace by stack and by line, `export` writes text, an HTML page, JSON, pprof,
//! speedscope and collapsed stacks.
//!
//! # Features
//!
//! | feature | gives | default |
//! |---|---|---|
//! | `std` | outputs of `std::io`, mapped files; without it the crate needs `alloc` only | yes |
//! | `zstd` | compressed chunks; without it they are passed over and counted | yes |
//! | `analysis` | `Profile`: sums of a trace by thread, stack and line | with `export` |
//! | `export` | outputs for people and for other tools | yes |
//!
//! # Promises about versions
//!
//! The crate follows semantic versioning; the list of all that is public stands in `api.txt`, and CI compares it.
//! Enums and structs that may grow are `non_exhaustive`. The file has a version of its own: every release reads all
//! files of its major version, and reads files of a newer minor version as far as it knows them. Bytes that the writer
//! makes of the same input may change between releases, what a reader makes of a file does not.
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
