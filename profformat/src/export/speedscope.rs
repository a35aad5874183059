//! speedscope's JSON: one profile for each thread.

use std::collections::HashMap;
use std::io::Write;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::escape::escape;
use super::json::plain;
use super::metric::Weight;
use super::names::{Name, depth_first, process_name, root_first, thread_name, thread_of};
use super::{ExportError, Metric};
use crate::analysis::Profile;
use crate::ids::{FrameId, StackId, StringId};
use crate::tables::Tables;

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

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

/// Writes the weights of each thread. Equal stacks of a thread are one entry, and entries with the same
/// callers are neighbors: the order is not that of time.
pub fn write(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ExportError> {
    let positions = depth_first(&profile.tables);
    let place = |stack: Option<StackId>| stack.and_then(|s| positions.get(s.index())).copied();
    let mut weights = metric.weights(profile);
    weights.sort_by_key(|w| (w.thread, place(w.stack)));

    let frames = Frames::of(&profile.tables, &weights);
    let sum = |weights: &[Weight]| weights.iter().map(|w| w.weight).fold(0, u64::saturating_add);
    let threads: Vec<&[Weight]> = weights.chunk_by(|a, b| a.thread == b.thread).collect();
    let busiest = threads.iter().enumerate().max_by_key(|(at, w)| (sum(w), usize::MAX - at));
    let command: Vec<String> = profile.header.command.iter().map(|word| escape(word)).collect();
    let file = File {
        schema: SCHEMA,
        name: format!("{} ({})", command.join(" "), metric.name()),
        exporter: concat!("prof@", env!("CARGO_PKG_VERSION")),
        active: busiest.map_or(0, |(at, _)| at),
        shared: Shared { frames: List { tables: &profile.tables, frames: &frames.list } },
        profiles: Profiles { profile, metric, threads: &threads, frames: &frames },
    };
    plain(&file, out)
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
    threads: &'a [&'a [Weight]],
    frames: &'a Frames,
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
    weights: Vec<u64>,
}

impl Serialize for Profiles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        // A run without a single sample is still a profile to look at.
        let none: [&[Weight]; 1] = [&[]];
        let threads = if self.threads.is_empty() { &none } else { self.threads };
        for weights in threads {
            seq.serialize_element(&self.thread(weights))?;
        }
        seq.end()
    }
}

impl<'a> Profiles<'a> {
    fn thread(&self, weights: &'a [Weight]) -> Sampled<'a> {
        let name = match weights.first() {
            Some(first) => {
                let (thread, process) = thread_of(self.profile, first.thread);
                let name = thread_name(thread, first.thread);
                match (process, thread) {
                    (Some(p), Some(t)) => format!("{name} ({}, {})", process_name(p), t.tid),
                    _ => name,
                }
            }
            None => "nothing was sampled".to_owned(),
        };
        Sampled {
            r#type: "sampled",
            name,
            unit: self.metric.unit().name(),
            start: 0,
            end: weights.iter().map(|w| w.weight).fold(0, u64::saturating_add),
            samples: Samples { tables: &self.profile.tables, frames: self.frames, weights },
            weights: weights.iter().map(|w| w.weight).collect(),
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
