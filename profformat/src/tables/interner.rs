//! From values to ids: what a writer looks dictionary entries up in.

use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{StackNode, Tables};
use crate::ids::{BinaryId, FrameId, FunctionId, StackId, StringId};
use crate::record::{Binary, Frame, Function};

/// Stacks and frames that have room from the start: a table that grows late is a step in a long run's memory.
const STACKS: usize = 57_344;
const FRAMES: usize = 14_336;

/// Tables with a way back from value to id. It holds ids alone: the values are in the tables.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    tables: Tables,
    hasher: DefaultHashBuilder,
    strings: HashTable<StringId>,
    functions: HashTable<u32>,
    frames: HashTable<u32>,
    stacks: HashTable<u32>,
    binaries: HashTable<u32>,
}

impl Interner {
    /// Empty tables with room for what a program of usual size has.
    pub(crate) fn roomy() -> Self {
        Self {
            frames: HashTable::with_capacity(FRAMES),
            stacks: HashTable::with_capacity(STACKS),
            ..Self::default()
        }
    }

    /// The tables so far.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The id of a string, if it is known.
    pub(crate) fn known_string(&self, bytes: &[u8]) -> Option<StringId> {
        let hash = self.hasher.hash_one(bytes);
        self.strings.find(hash, |id| self.tables.string(*id) == bytes).copied()
    }

    /// The id of a string, new or known.
    pub fn string(&mut self, bytes: &[u8]) -> StringId {
        if let Some(id) = self.known_string(bytes) {
            return id;
        }
        let id = self.tables.push_string(bytes);
        let (tables, hasher) = (&self.tables, &self.hasher);
        let rehash = |id: &StringId| hasher.hash_one(tables.string(*id));
        self.strings.insert_unique(hasher.hash_one(bytes), id, rehash);
        id
    }

    /// The id of a binary, new or known.
    pub fn binary(&mut self, binary: Binary) -> BinaryId {
        let number = intern(&mut self.binaries, &self.hasher, &mut self.tables.binaries, binary);
        BinaryId::new(number)
    }

    /// The id of a function that belongs to no binary, new or known.
    pub fn function(&mut self, function: Function) -> FunctionId {
        self.function_of(function, BinaryId::NONE)
    }

    /// The id of a function of a binary, new or known.
    pub fn function_of(&mut self, function: Function, binary: BinaryId) -> FunctionId {
        let (tables, hasher) = (&mut self.tables, &self.hasher);
        let value = |tables: &Tables, number: u32| {
            (tables.functions[number as usize], tables.binary_of(FunctionId::new(number)))
        };
        let hash = hasher.hash_one((function, binary));
        let is_it = |number: &u32| value(tables, *number) == (function, binary);
        if let Some(number) = self.functions.find(hash, is_it) {
            return FunctionId::new(*number);
        }
        let id = tables.push_function_of(function, binary);
        let rehash = |number: &u32| hasher.hash_one(value(tables, *number));
        self.functions.insert_unique(hash, id.number(), rehash);
        id
    }

    /// The id of a frame that is not inlined, new or known.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        self.frame_as(frame, false)
    }

    /// The id of a frame whose code is part of its caller's, new or known.
    pub fn inlined(&mut self, frame: Frame) -> FrameId {
        self.frame_as(frame, true)
    }

    fn frame_as(&mut self, frame: Frame, inlined: bool) -> FrameId {
        let (tables, hasher) = (&mut self.tables, &self.hasher);
        let value = |tables: &Tables, number: u32| {
            (tables.frames[number as usize], tables.is_inlined(FrameId::new(number)))
        };
        let hash = hasher.hash_one((frame, inlined));
        let is_it = |number: &u32| value(tables, *number) == (frame, inlined);
        if let Some(number) = self.frames.find(hash, is_it) {
            return FrameId::new(*number);
        }
        let id = if inlined { tables.push_inlined(frame) } else { tables.push_frame(frame) };
        let rehash = |number: &u32| hasher.hash_one(value(tables, *number));
        self.frames.insert_unique(hash, id.number(), rehash);
        id
    }

    /// The id of the stack that has `frame` called from `parent`, new or known.
    pub fn stack(&mut self, parent: Option<StackId>, frame: FrameId) -> StackId {
        let node = StackNode { parent, frame };
        StackId::new(intern(&mut self.stacks, &self.hasher, &mut self.tables.stacks, node))
    }
}

/// The number of an entry of a table, new or known.
fn intern<T: Copy + Eq + Hash>(
    numbers: &mut HashTable<u32>,
    hasher: &DefaultHashBuilder,
    entries: &mut Vec<T>,
    entry: T,
) -> u32 {
    let hash = hasher.hash_one(entry);
    if let Some(number) = numbers.find(hash, |number| entries[*number as usize] == entry) {
        return *number;
    }
    let number = entries.len() as u32;
    entries.push(entry);
    numbers.insert_unique(hash, number, |number| hasher.hash_one(entries[*number as usize]));
    number
}
