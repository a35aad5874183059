//! Several traces as one.
//!
//! ```text
//! merge(&[&[u8]], out, compress) -> Result<Report, MergeError>       merge_with: tells what was read
//!
//! inputs -> [position in merged time] -> the earliest -> ids and times translated -> writer
//! ```
//!
//! **Ids.** Strings, functions, frames and stacks with the same value become one; processes and threads are numbered
//! anew. Numbers of memory blocks are unique in a process only, so they stay.
//!
//! **Times.** Every input is moved by what it started later than the earliest one, rounded down to a unit of time. The
//! clock for that is `CLOCK_MONOTONIC` when the difference between it and the wall clock is the same in all
//! inputs, give or take a second: then they come from one boot of one machine, and a wall clock that was set meanwhile
//! does no harm. Else it is the wall clock. The unit of time is the greatest common divisor of the inputs' units, so
//! that no time and no weight is rounded.
//!
//! **Order.** The next block, or the next record of a block of what is rare, is always taken from the input that is
//! farthest behind. Records of one input keep the order that a trace keeps. Memory follows the dictionaries, not
//! the length of the inputs.
//!
//! **What is told.** Notes say which inputs there were, which intervals they had when those differ, which input was cut
//! off and what of it was unreadable; notes of an input begin with its number. With one input there are no numbers.

mod input;
mod plan;
mod translation;

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use self::input::{Input, Numbers};
use self::plan::Plan;
use crate::error::Error;
use crate::io::{self, Write};
use crate::pace::Pace;
use crate::record::Record;
use crate::recover;
use crate::units::Timestamp;
use crate::writer::{Options, TraceWriter};

/// What [`merge`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Of each input, in the order given: its records, the time of the last of them in its own time, its damage.
    pub inputs: Vec<recover::Report>,
    /// Length of the merged trace.
    pub end: Timestamp,
}

/// Why [`merge`] failed. Inputs are counted from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is no input.
    #[error("there is nothing to merge")]
    Nothing,
    /// An input is no trace that can be read.
    #[error("input {}: {error}", input + 1)]
    Trace {
        /// Which one.
        input: usize,
        /// What is wrong with it.
        error: Error,
    },
    /// Two inputs have the same trace id and share a part of their time.
    #[error(
        "inputs {} and {} are the same trace: what they share would count twice",
        first + 1,
        second + 1
    )]
    Twice {
        /// The one of them that was given first.
        first: usize,
        /// The other one.
        second: usize,
    },
    /// All inputs together have more than a trace can.
    #[error("there are too many {what} for one trace")]
    TooMany {
        /// Processes or threads.
        what: &'static str,
    },
    /// The output could not be written.
    #[error("cannot write the merged trace: {0}")]
    Output(#[from] io::Error),
}

/// Writes one trace with everything that is readable of several, chunks compressed if `compress`.
///
/// The same inputs in the same order give the same bytes. The trace id is the sum of the inputs' ids, modulo
/// 2^128. The command, and both clocks at time 0, are those of the first input and of the earliest one. Where
/// sampling intervals differ, the largest one stands in the header.
///
/// # Errors
/// [`MergeError::Twice`] for the same trace twice, or parts of one that overlap: that would double its figures. Ids
/// of zeros are not compared. Overlapping parts are only noticed at the end. After an error the output is
/// not a whole trace.
pub fn merge<W: Write>(inputs: &[&[u8]], out: W, compress: bool) -> Result<Report, MergeError> {
    merge_with(inputs, out, compress, |_, _| ())
}

/// As [`merge`]; `behind` is told, again and again, of which input the bytes up to which offset have been read.
///
/// # Errors
/// Those of [`merge`].
pub fn merge_with<W: Write>(
    inputs: &[&[u8]],
    out: W,
    compress: bool,
    behind: impl FnMut(usize, usize),
) -> Result<Report, MergeError> {
    let plan = Plan::new(inputs)?;
    let numbered = inputs.len() > 1;
    let mut inputs = Vec::with_capacity(inputs.len());
    for (number, (reader, shift)) in plan.readers.into_iter().zip(plan.shifts).enumerate() {
        inputs.push(Input::new(number, numbered, reader, shift));
    }
    refuse_same_start(&inputs)?;
    let options = Options { compress, time_unit_ns: plan.time_unit_ns };
    let mut writer = TraceWriter::new(out, &plan.header, options)?;
    for note in plan.notes {
        writer.write(&Record::Note(note.into_bytes()))?;
    }
    pass_all(&mut inputs, &mut writer, behind)?;
    refuse_overlaps(&inputs)?;
    for note in inputs.iter().flat_map(Input::notes) {
        writer.write(&Record::Note(note.into_bytes()))?;
    }
    let end = inputs.iter().map(Input::end).max().unwrap_or_default();
    writer.finish(end)?;
    Ok(Report { inputs: inputs.iter().map(Input::report).collect(), end })
}

/// Passes on everything, always what is earliest.
fn pass_all<W: Write>(
    inputs: &mut [Input<'_>],
    writer: &mut TraceWriter<W>,
    mut behind: impl FnMut(usize, usize),
) -> Result<(), MergeError> {
    let mut queue = BinaryHeap::new();
    for (number, input) in inputs.iter_mut().enumerate() {
        queue.extend(input.position()?.map(|time| Reverse((time, number))));
    }
    let (mut numbers, mut pace) = (Numbers::default(), Pace::new());
    while let Some(Reverse((reached, number))) = queue.pop() {
        if pace.is_due(reached) {
            writer.flush()?;
        }
        let input = &mut inputs[number];
        input.pass(&mut numbers, writer)?;
        behind(number, input.offset());
        queue.extend(input.position()?.map(|time| Reverse((time, number))));
    }
    Ok(())
}

/// The inputs that have a trace id, those of one id next to each other in order of their start.
fn by_trace<'i, 'a>(inputs: &'i [Input<'a>]) -> Vec<&'i Input<'a>> {
    let mut sorted: Vec<_> = inputs.iter().filter(|input| input.trace_id() != [0; 16]).collect();
    sorted.sort_by_key(|input| (input.trace_id(), input.start()));
    sorted
}

fn refuse_same_start(inputs: &[Input<'_>]) -> Result<(), MergeError> {
    refuse(inputs, |one, other| one.start() == other.start())
}

/// Parts of a trace must not overlap. Where they end is known when they were read.
fn refuse_overlaps(inputs: &[Input<'_>]) -> Result<(), MergeError> {
    refuse(inputs, |one, other| one.end() > other.start())
}

fn refuse(
    inputs: &[Input<'_>],
    is_same: impl Fn(&Input<'_>, &Input<'_>) -> bool,
) -> Result<(), MergeError> {
    for pair in by_trace(inputs).windows(2) {
        if pair[0].trace_id() == pair[1].trace_id() && is_same(pair[0], pair[1]) {
            let [one, other] = [pair[0].number(), pair[1].number()];
            return Err(MergeError::Twice { first: one.min(other), second: one.max(other) });
        }
    }
    Ok(())
}
