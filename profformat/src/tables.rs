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
use crate::ids::{BinaryId, FrameId, FunctionId, StackId, StringId};
use crate::record::{Binary, Frame, Function};

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
    binaries: Vec<Binary>,
    /// The binary of each function up to the last one that has any.
    owners: Vec<BinaryId>,
    /// Bits of the frames that are inlined, up to the last one.
    inlined: Vec<u64>,
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

    /// The binary with this id, if it is defined; [`BinaryId::NONE`] is one without a path.
    pub fn binary(&self, id: BinaryId) -> Option<Binary> {
        self.binaries.get(id.index()).copied()
    }

    /// The binary that a function belongs to; [`BinaryId::NONE`] when it belongs to none or that is not known.
    pub fn binary_of(&self, id: FunctionId) -> BinaryId {
        self.owners.get(id.index()).copied().unwrap_or(BinaryId::NONE)
    }

    /// Whether the compiler has put a frame's code into that of its caller, the next frame outwards.
    pub fn is_inlined(&self, id: FrameId) -> bool {
        let word = self.inlined.get(id.index() / 64);
        word.is_some_and(|word| word >> (id.index() % 64) & 1 == 1)
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

    /// As [`counts`](Self::counts), then the number of binaries.
    pub(crate) fn all_counts(&self) -> [usize; 5] {
        let [strings, functions, frames, stacks] = self.counts();
        [strings, functions, frames, stacks, self.binaries.len()]
    }

    /// Bytes of all strings together.
    pub(crate) fn string_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// All binaries in order of id.
    pub fn binaries(&self) -> &[Binary] {
        &self.binaries
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

    /// Appends a function of a binary. Its ids must be defined.
    pub fn push_function_of(&mut self, function: Function, binary: BinaryId) -> FunctionId {
        let id = self.push_function(function);
        self.own(id, binary);
        id
    }

    /// Appends a binary. Its ids must be defined.
    pub fn push_binary(&mut self, binary: Binary) -> BinaryId {
        self.binaries.push(binary);
        BinaryId::new(self.binaries.len() as u32 - 1)
    }

    fn own(&mut self, id: FunctionId, binary: BinaryId) {
        if binary != BinaryId::NONE {
            self.owners.resize(id.index(), BinaryId::NONE);
            self.owners.push(binary);
        }
    }

    fn mark_inlined(&mut self, id: FrameId) {
        let word = id.index() / 64;
        if word >= self.inlined.len() {
            self.inlined.resize(word + 1, 0);
        }
        self.inlined[word] |= 1 << (id.index() % 64);
    }

    /// Appends a frame whose code is part of its caller's. Its ids must be defined.
    pub fn push_inlined(&mut self, frame: Frame) -> FrameId {
        let id = self.push_frame(frame);
        self.mark_inlined(id);
        id
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
