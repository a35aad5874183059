//! From values to ids: what a writer looks dictionary entries up in.

use alloc::boxed::Box;
use core::hash::Hash;

use hashbrown::HashMap;

use super::{StackNode, Tables};
use crate::ids::{FrameId, FunctionId, StackId, StringId};
use crate::record::{Frame, Function};

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
