//! Traces that are cut, damaged or made up. They are read in a child, which a panic or too much memory ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::invariants;
use crate::row::{Broken, Held, Invariant, holds};
use crate::run::{Run, fresh_trace, to_the_end};
use crate::trial::{Trial, need, workspace};

/// Seconds of mutation when nobody asked for the whole.
const USUAL_SECONDS: (f64, f64) = (120.0, 8.0);

/// Row 21.
pub(crate) fn cut_anywhere(trial: &Trial) -> Result<Held, Broken> {
    let trace = small(trial)?;
    Ok(held().figure(reading("cuts", &[&trace], &[], "--as=536870912")?))
}

/// Row 22.
pub(crate) fn any_bit_flipped(trial: &Trial) -> Result<Held, Broken> {
    let trace = small(trial)?;
    let step = ["--step", trial.pick("1", "11")];
    Ok(held().figure(reading("flips", &[&trace], &step, "--as=536870912")?))
}

/// Row 23.
pub(crate) fn mutated(trial: &Trial) -> Result<Held, Broken> {
    let usual = trial.pick(USUAL_SECONDS.0, USUAL_SECONDS.1);
    let seconds = trial.settings.fuzz_minutes.map_or(usual, |minutes| minutes * 60.0);
    let mut seeds = vec![small(trial)?, golden("../recorded/forks.proftrace")];
    seeds.extend(["v1.2.proftrace", "v1.2-zstd.proftrace", "v1.0.proftrace"].map(golden));
    let inputs: Vec<&Path> = seeds.iter().map(PathBuf::as_path).collect();
    let seconds_word = seconds.to_string();
    let half = |seed: &str| {
        let more = ["--seconds", &seconds_word, "--seed", seed];
        reading("mutations", &inputs, &more, "--as=536870912")
    };
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| half("2"));
        (half("1"), other.join())
    });
    let other = other.map_err(|_| Broken::fault("the trial itself: a panic"))??;
    let part = if seconds < 7200.0 { " of the 2 h that the catalogue asks for" } else { "" };
    Ok(held().figure(format!("{seconds} s{part}: {} and {other}", one?)))
}

/// Row 24.
pub(crate) fn huge_numbers(trial: &Trial) -> Result<Held, Broken> {
    let inputs = [golden("v1.2.proftrace"), golden("v1.0.proftrace")];
    let inputs = inputs.each_ref().map(PathBuf::as_path);
    let step = ["--step", trial.pick("1", "5")];
    let figure = reading("numbers", &inputs, &step, "--as=67108864")?;
    // The command itself, too, in as little memory.
    let forged = trial.folder().join("forged.proftrace");
    let bytes = std::fs::read(inputs[0])?;
    let mut tried = 0;
    for (number, forgery) in
        crate::forge::huge_numbers(&bytes).step_by(trial.pick(7, 97)).enumerate()
    {
        std::fs::write(&forged, forgery)?;
        let mut command = Command::new("prlimit");
        command.args(["--as=67108864", "--"]).arg(&trial.settings.prof).arg("check").arg(&forged);
        let seen = to_the_end(trial, command, Duration::from_secs(10))?;
        let answered = matches!(seen.status.code(), Some(0 | 1));
        let words = || format!("prof check of forgery {number}: {}", seen.status);
        holds(answered && invariants::no_panic(&seen.stderr), words)?;
        tried += 1;
    }
    Ok(held().figure(format!("{figure}; {tried} by prof check in 64 MiB")))
}

/// What holds when a child has read everything without harm: there is no program beside it.
fn held() -> Held {
    Held::of(&[Invariant::NoHang, Invariant::Trace, Invariant::Message])
}

/// A small trace of all kinds of events.
fn small(trial: &Trial) -> Result<PathBuf, Broken> {
    let program = trial.compile("burners")?;
    let trace = fresh_trace(trial)?;
    let run = Run::of(program).with(["2", "30"]).option(&["--memory-interval", "64M"]);
    let seen = to_the_end(trial, run.profiled_command(trial, &trace), Duration::from_secs(60))?;
    holds(seen.status.success(), || format!("{}: {:?}", seen.status, seen.said()))?;
    Ok(trace)
}

fn golden(name: &str) -> PathBuf {
    workspace().join("profformat/tests/golden").join(name)
}

/// Has a child of this program read; gives what it counted.
fn reading(what: &str, inputs: &[&Path], more: &[&str], limit: &str) -> Result<String, Broken> {
    need("prlimit")?;
    let mut command = Command::new("prlimit");
    command.args([limit, "--"]).arg(std::env::current_exe()?).args(["reading", what]);
    command.args(more).args(inputs).stdin(Stdio::null());
    // An arena for each thread would reserve 64 MiB each.
    let output = command.env("MALLOC_ARENA_MAX", "1").output()?;
    let words =
        || format!("{what}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    holds(output.status.success(), words)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
