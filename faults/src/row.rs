//! A row of the catalogue, and what trying it gives.

use std::fmt;

use crate::trial::Trial;

/// A fault, and how it is tried.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its number in the catalogue, such as `5b`.
    pub(crate) number: &'static str,
    /// What goes wrong, in words.
    pub(crate) fault: &'static str,
    /// Makes it go wrong, and looks whether everything holds.
    pub(crate) try_it: fn(&Trial) -> Result<Held, Broken>,
}

/// What must hold whatever goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invariant {
    /// I1: output, status, files, descriptors and dispositions are those of a bare run.
    SameProgram,
    /// I2: it ends in time.
    NoHang,
    /// I3: the trace is readable, and says how the run ended.
    Trace,
    /// I4: one clear line where something went wrong, none where nothing did, and never the text of a panic.
    Message,
    /// I5: ticks are samples and losses, and the weights of samples add up to the bytes that were counted.
    Books,
}

impl Invariant {
    const ALL: [Self; 5] =
        [Self::SameProgram, Self::NoHang, Self::Trace, Self::Message, Self::Books];
}

/// What held, and what was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    invariants: [bool; Invariant::ALL.len()],
    /// One line.
    pub(crate) figure: String,
}

impl Held {
    /// Nothing has been looked at yet.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// These were looked at.
    pub(crate) fn of(invariants: &[Invariant]) -> Self {
        let mut held = Self::default();
        invariants.iter().for_each(|one| held.add(*one));
        held
    }

    pub(crate) fn add(&mut self, invariant: Invariant) {
        self.invariants[invariant as usize] = true;
    }

    /// What held in both.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.invariants.iter_mut().zip(other.invariants).for_each(|(all, one)| *all |= one);
        self
    }

    pub(crate) fn figure(mut self, figure: impl Into<String>) -> Self {
        self.figure = figure.into();
        self
    }
}

impl fmt::Display for Held {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = (1..).zip(self.invariants);
        let held: Vec<String> =
            names.filter(|(_, held)| *held).map(|(number, _)| format!("I{number}")).collect();
        out.pad(&held.join(" "))
    }
}

/// Why a row does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Something did not hold: what, in words, of which the first line stands in the table.
    Fault(String),
    /// It could not be tried: what this machine lacks.
    Missing(String),
}

impl Broken {
    pub(crate) fn fault(words: impl Into<String>) -> Self {
        Self::Fault(words.into())
    }

    /// The same, said with where it was.
    pub(crate) fn within(self, place: &str) -> Self {
        match self {
            Self::Fault(words) => Self::Fault(format!("{place}: {words}")),
            missing => missing,
        }
    }

    pub(crate) fn missing(words: impl Into<String>) -> Self {
        Self::Missing(words.into())
    }
}

/// The machinery of a trial failed: as bad as a fault, because nothing was shown.
impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Fault(format!("the trial itself: {error}"))
    }
}

/// `Ok` if it holds, else a fault with these words.
pub(crate) fn holds(held: bool, words: impl FnOnce() -> String) -> Result<(), Broken> {
    if held { Ok(()) } else { Err(Broken::Fault(words())) }
}
