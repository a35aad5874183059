//! Addresses of which it is not certain what stood there when they were sampled: a library was unloaded.

use std::borrow::Cow;

use super::Recorder;
use crate::session::Session;

/// Stands for an address in a library that may have been another one: no code is there.
pub(super) const DOUBTFUL: u64 = 1;

impl Recorder {
    /// Reads the mappings again if a library was unloaded: another may stand in its place.
    pub(super) fn look_for_unloads(&mut self, session: Session) {
        let Some(newest) = self.unloads.look(session, self.pid) else { return };
        if newest.is_empty() {
            return;
        }
        self.modules.replace(newest);
        self.natives.forget();
        self.natives.withdraw(session, &self.modules);
        self.unsearched = true;
    }

    /// An address, or [`DOUBTFUL`] if it is not certain what stood there at that moment.
    pub(super) fn certain(&self, time: u64, pc: u64) -> u64 {
        let is_certain = pc == 0 || self.unloads.is_certain(time, pc, &self.modules);
        if is_certain { pc } else { DOUBTFUL }
    }

    /// Native frames up to the first doubtful one: by what table the walk went on from there, nobody knows.
    pub(super) fn certain_frames<'n>(&self, time: u64, native: &'n [u64]) -> Cow<'n, [u64]> {
        let is_doubtful = |&pc: &u64| self.certain(time, pc) == DOUBTFUL;
        match native.iter().position(is_doubtful) {
            None => Cow::Borrowed(native),
            Some(first) => Cow::Owned([&native[..first], &[DOUBTFUL]].concat()),
        }
    }
}
