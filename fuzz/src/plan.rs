//! What a writer is told to do: actions with ids that are mostly good.

use arbitrary::Arbitrary;
use profformat::record::{Class, Domain, Lang, Outcome};

/// A whole trace.
#[derive(Arbitrary, Debug)]
pub struct Plan {
    /// Compress chunks.
    pub compress: bool,
    /// The time unit.
    pub unit: Unit,
    /// What is done, in order.
    pub actions: Vec<Action>,
    /// The end.
    pub end: u64,
}

/// Time units that are used, and any.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Unit {
    /// 1 ns.
    Nanosecond,
    /// 1,000 ns.
    Microsecond,
    /// 0 is taken as 1.
    Any(u32),
}

/// An id: of something that is defined, of the next thing that would be, or far beyond.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Id {
    /// One of those that there are.
    Known(u16),
    /// The next one.
    Next,
    /// Anything.
    Any(u32),
}

impl Id {
    /// The number, when `count` are defined.
    pub fn number(self, count: usize) -> u32 {
        match self {
            Id::Known(n) => u32::from(n) % (count.max(1) as u32),
            Id::Next => count as u32,
            Id::Any(n) => n,
        }
    }
}

/// A string, which can be longer than the limit.
#[derive(Arbitrary, Debug)]
pub struct Text {
    bytes: Vec<u8>,
    long: Option<u8>,
}

impl Text {
    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        // One in four of those that may be long is.
        match self.long {
            Some(n) if n % 4 == 3 => self.bytes.iter().copied().cycle().take(70_000).collect(),
            _ => self.bytes.clone(),
        }
    }
}

/// Where and when something happened.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Place {
    /// When.
    pub time: u64,
    /// On which thread.
    pub thread: Id,
    /// In which stack.
    pub stack: Option<Id>,
}

/// Something to do.
#[derive(Arbitrary, Debug)]
pub enum Action {
    /// Defines a string.
    String(Text),
    /// Defines a function of two strings.
    Function(Id, Id, u32, Language),
    /// Defines a frame of a function.
    Frame(Id, u32),
    /// Defines a stack.
    Stack(Option<Id>, Id),
    /// Defines a process.
    Process(Id, Option<Id>, u64, Vec<Vec<u8>>, String),
    /// Defines a thread.
    Thread(Id, Id, u64, Text),
    /// Takes a sample.
    Sample(Place, u64, u8),
    /// Allocates.
    Alloc(Place, u64, u64, bool, u64),
    /// Frees.
    Free(Place, u64),
    /// Resizes.
    Resize(Place, u64, u64, u64),
    /// Copies; the last is a string.
    Copied(Place, u64, u64, Id),
    /// A point of the footprint curve.
    Footprint(u64, Id, u64, u64, bool),
    /// A counter.
    Counter(u64, Id, Id, u64),
    /// Ends a thread.
    ThreadEnd(Id, u64, u64),
    /// Ends a process.
    ProcessEnd(Id, u64, End, u64),
    /// A note.
    Note(Text),
    /// An end that only `finish` may write.
    End,
    /// The last record again, so often that blocks are filled.
    Again(u16),
    /// Lets everything go.
    Flush,
    /// What a process inherited.
    Inherited(u64, Id, u64),
}

/// See [`Lang`].
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Language {
    /// Python.
    Python,
    /// Native.
    Native,
    /// Other.
    Other,
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::Python => Lang::Python,
            Language::Native => Lang::Native,
            Language::Other => Lang::Other,
        }
    }
}

/// See [`Outcome`].
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum End {
    /// Exited.
    Exited(i32),
    /// Killed.
    Killed(i32),
    /// Exec.
    Exec,
    /// Gone.
    Gone,
    /// Running.
    Running,
}

impl From<End> for Outcome {
    fn from(end: End) -> Self {
        match end {
            End::Exited(status) => Outcome::Exited(status),
            End::Killed(signal) => Outcome::Killed(signal),
            End::Exec => Outcome::Exec,
            End::Gone => Outcome::Gone,
            End::Running => Outcome::Running,
        }
    }
}

/// The class with a code, whatever the code is.
pub fn class(code: u8) -> Class {
    Class::ALL[usize::from(code) % Class::ALL.len()]
}

/// The domain.
pub fn domain(python: bool) -> Domain {
    if python { Domain::Python } else { Domain::Native }
}
