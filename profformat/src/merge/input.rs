//! One of the traces that are merged.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::MergeError;
use super::translation::Translation;
use crate::block::Block;
use crate::error::Error;
use crate::ids::{ProcessId, ThreadId};
use crate::io::Write;
use crate::limit;
use crate::reader::TraceReader;
use crate::record::Record;
use crate::recover::{self, newest};
use crate::units::Timestamp;
use crate::writer::TraceWriter;

/// How many processes and threads the merged trace has so far.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    processes: u32,
    threads: u32,
}

impl Numbers {
    fn process(&mut self) -> Result<ProcessId, MergeError> {
        next(&mut self.processes, "processes").map(ProcessId::new)
    }

    fn thread(&mut self) -> Result<ThreadId, MergeError> {
        next(&mut self.threads, "threads").map(ThreadId::new)
    }
}

fn next(count: &mut u32, what: &'static str) -> Result<u32, MergeError> {
    let id = *count;
    if id >= limit::PROCESSES {
        return Err(MergeError::TooMany { what });
    }
    *count += 1;
    Ok(id)
}

/// A trace on its way into the merged one.
#[derive(Debug)]
pub(super) struct Input<'a> {
    number: usize,
    /// Is it one of several?
    numbered: bool,
    reader: TraceReader<'a>,
    translation: Translation,
    /// How many records of the block at hand are passed on.
    passed: usize,
    /// Time of the record passed on last or to be passed on next, in merged time.
    reached: Timestamp,
    records: u64,
    /// Time of the last record, in its own time.
    last: Timestamp,
    end: Option<Timestamp>,
}

impl<'a> Input<'a> {
    /// A trace whose times are moved by `shift` nanoseconds.
    pub(super) fn new(number: usize, numbered: bool, reader: TraceReader<'a>, shift: u64) -> Self {
        let translation = Translation::new(shift);
        Self {
            number,
            numbered,
            reader,
            reached: translation.time(Timestamp::ZERO),
            translation,
            passed: 0,
            records: 0,
            last: Timestamp::ZERO,
            end: None,
        }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn trace_id(&self) -> [u8; 16] {
        self.reader.header().trace_id
    }

    /// When it starts, in merged time.
    pub(super) fn start(&self) -> Timestamp {
        self.translation.time(Timestamp::ZERO)
    }

    /// When it ends as far as read, in merged time.
    pub(super) fn end(&self) -> Timestamp {
        self.translation.time(self.end.unwrap_or(self.last))
    }

    /// How many bytes of it were read.
    pub(super) fn offset(&self) -> usize {
        self.reader.offset()
    }

    /// The time of what [`pass`](Self::pass) would pass on; `None` at the end.
    pub(super) fn position(&mut self) -> Result<Option<Timestamp>, MergeError> {
        if self.passed >= self.reader.block().len() {
            self.passed = 0;
            match self.reader.next_block() {
                None => return Ok(None),
                Some(Err(error)) => return Err(self.unreadable(error)),
                Some(Ok(block)) => {
                    self.records += block.len() as u64;
                    self.last = self.last.max(newest(&block));
                }
            }
        }
        // Notes have no time: they go with what stands before them.
        let time = self.reader.block().get(self.passed).and_then(|record| record.time());
        self.reached = time.map_or(self.reached, |time| self.translation.time(time));
        Ok(Some(self.reached))
    }

    /// Passes on the block at hand if it is one of events, else its next record: a block of footprints can span
    /// minutes.
    pub(super) fn pass<W: Write>(
        &mut self,
        numbers: &mut Numbers,
        writer: &mut TraceWriter<W>,
    ) -> Result<(), MergeError> {
        self.translation.follow(self.reader.tables(), writer);
        match self.reader.block() {
            Block::Records(records) => {
                let record = records.get(self.passed).cloned();
                self.passed += 1;
                record.map_or(Ok(()), |record| self.record(record, numbers, writer))
            }
            events => {
                self.passed = events.len();
                Ok(writer.write_block(&self.translation.events(events))?)
            }
        }
    }

    fn record<W: Write>(
        &mut self,
        record: Record,
        numbers: &mut Numbers,
        writer: &mut TraceWriter<W>,
    ) -> Result<(), MergeError> {
        let record = match record {
            Record::End(time) => {
                self.end = Some(time);
                return Ok(());
            }
            Record::Note(note) if self.numbered => {
                let mut text = format!("input {}: ", self.number + 1).into_bytes();
                text.extend_from_slice(&note);
                Record::Note(text)
            }
            record => record,
        };
        match &record {
            Record::Process(process) => {
                self.translation.learn_process(process.id, numbers.process()?);
            }
            Record::Thread(thread) => self.translation.learn_thread(thread.id, numbers.thread()?),
            _ => {}
        }
        Ok(writer.write(&self.translation.record(record))?)
    }

    fn unreadable(&self, error: Error) -> MergeError {
        MergeError::Trace { input: self.number, error }
    }

    /// What the merged trace says of an input that was not whole.
    pub(super) fn notes(&self) -> Vec<String> {
        let (who, which) = match self.numbered {
            true => {
                let number = self.number + 1;
                (format!("input {number}"), format!("of input {number}, "))
            }
            false => ("the trace".into(), String::new()),
        };
        let mut notes = recover::losses(self.reader.damage(), &which);
        if self.end.is_none() {
            let last = self.last.as_secs_f64();
            notes.push(format!("{who} was cut off: its last record is of {last:.3} s"));
        }
        notes
    }

    pub(super) fn report(&self) -> recover::Report {
        recover::report(&self.reader, self.records, self.last)
    }
}
