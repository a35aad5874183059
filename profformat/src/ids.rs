//! Ids of dictionary entries: dense `u32` newtypes, numbered from 0 in the order of definition.

/// Makes id newtypes; an id has no arithmetic, only a number.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The id with this number.
            pub const fn new(number: u32) -> Self {
                Self(number)
            }

            /// The number, as stored in a trace.
            pub const fn number(self) -> u32 {
                self.0
            }

            /// The number as an index into the dictionary's table.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

impl BinaryId {
    /// No binary: that of Python functions, and of native ones of which it is not known.
    pub const NONE: Self = Self(0);
}

ids! {
    /// A string of the trace. Bytes, not text: names come from strangers.
    StringId;
    /// An executable file or library, as a process had it mapped. Number 0 stands for none that is known.
    BinaryId;
    /// A function: name, file, first line, language.
    FunctionId;
    /// A function at a line.
    FrameId;
    /// A whole call stack: a node (parent, frame) of the prefix tree. A parent's id is smaller than its child's.
    StackId;
    /// One program image in one process: an exec in the same pid makes a new one.
    ProcessId;
    /// A thread of a process.
    ThreadId;
}
