//! The five invariants, looked at in a bare run and a profiled one.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use profformat::record::Outcome;

use crate::row::{Broken, Held, Invariant, holds};
use crate::run::Pair;
use crate::seen;
use crate::trace::Trace;
use crate::trial::Trial;

/// Words of a panic, whoever printed them.
const PANIC: [&str; 3] = ["panicked at", "RUST_BACKTRACE", "thread 'main'"];

/// All five, where nothing went wrong that anybody has to be told. Gives the trace for what a row asks beyond them.
pub(crate) fn all(trial: &Trial, pair: &Pair) -> Result<(Held, Trace), Broken> {
    let mut held = same_program(pair)?;
    says(&mut held, pair, None)?;
    let trace = finished(&mut held, trial, pair)?;
    holds(trace.profiled() > 0, || "I3: nothing was profiled".into())?;
    books(&mut held, &trace)?;
    told_books(trial, &pair.trace)?;
    Ok((held, trace))
}

/// I1, and I2, which is broken before anybody could ask here.
pub(crate) fn same_program(pair: &Pair) -> Result<Held, Broken> {
    let differences = seen::differences(&pair.bare, &pair.profiled);
    holds(differences.is_empty(), || format!("I1: {differences}"))?;
    Ok(Held::of(&[Invariant::SameProgram, Invariant::NoHang]))
}

/// I4: the profiler says one line that has these words, or nothing.
pub(crate) fn says(held: &mut Held, pair: &Pair, words: Option<&str>) -> Result<(), Broken> {
    let said = pair.profiled.said();
    let wanted = match words {
        Some(words) => said.len() == 1 && said[0].contains(words),
        None => said.is_empty(),
    };
    let wanted = wanted && no_panic(&pair.profiled.stderr);
    holds(wanted, || format!("I4: said {said:?}, wanted {words:?}"))?;
    held.add(Invariant::Message);
    Ok(())
}

/// No text of a panic.
pub(crate) fn no_panic(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr);
    !PANIC.iter().any(|words| text.contains(words))
}

/// I3 where the profiler lived to the end: the trace is sound, and says how the program ended.
pub(crate) fn finished(held: &mut Held, trial: &Trial, pair: &Pair) -> Result<Trace, Broken> {
    let trace = sound(held, trial, &pair.trace)?;
    let told = trace.root().and_then(|root| root.outcome);
    let wanted = outcome(pair.profiled.status);
    holds(told == Some(wanted), || format!("I3: the trace says {told:?}, it was {wanted:?}"))?;
    Ok(trace)
}

/// I3 without a look at how the first program ended: sound, and finished in order.
pub(crate) fn sound(held: &mut Held, trial: &Trial, path: &Path) -> Result<Trace, Broken> {
    let checked = prof(trial, &["check".as_ref(), path.as_os_str()])?;
    let words = || format!("I3: prof check: {}", String::from_utf8_lossy(&checked.stderr));
    holds(checked.status.success(), words)?;
    let trace = Trace::read(path)?;
    holds(trace.is_finished, || "I3: the trace does not say that the run is over".into())?;
    held.add(Invariant::Trace);
    Ok(trace)
}

/// I3 where the profiler did not live to the end, or could not write: damage is told, the rest is saved.
pub(crate) fn recovered(held: &mut Held, trial: &Trial, trace: &Path) -> Result<Trace, Broken> {
    let checked = prof(trial, &["check".as_ref(), trace.as_os_str()])?;
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    let damaged = checked.status.code() == Some(1) && said.contains("is damaged");
    holds(damaged && said.lines().count() == 1, || format!("I3: prof check: {said}"))?;
    let mended = trace.with_extension("mended");
    if mended.exists() {
        std::fs::remove_file(&mended)?;
    }
    let words = ["recover".as_ref(), trace.as_os_str(), "-o".as_ref(), mended.as_os_str()];
    let saved = prof(trial, &words)?;
    let words = || format!("I3: prof recover: {}", String::from_utf8_lossy(&saved.stderr));
    holds(saved.status.success(), words)?;
    let checked = prof(trial, &["check".as_ref(), mended.as_os_str()])?;
    holds(checked.status.success(), || "I3: what was recovered is damaged".into())?;
    held.add(Invariant::Trace);
    Trace::read(&mended)
}

/// I5, by the records of the trace.
pub(crate) fn books(held: &mut Held, trace: &Trace) -> Result<(), Broken> {
    trace.balances()?;
    held.add(Invariant::Books);
    Ok(())
}

/// The books that `prof convert --to json` tells.
pub(crate) fn told_books(trial: &Trial, trace: &Path) -> Result<(), Broken> {
    let words = ["convert".as_ref(), trace.as_os_str(), "--to".as_ref(), "json".as_ref()];
    let words: Vec<_> = words.into_iter().chain(["-o".as_ref(), "-".as_ref()]).collect();
    let output = prof(trial, &words)?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Broken::fault(format!("I5: prof convert: {error}")))?;
    let books = &json["books"];
    let lost = books["lost"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64());
    let [ticks, samples] = ["ticks", "samples"].map(|name| books[name].as_u64());
    let balance = ticks.is_some() && ticks == samples.map(|samples| samples + lost.sum::<u64>());
    holds(balance, || format!("I5: {books}"))
}

/// Runs a command of `prof` that is no run.
pub(crate) fn prof(trial: &Trial, words: &[&std::ffi::OsStr]) -> Result<Output, Broken> {
    let mut command = Command::new(&trial.settings.prof);
    let output = command.args(words).stdin(Stdio::null()).output()?;
    let quiet = no_panic(&output.stderr);
    holds(quiet, || format!("I4: {words:?}: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(output)
}

/// How a status stands in a trace.
pub(crate) fn outcome(status: std::process::ExitStatus) -> Outcome {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => Outcome::Killed(signal),
        None => Outcome::Exited(status.code().unwrap_or(-1)),
    }
}
