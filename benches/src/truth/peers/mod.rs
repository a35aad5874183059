//! What other profilers tell about the same programs.
//!
//! Each is run the way that its own documentation has for CPU time, or for wall time where a program mostly waits, and
//! its figures are taken for what its documentation says they are. What a tool has no figure for is left out, not
//! guessed.

mod pyspy;
mod scalene;
mod stacks;
mod tachyon;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::claim::{self, Claim};
use super::interpreters::{self, Interpreter};
use super::programs::Program;
use super::run::{Runs, output};
use super::told::Told;

/// What is installed beside the profilers that come from PyPI.
const PACKAGES: [&str; 5] =
    ["scalene==2.4.0", "py-spy==0.4.3", "numpy==2.1.3", "memray==1.20.0", "filprofiler==2024.11.2"];
/// Programs whose split is a matter of definition: whether arithmetic of large integers is Python's or native work.
const UNCLEAR: [&str; 1] = ["bigint a*b"];

/// Another profiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Scalene, from PyPI.
    Scalene,
    /// py-spy, from PyPI.
    PySpy,
    /// `profiling.sampling` of Python 3.15.
    Tachyon,
}

/// Where the others are.
#[derive(Debug)]
pub struct Peers {
    /// A virtual environment with Python 3.12.
    pub python: Interpreter,
    /// Python 3.15, if it is here.
    pub newest: Option<Interpreter>,
}

/// How a peer is asked to look at a program.
#[derive(Debug)]
struct Asked<'a> {
    program: &'a Program,
    seconds: f64,
    /// Its output goes into this folder.
    folder: &'a Path,
}

impl Peers {
    /// Installs what is not there yet.
    ///
    /// # Errors
    /// In words, when Python 3.12 or the packages cannot be had.
    pub fn prepare(target: &Path) -> Result<Self, String> {
        let folder = target.join("peers");
        let path = folder.join("bin/python");
        let complete = PACKAGES.join(" ");
        if fs::read_to_string(folder.join("complete")).ok().as_ref() != Some(&complete) {
            if !path.exists() {
                let base = interpreters::newest("3.12").ok_or("no Python 3.12 under pyenv")?;
                output(Command::new(base).args(["-m", "venv"]).arg(&folder), target)?;
            }
            let mut install = Command::new(&path);
            install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            output(install.args(PACKAGES), target)?;
            fs::write(folder.join("complete"), complete).map_err(|error| error.to_string())?;
        }
        let newest = target.join("sid/usr/bin/python3.15-outside");
        let newest = Interpreter::at(&newest)
            .inspect_err(|why| eprintln!("SKIPPED: Tachyon: {why}: run .ci/sid.sh"))
            .ok();
        Ok(Self { python: Interpreter::at(&path)?, newest })
    }

    /// Those that are here.
    pub fn all(&self) -> Vec<Peer> {
        let newest = self.newest.as_ref().map(|_| Peer::Tachyon);
        [Peer::Scalene, Peer::PySpy].into_iter().chain(newest).collect()
    }

    /// The interpreter that a peer works with.
    pub fn interpreter(&self, peer: Peer) -> &Interpreter {
        match (peer, &self.newest) {
            (Peer::Tachyon, Some(newest)) => newest,
            _ => &self.python,
        }
    }
}

impl Peer {
    /// Its name and version.
    pub fn title(self, peers: &Peers) -> String {
        match self {
            Self::Scalene => "Scalene 2.4.0".to_owned(),
            Self::PySpy => "py-spy 0.4.3".to_owned(),
            Self::Tachyon => format!("Tachyon {}", peers.interpreter(self).version),
        }
    }

    fn command(self, python: &Path, asked: &Asked<'_>) -> Command {
        match self {
            Self::Scalene => scalene::command(python, asked),
            Self::PySpy => pyspy::command(python, asked),
            Self::Tachyon => tachyon::command(python, asked),
        }
    }

    /// The command as one would give it, for the record.
    pub fn words(self, program: &Program) -> String {
        let asked = Asked { program, seconds: 12.0, folder: Path::new("") };
        let command = self.command(Path::new("python"), &asked);
        let words = [command.get_program()].into_iter().chain(command.get_args());
        let word = |word: &std::ffi::OsStr| {
            let word = word.to_string_lossy();
            let script = program.path();
            if *word == *script.to_string_lossy() {
                program.file.to_owned()
            } else {
                word.into_owned()
            }
        };
        words.map(word).collect::<Vec<_>>().join(" ")
    }

    /// Runs a program under it; `None` if the interpreter lacks what the program needs.
    ///
    /// # Errors
    /// In words, when the program, the peer or one of their outputs fails.
    pub fn of(
        self,
        program: &Program,
        runs: &Runs,
        peers: &Peers,
    ) -> Result<Option<(Claim, Told)>, String> {
        let python = peers.interpreter(self);
        let Some(variables) = runs.variables(program, python) else { return Ok(None) };
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let asked = Asked { program, seconds: runs.length, folder: folder.path() };
        let mut command = self.command(&python.path, &asked);
        let printed = output(command.envs(variables), folder.path())?;
        let claim = claim::together(&claim::claims(&printed)?);
        let mut told = match self {
            Self::Scalene => scalene::told(&asked, &claim)?,
            Self::PySpy => pyspy::told(&asked, &claim)?,
            Self::Tachyon => tachyon::told(&asked, &claim)?,
        };
        // Where garbage is collected, a tool that does not say so has no split to compare.
        let collects = claim.classes.contains_key("gc") && !told.classes.contains_key("gc");
        if collects || UNCLEAR.contains(&program.name) {
            told.classes.clear();
        }
        Ok(Some((claim, told)))
    }
}

/// The files of a folder that a tool wrote, by the beginning of their names.
pub(super) fn files(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(begin));
    named.map(|entry| entry.path()).collect()
}
