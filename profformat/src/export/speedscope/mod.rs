//! speedscope's JSON: one profile of all threads together, and one for each thread.

mod frames;
mod stacks;

use std::io::Write;

use serde::{Serialize, Serializer};

use self::frames::Frames;
use self::stacks::{Stacks, listed, sum};
use super::escape::escape;
use super::json::plain;
use super::{ExportError, Metric};
use crate::analysis::Profile;

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";
/// Stacks of a profile that [`write()`] tells apart.
pub const MAX_SAMPLES: usize = 200_000;

#[derive(Serialize)]
struct File<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    name: String,
    exporter: &'static str,
    #[serde(rename = "activeProfileIndex")]
    active: usize,
    shared: Shared<'a>,
    profiles: Profiles<'a>,
}

#[derive(Serialize)]
struct Shared<'a> {
    frames: &'a Frames<'a>,
}

/// Writes the weights of all threads together, then those of each thread, the heaviest first. Equal stacks are one
/// entry, and entries with the same callers are neighbors: the order is not that of time. Of each profile the
/// [`MAX_SAMPLES`] heaviest stacks are told apart.
pub fn write(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ExportError> {
    write_at_most(profile, metric, MAX_SAMPLES, out)
}

/// As [`write()`], with so many stacks of each profile told apart. The others are one, `[other]`, and the profile's name
/// says so; where stacks are so deep that the file would be too large for speedscope, they are fewer.
pub fn write_at_most(
    profile: &Profile,
    metric: Metric,
    max_samples: usize,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let lists = listed(profile, metric, max_samples);
    let frames = Frames::of(&profile.tables, &lists);
    let command: Vec<String> = profile.header.command.iter().map(|word| escape(word)).collect();
    let file = File {
        schema: SCHEMA,
        name: format!("{} ({})", command.join(" "), metric.name()),
        exporter: concat!("prof@", env!("CARGO_PKG_VERSION")),
        // What is shown first is the whole.
        active: 0,
        shared: Shared { frames: &frames },
        profiles: Profiles { metric, lists: &lists, frames: &frames },
    };
    plain(&file, out)
}

struct Profiles<'a> {
    metric: Metric,
    lists: &'a [Stacks],
    frames: &'a Frames<'a>,
}

#[derive(Serialize)]
struct Sampled<'a> {
    r#type: &'static str,
    name: &'a str,
    unit: &'static str,
    #[serde(rename = "startValue")]
    start: u64,
    #[serde(rename = "endValue")]
    end: u64,
    samples: Samples<'a>,
    weights: Numbers<'a>,
}

impl Serialize for Profiles<'_> {
    /// One profile is made at a time.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.lists.iter().map(|stacks| Sampled {
            r#type: "sampled",
            name: &stacks.name,
            unit: self.metric.unit().name(),
            start: 0,
            end: sum(&stacks.weights).saturating_add(stacks.other),
            samples: Samples { frames: self.frames, stacks },
            weights: Numbers(stacks),
        }))
    }
}

/// Stacks as frame numbers, made one at a time.
struct Samples<'a> {
    frames: &'a Frames<'a>,
    stacks: &'a Stacks,
}

impl Serialize for Samples<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.stacks.weights.iter().map(|w| self.frames.stack(w.stack));
        let other = self.frames.other.filter(|_| self.stacks.other > 0).map(|at| vec![at]);
        serializer.collect_seq(known.chain(other))
    }
}

struct Numbers<'a>(&'a Stacks);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.0.weights.iter().map(|weight| weight.weight);
        serializer.collect_seq(known.chain((self.0.other > 0).then_some(self.0.other)))
    }
}
