//! The HTML page: its tree of stacks, its table of lines, its threads.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::Metric;
use profformat::export::text::NoSource;
use serde_json::Value;

use super::{Stacks, Told, base, collapsed};
use crate::html::decoded::Page;
use crate::html::{columns, page};

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let page = Page::of(&page(profile, &NoSource));
    let mut stacks = Stacks::new();
    for (stack, weight) in page.stacks(columns(metric)) {
        let frames = stack.split(';').map(collapsed::frame).collect();
        *stacks.entry(frames).or_insert(0) += weight;
    }
    let mut lines = BTreeMap::new();
    for line in page.lines.iter().filter(|line| line.of(metric) > 0) {
        *lines.entry((base(&line.file), line.line)).or_insert(0) += line.of(metric);
    }
    let thread = |thread: &Value| {
        let ns = thread["ns"].as_array().unwrap().iter().map(|ns| ns.as_u64().unwrap());
        let weight = match metric {
            Metric::Cpu => ns.take(4).sum(),
            Metric::Wall => ns.sum(),
            Metric::Alloc => thread["alloc"].as_u64().unwrap(),
            Metric::Copies => thread["copied"].as_u64().unwrap(),
            Metric::Live | Metric::Peak => return None,
        };
        Some((thread["tid"].as_u64().unwrap(), weight)).filter(|(_, weight)| *weight > 0)
    };
    let threads = page.head["threads"].as_array().unwrap().iter().filter_map(thread).collect();
    Told {
        total: Some(page.metric(metric.name())["total"].as_u64().unwrap()),
        lines: Some(lines),
        threads: (!matches!(metric, Metric::Live | Metric::Peak)).then_some(threads),
        ..Told::of_stacks(stacks)
    }
}
