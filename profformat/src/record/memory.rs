//! What the hooks tell about memory: allocations, their ends, copies.

use crate::ids::{StackId, StringId, ThreadId};
use crate::units::Timestamp;

/// Which allocator a block came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// Python's object and memory allocators.
    Python,
    /// `malloc` and its family, outside Python's allocators.
    Native,
}

/// One sampled allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alloc {
    /// When the allocator had returned.
    pub time: Timestamp,
    /// The allocating thread.
    pub thread: ThreadId,
    /// Its call stack.
    pub stack: Option<StackId>,
    /// Bytes newly obtained by this call (for a growing `realloc`, the growth).
    pub size: u64,
    /// Bytes this sample stands for.
    pub weight: u64,
    /// Which allocator.
    pub domain: Domain,
    /// Names the block in later [`Free`] and [`Resize`] records; unique in its process, 0 when the block
    /// is not followed. The same block can have several `Alloc` records, one for each growth sampled.
    pub block: u64,
}

/// A followed block was freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    /// Just before the allocator was called.
    pub time: Timestamp,
    /// The freeing thread, which need not be the allocating one.
    pub thread: ThreadId,
    /// The block.
    pub block: u64,
}

/// A followed block got another size; a smaller one scales its weights by `new_size / old_size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// When the allocator had returned.
    pub time: Timestamp,
    /// The thread that resized it.
    pub thread: ThreadId,
    /// The block.
    pub block: u64,
    /// Bytes before.
    pub old_size: u64,
    /// Bytes after.
    pub new_size: u64,
}

/// Something that happened to a block of memory. Among these the order matters, so a trace keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryEvent {
    /// An allocation was sampled.
    Alloc(Alloc),
    /// A followed block was freed.
    Free(Free),
    /// A followed block was resized.
    Resize(Resize),
}

impl MemoryEvent {
    /// When it happened.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Alloc(Alloc { time, .. })
            | Self::Free(Free { time, .. })
            | Self::Resize(Resize { time, .. }) => *time,
        }
    }

    /// The thread that did it.
    pub fn thread(&self) -> ThreadId {
        match self {
            Self::Alloc(Alloc { thread, .. })
            | Self::Free(Free { thread, .. })
            | Self::Resize(Resize { thread, .. }) => *thread,
        }
    }
}

/// One sampled copy (`memcpy` and its family).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// When the copy was made.
    pub time: Timestamp,
    /// The copying thread.
    pub thread: ThreadId,
    /// Its call stack.
    pub stack: Option<StackId>,
    /// Bytes of this call.
    pub size: u64,
    /// Bytes this sample stands for.
    pub weight: u64,
    /// Whose code made the call: a short name of its module, such as `CPython` or `numpy`; empty when not known.
    pub copier: StringId,
}
