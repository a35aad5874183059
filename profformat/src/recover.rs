//! What is readable of a damaged trace, told and saved.

use std::io::{self, Write};

use crate::error::Error;
use crate::reader::{Damage, TraceReader};
use crate::record::Record;
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
    let mut reader = TraceReader::new(bytes)?;
    let (mut records, mut last) = (0, Timestamp::ZERO);
    while let Some(record) = reader.next_record() {
        last = last.max(time(&record?));
        records += 1;
    }
    Ok(report(&reader, records, last))
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
    while let Some(record) = reader.next_record() {
        let record = record?;
        last = last.max(time(&record));
        records += 1;
        writer.adopt(reader.tables());
        match record {
            Record::End(time) => end = Some(time),
            record => writer.write(&record)?,
        }
    }
    writer.finish(end.unwrap_or(last))?;
    Ok(report(&reader, records, last))
}

fn report(reader: &TraceReader<'_>, records: u64, last: Timestamp) -> Report {
    Report { records, last, damage: *reader.damage(), first: reader.first_error().cloned() }
}

/// When a record was made; notes have no time.
fn time(record: &Record) -> Timestamp {
    match record {
        Record::Process(process) => process.time,
        Record::ProcessEnd(end) => end.time,
        Record::Thread(thread) => thread.time,
        Record::ThreadEnd(end) => end.time,
        Record::Sample(sample) => sample.time,
        Record::Alloc(alloc) => alloc.time,
        Record::Free(free) => free.time,
        Record::Resize(resize) => resize.time,
        Record::Copied(copied) => copied.time,
        Record::Footprint(point) => point.time,
        Record::Counter(counter) => counter.time,
        Record::Note(_) => Timestamp::ZERO,
        Record::End(time) => *time,
    }
}
