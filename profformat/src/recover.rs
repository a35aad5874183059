//! What is readable of a damaged trace, told and saved.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::block::Block;
use crate::error::Error;
use crate::header;
use crate::io::{self, Write};
use crate::pace::Pace;
use crate::reader::{Damage, TraceReader};
use crate::record::{MemoryEvent, Record};
use crate::scan::Scan;
use crate::units::Timestamp;
use crate::writer::{Options, TraceWriter};

/// What [`check`] or [`recover`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Records that can be read.
    pub records: u64,
    /// Time of the last of them.
    pub last: Timestamp,
    /// What cannot be read.
    pub damage: Damage,
    /// The first thing that is wrong.
    pub first: Option<Error>,
}

/// Why [`recover`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// There is nothing to recover.
    #[error(transparent)]
    Trace(#[from] Error),
    /// The output could not be written.
    #[error("cannot write the recovered trace: {0}")]
    Output(#[from] io::Error),
}

/// Reads all of a trace and tells what is wrong with it. Errors when it is none.
pub fn check(bytes: &[u8]) -> Result<Report, Error> {
    check_with(bytes, |_| ())
}

/// As [`check`]; `behind` is told, again and again, up to which offset the bytes have been read.
pub fn check_with(bytes: &[u8], mut behind: impl FnMut(usize)) -> Result<Report, Error> {
    let mut reader = TraceReader::new(bytes)?;
    let (mut records, mut last) = (0, Timestamp::ZERO);
    while let Some(block) = reader.next_block() {
        let block = block?;
        records += block.len() as u64;
        last = last.max(newest(&block));
        behind(reader.offset());
    }
    Ok(report(&reader, records, last))
}

/// What [`scan`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames {
    /// Chunks whose checksums fit.
    pub chunks: u64,
    /// What is in none of them. Chunks of types or versions that are not known do not count here.
    pub damage: Damage,
    /// The first thing that is wrong.
    pub first: Option<Error>,
}

/// Looks at framing and checksums of a trace and not into its payloads: several times faster than [`check`], and
/// enough to find what a disk or a transfer did. `behind` is told up to which offset the bytes have been read.
pub fn scan(bytes: &[u8], mut behind: impl FnMut(usize)) -> Result<Frames, Error> {
    let mut scan = Scan::new(bytes, header::decode(bytes)?.length);
    let (mut chunks, mut first) = (0, None);
    while let Some(step) = scan.step() {
        chunks += u64::from(step.chunk.is_some());
        first = first.or(step.error);
        behind(scan.offset());
    }
    if !scan.damage.complete {
        first = first.or(Some(Error::NoEnd { offset: bytes.len() as u64 }));
    }
    Ok(Frames { chunks, damage: scan.damage, first })
}

/// Writes what is readable of a trace as a sound trace, uncompressed chunks staying so unless `compress`.
/// Ids do not change. Chunks of unknown types are left out. A trace without an end gets one at the time
/// of its last record.
pub fn recover<W: Write>(bytes: &[u8], out: W, compress: bool) -> Result<Report, RecoverError> {
    let mut reader = TraceReader::new(bytes)?;
    // A file says its unit in 32 bits.
    let time_unit_ns = reader.time_unit_ns() as u32;
    let mut writer = TraceWriter::new(out, reader.header(), Options { compress, time_unit_ns })?;
    let (mut records, mut last, mut end) = (0, Timestamp::ZERO, None);
    let mut pace = Pace::new();
    while let Some(block) = reader.next_block() {
        let block = block?;
        if pace.is_due(last) {
            writer.flush()?;
        }
        records += block.len() as u64;
        last = last.max(newest(&block));
        match block {
            Block::Records([Record::End(time)]) => end = Some(*time),
            _ => {
                writer.adopt(reader.tables())?;
                writer.write_block(&reader.block())?;
            }
        }
    }
    writer.finish(end.unwrap_or(last))?;
    Ok(report(&reader, records, last))
}

pub(crate) fn report(reader: &TraceReader<'_>, records: u64, last: Timestamp) -> Report {
    Report { records, last, damage: *reader.damage(), first: reader.first_error().cloned() }
}

/// The time of the latest record of a block.
pub(crate) fn newest(block: &Block<'_>) -> Timestamp {
    let times = match block {
        Block::Samples(samples) => samples.iter().map(|sample| sample.time).max(),
        Block::Memory(events) => events.iter().map(MemoryEvent::time).max(),
        Block::Copies(copies) => copies.iter().map(|copied| copied.time).max(),
        Block::Records(records) => records.iter().filter_map(Record::time).max(),
    };
    times.unwrap_or_default()
}

/// What a trace made from a damaged one should say of that, in words; `which` tells of which one.
pub(crate) fn losses(damage: &Damage, which: &str) -> Vec<String> {
    let Damage { chunks, bytes, missing, unknown, unsupported, .. } = damage;
    let mut losses = Vec::new();
    if [chunks, bytes, missing].iter().any(|count| **count > 0) {
        losses.push(format!(
            "the trace is damaged: {which}{chunks} chunks and {bytes} bytes could not be read, \
             {missing} chunks are missing"
        ));
    }
    if *unknown > 0 || *unsupported > 0 {
        losses.push(format!(
            "{which}{unknown} chunks of a newer version and {unsupported} compressed in a way \
             this program cannot read were left out"
        ));
    }
    losses
}
