//! From a frame word to a function at a line.

use std::collections::{HashMap, HashSet};

use profformat::ids::FrameId;
use profformat::record::Lang;

use super::trace::Trace;
use crate::event::{UNKNOWN_CODE, frame_parts};
use crate::session::Session;
use crate::{codes, cpython};

/// Most frame words that are remembered; beyond that they are looked up again.
const MAX_KNOWN: usize = 100_000;
/// Frame words that have room from the start: a map that grows late is a step in a long run's memory.
const USUAL: usize = 14_336;
/// Most code objects whose record never came.
const MAX_MISSING: usize = 65_536;

/// Frames of one session by frame word.
#[derive(Debug, Default)]
pub(crate) struct CodeLines {
    version: u64,
    known: HashMap<u64, FrameId>,
    /// Code objects seen with a complete record, or given up.
    settled: HashSet<u32>,
    missing: u64,
}

impl CodeLines {
    /// For a process whose Python has this version, in `Py_Version`'s form.
    pub(crate) fn new(version: u64) -> Self {
        Self { version, known: HashMap::with_capacity(USUAL), ..Self::default() }
    }

    /// True when nothing is gained by waiting for this code object's record.
    pub(crate) fn ready(&mut self, session: Session, code: u32) -> bool {
        if code == UNKNOWN_CODE || self.settled.contains(&code) {
            return true;
        }
        let there = codes::read(session, code).is_some();
        if there {
            self.settle(code);
        }
        there
    }

    /// The frame that a frame word tells; a code object without a record is an unknown frame.
    pub(crate) fn frame(&mut self, session: Session, word: u64, trace: &mut Trace) -> FrameId {
        if let Some(&frame) = self.known.get(&word) {
            return frame;
        }
        let (code, offset) = frame_parts(word);
        let record = if code == UNKNOWN_CODE { None } else { codes::read(session, code) };
        let Some(record) = record else {
            if code != UNKNOWN_CODE {
                self.settle(code);
            }
            self.missing += 1;
            return trace.frame(b"[unknown]", b"", 0, Lang::Other, 0);
        };
        let line = cpython::line(self.version, &record.table, record.first_line, offset);
        let frame = trace.frame(
            &record.name,
            &record.file,
            record.first_line,
            Lang::Python,
            line.unwrap_or(record.first_line),
        );
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(word, frame);
        frame
    }

    /// Frames that had to be written as unknown.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    fn settle(&mut self, code: u32) {
        if self.settled.len() >= MAX_MISSING {
            self.settled.clear();
        }
        self.settled.insert(code);
    }
}
