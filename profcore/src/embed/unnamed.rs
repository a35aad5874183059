//! Stands in for `symbols` in a program without the feature `symbolize`: no address has a name.

use super::Snapshot;

/// A function at an address.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) function: String,
    pub(super) file: String,
    pub(super) line: u32,
}

#[derive(Debug)]
pub(super) struct Symbols<'s> {
    _snapshot: &'s Snapshot,
}

impl Snapshot {
    pub(super) fn symbols(&self) -> Symbols<'_> {
        Symbols { _snapshot: self }
    }
}

impl Symbols<'_> {
    pub(super) fn at(&mut self, _address: u64, _exact: bool) -> Vec<Frame> {
        Vec::new()
    }
}
