//! The program's own signals.

use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::Run;
use crate::trial::Trial;

/// Row 34.
pub(crate) fn interrupted_calls(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("blocking_calls")?;
    let (mut all, times) = (Held::nothing(), trial.pick(20, 1));
    for _ in 0..times {
        let pair = Run::of(&program).both(trial)?;
        all = all.and(&invariants::all(trial, &pair)?.0);
    }
    let waits = times * 3 * 30 * 8;
    Ok(all.figure(format!("{waits} waits, none interrupted")))
}

/// Row 35.
pub(crate) fn blocked_or_ignored(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("born_deaf")?;
    let (mut all, mut figures) = (Held::nothing(), Vec::new());
    for how in ["blocked", "ignored", "both"] {
        let pair = Run::of(&program).with([how]).both(trial)?;
        let (held, trace) = invariants::all(trial, &pair).map_err(|why| why.within(how))?;
        let (samples, blocked) = (trace.count("samples"), trace.count("lost.signal_blocked"));
        let told =
            samples > 10 || blocked > 0 || trace.notes.iter().any(|note| note.contains("blocked"));
        holds(told, || format!("{how}: {samples} samples, and nobody says why"))?;
        figures.push(format!("{how}: {samples} samples"));
        all = all.and(&held);
    }
    Ok(all.figure(figures.join(", ")))
}

/// Row 36.
pub(crate) fn own_handler(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("own_handler")?;
    let (mut all, mut figures) = (Held::nothing(), Vec::new());
    for when in ["after", "again"] {
        let run = Run::of(&program).with([trial.pick("10", "1"), when]);
        let pair = run.option(&["--rate", "1000"]).both(trial)?;
        let (held, trace) = invariants::all(trial, &pair).map_err(|why| why.within(when))?;
        figures.push(trace.ticks());
        all = all.and(&held);
    }
    Ok(all.figure(figures.join("; ")))
}

/// Row 37.
pub(crate) fn fault_handlers(trial: &Trial) -> Result<Held, Broken> {
    let python = trial.python()?;
    let mut all = Held::nothing();
    for how in ["read", "raised", "abort"] {
        let run = Run::of(&python).with([trial.script("faulting.py")]).with([how]);
        let mut pair = run.option(&["--rate", "1000"]).both(trial)?;
        // Where a thread's structures are is another place in each process.
        for seen in [&mut pair.bare, &mut pair.profiled] {
            seen.stderr = without_addresses(&String::from_utf8_lossy(&seen.stderr)).into_bytes();
        }
        let shown = pair.bare.stderr().contains("Fatal Python error");
        holds(shown, || format!("{how}: no dump without us: {}", pair.bare.stderr()))?;
        let (held, _) = invariants::all(trial, &pair).map_err(|why| why.within(how))?;
        all = all.and(&held);
    }
    Ok(all.figure("a bad read, a raised SIGSEGV, an abort: same dump, same end"))
}

fn without_addresses(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n', '(', ')', ',']);
    words.map(|word| if word.starts_with("0x") { "0x? " } else { word }).collect()
}
