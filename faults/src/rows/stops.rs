//! Clocks that stop: at the end of threads, at exec.

use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::Run;
use crate::trial::Trial;

/// Row 7. Nothing starts and stops the profiler within a program; the clocks of threads start and stop.
pub(crate) fn with_queued_ticks(trial: &Trial) -> Result<Held, Broken> {
    let (threads, execs) = trial.pick(("10000", "1000"), ("800", "30"));
    let program = trial.compile("queued_ticks")?;
    let pair = Run::of(program).with([threads, execs]).option(&["--rate", "10000"]).both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    Ok(held.figure(format!("{threads} threads and {execs} execs; {}", trace.ticks())))
}

/// Row 8.
pub(crate) fn exec_while_sampling(trial: &Trial) -> Result<Held, Broken> {
    let execs = trial.pick(200, 30);
    let program = trial.compile("exec_burner")?;
    let run = Run::of(program).with([execs.to_string()]).option(&["--rate", "10000"]);
    let pair = run.both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    let listed = trace.processes.len();
    holds(listed == execs + 1, || format!("{execs} execs, but {listed} programs in the trace"))?;
    Ok(held.figure(format!("{execs} execs, all listed; {}", trace.ticks())))
}

/// Row 9.
pub(crate) fn thread_churn(trial: &Trial) -> Result<Held, Broken> {
    let threads = trial.pick("100000", "4000");
    let program = trial.compile("thread_churn")?;
    let pair = Run::of(program).with([threads]).both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    Ok(held.figure(format!("{threads} threads, timers and queue flat; {}", trace.ticks())))
}
