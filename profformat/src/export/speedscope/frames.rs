//! The list of frames that all profiles of a file share.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use super::stacks::Stacks;
use crate::analysis::sites::places::OTHER;
use crate::export::names::{Name, root_first};
use crate::ids::{FrameId, StackId, StringId};
use crate::tables::Tables;

/// Stands for the place of a frame that is in no stack.
const UNMET: u32 = u32::MAX;

/// An entry of the list of frames.
#[derive(Clone, Copy)]
enum Listing {
    /// One of the frames that share a name.
    Frame(FrameId),
    /// A stack that is not known.
    NoStack,
    /// The stacks that are not told apart.
    Other,
}

/// The different frames of a file, each once: speedscope gets slow with duplicates.
pub(super) struct Frames<'a> {
    tables: &'a Tables,
    list: Vec<Listing>,
    /// The place in the list by frame; [`UNMET`] for those that are not in it.
    index: Vec<u32>,
    /// What stands for a stack that is not known, if there is one.
    no_stack: Option<usize>,
    /// What stands for stacks that are not told apart, if there are any.
    pub(super) other: Option<usize>,
}

impl<'a> Frames<'a> {
    pub(super) fn of(tables: &'a Tables, lists: &[Stacks]) -> Self {
        let index = vec![UNMET; tables.counts()[2]];
        let mut frames = Self { tables, list: Vec::new(), index, no_stack: None, other: None };
        let mut by_name: HashMap<(StringId, StringId, u32), u32> = HashMap::new();
        for weight in lists.iter().flat_map(|list| &list.weights) {
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
                    frames.list.push(Listing::Frame(id));
                }
                frames.index[id.index()] = at;
            }
            if !known && frames.no_stack.is_none() {
                frames.no_stack = Some(frames.list.len());
                frames.list.push(Listing::NoStack);
            }
        }
        if lists.iter().any(|list| list.other > 0) {
            frames.other = Some(frames.list.len());
            frames.list.push(Listing::Other);
        }
        frames
    }

    /// A stack as places in the list, outermost first.
    pub(super) fn stack(&self, stack: Option<StackId>) -> Vec<usize> {
        let frames = root_first(self.tables, stack);
        if frames.is_empty() {
            return self.no_stack.into_iter().collect();
        }
        frames.iter().filter_map(|id| Some(*self.index.get(id.index())? as usize)).collect()
    }
}

impl Serialize for Frames<'_> {
    /// Names are made one at a time: together they can be much longer than the trace.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.list.iter().map(|listing| {
            let name = match *listing {
                Listing::Frame(frame) => Name::of(self.tables, frame),
                Listing::NoStack => Name::no_stack(),
                Listing::Other => Name { function: OTHER.to_owned(), ..Name::no_stack() },
            };
            SharedFrame { name: name.function, file: name.file, line: name.line }
        }))
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
