//! Ticks at the worst moments.

use std::process::{Command, Stdio};

use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::Run;
use crate::trial::{Trial, need};

/// Row 1.
pub(crate) fn storm_inside_malloc(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("tick_storm")?;
    let seconds = trial.pick("60", "3");
    let pair = Run::of(&program).with([seconds]).dense().both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    let found = memcheck(trial, &program)?;
    holds(found.is_empty(), || format!("valgrind: {found}"))?;
    Ok(held.figure(format!("{}; valgrind finds nothing", trace.ticks())))
}

/// What memcheck finds in a program that the shim is loaded into.
fn memcheck(trial: &Trial, program: &std::path::Path) -> Result<String, Broken> {
    need("valgrind")?;
    let report = trial.folder().join("memcheck");
    let mut command = Command::new("valgrind");
    // malloc is replaced in libc only: then the shim's is run, and goes on to valgrind's.
    command.args(["--quiet", "--soname-synonyms=somalloc=nouserintercepts", "--leak-check=no"]);
    command.arg(format!("--log-file={}", report.display())).arg(program).arg("0.2");
    command.env("LD_PRELOAD", trial.shim()).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status()?;
    holds(status.success(), || format!("valgrind: {status}"))?;
    Ok(std::fs::read_to_string(report)?)
}

/// Row 2.
pub(crate) fn inside_dlopen(trial: &Trial) -> Result<Held, Broken> {
    let libraries = trial.pick(50, 10);
    for number in 0..libraries {
        let define = [format!("-DNUMBER={number}"), format!("-DNAME=work_{number}")];
        let define = define.each_ref().map(String::as_str);
        trial.compile_as("tiny", &format!("tiny{number}.so"), &define)?;
    }
    let program = trial.compile("reloading")?;
    let words = [trial.folder().display().to_string(), libraries.to_string()];
    let run = Run::of(program).with(words).with([trial.pick("30", "3")]).dense();
    let pair = run.both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    let (right, wrong) = attributed(&collapsed(trial, &pair.trace)?);
    let words = || format!("{wrong} of {} stacks name another library", right + wrong);
    holds(wrong == 0 && right > 0, words)?;
    Ok(held
        .figure(format!("{}; {right} samples in libraries, all in the right one", trace.ticks())))
}

/// How much of what stands below `call_N` stands in `work_N`, and in `work_M`.
fn attributed(stacks: &str) -> (u64, u64) {
    let number = |stack: &str, mark: &str| {
        let digits = stack.split(mark).nth(1)?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse::<u32>().ok()
    };
    let mut sums = (0, 0);
    for line in stacks.lines() {
        let Some((stack, weight)) = line.rsplit_once(' ') else { continue };
        let weight = weight.parse::<u64>().unwrap_or(0);
        match (number(stack, "call_"), number(stack, "work_")) {
            (Some(call), Some(work)) if call == work => sums.0 += weight,
            (Some(_), Some(_)) => sums.1 += weight,
            _ => {}
        }
    }
    sums
}

/// Stacks of CPU time, one a line.
fn collapsed(trial: &Trial, trace: &std::path::Path) -> Result<String, Broken> {
    let words = ["convert".as_ref(), trace.as_os_str(), "--to".as_ref(), "collapsed".as_ref()];
    let words: Vec<_> = words.into_iter().chain(["-o".as_ref(), "-".as_ref()]).collect();
    let output = invariants::prof(trial, &words)?;
    let said = || format!("convert: {}", String::from_utf8_lossy(&output.stderr));
    holds(output.status.success(), said)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Row 3.
pub(crate) fn while_exceptions_unwind(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("throwing")?;
    let pair = Run::of(program).with([trial.pick("30", "3")]).dense().both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    Ok(held.figure(trace.ticks()))
}

/// Row 4.
pub(crate) fn in_frameless_code(trial: &Trial) -> Result<Held, Broken> {
    let program = trial.compile("junk_frame_pointer")?;
    let pair = Run::of(program).with([trial.pick("20", "2")]).dense().both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    holds(trace.count("samples") > 0, || "no sample at all".into())?;
    Ok(held.figure(format!("16 values of rbp; {}", trace.ticks())))
}
