//! Running a program under `prof run`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use profformat::analysis::Profile;
use tempfile::TempDir;

use super::claim::{self, Claim};
use super::interpreters::Interpreter;
use super::programs::Program;
use super::told::Told;

/// How programs are run.
#[derive(Clone, Debug)]
pub struct Runs {
    /// The command, with the shim beside it.
    pub prof: PathBuf,
    /// Where packages and interpreters are.
    pub target: PathBuf,
    /// First argument of each program: seconds, or the scale of one that knows its memory.
    pub length: f64,
    /// Samples in a second.
    pub rate: f64,
    /// Where traces are kept, if they are.
    pub keep: Option<PathBuf>,
}

/// A program's own figures beside a tool's, for each of its claims.
pub type Pairs = Vec<(Claim, Told)>;

impl Runs {
    /// Runs a program; `None` if the interpreter lacks what it needs, which is said on standard error.
    ///
    /// # Errors
    /// In words, when the program, the profiler or one of their outputs fails.
    pub fn of(&self, program: &Program, python: &Interpreter) -> Result<Option<Pairs>, String> {
        let Some((printed, profile)) = self.record(program, python)? else { return Ok(None) };
        let (claims, path) = (claim::claims(&printed)?, program.path());
        let pair = |claim: Claim| {
            let told = Told::of_profile(&profile, &claim, &path);
            (claim, told)
        };
        Ok(Some(claims.into_iter().map(pair).collect()))
    }

    /// The same with all threads in one claim.
    ///
    /// # Errors
    /// As above.
    pub fn of_all_threads(
        &self,
        program: &Program,
        python: &Interpreter,
    ) -> Result<Option<(Claim, Told)>, String> {
        let Some((printed, profile)) = self.record(program, python)? else { return Ok(None) };
        let claim = claim::together(&claim::claims(&printed)?);
        let told = Told::of_profile(&profile, &claim, &program.path());
        Ok(Some((claim, told)))
    }

    /// What a program prints, and its profile; `None` as above.
    ///
    /// # Errors
    /// As above.
    pub fn record(
        &self,
        program: &Program,
        python: &Interpreter,
    ) -> Result<Option<(String, Profile)>, String> {
        let Some(variables) = self.variables(program, python) else { return Ok(None) };
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let name = format!("{} {}.proftrace", program.name.replace('/', "-"), python.version);
        let trace = self.keep.as_deref().unwrap_or(folder.path()).join(name);
        let rate = self.rate.min(program.rate);
        let mut command = Command::new(&self.prof);
        command.args(["run", "--quiet", "--force", "--rate", &rate.to_string(), "-o"]);
        command.arg(&trace);
        command.arg("--").arg(&python.path).args(program.words(self.length));
        command.args(program.library(folder.path())?);
        let printed = output(command.envs(variables), folder.path())?;
        let bytes = std::fs::read(&trace).map_err(|error| error.to_string())?;
        let profile = Profile::from_bytes(&bytes).map_err(|error| error.to_string())?;
        Ok(Some((printed, profile)))
    }

    /// What a program prints without a profiler; `None` as above.
    ///
    /// # Errors
    /// As above.
    pub fn bare(
        &self,
        program: &Program,
        python: &Interpreter,
        length: f64,
    ) -> Result<Option<String>, String> {
        let Some(variables) = self.variables(program, python) else { return Ok(None) };
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let mut command = Command::new(&python.path);
        command.args(program.words(length)).args(program.library(folder.path())?);
        output(command.envs(variables), folder.path()).map(Some)
    }

    /// Environment variables for a program; `None` as above.
    pub fn variables(
        &self,
        program: &Program,
        python: &Interpreter,
    ) -> Option<Vec<(String, PathBuf)>> {
        let Some(package) = program.needs else { return Some(Vec::new()) };
        let found = python.with_package(package, &self.target);
        if found.is_none() {
            eprintln!("SKIPPED: {} on {}: no {package} there", program.name, python.version);
        }
        found
    }
}

/// What a command prints on standard output.
///
/// # Errors
/// In words, when it does not start or does not succeed.
pub fn output(command: &mut Command, folder: &Path) -> Result<String, String> {
    command.current_dir(folder).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}\n{}", output.status, words.trim_end()))
}
