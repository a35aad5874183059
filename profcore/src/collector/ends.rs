//! Ends of blocks that were marked in the table of followed blocks, for their share of a ring was full.

use std::collections::HashSet;

use profformat::ids::ThreadId;
use profformat::record::{Free, Record};

use super::trace::Trace;
use crate::live::Live;
use crate::session::{LIVE_ENTRIES, Session, word};
use crate::sync::Ordering;

/// Most blocks that are remembered: more cannot be marked at a time. A second end of a block does no harm.
const MOST: usize = 2 * LIVE_ENTRIES;

/// The marks of one process.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// How many there had been at the last look.
    seen: u64,
    /// Blocks that had one: the process may tell these again, and end before it takes the mark away.
    told: HashSet<u64>,
    /// A thread of the process: a mark does not say whose it is.
    thread: Option<ThreadId>,
}

impl Ends {
    /// Whether the end of a block that an event tells is news.
    pub(crate) fn is_news(&self, block: u64) -> bool {
        !self.told.contains(&block)
    }

    pub(crate) fn has_thread(&mut self, thread: ThreadId) {
        self.thread.get_or_insert(thread);
    }

    /// The marks that are new, with the moment of the last of them: a burst that fills a ring is short beside the time
    /// between two looks. `last`: the ends that threads have told last, each of which may be about to take its mark away,
    /// and may have ended before it could.
    pub(crate) fn look(
        &mut self,
        session: Session,
        last: impl Iterator<Item = u64>,
        now: u64,
        trace: &mut Trace,
    ) -> Vec<(u64, Record)> {
        // Acquire: pairs with the Release of `memory::sample`, so that the marks that were counted are seen.
        let count = session.word(word::ENDS_MARKED).load(Ordering::Acquire);
        let Some(thread) = self.thread.filter(|_| count != self.seen) else { return Vec::new() };
        self.seen = count;
        if self.told.len() > MOST {
            self.told.clear();
        }
        self.told.extend(last);
        let moment = session.word(word::LAST_END_MARKED).load(Ordering::Relaxed).min(now);
        let time = trace.time(moment);
        let blocks = Live::of(session).ended().filter(|&block| self.told.insert(block));
        blocks.map(|block| (moment, Record::Free(Free { time, thread, block }))).collect()
    }
}
