//! Where CPython keeps what a walk needs, as plain data: one value for each minor version.
//!
//! Offsets are bytes from the start of the object (x86_64). What differs in kind between versions is a
//! closed enum here, so that one walker serves them all.

/// How the innermost frame is found from a thread state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameChain {
    /// The thread state points to a frame object.
    FrameObject { frame: usize },
    /// The thread state points to a structure on the C stack that points to the frame.
    CFrame { cframe: usize, current: usize },
    /// The thread state points to the frame.
    CurrentFrame { frame: usize },
}

/// How a frame says which instruction it is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// A 32-bit signed index, in units of `unit` bytes; -1 before the first instruction.
    Index { at: usize, unit: i32 },
    /// The instruction's address.
    Pointer { at: usize },
}

/// Who owns a frame: a byte in frames that are not objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) at: usize,
    /// The frame of a generator or coroutine.
    pub(crate) generator: u8,
    /// From this value on a frame only marks an entry from C and has no code of the program.
    pub(crate) entry_from: u8,
    /// The highest value there is.
    pub(crate) highest: u8,
}

impl Owner {
    /// Whether there are entry frames in this version; the outermost frame of a chain is then one.
    #[inline]
    pub(crate) const fn has_entries(&self) -> bool {
        self.entry_from <= self.highest
    }
}

/// Where a chain of frames shows that the interpreter was entered from C: each entry is one call of the
/// evaluation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// At every frame.
    Always,
    /// At frames with this byte set.
    Flag { at: usize },
    /// At the frames that an entry frame (see [`Owner`]) has called.
    ByEntryFrame,
}

/// Fields of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameFields {
    pub(crate) previous: usize,
    pub(crate) code: usize,
    /// Bits of the code pointer that are a tag.
    pub(crate) tag_mask: usize,
    pub(crate) position: Position,
    pub(crate) owner: Option<Owner>,
    pub(crate) entered: Entered,
}

/// Where the bytecode of a code object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bytecode {
    /// In a bytes object that the code object points to.
    Object { at: usize },
    /// Inside the code object, whose `units` field counts its two-byte units.
    Inline { at: usize, units: usize },
}

/// Fields of a code object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodeFields {
    pub(crate) file: usize,
    /// The qualified name, or the plain name where there is no other.
    pub(crate) name: usize,
    pub(crate) first_line: usize,
    pub(crate) lines: usize,
    pub(crate) bytecode: Bytecode,
    /// A 32-bit number that no other code object has ever had, or 0 once they have run out.
    pub(crate) version: Option<usize>,
}

/// The three encodings of line numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineTable {
    /// `co_lnotab`, up to 3.9.
    Lnotab,
    /// `co_linetable` of 3.10.
    Linetable,
    /// `co_linetable` from 3.11: lines and columns, entries of varying length.
    Locations,
}

/// Layout of `str` objects. Kind, compactness and ASCII are bits 2 to 4, 5 and 6 of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextFields {
    pub(crate) length: usize,
    /// -1 while it has not been asked for.
    pub(crate) hash: usize,
    pub(crate) state: usize,
    /// Characters of a compact ASCII string.
    pub(crate) ascii_data: usize,
    /// Characters of any other compact string.
    pub(crate) compact_data: usize,
}

/// Layout of `bytes` objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BytesFields {
    pub(crate) length: usize,
    pub(crate) data: usize,
}

/// Where a thread state leads to the flag that says that garbage is being collected: a 32-bit number in the
/// interpreter's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Collecting {
    pub(crate) interpreter: usize,
    pub(crate) flag: usize,
}

/// How an interpreter lists its threads: from a thread state to the interpreter (see [`Collecting`]), to its first
/// thread state, to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadList {
    pub(crate) head: usize,
    pub(crate) next: usize,
    /// What `pthread_self` says on that thread.
    pub(crate) thread_id: usize,
}

/// Everything a walk has to know about one minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) chain: FrameChain,
    pub(crate) frame: FrameFields,
    pub(crate) code: CodeFields,
    pub(crate) lines: LineTable,
    pub(crate) text: TextFields,
    pub(crate) bytes: BytesFields,
    /// The type pointer of every object.
    pub(crate) object_type: usize,
    pub(crate) collecting: Collecting,
    pub(crate) threads: ThreadList,
    /// First instruction of the code that the interpreter runs between a class and its `__init__`. It is
    /// none of the program's; its file name and its name are one and the same string.
    pub(crate) init_cleanup: Option<(&'static str, u8)>,
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
