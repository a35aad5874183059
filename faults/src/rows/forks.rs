//! Forks at the worst moments.

use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::Run;
use crate::trial::Trial;

/// Row 13.
pub(crate) fn while_allocating(trial: &Trial) -> Result<Held, Broken> {
    let forks = trial.pick(2000, 100);
    let program = trial.compile("fork_storm")?;
    let pair = Run::of(program).with([forks.to_string()]).dense().both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    let listed = trace.processes.len();
    holds(listed == forks + 1, || {
        format!("{forks} children, but {listed} processes in the trace")
    })?;
    Ok(held.figure(format!("{forks} children, all listed; {}", trace.ticks())))
}
