//! The dictionaries of a trace: strings, functions, frames and the prefix tree of stacks.
//!
//! [`Tables`] is what a reader builds up; [`Interner`] is what a writer looks values up in. An entry only
//! refers to entries with smaller numbers or to earlier tables, so there are no cycles, and every prefix
//! of a table is complete.

mod interner;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

pub use self::interner::Interner;
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
    ends: Vec<u32>,
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
        &self.bytes[start as usize..end as usize]
    }

    /// The string with this id as text, invalid UTF-8 replaced.
    pub fn text(&self, id: StringId) -> Cow<'_, str> {
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
        core::iter::from_fn(move || {
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

    /// Appends a string; its id is its position. A string that ends beyond 4 GiB is empty.
    pub fn push_string(&mut self, bytes: &[u8]) -> StringId {
        let end = u32::try_from(self.bytes.len() + bytes.len());
        if end.is_ok() {
            make_room(&mut self.bytes, bytes.len());
            self.bytes.extend_from_slice(bytes);
        }
        self.ends.push(end.unwrap_or(self.bytes.len() as u32));
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

/// Room for `more`, without the doubling of a vector once that would be megabytes.
fn make_room(bytes: &mut Vec<u8>, more: usize) {
    const STEP: usize = 4 << 20;
    if bytes.capacity() - bytes.len() < more && bytes.len() >= STEP {
        bytes.reserve_exact(more.max(STEP));
    }
}
