//! Time that threads are not on a CPU, seen from outside: no thread is woken, stopped or signalled for it.
//!
//! At each drain the collector asks the scheduler how long a thread has run, and how long it had to wait for a CPU. The
//! rest of the time since the last look it was blocked. What it waits for is read off the system call that it is
//! blocked in, and where, off its Python stack, which stands still as long as the thread does. A thread that has not
//! run since the last look waits where it waited then. So a thread's CPU time and its waits add up to the time
//! that it was there, to the scheduler's exactness.

use profformat::ids::{StackId, ThreadId};
use profformat::record::{Class, Lang, NOT_RUNNING, Sample};

use super::procfs::{self, Scheduled};
use super::trace::Trace;

/// A wait is written when it ends, or after this long.
const LONGEST: u64 = 250_000_000;
/// How long after it was seen waiting a thread that waits in turns is taken to wait for the same: of a thread that
/// waits for half of its time, ten looks in a row miss that once in a thousand times.
const TURNS: u64 = 1_000_000_000;
/// Further looks at a thread that stands still and whose stack could not be read. What leads there (the list of all
/// threads, the code's texts) belongs to threads that run, and may have been in the midst of a change.
const RETRIES: u8 = 3;
/// What the scheduler books late: less is no wait.
const LEAST: u64 = 1_000_000;
/// Number of the system call that waits for a lock.
const FUTEX: i64 = 202;

/// What is known of one thread.
#[derive(Debug, Default)]
pub(crate) struct OffCpu {
    looked: bool,
    /// CLOCK_MONOTONIC, and the scheduler's figure, of the last look.
    time: u64,
    scheduled: Scheduled,
    /// It was blocked at the last look.
    stands: bool,
    /// Where it was last seen waiting, what for, and when.
    stack: Option<StackId>,
    class: Option<Class>,
    seen: u64,
    /// How often its stack may be asked for again while it stands there.
    retries: u8,
    /// How often it had given its CPU up by itself, at the last look that found it running.
    switches: Option<u64>,
    /// Nanoseconds blocked that are not written yet; the same without a CPU though it wanted one, or nobody saw why.
    owed: u64,
    delayed: u64,
    /// Nanoseconds written as waits that are not known to be: the scheduler books what a thread ran, and how long it
    /// wanted a CPU, only when that is over.
    told: u64,
    /// Nanoseconds of those that turned out to be none.
    debt: u64,
}

/// What a look found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// CLOCK_MONOTONIC.
    pub(crate) time: u64,
    pub(crate) scheduled: Scheduled,
}

/// Ids of a thread, for the kernel and in the trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who {
    pub(crate) pid: u32,
    pub(crate) tid: u32,
    pub(crate) thread: ThreadId,
}

impl OffCpu {
    /// Looks at a thread. `runtime`: the addresses among which the GIL's lock is. `stack` reads the thread's Python
    /// stack; it is asked for when the thread stands still now and did not at the last look, or could not be read then.
    /// The result is a sample of a wait.
    pub(crate) fn look(
        &mut self,
        who: Who,
        now: u64,
        runtime: core::ops::Range<u64>,
        trace: &mut Trace,
        stack: impl FnOnce(&mut Trace) -> Option<StackId>,
    ) -> Option<Sample> {
        let scheduled = procfs::scheduled(who.pid, who.tid)?;
        let moved = self.advance(Look { time: now, scheduled });
        if !moved && self.stands {
            self.seen = now;
            if self.stack.is_none() && self.retries > 0 {
                self.retries -= 1;
                let there = stack(trace);
                if procfs::scheduled(who.pid, who.tid) == Some(scheduled) {
                    self.stack = there;
                }
            }
            return self.write(who.thread, now, self.owed >= LONGEST, trace);
        }
        let blocked = procfs::blocked_in(who.pid, who.tid);
        let Some(call) = blocked else {
            // It runs, or wants to: what it was seen waiting for is over, or comes again and again.
            self.stands = false;
            let switches = procfs::voluntary_switches(who.pid, who.tid);
            // Without that the time is no wait at all, such as what a hypervisor takes.
            let has_waited = switches.is_none() || switches != self.switches;
            self.switches = switches;
            let is_old = now.saturating_sub(self.seen) > TURNS;
            if self.class.is_none() || is_old || !has_waited {
                self.delayed += core::mem::take(&mut self.owed);
            }
            return self.write(who.thread, now, self.owed >= LEAST, trace);
        };
        let class = match call {
            (FUTEX, address) if runtime.contains(&address) => Class::Gil,
            _ => Class::Wait,
        };
        let there = stack(trace);
        // A thread that ran meanwhile did not stand still.
        let stood = procfs::scheduled(who.pid, who.tid) == Some(scheduled);
        let there = if stood { there } else { self.stack };
        // What it waited since the last look, it waited at either place: here, unless it stood there then.
        let changed = self.class != Some(class) || self.stack != there;
        let due = (changed && self.stands && self.owed >= LEAST) || self.owed >= LONGEST;
        let sample = self.write(who.thread, now, due, trace);
        (self.stands, self.class, self.stack, self.seen) = (true, Some(class), there, now);
        self.retries = RETRIES;
        sample
    }

    /// The last sample, when the thread has ended.
    pub(crate) fn end(&mut self, thread: ThreadId, now: u64, trace: &mut Trace) -> Option<Sample> {
        self.write(thread, now, self.owed > 0, trace)
    }

    /// A sample of the time that the thread wanted a CPU and had none, or of which nobody saw why; at its end, when
    /// `last`.
    pub(crate) fn delay(
        &mut self,
        thread: ThreadId,
        now: u64,
        last: bool,
        trace: &mut Trace,
    ) -> Option<Sample> {
        if self.delayed < if last { 1 } else { LONGEST } {
            return None;
        }
        let weight_ns = core::mem::take(&mut self.delayed);
        let frame = trace.frame(NOT_RUNNING.as_bytes(), b"", 0, Lang::Other, 0);
        let stack = Some(trace.stack(None, frame));
        Some(Sample { time: trace.time(now), thread, stack, weight_ns, class: Class::Wait })
    }

    /// Takes a look in; true if the thread has run since the last one.
    fn advance(&mut self, look: Look) -> bool {
        let ran = look.scheduled.ran.saturating_sub(self.scheduled.ran);
        let delayed = look.scheduled.delayed.saturating_sub(self.scheduled.delayed);
        if self.looked {
            let passed = look.time.saturating_sub(self.time);
            let (had, booked) = (self.owed + passed, ran.saturating_add(delayed));
            // What is booked now and was told as a wait before is not told again, nor is as much that comes later.
            let late = booked.saturating_sub(had).min(self.told);
            self.told -= late;
            let back = late.min(delayed);
            self.delayed += delayed - back;
            self.debt += late - back;
            let owed = had.saturating_sub(booked);
            let paid = owed.min(self.debt);
            self.debt -= paid;
            self.owed = owed - paid;
        }
        (self.looked, self.time, self.scheduled) = (true, look.time, look.scheduled);
        ran > 0
    }

    fn write(
        &mut self,
        thread: ThreadId,
        now: u64,
        due: bool,
        trace: &mut Trace,
    ) -> Option<Sample> {
        if !due {
            return None;
        }
        let weight_ns = core::mem::take(&mut self.owed);
        self.told += weight_ns;
        let class = self.class.unwrap_or(Class::Wait);
        Some(Sample { time: trace.time(now), thread, stack: self.stack, weight_ns, class })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_was_not_run_is_owed() {
        let mut thread = OffCpu::default();
        let look = |time, ran| Look { time, scheduled: Scheduled { ran, delayed: 0 } };
        // What was before the first look is not ours.
        assert!(thread.advance(look(1_000, 300)));
        assert_eq!(thread.owed, 0);
        assert!(!thread.advance(look(1_500, 300)));
        assert_eq!(thread.owed, 500);
        assert!(thread.advance(look(2_000, 700)));
        assert_eq!(thread.owed, 600);
        // The scheduler books late: what it adds then was owed before.
        assert!(thread.advance(look(2_100, 1_200)));
        assert_eq!(thread.owed, 200);
        assert!(thread.advance(look(2_200, 9_000)));
        assert_eq!(thread.owed, 0);
        let scheduled = Scheduled { ran: 9_300, delayed: 500 };
        thread.advance(Look { time: 3_200, scheduled });
        assert_eq!((thread.owed, thread.delayed), (200, 500), "ready to run is not blocked");
    }

    /// A thread that waits, and then wants a CPU for long, which the scheduler says only when it gets one.
    #[test]
    fn what_was_told_is_not_told_again() {
        let mut thread = OffCpu::default();
        let mut waits = 0;
        let mut look = |thread: &mut OffCpu, time, ran, delayed| {
            thread.advance(Look { time, scheduled: Scheduled { ran, delayed } });
            // As `write` does.
            waits += thread.owed;
            thread.told += core::mem::take(&mut thread.owed);
        };
        look(&mut thread, 0, 0, 0);
        for time in [1_000, 2_000, 3_000, 4_000] {
            look(&mut thread, time, 0, 0);
        }
        // It blocked for 1,000 of those, and wanted a CPU for 3,000; then it ran.
        look(&mut thread, 5_000, 1_000, 3_000);
        assert_eq!(thread.delayed, 0, "told as a wait");
        // A tick's worth that is booked late.
        look(&mut thread, 6_000, 1_000, 3_000);
        look(&mut thread, 7_000, 3_000, 3_000);
        look(&mut thread, 9_000, 4_000, 3_000);
        assert_eq!(waits + thread.delayed + 4_000, 9_000);
    }
}
