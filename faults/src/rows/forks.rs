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

/// Row 14.
pub(crate) fn inside_a_handler(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("fork_in_handler")?;
    let (mut all, times) = (Held::nothing(), trial.pick(20, 1));
    for _ in 0..times {
        let pair = Run::of(&program).dense().both(trial)?;
        all = all.and(&invariants::all(trial, &pair)?.0);
    }
    Ok(all.figure(format!("{times} times 60 forks")))
}
