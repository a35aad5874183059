//! Ticks at the worst moments.

use std::process::{Command, Stdio};

use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::Run;
use crate::trial::{Trial, need};

/// Row 1.
pub(crate) fn storm_inside_malloc(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("tick_storm")?;
    let seconds = trial.pick("60", "3");
    let pair = Run::of(&program).with([seconds]).dense().both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    let found = memcheck(trial, &program)?;
    holds(found.is_empty(), || format!("valgrind: {found}"))?;
    Ok(held.figure(format!("{}; valgrind finds nothing", trace.ticks())))
}

/// What memcheck finds in a program that the shim is loaded into.
fn memcheck(trial: &Trial, program: &std::path::Path) -> Result<String, Broken> {
    need("valgrind")?;
    let report = trial.folder().join("memcheck");
    let mut command = Command::new("valgrind");
    // malloc is replaced in libc only: then the shim's is run, and goes on to valgrind's.
    command.args(["--quiet", "--soname-synonyms=somalloc=nouserintercepts", "--leak-check=no"]);
    command.arg(format!("--log-file={}", report.display())).arg(program).arg("0.2");
    command.env("LD_PRELOAD", trial.shim()).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status()?;
    holds(status.success(), || format!("valgrind: {status}"))?;
    Ok(std::fs::read_to_string(report)?)
}
