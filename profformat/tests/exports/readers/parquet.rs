//! Parquet: a row for each weight, with its stack and thread.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::Metric;

use super::{Stacks, Told, collapsed};
use crate::parquet::weights;

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let (mut stacks, mut threads) = (Stacks::new(), BTreeMap::new());
    for (stack, tid, weight) in weights(profile, metric) {
        let frames = stack.split(';').map(collapsed::frame).collect();
        *stacks.entry(frames).or_insert(0) += weight;
        *threads.entry(tid).or_insert(0) += weight;
    }
    Told { threads: Some(threads), ..Told::of_stacks(stacks) }
}
