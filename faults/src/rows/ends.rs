//! Sudden ends, of the program and of the collector.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::invariants;
use crate::row::{Broken, Held, Invariant, holds};
use crate::run::{Pair, Run, fresh_trace, limit, start, to_the_end};
use crate::trace::Trace;
use crate::trial::Trial;

const ENDS: [&str; 5] = ["_exit", "terminated", "abort", "fault", "killed"];
/// CPU seconds that may be missing: a chunk.
const CHUNK: f64 = 1.0;

/// Row 15.
pub(crate) fn of_the_program(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("ending")?;
    let (mut all, mut least, points) = (Held::nothing(), f64::INFINITY, trial.pick(20, 2));
    let used = trial.folder().join("used");
    for how in ENDS {
        let run = |millis: u64| {
            let run = Run::of(&program).with([how, &millis.to_string()]).with([&used]);
            run.option(&["--rate", "1000"])
        };
        let bare = run(20).bare(trial)?;
        for point in 0..points {
            // Not random, but at no round times: the same points in each run of the catalogue.
            let millis = 5 + (point * 7919 + how.len() as u64 * 104_729) % 1500;
            let trace = fresh_trace(trial)?;
            let limit = limit(trial, Duration::from_millis(millis));
            let command = run(millis).profiled_command(trial, &trace);
            let profiled = to_the_end(trial, command, limit)?;
            let at = format!("{how} after {millis} ms");
            holds(profiled.status == bare.status, || format!("I1: {at}: {}", profiled.status))?;
            let core = profiled.status.core_dumped() == bare.status.core_dumped();
            holds(core, || format!("I1: {at}: a core was dumped by one run only"))?;
            let seen = crate::seen::differences(&bare, &profiled);
            holds(seen.is_empty(), || format!("I1: {at}: {seen}"))?;
            let pair = Pair { bare: bare.clone(), profiled, trace };
            let (held, trace) = invariants::all(trial, &pair).map_err(|why| why.within(&at))?;
            let kept = kept(&trace, &used)?;
            holds(kept > -CHUNK, || format!("{at}: {:.3} s of CPU are missing", -kept))?;
            all = all.and(&held);
            least = least.min(kept);
        }
    }
    let ends = points * ENDS.len() as u64;
    Ok(all
        .figure(format!("{ends} ends, the most that was missing: {:.1} ms", -1e3 * least.min(0.0))))
}

/// CPU seconds in a trace, less those that the program last said it had used.
fn kept(trace: &Trace, used: &std::path::Path) -> Result<f64, Broken> {
    let text = std::fs::read_to_string(used)?;
    let said = text.lines().next().and_then(|line| line.parse::<f64>().ok()).unwrap_or(0.0);
    Ok(trace.cpu_ns as f64 / 1e9 - said)
}

/// Row 16.
pub(crate) fn of_the_collector(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("ending")?;
    let (mut all, mut missing) = (Held::nothing(), 0.0_f64);
    for millis in trial.pick(&[300, 900, 1700, 2500][..], &[700]) {
        let used = trial.folder().join("used");
        // Nobody is left to be told a status, so the program keeps that of a child.
        let run = Run::of(&program).with(["kept", "3000"]).with([&used]).dense();
        let bare = run.bare(trial)?;
        let trace = fresh_trace(trial)?;
        let mut started = start(trial, run.profiled_command(trial, &trace))?;
        std::thread::sleep(Duration::from_millis(*millis));
        let before = std::fs::read_to_string(&used).unwrap_or_default();
        let pid = i32::try_from(started.child.id()).ok().and_then(Pid::from_raw);
        let gone = pid.map(|pid| kill_process(pid, Signal::KILL));
        holds(gone == Some(Ok(())), || "the collector had ended before".into())?;
        started.child.wait()?;
        let status = started.work().join("status");
        let deadline = Instant::now() + limit(trial, bare.took);
        while std::fs::read(&status).map_or(0, |bytes| bytes.len()) == 0 {
            holds(Instant::now() < deadline, || {
                "I2: the program hangs without its collector".into()
            })?;
            std::thread::sleep(Duration::from_millis(10));
        }
        let seen = started.end(Duration::from_secs(1))?;
        let same = seen.files == bare.files && seen.stdout == bare.stdout && seen.stderr.is_empty();
        holds(same, || format!("I1: {:?} instead of {:?}", seen.files, bare.files))?;
        let mut held = Held::of(&[Invariant::SameProgram, Invariant::NoHang, Invariant::Message]);
        let trace = invariants::recovered(&mut held, trial, &trace)?;
        holds(trace.profiled() == 2, || "I3: the program was not profiled".into())?;
        let used = before.lines().next().and_then(|line| line.parse::<f64>().ok()).unwrap_or(0.0);
        let lost = used - trace.cpu_ns as f64 / 1e9;
        holds(lost < CHUNK, || {
            format!("killed after {millis} ms: {lost:.3} s of CPU are missing")
        })?;
        missing = missing.max(lost);
        all = all.and(&held);
    }
    Ok(all.figure(format!(
        "recovered; at most {:.0} ms of what had been used were missing",
        1e3 * missing
    )))
}
