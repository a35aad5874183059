//! speedscope's JSON: one profile of all threads together, and one for each thread.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Write;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::escape::escape;
use super::json::plain;
use super::metric::Weight;
use super::names::{Name, depth_first, program_name, root_first, thread_name, thread_of};
use super::{ExportError, Metric};
use crate::analysis::Profile;
use crate::ids::{FrameId, StackId, StringId, ThreadId};
use crate::tables::Tables;

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";
/// Threads that have a profile of their own at most, for people choose from a list of them; the others share one.
const THREADS: usize = 100;

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
    frames: List<'a>,
}

/// The different frames, made one at a time: their names together can be much longer than the trace.
struct List<'a> {
    tables: &'a Tables,
    frames: &'a [Option<FrameId>],
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = |frame| Name::of(self.tables, frame);
        let names = self.frames.iter().map(|frame| frame.map_or_else(Name::no_stack, name));
        serializer.collect_seq(names.map(shared))
    }
}

#[derive(Serialize)]
struct SharedFrame {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    file: String,
    #[serde(skip_serializing_if = "is_zero")]
    line: u32,
}

fn is_zero(line: &u32) -> bool {
    *line == 0
}

/// Writes the weights of all threads together, then those of each thread, the heaviest first. Equal stacks are one
/// entry, and entries with the same callers are neighbors: the order is not that of time.
pub fn write(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ExportError> {
    let places = Places(depth_first(&profile.tables));
    let mut weights = metric.weights(profile);
    weights.sort_by_key(|w| (w.thread, places.of(w)));

    let frames = Frames::of(&profile.tables, &weights);
    let command: Vec<String> = profile.header.command.iter().map(|word| escape(word)).collect();
    let profiles =
        Profiles { profile, metric, weights: &weights, frames: &frames, places: &places };
    let file = File {
        schema: SCHEMA,
        name: format!("{} ({})", command.join(" "), metric.name()),
        exporter: concat!("prof@", env!("CARGO_PKG_VERSION")),
        // What is shown first is the whole.
        active: 0,
        shared: Shared { frames: List { tables: &profile.tables, frames: &frames.list } },
        profiles,
    };
    plain(&file, out)
}

/// Positions of stacks in the order of [`depth_first`]; `None` of one that is not known.
struct Places(Vec<u32>);

impl Places {
    fn of(&self, weight: &Weight) -> Option<u32> {
        self.0.get(weight.stack?.index()).copied()
    }

    /// The weights of several threads, each stack once.
    fn together(&self, mut weights: Vec<Weight>) -> Vec<Weight> {
        weights.sort_unstable_by_key(|w| (self.of(w), w.stack));
        weights.dedup_by(|other, kept| {
            let same = self.of(other) == self.of(kept);
            if same {
                kept.weight = kept.weight.saturating_add(other.weight);
            }
            same
        });
        weights
    }
}

/// Stands for the place of a frame that is in no stack.
const UNMET: u32 = u32::MAX;

/// The different frames of a file, each once: speedscope gets slow with duplicates.
struct Frames {
    /// One of the frames that share a name; `None` stands for a stack that is not known.
    list: Vec<Option<FrameId>>,
    /// The place in the list by frame; [`UNMET`] for those that are not in it.
    index: Vec<u32>,
    /// What stands for a stack that is not known, if there is one.
    no_stack: Option<usize>,
}

impl Frames {
    fn of(tables: &Tables, weights: &[Weight]) -> Self {
        let index = vec![UNMET; tables.counts()[2]];
        let mut frames = Self { list: Vec::new(), index, no_stack: None };
        let mut by_name: HashMap<(StringId, StringId, u32), u32> = HashMap::new();
        for weight in weights {
            let mut known = false;
            for id in tables.walk(weight.stack) {
                known = true;
                if frames.index.get(id.index()).is_none_or(|at| *at != UNMET) {
                    continue;
                }
                let frame = tables.frame(id);
                let function = frame.and_then(|f| tables.function(f.function));
                let key = match (frame, function) {
                    (Some(frame), Some(function)) => (function.name, function.file, frame.line),
                    _ => (StringId::new(u32::MAX), StringId::new(u32::MAX), 0),
                };
                let next = frames.list.len() as u32;
                let at = *by_name.entry(key).or_insert(next);
                if at == next {
                    frames.list.push(Some(id));
                }
                frames.index[id.index()] = at;
            }
            if !known && frames.no_stack.is_none() {
                frames.no_stack = Some(frames.list.len());
                frames.list.push(None);
            }
        }
        frames
    }

    fn stack(&self, tables: &Tables, stack: Option<StackId>) -> Vec<usize> {
        let frames = root_first(tables, stack);
        if frames.is_empty() {
            return self.no_stack.into_iter().collect();
        }
        frames.iter().filter_map(|id| Some(*self.index.get(id.index())? as usize)).collect()
    }
}

fn shared(name: Name) -> SharedFrame {
    SharedFrame { name: name.function, file: name.file, line: name.line }
}

struct Profiles<'a> {
    profile: &'a Profile,
    metric: Metric,
    /// In order of thread, then place.
    weights: &'a [Weight],
    frames: &'a Frames,
    places: &'a Places,
}

#[derive(Serialize)]
struct Sampled<'a> {
    r#type: &'static str,
    name: String,
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
        let mut threads: Vec<&[Weight]> =
            self.weights.chunk_by(|a, b| a.thread == b.thread).collect();
        threads.sort_by_cached_key(|weights| Reverse(sum(weights)));
        let mut seq = serializer.serialize_seq(None)?;
        match threads.len() {
            // A run without a single sample is still a profile to look at.
            0 => seq.serialize_element(&self.sampled("nothing was sampled".to_owned(), &[]))?,
            // A thread alone is the whole.
            1 => {}
            count => {
                let all = self.places.together(self.weights.to_vec());
                seq.serialize_element(&self.sampled(format!("all {count} threads"), &all))?;
            }
        }
        let (own, others) = threads.split_at(threads.len().min(THREADS));
        for weights in own {
            seq.serialize_element(&self.sampled(self.thread(weights[0].thread), weights))?;
        }
        if !others.is_empty() {
            let name = format!("other threads ({} of {})", others.len(), threads.len());
            let others = self.places.together(others.concat());
            seq.serialize_element(&self.sampled(name, &others))?;
        }
        seq.end()
    }
}

fn sum(weights: &[Weight]) -> u64 {
    weights.iter().map(|weight| weight.weight).fold(0, u64::saturating_add)
}

impl Profiles<'_> {
    /// The name of a thread's profile: program and pid, thread and its number.
    fn thread(&self, id: ThreadId) -> String {
        let (thread, process) = thread_of(self.profile, id);
        let mut name = thread_name(thread, id);
        if let Some(thread) = thread.filter(|thread| !thread.name.is_empty()) {
            name = format!("{name} {}", thread.tid);
        }
        match process {
            Some(process) => format!("{} {} / {name}", program_name(process), process.pid),
            None => name,
        }
    }

    fn sampled<'a>(&'a self, name: String, weights: &'a [Weight]) -> Sampled<'a> {
        Sampled {
            r#type: "sampled",
            name,
            unit: self.metric.unit().name(),
            start: 0,
            end: sum(weights),
            samples: Samples { tables: &self.profile.tables, frames: self.frames, weights },
            weights: Numbers(weights),
        }
    }
}

/// Stacks as frame numbers, made one at a time.
struct Samples<'a> {
    tables: &'a Tables,
    frames: &'a Frames,
    weights: &'a [Weight],
}

impl Serialize for Samples<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.weights.iter().map(|w| self.frames.stack(self.tables, w.stack)))
    }
}

struct Numbers<'a>(&'a [Weight]);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|weight| weight.weight))
    }
}
