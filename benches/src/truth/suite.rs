//! What is compared.

use super::interpreters::Interpreter;
use super::programs::{self, Program};
use super::row::Row;
use super::run::Runs;
use super::table::{self, Column};
use super::{memory, rows};

/// Figures of one kind, and the programs that know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Time by class, line and function.
    Time,
    /// The footprint; by line what is allocated, live, copied and leaked.
    Memory,
}

impl Suite {
    /// Its programs.
    pub fn programs(self) -> &'static [Program] {
        match self {
            Self::Time => &programs::PROGRAMS,
            Self::Memory => &memory::programs::PROGRAMS,
        }
    }

    /// Runs a program under `prof run`; no rows if the interpreter lacks what it needs, which is said on standard
    /// error.
    ///
    /// # Errors
    /// In words, when the program, the profiler or one of their outputs fails.
    pub fn of(
        self,
        runs: &Runs,
        program: &Program,
        python: &Interpreter,
    ) -> Result<Vec<Row>, String> {
        if self == Self::Memory {
            return memory::of(runs, program, python);
        }
        let (tags, pairs) = (program.tags(), runs.of(program, python)?.unwrap_or_default());
        let each = pairs.iter().map(|(claim, told)| rows::rows(program.name, &tags, claim, told));
        Ok(each.flatten().collect())
    }

    /// What a column's errors come to, and whether that is within the promise.
    pub fn verdict(self, column: &Column) -> (String, bool) {
        match self {
            Self::Time => table::verdict(column),
            Self::Memory => memory::verdict(column),
        }
    }
}
