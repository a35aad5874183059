//! Little room for a signal's frame.

use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::Run;
use crate::trial::Trial;

/// Row 5.
pub(crate) fn tiny_alternate_stack(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("alternate_stack")?;
    let (mut all, mut low, mut ticks) = (Held::nothing(), 0, 0);
    for size in ["3376", "4096", "8192", "65536"] {
        let run = Run::of(&program).with([size, trial.pick("1", "0.2")]);
        let pair = run.option(&["--rate", "10000"]).both(trial)?;
        let (held, trace) = invariants::all(trial, &pair)?;
        all = all.and(&held);
        low += trace.count("lost.altstack_low");
        ticks += trace.count("ticks");
    }
    Ok(all
        .figure(format!("3376 to 65536 bytes: {ticks} ticks, {low} of them lost as altstack_low")))
}

/// Row 5b.
pub(crate) fn alternate_stack_below_a_frame(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("alternate_stack")?;
    let run = Run::of(program).with(["2048", trial.pick("1", "0.2")]);
    let pair = run.option(&["--rate", "10000"]).both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    Ok(held.figure(format!("2048 bytes: {}", trace.ticks())))
}

/// Row 6. A signal's frame is the kernel's work, and takes 3 KiB: without an alternate stack a tick needs 8.
pub(crate) fn stack_used_up(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("full_stack")?;
    let run = Run::of(program).with([trial.pick("5", "0.5")]).option(&["--rate", "10000"]);
    let pair = run.both(trial)?;
    let right = pair.bare.stdout().contains("child 1: exited 33");
    holds(right, || "the program does not notice its own overflow".into())?;
    let (held, trace) = invariants::all(trial, &pair)?;
    Ok(held.figure(format!("8 KiB left, 3 with an alternate stack; {}", trace.ticks())))
}
