//! The Firefox profiler's file: samples with their stacks and threads.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};

use super::{Stacks, Told, collapsed};
use crate::firefox::rows;
use crate::totals::json;

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let (mut stacks, mut threads) = (Stacks::new(), BTreeMap::new());
    for (tid, stack, _, weight) in rows(&json(profile, Format::Firefox, metric), "samples") {
        let frames = stack.split(';').map(collapsed::frame).collect();
        *stacks.entry(frames).or_insert(0) += weight;
        *threads.entry(tid).or_insert(0) += weight;
    }
    Told { threads: Some(threads), ..Told::of_stacks(stacks) }
}
