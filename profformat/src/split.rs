//! A part of a trace as a trace of its own.
//!
//! ```text
//! split(&[u8], from, until, out, compress) -> Result<Report, SplitError>       split_with: tells what was read
//!
//! trace -> [first reading: footprints and counters before] -> what the part begins with
//!       -> [second reading: everything in it]              -> times from its start on -> writer
//! ```
//!
//! A part has the events from `from` on and before `until`, so that parts that meet have every event once. It starts
//! at `from`: its clocks at time 0 are moved, so that [`merge`](crate::merge) puts parts back where they were. Both
//! moments are rounded up to a unit of time of the trace; no event changes sides by that.
//!
//! **Kept as they are:** the trace id, definitions with their ids, notes, frees of blocks that were allocated before.
//!
//! **Made right for the part:**
//! - processes and threads that are older begin at 0; those that are younger begin with its end, without events;
//! - what ended before ends at 0; a process that ends later is still running at the end, a thread that does has no end;
//! - CPU clocks at an end are unknown (0) when some of their time was before the part;
//! - footprints begin with each process's last point before the part, and a point is a peak when it is the highest of the part
//!   so far;
//! - counters count from the last time that they were read before the part; those that tell a level stay as they are.
//!
//! With an index in the file, chunks without an event of the part are not read. Memory follows the dictionaries.

pub(crate) mod before;
pub(crate) mod part;
pub(crate) mod sink;

use alloc::format;
use alloc::string::String;

use self::before::Before;
use self::part::{Part, Range};
use crate::block::Block;
use crate::error::Error;
use crate::filter::Filter;
use crate::io::{self, Write};
use crate::pace::Pace;
use crate::reader::TraceReader;
use crate::record::{Header, Record};
use crate::recover::{self, Report, newest};
use crate::units::Timestamp;
use crate::writer::{Options, TraceWriter};

/// Why [`split`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// It is no trace that can be read.
    #[error(transparent)]
    Trace(#[from] Error),
    /// Nothing can lie between the two moments.
    #[error("nothing lies between the start and the end of the part: {} s and {} s", from.as_secs_f64(), until.as_secs_f64())]
    Empty {
        /// Start of the part.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// The trace ends before the part begins.
    #[error("the trace ends at {} s, before the part begins", end.as_secs_f64())]
    Behind {
        /// Where it ends.
        end: Timestamp,
    },
    /// The output could not be written.
    #[error("cannot write the part: {0}")]
    Output(#[from] io::Error),
}

/// Writes the part of a trace between two moments, in its own time; without them from its start and to its end.
/// An end behind that of the trace is that of the trace.
///
/// The report has the records written but the end, the length of the part, and what of the trace was found
/// damaged on the way.
///
/// # Errors
/// [`SplitError::Empty`] when `from` is not before `until`, [`SplitError::Behind`] when the trace was over by
/// `from`. After an error the output is not a whole trace.
pub fn split<W: Write>(
    bytes: &[u8],
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    out: W,
    compress: bool,
) -> Result<Report, SplitError> {
    split_with(bytes, from, until, out, compress, |_| ())
}

/// As [`split`]; `behind` is told, again and again, up to which offset the bytes have been read. It begins anew for
/// the second reading.
///
/// # Errors
/// Those of [`split`].
pub fn split_with<W: Write>(
    bytes: &[u8],
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    out: W,
    compress: bool,
    mut behind: impl FnMut(usize),
) -> Result<Report, SplitError> {
    let reader = TraceReader::new(bytes)?;
    let unit = reader.time_unit_ns();
    let range = Range::new(from, until, unit)?;
    // A file says its unit in 32 bits.
    let options = Options { compress, time_unit_ns: unit as u32 };
    let mut writer = TraceWriter::new(out, &header(reader.header(), range), options)?;
    let mut reader = reader.filter(filter(range));
    let mut part = Part::new(range, Before::read(bytes, range.from, &mut behind)?);
    let (mut pace, mut last, mut end) = (Pace::new(), Timestamp::ZERO, None);
    while let Some(block) = reader.next_block() {
        let block = block?;
        let time = newest(&block);
        last = last.max(time);
        if let Block::Records([Record::End(time)]) = block {
            end = Some(*time);
            continue;
        }
        behind(reader.offset());
        if pace.is_due(range.within(time)) {
            writer.flush()?;
        }
        writer.adopt(reader.tables())?;
        part.pass(reader.block(), &mut writer)?;
    }
    let finish = end.unwrap_or(last);
    if range.from > Timestamp::ZERO && finish <= range.from {
        return Err(SplitError::Behind { end: finish });
    }
    for note in notes(&reader, range, finish, end.is_some()) {
        part.note(note, &mut writer)?;
    }
    let length = range.within(finish);
    writer.finish(length)?;
    Ok(recover::report(&reader, part.records(), length))
}

/// The header of a trace that starts later.
pub(crate) fn header(whole: &Header, range: Range) -> Header {
    let later = range.from.as_nanos();
    Header {
        start_unix_ns: whole.start_unix_ns.saturating_add(later),
        start_monotonic_ns: whole.start_monotonic_ns.saturating_add(later),
        ..whole.clone()
    }
}

pub(crate) fn filter(range: Range) -> Filter {
    let filter = Filter::new().from(range.from);
    match range.until {
        Some(until) => filter.until(until),
        None => filter,
    }
}

/// What the part says of where it comes from.
pub(crate) fn notes(
    reader: &TraceReader<'_>,
    range: Range,
    finish: Timestamp,
    ended: bool,
) -> impl Iterator<Item = String> + use<> {
    let until = range.until.map_or(finish, |until| until.min(finish));
    let is_part = range.from > Timestamp::ZERO || until < finish;
    let part = is_part.then(|| {
        let [from, until] = [range.from, until].map(Timestamp::as_secs_f64);
        format!("this is a part of a trace, from {from:.3} s to {until:.3} s of it")
    });
    let cut = (!ended).then(|| "the trace that this comes from was cut off".into());
    part.into_iter().chain(recover::losses(reader.damage(), "")).chain(cut)
}
