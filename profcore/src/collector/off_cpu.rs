//! Time that threads are not on a CPU, seen from outside: no thread is woken, stopped or signalled for it.
//!
//! At each drain the collector asks the scheduler how long a thread has run. The rest of the time since the last look
//! it did not. What it waits for is read off the system call that it is blocked in, and where, off its Python stack,
//! which stands still as long as the thread does. A thread that has not run since the last look waits where it
//! waited then. So a thread's CPU time and its waits add up to the time that it was there, to the scheduler's
//! exactness.

use profformat::ids::{StackId, ThreadId};
use profformat::record::{Class, Sample};

use super::procfs;
use super::trace::Trace;

/// A wait is written when it ends, or after this long.
const LONGEST: u64 = 250_000_000;
/// The same of a thread that is never seen waiting: it only had to wait for a CPU.
const UNSEEN: u64 = 4 * LONGEST;
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
    on_cpu: u64,
    /// Where it waits, as far as known, and what for.
    stack: Option<StackId>,
    class: Option<Class>,
    /// Nanoseconds off the CPU that are not written yet.
    owed: u64,
}

/// What a look found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// CLOCK_MONOTONIC.
    pub(crate) time: u64,
    /// Nanoseconds that the thread has run.
    pub(crate) on_cpu: u64,
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
    /// stack; it is asked for when the thread has run since the last look, and stands still now. The result is
    /// a sample of a wait.
    pub(crate) fn look(
        &mut self,
        who: Who,
        now: u64,
        runtime: core::ops::Range<u64>,
        trace: &mut Trace,
        stack: impl FnOnce(&mut Trace) -> Option<StackId>,
    ) -> Option<Sample> {
        let on_cpu = procfs::on_cpu_ns(who.pid, who.tid)?;
        let moved = self.advance(Look { time: now, on_cpu });
        if !moved && self.class.is_some() {
            return self.write(who.thread, now, self.owed >= LONGEST, trace);
        }
        let blocked = procfs::blocked_in(who.pid, who.tid);
        let Some(call) = blocked else {
            // It runs, or wants to. What it was seen waiting for is over; what it waited for and was not seen will
            // be what it is seen waiting for next, as when two threads take turns.
            let least = if self.class.is_some() { LEAST } else { UNSEEN };
            let sample = self.write(who.thread, now, self.owed >= least, trace);
            self.class = None;
            return sample;
        };
        let class = match call {
            (FUTEX, address) if runtime.contains(&address) => Class::Gil,
            _ => Class::Wait,
        };
        let there = stack(trace);
        // A thread that ran meanwhile did not stand still.
        let stood = procfs::on_cpu_ns(who.pid, who.tid) == Some(on_cpu);
        let there = if stood { there } else { self.stack };
        let changed = self.class != Some(class) || self.stack != there;
        // What came before this look was waited for at the old place, if one was seen.
        let sample = if self.class.is_some() {
            self.write(
                who.thread,
                now,
                (changed && self.owed >= LEAST) || self.owed >= LONGEST,
                trace,
            )
        } else {
            None
        };
        (self.class, self.stack) = (Some(class), there);
        sample
    }

    /// The last sample, when the thread has ended.
    pub(crate) fn end(&mut self, thread: ThreadId, now: u64, trace: &mut Trace) -> Option<Sample> {
        self.write(thread, now, self.owed > 0, trace)
    }

    /// Takes a look in; true if the thread has run since the last one.
    fn advance(&mut self, look: Look) -> bool {
        let ran = look.on_cpu.saturating_sub(self.on_cpu);
        if self.looked {
            let passed = look.time.saturating_sub(self.time);
            self.owed = (self.owed + passed).saturating_sub(ran);
        }
        (self.looked, self.time, self.on_cpu) = (true, look.time, look.on_cpu);
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
        let look = |time, on_cpu| Look { time, on_cpu };
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
    }
}
