//! From values to ids: what a writer looks dictionary entries up in.

use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{StackNode, Tables};
use crate::ids::{FrameId, FunctionId, StackId, StringId};
use crate::record::{Frame, Function};

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

    /// The id of a function, new or known.
    pub fn function(&mut self, function: Function) -> FunctionId {
        let number =
            intern(&mut self.functions, &self.hasher, &mut self.tables.functions, function);
        FunctionId::new(number)
    }

    /// The id of a frame, new or known.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        FrameId::new(intern(&mut self.frames, &self.hasher, &mut self.tables.frames, frame))
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
