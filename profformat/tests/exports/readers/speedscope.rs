//! speedscope's file: the first profile is the whole, the others are one thread each.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::{Format, Metric};
use serde_json::Value;

use super::{Frame, Stacks, Told};
use crate::totals::json;

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let file = json(profile, Format::Speedscope, metric);
    let frames: Vec<Frame> =
        file["shared"]["frames"].as_array().unwrap().iter().map(frame).collect();
    let profiles = file["profiles"].as_array().unwrap();
    let own = if profiles.len() > 1 { &profiles[1..] } else { &profiles[..] };
    let tid = |one: &Value| one["name"].as_str().unwrap().rsplit(' ').next().unwrap().parse().ok();
    let threads: BTreeMap<u64, u64> = own
        .iter()
        .filter_map(|one| Some((tid(one)?, stacks(&frames, one).values().sum())))
        .collect();
    Told { threads: Some(threads), ..Told::of_stacks(stacks(&frames, &profiles[0])) }
}

fn frame(frame: &Value) -> Frame {
    let text = |field: &str| frame[field].as_str().unwrap_or_default().to_owned();
    (text("name"), text("file"), frame["line"].as_u64().unwrap_or_default())
}

fn stacks(frames: &[Frame], one: &Value) -> Stacks {
    let [samples, weights] = ["samples", "weights"].map(|field| one[field].as_array().unwrap());
    assert_eq!(samples.len(), weights.len());
    let mut stacks = Stacks::new();
    for (sample, weight) in samples.iter().zip(weights) {
        let at = sample.as_array().unwrap().iter().map(|at| at.as_u64().unwrap() as usize);
        let stack = at.map(|at| frames[at].clone()).collect();
        *stacks.entry(stack).or_insert(0) += weight.as_u64().unwrap();
    }
    stacks
}
