//! Which samples the mappings hold for: libraries come and go, and another one may stand where one was.

use super::procfs;
use crate::modules::Modules;
use crate::session::{Session, word};
use crate::sync::Ordering;

/// Looks at the mappings for a list that no unloading disturbed.
const LOOKS: usize = 3;

/// What is known of a process's unloading.
#[derive(Debug, Default)]
pub(crate) struct Unloads {
    /// What was mapped at the start: the loader never unloads it.
    lasting: Modules,
    /// How many unloadings had begun when the mappings were read.
    begun: u64,
    /// The mappings hold for what was sampled after this moment, up to the other.
    since: u64,
    until: u64,
}

impl Unloads {
    pub(crate) fn new(lasting: Modules) -> Self {
        Self { lasting, ..Self::default() }
    }

    /// Looks whether something was unloaded since the last look; if so, gives the mappings as they are.
    pub(crate) fn look(&mut self, session: Session, pid: u32) -> Option<Modules> {
        let load = |at| session.word(at).load(Ordering::SeqCst);
        if self.still_hold(session) {
            return None;
        }
        let mut newest = Modules::default();
        for _ in 0..LOOKS {
            let before = load(word::UNLOADS_BEGUN);
            let quiet = load(word::UNLOADS_OVER) == before;
            newest = Modules::parse(&procfs::maps(pid));
            let now = super::now();
            // A process that has ended has no list any more.
            if quiet && load(word::UNLOADS_BEGUN) == before && !newest.is_empty() {
                (self.begun, self.since, self.until) = (before, load(word::LAST_UNLOAD), now);
                return Some(newest);
            }
        }
        // Something is always being unloaded: nothing that was sampled so far is certain.
        self.since = u64::MAX;
        Some(newest)
    }

    /// Whether nothing was unloaded since the mappings were read: they hold for what was sampled up to now, too.
    pub(crate) fn still_hold(&mut self, session: Session) -> bool {
        let now = super::now();
        let hold = session.word(word::UNLOADS_BEGUN).load(Ordering::SeqCst) == self.begun;
        if hold {
            self.until = now;
        }
        hold
    }

    /// Whether it is not known yet if the mappings hold for this moment.
    pub(crate) fn is_news(&self, time: u64) -> bool {
        time > self.until
    }

    /// Whether what stands at `pc` in the mappings stood there at this moment.
    pub(crate) fn is_certain(&self, time: u64, pc: u64, modules: &Modules) -> bool {
        let is_lasting = || {
            let mapped = self.lasting.mapped(pc);
            mapped.is_some() && mapped == modules.mapped(pc)
        };
        (self.since < time && time <= self.until) || is_lasting()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::image;

    #[test]
    fn mappings_hold_between_the_last_unloading_and_the_last_look() {
        let session = image::session();
        let set = |at, value| session.word(at).store(value, Ordering::SeqCst);
        let own = std::process::id();
        let here = mappings_hold_between_the_last_unloading_and_the_last_look as *const () as u64;
        let modules = Modules::parse(&procfs::maps(own));
        // A program of which nothing lasts, and one of which all does.
        let mut unloads = Unloads::new(Modules::default());
        assert!(unloads.look(session, own).is_none(), "nothing was unloaded");
        let early = super::super::now();
        assert!(unloads.is_news(early) && unloads.still_hold(session));
        assert!(unloads.is_certain(early, here, &modules));

        set(word::LAST_UNLOAD, super::super::now());
        set(word::UNLOADS_BEGUN, 1);
        assert!(!unloads.still_hold(session), "it is being unloaded");
        let newest = unloads.look(session, own).expect("something is unloaded");
        assert_eq!(newest.mapped(here), modules.mapped(here));
        let late = super::super::now();
        assert!(!unloads.is_certain(late, here, &modules), "and nothing is certain meanwhile");

        set(word::UNLOADS_OVER, 1);
        assert!(unloads.look(session, own).is_some());
        assert!(unloads.is_certain(late, here, &modules));
        assert!(!unloads.is_certain(early, here, &modules), "it was sampled before");
        assert!(unloads.look(session, own).is_none());

        let mut lasting = Unloads::new(modules.clone());
        assert!(lasting.look(session, own).is_some());
        assert!(lasting.is_certain(early, here, &modules));
        assert!(!lasting.is_certain(early, here, &Modules::default()), "it is not there");
        set(word::UNLOADS_BEGUN, 2);
        set(word::UNLOADS_OVER, 2);
        assert!(unloads.look(session, 0).is_some_and(|gone| gone.is_empty()));
        assert!(!unloads.is_certain(super::super::now(), here, &modules), "it has ended");
    }
}
