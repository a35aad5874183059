//! What a program mapped itself.

use serde::Serialize;

use crate::analysis::Profile;
use crate::record::counter;

/// What the program mapped itself.
#[derive(Serialize)]
pub(super) struct Mapped {
    anonymous_bytes: u64,
    file_bytes: u64,
    unmapped_bytes: u64,
    peak_bytes: u64,
    end_bytes: u64,
}

impl Mapped {
    pub(super) fn of(profile: &Profile) -> Self {
        let count = |name| profile.counters.get(name).copied().unwrap_or(0);
        Self {
            anonymous_bytes: count(counter::MAPPED_BYTES),
            file_bytes: count(counter::MAPPED_FILE_BYTES),
            unmapped_bytes: count(counter::UNMAPPED_BYTES),
            peak_bytes: count(counter::MAPPED_PEAK_BYTES),
            end_bytes: count(counter::MAPPED_HELD_BYTES),
        }
    }
}
