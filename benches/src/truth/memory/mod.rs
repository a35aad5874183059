//! Programs that know their memory: what they hold at most, and what each line allocates, keeps, copies and leaks.

pub mod claim;
pub mod peers;
pub mod programs;
mod rows;
pub mod told;

pub use rows::{rows, verdict};

use super::interpreters::Interpreter;
use super::programs::Program;
use super::row::Row;
use super::run::Runs;
use claim::Claim;
use told::Told;

/// Scale of a run that only has to tell what it begins with.
const SHORT: f64 = 0.01;

/// Runs a program bare, which tells what it begins with, and under `prof run`; no rows if the interpreter lacks what it
/// needs, which is said on standard error.
///
/// # Errors
/// In words, when the program, the profiler or one of their outputs fails.
pub fn of(runs: &Runs, program: &Program, python: &Interpreter) -> Result<Vec<Row>, String> {
    let Some(printed) = runs.bare(program, python, SHORT)? else { return Ok(Vec::new()) };
    let bare = Claim::printed(&printed)?;
    let Some((printed, profile)) = runs.record(program, python)? else { return Ok(Vec::new()) };
    let claim = Claim::printed(&printed)?.on_base_of(&bare);
    let told = Told::of_profile(&profile, &program.path());
    Ok(rows(program.name, &program.tags(), &claim, &told))
}
