//! Rings that nobody drains.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::{Pair, Run, fresh_trace, limit, start};
use crate::trial::Trial;

/// Row 39.
pub(crate) fn overflow(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("tick_storm")?;
    let (seconds, stopped) = trial.pick(("36", 30), ("6", 3));
    let run = Run::of(program).with([seconds]).dense();
    let bare = run.bare(trial)?;
    let trace = fresh_trace(trial)?;
    let started = start(trial, run.profiled_command(trial, &trace))?;
    let pid = i32::try_from(started.child.id()).ok().and_then(Pid::from_raw);
    let send = |signal| pid.is_some_and(|pid| kill_process(pid, signal).is_ok());
    std::thread::sleep(Duration::from_secs(1));
    let sent = send(Signal::STOP);
    std::thread::sleep(Duration::from_secs(stopped));
    holds(sent && send(Signal::CONT), || "the collector had ended before".into())?;
    let within = limit(trial, bare.took);
    let pair = Pair { profiled: started.end(within)?, bare, trace };
    let (held, trace) = invariants::all(trial, &pair)?;
    let full = trace.count("lost.ring_full") + trace.count("lost_alloc.ring_full");
    holds(full > 0, || "nothing was lost: no ring overflowed".into())?;
    Ok(held.figure(format!(
        "stopped for {stopped} s: {full} events lost and counted; {}",
        trace.ticks()
    )))
}
