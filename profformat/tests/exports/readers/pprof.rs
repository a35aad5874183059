//! pprof's file, of which the sample type that is shown first is read.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::Metric;
use profformat::export::pprof::message::Line;

use super::{Frame, Stacks, Told};
use crate::totals::pprof;

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let message = pprof(profile, metric);
    let text = |at: i64| message.string_table[at as usize].clone();
    let value = match metric {
        Metric::Cpu | Metric::Wall => "cpu",
        Metric::Alloc => "alloc_space",
        Metric::Live | Metric::Peak => "inuse_space",
        Metric::Copies => "copy_space",
    };
    let is_it = |name: &str| name == value || (metric == Metric::Wall && name == "wall");
    let column = message.sample_type.iter().position(|kind| is_it(&text(kind.r#type)));
    let column = column.expect("the metric's own type");
    let frame = |line: &Line| -> Frame {
        let function = message.function.iter().find(|f| f.id == line.function_id).unwrap();
        (text(function.name), text(function.filename), line.line as u64)
    };
    // Outermost first; what is inlined stands before what it is inlined into.
    let frames = |id: &u64| -> Vec<Frame> {
        let location = message.location.iter().find(|location| location.id == *id).unwrap();
        location.line.iter().rev().map(frame).collect()
    };
    let (mut stacks, mut threads) = (Stacks::new(), BTreeMap::new());
    for sample in message.sample.iter().filter(|sample| sample.value[column] > 0) {
        let weight = sample.value[column] as u64;
        let frames = sample.location_id.iter().rev().flat_map(frames).collect();
        *stacks.entry(frames).or_insert(0) += weight;
        let thread = sample.label.iter().find(|label| text(label.key) == "thread_id").unwrap();
        *threads.entry(thread.num as u64).or_insert(0) += weight;
    }
    Told { threads: Some(threads), ..Told::of_stacks(stacks) }
}
