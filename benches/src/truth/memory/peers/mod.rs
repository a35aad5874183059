//! What other profilers tell about the same programs.
//!
//! Each is run with all that it can see of memory, and its figures are taken for what its documentation says they are.
//! What a tool has no figure for is left out.

mod fil;
mod memray;
mod scalene;

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::claim::Claim;
use super::rows;
use crate::truth::interpreters::Interpreter;
use crate::truth::programs::Program;
use crate::truth::row::{Kind, Row};
use crate::truth::run::{Runs, output};

/// Another profiler of memory, from PyPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Scalene.
    Scalene,
    /// memray.
    Memray,
    /// Fil.
    Fil,
}

/// How a peer is asked to look at a program.
#[derive(Debug)]
struct Asked<'a> {
    python: &'a Path,
    /// The program with its arguments.
    words: &'a [String],
    /// Its output goes into this folder.
    folder: &'a Path,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Scalene, Self::Memray, Self::Fil];

    /// Its name and version.
    pub fn title(self) -> &'static str {
        match self {
            Self::Scalene => "Scalene 2.4.0",
            Self::Memray => "memray 1.20.0",
            Self::Fil => "Fil 2024.11.2",
        }
    }

    fn command(self, asked: &Asked<'_>) -> Command {
        match self {
            Self::Scalene => scalene::command(asked),
            Self::Memray => memray::command(asked),
            Self::Fil => fil::command(asked),
        }
    }

    /// The command as one would give it, for the record.
    pub fn words(self) -> String {
        let (python, folder) = (Path::new("python"), Path::new(""));
        let words = ["bytearrays.py".to_owned(), "1".to_owned()];
        let command = self.command(&Asked { python, words: &words, folder });
        let words = [command.get_program()].into_iter().chain(command.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// Runs a program under it; no rows if the interpreter lacks what the program needs.
    ///
    /// # Errors
    /// In words, when the program, the peer or one of their outputs fails.
    pub fn of(
        self,
        program: &Program,
        runs: &Runs,
        python: &Interpreter,
    ) -> Result<Vec<Row>, String> {
        let Some(variables) = runs.variables(program, python) else { return Ok(Vec::new()) };
        let Some(printed) = runs.bare(program, python, runs.length)? else { return Ok(Vec::new()) };
        let claim = Claim::printed(&printed)?;
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let mut words = program.words(runs.length);
        let library = program.library(folder.path())?;
        words.extend(library.map(|path| path.to_string_lossy().into_owned()));
        let asked = Asked { python: &python.path, words: &words, folder: folder.path() };
        output(self.command(&asked).envs(variables), folder.path())?;
        let file = program.path();
        let told = match self {
            Self::Scalene => scalene::told(&asked, &file)?,
            Self::Memray => memray::told(&asked, &file)?,
            Self::Fil => fil::told(&asked, &file)?,
        };
        Ok(from_late_start(rows(program.name, &program.tags(), &claim, &told), &claim))
    }
}

/// A tool that is a Python program itself begins when the interpreter holds something already: its peak is right with
/// that or without it.
fn from_late_start(mut rows: Vec<Row>, claim: &Claim) -> Vec<Row> {
    for row in rows.iter_mut().filter(|row| row.kind == Kind::Peak) {
        row.truth =
            row.told.map_or(row.truth, |told| told.clamp(claim.peak - claim.base, claim.peak));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::memory::told::Told;

    #[test]
    fn a_peak_may_lack_what_was_there_before_the_tool() {
        let claim = Claim { base: 10.0, peak: 100.0, lines: [].into(), leaks: [].into() };
        let error = |peak| {
            let told = Told { peak: Some(peak), ..Told::default() };
            from_late_start(rows("p", &[].into(), &claim, &told), &claim)[0].error().unwrap()
        };
        assert_eq!([90.0, 95.0, 100.0, 80.0, 102.0].map(error), [0.0, 0.0, 0.0, -10.0, 2.0]);
    }
}
