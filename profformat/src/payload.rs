//! What stands in a chunk's payload: one struct per (type, version). A struct that was released is frozen;
//! a change is a new struct with the next version. FORMAT.md describes every field.

use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

/// Types of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    About = 1,
    Strings = 2,
    Functions = 3,
    Frames = 4,
    Stacks = 5,
    Processes = 6,
    Threads = 7,
    Samples = 8,
    Memory = 9,
    Copies = 10,
    Footprints = 11,
    Counters = 12,
    ThreadEnds = 13,
    ProcessEnds = 14,
    Notes = 15,
    End = 16,
    Index = 17,
}

impl Kind {
    const ALL: [Kind; 17] = [
        Kind::About,
        Kind::Strings,
        Kind::Functions,
        Kind::Frames,
        Kind::Stacks,
        Kind::Processes,
        Kind::Threads,
        Kind::Samples,
        Kind::Memory,
        Kind::Copies,
        Kind::Footprints,
        Kind::Counters,
        Kind::ThreadEnds,
        Kind::ProcessEnds,
        Kind::Notes,
        Kind::End,
        Kind::Index,
    ];

    /// The type with this code.
    pub(crate) fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code.checked_sub(1)?)).copied()
    }
}

/// Codes of the rows of a memory block.
pub(crate) mod row {
    pub(crate) const ALLOC_PYTHON: u64 = 0;
    pub(crate) const ALLOC_NATIVE: u64 = 1;
    pub(crate) const FREE: u64 = 2;
    pub(crate) const RESIZE: u64 = 3;
    /// Rows of sample and memory blocks are `index of the thread * RADIX + code`.
    pub(crate) const RADIX: u64 = 8;
}

/// Makes payload structs; every one can be written and read.
macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident $(<$life:lifetime>)? { $($(#[$attr:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize)]
        pub(crate) struct $name $(<$life>)? {
            $($(#[$attr])* pub(crate) $field: $type,)*
        }
    )*};
}

payloads! {
    AboutV1<'a> {
        #[serde(borrow)] tool: &'a Bytes,
        command: Vec<&'a Bytes>,
    }
    StringsV1<'a> {
        first: u32,
        count: u32,
        #[serde(borrow)] lengths: &'a Bytes,
        bytes: &'a Bytes,
    }
    FunctionsV1<'a> {
        first: u32,
        count: u32,
        #[serde(borrow)] names: &'a Bytes,
        files: &'a Bytes,
        lines: &'a Bytes,
        langs: &'a Bytes,
    }
    FramesV1<'a> {
        first: u32,
        count: u32,
        #[serde(borrow)] functions: &'a Bytes,
        lines: &'a Bytes,
    }
    StacksV1<'a> {
        first: u32,
        count: u32,
        #[serde(borrow)] parents: &'a Bytes,
        frames: &'a Bytes,
    }
    ProcessesV1<'a> {
        first: u32,
        #[serde(borrow)] entries: Vec<ProcessV1<'a>>,
    }
    ProcessV1<'a> {
        parent: u64,
        pid: u32,
        time: u64,
        profiled: u8,
        #[serde(borrow)] python: &'a Bytes,
        command: Vec<&'a Bytes>,
    }
    ThreadsV1<'a> {
        first: u32,
        count: u32,
        #[serde(borrow)] processes: &'a Bytes,
        tids: &'a Bytes,
        times: &'a Bytes,
        names: &'a Bytes,
        bytes: &'a Bytes,
    }
    SamplesV1<'a> {
        count: u32,
        time: u64,
        #[serde(borrow)] threads: &'a Bytes,
        rows: &'a Bytes,
        stacks: &'a Bytes,
        weights: &'a Bytes,
        times: &'a Bytes,
    }
    MemoryV1<'a> {
        count: u32,
        time: u64,
        #[serde(borrow)] threads: &'a Bytes,
        rows: &'a Bytes,
        times: &'a Bytes,
        stacks: &'a Bytes,
        sizes: &'a Bytes,
        weights: &'a Bytes,
        blocks: &'a Bytes,
    }
    CopiesV1<'a> {
        count: u32,
        time: u64,
        #[serde(borrow)] threads: &'a Bytes,
        rows: &'a Bytes,
        times: &'a Bytes,
        stacks: &'a Bytes,
        sizes: &'a Bytes,
        weights: &'a Bytes,
    }
    FootprintsV1<'a> {
        count: u32,
        #[serde(borrow)] rows: &'a Bytes,
        times: &'a Bytes,
        native: &'a Bytes,
        python: &'a Bytes,
    }
    CountersV1<'a> {
        count: u32,
        #[serde(borrow)] processes: &'a Bytes,
        times: &'a Bytes,
        names: &'a Bytes,
        values: &'a Bytes,
    }
    ThreadEndsV1<'a> {
        count: u32,
        #[serde(borrow)] threads: &'a Bytes,
        times: &'a Bytes,
        cpu: &'a Bytes,
    }
    ProcessEndsV1<'a> {
        count: u32,
        #[serde(borrow)] processes: &'a Bytes,
        times: &'a Bytes,
        outcomes: &'a Bytes,
        cpu: &'a Bytes,
    }
    NotesV1<'a> {
        count: u32,
        #[serde(borrow)] lengths: &'a Bytes,
        bytes: &'a Bytes,
    }
    EndV1 {
        time: u64,
    }
    IndexV1<'a> {
        count: u32,
        #[serde(borrow)] offsets: &'a Bytes,
        kinds: &'a Bytes,
        records: &'a Bytes,
    }
}
