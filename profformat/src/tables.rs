//! The dictionaries of a trace: strings, functions, frames and the prefix tree of stacks.
//!
//! [`Tables`] is what a reader builds up; [`Interner`] is what a writer looks values up in. An entry only
//! refers to entries with smaller numbers or to earlier tables, so there are no cycles, and every prefix
//! of a table is complete.

use std::collections::HashMap;
use std::hash::Hash;

use crate::ids::{FrameId, FunctionId, StackId, StringId};
use crate::record::{Frame, Function};

/// A node of the prefix tree: a frame called from `parent` (`None` at the root).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StackNode {
    /// The calling stack.
    pub parent: Option<StackId>,
    /// The innermost frame of this stack.
    pub frame: FrameId,
}

/// Dictionary entries by id.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    functions: Vec<Function>,
    frames: Vec<Frame>,
    stacks: Vec<StackNode>,
}

impl Tables {
    /// The string with this id; empty if there is none.
    pub fn string(&self, id: StringId) -> &[u8] {
        let index = id.index();
        let Some(&end) = self.ends.get(index) else { return b"" };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..end]
    }

    /// The string with this id as text, invalid UTF-8 replaced.
    pub fn text(&self, id: StringId) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.string(id))
    }

    /// The function with this id, if it is defined.
    pub fn function(&self, id: FunctionId) -> Option<Function> {
        self.functions.get(id.index()).copied()
    }

    /// The frame with this id, if it is defined.
    pub fn frame(&self, id: FrameId) -> Option<Frame> {
        self.frames.get(id.index()).copied()
    }

    /// The stack node with this id, if it is defined.
    pub fn stack(&self, id: StackId) -> Option<StackNode> {
        self.stacks.get(id.index()).copied()
    }

    /// The frames of a stack, innermost first.
    pub fn walk(&self, stack: Option<StackId>) -> impl Iterator<Item = FrameId> + '_ {
        let mut next = stack;
        std::iter::from_fn(move || {
            let node = self.stack(next?)?;
            next = node.parent;
            Some(node.frame)
        })
    }

    /// Number of strings, functions, frames and stacks.
    pub fn counts(&self) -> [usize; 4] {
        [self.ends.len(), self.functions.len(), self.frames.len(), self.stacks.len()]
    }

    /// Bytes of all strings together.
    pub(crate) fn string_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// All functions in order of id.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// All frames in order of id.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// All stack nodes in order of id.
    pub fn stacks(&self) -> &[StackNode] {
        &self.stacks
    }

    /// Appends a string; its id is its position.
    pub fn push_string(&mut self, bytes: &[u8]) -> StringId {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
        StringId::new(self.ends.len() as u32 - 1)
    }

    /// Appends a function. Its ids must be defined: a decoder checks them first.
    pub fn push_function(&mut self, function: Function) -> FunctionId {
        self.functions.push(function);
        FunctionId::new(self.functions.len() as u32 - 1)
    }

    /// Appends a frame. Its ids must be defined.
    pub fn push_frame(&mut self, frame: Frame) -> FrameId {
        self.frames.push(frame);
        FrameId::new(self.frames.len() as u32 - 1)
    }

    /// Appends a stack node. Its ids must be defined.
    pub fn push_stack(&mut self, node: StackNode) -> StackId {
        self.stacks.push(node);
        StackId::new(self.stacks.len() as u32 - 1)
    }
}

/// Tables with a way back from value to id.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    tables: Tables,
    strings: HashMap<Box<[u8]>, StringId>,
    functions: HashMap<Function, FunctionId>,
    frames: HashMap<Frame, FrameId>,
    stacks: HashMap<StackNode, StackId>,
}

impl Interner {
    /// The tables so far.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Takes over the entries of `tables` beyond its own, ids unchanged, even when their values are known.
    pub(crate) fn adopt(&mut self, tables: &Tables) {
        let [strings, functions, frames, stacks] = self.tables.counts();
        for number in strings..tables.counts()[0] {
            let bytes = tables.string(StringId::new(number as u32));
            let id = self.tables.push_string(bytes);
            self.strings.entry(bytes.into()).or_insert(id);
        }
        for &function in tables.functions().iter().skip(functions) {
            let id = self.tables.push_function(function);
            self.functions.entry(function).or_insert(id);
        }
        for &frame in tables.frames().iter().skip(frames) {
            let id = self.tables.push_frame(frame);
            self.frames.entry(frame).or_insert(id);
        }
        for &node in tables.stacks().iter().skip(stacks) {
            let id = self.tables.push_stack(node);
            self.stacks.entry(node).or_insert(id);
        }
    }

    /// The id of a string, if it is known.
    pub(crate) fn known_string(&self, bytes: &[u8]) -> Option<StringId> {
        self.strings.get(bytes).copied()
    }

    /// The id of a string, new or known.
    pub fn string(&mut self, bytes: &[u8]) -> StringId {
        if let Some(&id) = self.strings.get(bytes) {
            return id;
        }
        let id = self.tables.push_string(bytes);
        self.strings.insert(bytes.into(), id);
        id
    }

    /// The id of a function, new or known.
    pub fn function(&mut self, function: Function) -> FunctionId {
        intern(&mut self.functions, function, |f| self.tables.push_function(f))
    }

    /// The id of a frame, new or known.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        intern(&mut self.frames, frame, |f| self.tables.push_frame(f))
    }

    /// The id of the stack that has `frame` called from `parent`, new or known.
    pub fn stack(&mut self, parent: Option<StackId>, frame: FrameId) -> StackId {
        intern(&mut self.stacks, StackNode { parent, frame }, |n| self.tables.push_stack(n))
    }
}

fn intern<K: Copy + Eq + Hash, V: Copy>(
    map: &mut HashMap<K, V>,
    key: K,
    push: impl FnOnce(K) -> V,
) -> V {
    *map.entry(key).or_insert_with(|| push(key))
}
