//! The environment, launchers, and many runs in one place.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use crate::invariants;
use crate::row::{Broken, Held, Invariant, holds};
use crate::run::Run;
use crate::trace::Trace;
use crate::trial::Trial;

/// Row 31.
pub(crate) fn launcher(trial: &Trial) -> Result<Held, Broken> {
    // As pyenv's: a script of bash that starts other processes, and becomes the interpreter.
    let shim = trial.folder().join("python3");
    let script = format!(
        "#!/usr/bin/env bash\nfor word in {{1..30}}; do $(true) /usr/bin/env true; done\nexec {} \"$@\"\n",
        trial.python()?.display()
    );
    std::fs::write(&shim, script)?;
    let mode = Command::new("chmod").arg("755").arg(&shim).status()?;
    holds(mode.success(), || "chmod".into())?;
    let run = Run::of(&shim).with([trial.script("children.py")]);
    let pair = run.option(&["--rate", "1000"]).both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    let (profiled, seen) = (trace.profiled(), trace.processes.len());
    holds(profiled == 1, || format!("{profiled} of {seen} processes are profiled"))?;
    Ok(held.figure(format!("{seen} processes seen, 1 profiled")))
}

/// Row 38.
pub(crate) fn bad_values(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("burners")?;
    let huge = "x".repeat(100_000);
    let values =
        [&b""[..], huge.as_bytes(), b"\xff\xfe\x80", b"%s%n%s", b"a\nb", b"/no/such", b"0"];
    let (mut all, mut tried) = (Held::nothing(), 0);
    for name in ["PROF_SESSION", "PROF_SHIM", "PROF_ANYTHING"] {
        for value in values {
            let value = OsStr::from_bytes(value);
            let place = format!("{name}={:.20}", value.to_string_lossy());
            let run = Run::of(&program).with(["2", "20"]).variable(name, value);
            let pair = run.both(trial)?;
            let said = pair.profiled.said();
            let refused = pair.profiled.status.code() == Some(125);
            let held = if name == "PROF_SHIM" && refused {
                // A wrong place for the library is the one mistake that keeps a program from starting.
                let quiet = pair.profiled.stdout.is_empty() && said.len() == 1;
                holds(quiet, || format!("{place}: I4: said {said:?}"))?;
                Held::of(&[Invariant::Message])
            } else {
                let (held, _) = invariants::all(trial, &pair).map_err(|why| why.within(&place))?;
                held
            };
            all = all.and(&held);
            tried += 1;
        }
    }
    for value in values {
        // The library without the profiler, and a session that is none.
        let value = OsStr::from_bytes(value);
        let run = Run::of(&program).with(["2", "20"]).variable("PROF_SESSION", value);
        let bare = run.bare(trial)?;
        let with = run.variable("LD_PRELOAD", trial.shim()).bare(trial)?;
        let seen = crate::seen::differences(&bare, &with);
        holds(seen.is_empty(), || format!("without a profiler, PROF_SESSION={value:?}: {seen}"))?;
        tried += 1;
    }
    Ok(all.figure(format!("{tried} bad values")))
}

/// Row 40.
pub(crate) fn at_once(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("burners")?;
    let count = trial.pick(20, 8);
    let together = trial.folder().join("together");
    std::fs::create_dir(&together)?;
    let spawn = |options: &[&str]| {
        let mut command = Command::new(&trial.settings.prof);
        command.args(["run", "--quiet"]).args(options).arg("--").arg(&program).args(["2", "100"]);
        command.current_dir(&together).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
    };
    let runs: Vec<_> = (0..count).map(|_| spawn(&[])).collect::<Result<_, _>>()?;
    for run in runs {
        let output = run.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        holds(output.status.success() && said.is_empty(), || format!("{}: {said}", output.status))?;
    }
    let (mut names, mut pids, mut held) =
        (BTreeSet::<OsString>::new(), BTreeSet::new(), Held::nothing());
    for entry in std::fs::read_dir(&together)? {
        let entry = entry?;
        let trace = invariants::sound(&mut held, trial, &entry.path())?;
        invariants::books(&mut held, &trace)?;
        names.insert(entry.file_name());
        pids.extend(trace.root().map(|root| root.pid));
    }
    let words = || format!("{count} runs made {} traces of {} programs", names.len(), pids.len());
    holds(names.len() == count && pids.len() == count, words)?;
    // The same name for all: one gets it.
    let runs: Vec<_> =
        (0..count).map(|_| spawn(&["-o", "one.proftrace"])).collect::<Result<_, _>>()?;
    let mut codes = Vec::new();
    for run in runs {
        codes.push(run.wait_with_output()?.status.code());
    }
    let won = codes.iter().filter(|code| **code == Some(0)).count();
    let lost = codes.iter().filter(|code| **code == Some(125)).count();
    holds(won == 1 && won + lost == count, || format!("with one name: {codes:?}"))?;
    Trace::read(&together.join("one.proftrace"))?;
    let pair = Run::of(&program).with(["2", "20"]).both(trial)?;
    let held = held.and(&invariants::all(trial, &pair)?.0);
    Ok(held
        .figure(format!("{count} at once: {count} traces; with one name: 1 trace, {lost} refused")))
}
