//! What of a process's memory is in RAM, as the kernel counts it.

use profformat::record::counter;

use super::procfs;

/// Nanoseconds between two looks at the proportional share, at least: the kernel walks all page tables for one, and the
/// program must wait if it wants to map something meanwhile.
const PAUSE: u64 = 200_000_000;
/// A look takes no more than one part in so many of the time.
const PARTS: u64 = 200;

/// The most that was seen of each figure, bytes.
#[derive(Debug, Default)]
pub(crate) struct Resident {
    resident: u64,
    proportional: u64,
    next: u64,
}

impl Resident {
    /// Looks at a process that we may look at.
    pub(crate) fn look(&mut self, pid: u32, now: u64) {
        self.resident = procfs::resident_peak(pid).unwrap_or(0).max(self.resident);
        if now < self.next {
            return;
        }
        let begin = super::now();
        self.proportional = procfs::proportional(pid).unwrap_or(0).max(self.proportional);
        let took = super::now().saturating_sub(begin);
        self.next = now.saturating_add(PAUSE.max(took.saturating_mul(PARTS)));
    }

    /// Counters with their values, 0 for what nobody could look at.
    pub(crate) fn figures(&self) -> [(&'static str, u64); 2] {
        [
            (counter::RESIDENT_PEAK_BYTES, self.resident),
            (counter::PROPORTIONAL_PEAK_BYTES, self.proportional),
        ]
    }
}
