//! Where the trace goes to: full, limited, closed, not writable.

use std::process::{Command, Stdio};

use profformat::record::Outcome;

use crate::invariants;
use crate::row::{Broken, Held, Invariant, holds};
use crate::run::{Pair, Run, limit, to_the_end};
use crate::seen::Seen;
use crate::trial::{Trial, need};

/// Runs a command where it may mount what nobody else sees.
const OWN_MOUNTS: [&str; 4] = ["unshare", "-rm", "bash", "-c"];

/// Whether this machine lets us mount something.
fn may_mount() -> Result<(), Broken> {
    need("unshare")?;
    let mut command = Command::new(OWN_MOUNTS[0]);
    command.args(&OWN_MOUNTS[1..]).arg("mount -t tmpfs small /mnt");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let can = command.status().is_ok_and(|status| status.success());
    if can { Ok(()) } else { Err(Broken::missing("rights to mount (unshare -rm)")) }
}

/// Row 17.
pub(crate) fn full(trial: &Trial) -> Result<Held, Broken> {
    may_mount()?;
    let size = trial.pick("1m", "256k");
    let script = format!(
        "mkdir full && mount -t tmpfs -o size={size} small full && \"$@\"; \
         status=$?; cp full/run.proftrace ../copied.proftrace 2>/dev/null; exit $status"
    );
    let program = trial.compile("tick_storm")?;
    let run = Run::of(program).with([trial.pick("40", "6")]).dense();
    let run = run.around(OWN_MOUNTS).around([script.as_str(), "bash"]);
    let bare = run.bare(trial)?;
    let command = run.profiled_command(trial, "full/run.proftrace".as_ref());
    let profiled = to_the_end(trial, command, limit(trial, bare.took))?;
    let pair = Pair { bare, profiled, trace: trial.folder().join("copied.proftrace") };
    let mut held = invariants::same_program(&pair)?;
    invariants::says(&mut held, &pair, Some("No space left"))?;
    let trace = invariants::recovered(&mut held, trial, &pair.trace)?;
    holds(trace.cpu_ns > 0, || "I3: nothing is left of the trace".into())?;
    Ok(held.figure(format!("{size}: {:.1} s of CPU readable", trace.cpu_ns as f64 / 1e9)))
}

/// Row 18.
pub(crate) fn file_size_limit(trial: &Trial) -> Result<Held, Broken> {
    need("prlimit")?;
    let program = trial.compile("tick_storm")?;
    let run = || Run::of(&program).with([trial.pick("20", "3")]).dense();
    let limit = ["prlimit", "--fsize=65536", "--"];
    let limited = Run::of(trial.compile("limited")?).with(["fsize", "65536"]).with([&program]);
    let pair = limited.with([trial.pick("20", "3")]).dense().both(trial)?;
    let (held, _) = invariants::all(trial, &pair)?;
    // The profiler under the same limit has no memory to share with the program, and says which limit that is.
    let pair = run().around(limit).both(trial)?;
    let mut also = invariants::same_program(&pair)?;
    invariants::says(&mut also, &pair, Some("ulimit -f"))?;
    invariants::sound(&mut also, trial, &pair.trace)?;
    Ok(held
        .and(&also)
        .figure("of the program: profiled all the same; of both: it runs, and one line says why"))
}

/// Row 19.
pub(crate) fn reader_of_a_pipe_dies(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("tick_storm")?;
    let mut all = Held::nothing();
    // The program's output, what is said on standard error, and both at once. Readers end long before the program writes.
    let scripts = [
        "\"$@\" | true; exit ${PIPESTATUS[0]}",
        "\"$@\" 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}",
        "\"$@\" 2>&1 | true; exit ${PIPESTATUS[0]}",
    ];
    for script in scripts {
        let run = Run::of(&program).with(["1.5"]).around(["bash", "-c", script, "bash"]);
        let pair = run.both(trial)?;
        let mut held = invariants::same_program(&pair).map_err(|why| why.within(script))?;
        invariants::says(&mut held, &pair, None)?;
        let trace = invariants::sound(&mut held, trial, &pair.trace)?;
        invariants::books(&mut held, &trace)?;
        // A shell tells a signal as a status.
        let code = trace.root().and_then(|root| match root.outcome? {
            Outcome::Exited(code) => Some(code),
            Outcome::Killed(signal) => Some(128 + signal),
            _ => None,
        });
        let told = code.is_some() && code == pair.profiled.status.code();
        holds(told, || format!("{script}: I3: the trace says {code:?}"))?;
        all = all.and(&held);
    }
    // A trace is not written into what somebody else made, such as a pipe.
    let pipe = trial.folder().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status()?;
    holds(made.success(), || "mkfifo".into())?;
    refused(trial, &[], &pipe, "exists")?;
    Ok(all.figure("three ways; a pipe as a trace is refused"))
}

/// Row 20.
pub(crate) fn not_writable(trial: &Trial) -> Result<Held, Broken> {
    may_mount()?;
    need("setpriv")?;
    let closed = trial.folder().join("closed");
    std::fs::create_dir(&closed)?;
    let mode = Command::new("chmod").arg("000").arg(&closed).status()?;
    holds(mode.success(), || "chmod".into())?;
    let inside = closed.join("run.proftrace");
    refused(trial, &[], "/proc/x".as_ref(), "cannot write")?;
    refused(trial, &[], &trial.folder().join("no/such/run.proftrace"), "cannot write")?;
    // Root may write anywhere, but not without its capabilities.
    let nobody = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--"];
    refused(trial, &nobody, &inside, "cannot write")?;
    let script = "mkdir ro && mount --bind ro ro && mount -o remount,bind,ro ro && exec \"$@\"";
    let read_only = [&OWN_MOUNTS[..], &[script, "bash"]].concat();
    refused(trial, &read_only, "ro/run.proftrace".as_ref(), "cannot write")?;
    let held = Held::of(&[Invariant::SameProgram, Invariant::NoHang, Invariant::Message]);
    Ok(held.figure("four places: one line each, nothing was started"))
}

/// Expects that nothing is run, and one line that says why.
fn refused(
    trial: &Trial,
    around: &[&str],
    trace: &std::path::Path,
    words: &str,
) -> Result<Seen, Broken> {
    let run = Run::of("touch").with(["started"]).around(around);
    let command = run.profiled_command(trial, trace);
    let seen = to_the_end(trial, command, std::time::Duration::from_secs(20))?;
    let said = seen.said();
    let right = seen.status.code() == Some(125)
        && said.len() == 1
        && said[0].contains(words)
        && seen.stderr().is_empty()
        && invariants::no_panic(&seen.stderr);
    let place = trace.display();
    holds(right, || format!("{place}: {}, said {said:?} {}", seen.status, seen.stderr()))?;
    let started = seen.files.iter().any(|(name, _)| name == "started");
    holds(!started, || format!("{place}: the program was started"))?;
    Ok(seen)
}
