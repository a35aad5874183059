//! Types of chunks.

/// What a chunk holds. The numbers are those of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum Kind {
    /// The command and what wrote the trace.
    About = 1,
    /// Strings of the dictionary.
    Strings = 2,
    /// Functions of the dictionary.
    Functions = 3,
    /// Frames of the dictionary.
    Frames = 4,
    /// Stacks of the dictionary.
    Stacks = 5,
    /// Processes that appeared.
    Processes = 6,
    /// Threads that appeared.
    Threads = 7,
    /// A block of CPU and waiting time.
    Samples = 8,
    /// A block of allocations, frees and resizes.
    Memory = 9,
    /// A block of copies.
    Copies = 10,
    /// Points of footprint curves.
    Footprints = 11,
    /// Values of counters.
    Counters = 12,
    /// Threads that ended.
    ThreadEnds = 13,
    /// Processes that ended.
    ProcessEnds = 14,
    /// Words for the user.
    Notes = 15,
    /// The end of the run.
    End = 16,
    /// Where chunks are and what is in them.
    Index = 17,
    /// What processes had of their parents when they were forked.
    Inheritances = 18,
    /// Executable files and libraries of the dictionary.
    Binaries = 19,
}

impl Kind {
    /// Every type, in the order of their numbers.
    pub const ALL: [Kind; 19] = [
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
        Kind::Inheritances,
        Kind::Binaries,
    ];

    /// The type with this number, if it is known.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code.checked_sub(1)?)).copied()
    }

    /// The number in the file.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The name that FORMAT.md has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::About => "About",
            Kind::Strings => "Strings",
            Kind::Functions => "Functions",
            Kind::Frames => "Frames",
            Kind::Stacks => "Stacks",
            Kind::Processes => "Processes",
            Kind::Threads => "Threads",
            Kind::Samples => "Samples",
            Kind::Memory => "Memory",
            Kind::Copies => "Copies",
            Kind::Footprints => "Footprints",
            Kind::Counters => "Counters",
            Kind::ThreadEnds => "ThreadEnds",
            Kind::ProcessEnds => "ProcessEnds",
            Kind::Notes => "Notes",
            Kind::End => "End",
            Kind::Index => "Index",
            Kind::Inheritances => "Inheritances",
            Kind::Binaries => "Binaries",
        }
    }

    /// The newest version of its payload: the one that is written.
    pub(crate) const fn version(self) -> u8 {
        match self {
            Kind::Functions | Kind::Frames | Kind::Copies | Kind::Index => 2,
            _ => 1,
        }
    }

    /// True when that version begins with all fields of those before, so that older readers read it as theirs.
    pub(crate) const fn is_append_only(self) -> bool {
        matches!(self, Kind::Functions | Kind::Frames | Kind::Copies)
    }

    /// True for chunks whose records have a time of their own and that nothing else refers to: a reader that
    /// does not want them can pass over them.
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Kind::Samples | Kind::Memory | Kind::Copies | Kind::Footprints | Kind::Counters
        )
    }
}
