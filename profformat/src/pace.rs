//! When a trace that is made from others lets its blocks go.
//!
//! A writer gathers 4,096 records of a kind before it writes them. Of what is rare that is minutes: the ends of
//! processes would come long after the footprints of others that lived on, and analysis takes an end that comes
//! too late for a process that held its memory for longer.

use crate::units::Timestamp;

/// Time of the trace between two flushes, nanoseconds.
const STEP: u64 = 1_000_000_000;

/// Tells when it is time for a flush.
#[derive(Debug)]
pub(crate) struct Pace {
    next: u64,
}

impl Pace {
    /// A pace that begins with the trace.
    pub(crate) fn new() -> Self {
        Self { next: STEP }
    }

    /// True when the trace has gone on for long enough since this was true.
    pub(crate) fn is_due(&mut self, reached: Timestamp) -> bool {
        let reached = reached.as_nanos();
        let is_due = reached >= self.next;
        if is_due {
            self.next = reached.saturating_add(STEP);
        }
        is_due
    }
}
