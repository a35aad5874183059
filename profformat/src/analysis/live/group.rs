//! Lines, functions or threads by number, each with its figures of every window.

use hashbrown::HashMap;

use super::Window;
use super::recent::Sum;
use crate::analysis::sites::on_cpu;
use crate::ids::{StringId, ThreadId};
use crate::record::Class;

/// Lines, functions and threads that are told apart at most, each.
pub const ROWS: usize = 10_000;

/// A line, or a function at the line of its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spot {
    /// Source file.
    pub file: StringId,
    /// Line, 0 when unknown.
    pub line: u32,
    /// Qualified name of the function.
    pub function: StringId,
}

/// What a row of a group is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A line or a function.
    Spot(Spot),
    /// A thread.
    Thread(ThreadId),
    /// What has no stack.
    NoStack,
    /// Everything beyond [`ROWS`].
    Other,
}

/// Whether figures enter a window or leave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

impl Way {
    pub(super) fn change(self, value: &mut u64, by: u64) {
        *value = match self {
            Way::In => value.saturating_add(by),
            Way::Out => value.saturating_sub(by),
        };
    }

    fn change_squares(self, value: &mut u128, by: u128) {
        *value = match self {
            Way::In => value.saturating_add(by),
            Way::Out => value.saturating_sub(by),
        };
    }
}

/// What a line, function or thread did in a window. As in [`Site`](crate::analysis::sites::Site).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Self time in nanoseconds by [`Class::code`].
    pub self_ns: [u64; Class::ALL.len()],
    /// Number of on-CPU samples in `self_ns`.
    pub samples: u64,
    /// Sum of squared weights (ns squared) of those samples.
    pub squares: u128,
    /// Time by [`Class::code`] of every sample that has it anywhere on its stack, each once.
    pub total_ns: [u64; Class::ALL.len()],
    /// Number of those on CPU.
    pub total_samples: u64,
    /// Sum of their squared weights (ns squared).
    pub total_squares: u128,
    /// Bytes copied here.
    pub copied: u64,
}

impl Figures {
    /// Self time on CPU, nanoseconds.
    pub fn self_cpu_ns(&self) -> u64 {
        on_cpu(&self.self_ns)
    }

    /// CPU time of every sample that has it anywhere on its stack, nanoseconds.
    pub fn total_cpu_ns(&self) -> u64 {
        on_cpu(&self.total_ns)
    }

    /// True when there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.copied == 0 && self.total_ns.iter().all(|ns| *ns == 0)
    }

    pub(super) fn own(&mut self, class: u8, sum: &Sum, way: Way) {
        let class = Class::ALL[usize::from(class) % Class::ALL.len()];
        way.change(&mut self.self_ns[class.code() as usize], sum.weight_ns);
        if class.on_cpu() {
            way.change(&mut self.samples, sum.samples);
            way.change_squares(&mut self.squares, sum.squares);
        }
    }

    pub(super) fn total(&mut self, class: u8, sum: &Sum, way: Way) {
        let class = Class::ALL[usize::from(class) % Class::ALL.len()];
        way.change(&mut self.total_ns[class.code() as usize], sum.weight_ns);
        if class.on_cpu() {
            way.change(&mut self.total_samples, sum.samples);
            way.change_squares(&mut self.total_squares, sum.squares);
        }
    }
}

/// Rows in the order in which they were met. A row's number is its for good.
#[derive(Debug)]
pub struct Group {
    numbers: HashMap<Key, u32>,
    keys: Vec<Key>,
    figures: Vec<[Figures; 3]>,
    held: Vec<u64>,
}

impl Group {
    /// Two rows are always there.
    pub(super) const OTHER: u32 = 0;
    pub(super) const NO_STACK: u32 = 1;

    pub(super) fn new() -> Self {
        let mut group = Self {
            numbers: HashMap::new(),
            keys: Vec::new(),
            figures: Vec::new(),
            held: Vec::new(),
        };
        group.number(Key::Other);
        group.number(Key::NoStack);
        group
    }

    /// The row of a key; the row of all others once there are [`ROWS`].
    pub(super) fn number(&mut self, key: Key) -> u32 {
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        if self.keys.len() >= ROWS {
            return Self::OTHER;
        }
        let number = self.keys.len() as u32;
        self.numbers.insert(key, number);
        self.keys.push(key);
        self.figures.push([Figures::default(); 3]);
        self.held.push(0);
        number
    }

    /// The figures of a row that [`number`](Self::number) gave.
    pub(super) fn figures_mut(&mut self, number: u32, window: usize) -> &mut Figures {
        &mut self.figures[number as usize][window]
    }

    pub(super) fn forget_held(&mut self) {
        self.held.fill(0);
    }

    pub(super) fn hold(&mut self, number: u32, bytes: u64) {
        let held = &mut self.held[number as usize];
        *held = held.saturating_add(bytes);
    }

    /// How many rows there are; their numbers are those below.
    pub fn len(&self) -> u32 {
        self.keys.len() as u32
    }

    /// False: what has no stack has a row from the start.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What a row is of; [`Key::Other`] for a number that no row has.
    pub fn key(&self, number: u32) -> Key {
        self.keys.get(number as usize).copied().unwrap_or(Key::Other)
    }

    /// A row's figures.
    pub fn figures(&self, number: u32, window: Window) -> Figures {
        self.figures.get(number as usize).map(|all| all[window as usize]).unwrap_or_default()
    }

    /// Bytes that a row allocated and that were not yet freed when [`super::Live::look_at_held`] looked.
    pub fn held(&self, number: u32) -> u64 {
        self.held.get(number as usize).copied().unwrap_or(0)
    }
}
