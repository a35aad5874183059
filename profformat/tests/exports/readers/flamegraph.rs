//! The flame graph: its whole. That its boxes are the sums of the stacks in them is tested where they are read.

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};

use super::Told;
use crate::flamegraph::between;
use crate::totals::text;

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let svg = String::from_utf8(text(profile, Format::Flamegraph, metric)).unwrap();
    let total = between(&svg, "data-whole=\"", "\"").parse().unwrap();
    Told { total: Some(total), ..Told::default() }
}
