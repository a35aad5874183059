//! What a reader of the report must know about a process, in words.

use super::Drain;
use crate::collector::trace::Trace;
use crate::session::{Session, control, word};
use crate::sync::Ordering;

/// Counts that a reader of the report must know about.
const REMARKS: [(usize, &str); 7] = [
    (word::CODE_FULL, "functions came too late to be named: the table of functions was full"),
    (word::LIVE_FULL, "blocks could not be followed: the table of live blocks was full"),
    (
        word::PROBE_FAULTS,
        "reads of the interpreter's state hit unmapped memory; those stacks are cut",
    ),
    (
        word::RATE_HALVED,
        "times the rate of a thread was halved: its samples took more than 5 % of its time",
    ),
    (
        word::TIMER_FAILED,
        "threads got no timer, as those count as queued signals, of which the program may want some; their time is told \
         at their end",
    ),
    (
        word::LOW_ALTERNATES,
        "times a thread had an alternate signal stack too small for samples; its time meanwhile is told as a whole",
    ),
    (
        word::TICKS_BLOCKED,
        "threads blocked the signal that samples come by; their time meanwhile is told as a whole",
    ),
];

impl Drain {
    /// Writes all of it that there is.
    pub(super) fn write_remarks(&self, session: Session, trace: &mut Trace) {
        if let Some(why) = &self.why_no_event {
            trace.remark(&format!(
                "process {}: {} threads got no perf event ({why}), and were ticked at the kernel's tick only",
                self.pid, self.no_event
            ));
        }
        for (budget, what) in self.budgets.iter().zip(["allocations", "copies"]) {
            if let Some(interval) = budget.stretched() {
                trace.remark(&format!(
                    "process {}: there were so many {what} that at times only every {} KiB of them were sampled",
                    self.pid,
                    interval >> 10
                ));
            }
        }
        if self.has_no_signal() {
            trace.remark(&format!(
                "process {}: all real-time signals had handlers at its start: its CPU time was not sampled",
                self.pid
            ));
        }
        for (at, words) in REMARKS {
            let count = session.word(at).load(Ordering::Relaxed);
            if count > 0 {
                trace.remark(&format!("process {}: {count} {words}", self.pid));
            }
        }
    }

    /// Whether CPU time is to be sampled and the process found no free signal for it.
    pub(crate) fn has_no_signal(&self) -> bool {
        let Some(session) = self.intake.session() else { return false };
        let load = |at: usize| session.word(at).load(Ordering::Relaxed);
        // A process that has a slot has looked for one.
        let is_sampled = load(word::CONTROL) & control::CPU != 0 && load(word::SLOTS_HIGH) > 0;
        is_sampled && load(word::SIGNAL) == 0
    }
}
