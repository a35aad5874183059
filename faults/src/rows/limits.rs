//! Limits that the program or the kernel sets.

use crate::invariants;
use crate::row::{Broken, Held, Invariant, holds};
use crate::run::Run;
use crate::seen::differences;
use crate::trial::{Trial, need};

/// Row 10.
pub(crate) fn few_queued_signals(trial: &Trial) -> Result<Held, Broken> {
    need("prlimit")?;
    let program = trial.compile("burners")?;
    let run = Run::of(program).with(["200", trial.pick("20", "5")]);
    let pair = run.around(["prlimit", "--sigpending=20"]).both(trial)?;
    let (held, trace) = invariants::all(trial, &pair)?;
    let told = trace.notes.iter().filter(|note| note.contains("timer")).count();
    holds(told == 1, || format!("a note is wanted once, not {told} times: {:?}", trace.notes))?;
    Ok(held
        .figure(format!("200 threads, said once; {:.1} s of CPU told", trace.cpu_ns as f64 / 1e9)))
}

/// Row 11.
pub(crate) fn no_timers(trial: &Trial) -> Result<Held, Broken> {
    need("strace")?;
    let program = trial.compile("burners")?;
    let (mut all, mut tried) = (Held::nothing(), 0);
    for error in ["EAGAIN", "ENOSYS", "EPERM"] {
        for when in trial.pick(&["1", "1+", "3+", "10+"][..], &["1+", "3+"]) {
            let inject = format!("timer_create:error={error}:when={when}");
            let run = Run::of(&program).with(["12", "30"]);
            let pair = run.around(strace("timer_create", &inject)).both(trial)?;
            let (held, _) = invariants::all(trial, &pair)
                .map_err(|broken| broken.within(&format!("{error} {when}")))?;
            all = all.and(&held);
            tried += 1;
        }
    }
    Ok(all.figure(format!("{tried} ways to fail")))
}

/// strace that only changes what a call gives, and slows only that call down.
fn strace(call: &str, inject: &str) -> Vec<String> {
    let words = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e"];
    let own = [format!("trace={call}"), "-e".into(), format!("inject={inject}"), "--".into()];
    words.into_iter().map(String::from).chain(own).collect()
}

/// Row 12.
pub(crate) fn no_memory(trial: &Trial) -> Result<Held, Broken> {
    need("strace")?;
    let program = trial.compile("burners")?;
    let run = || Run::of(&program).with(["2", "30"]);
    let mut tried = 0;
    // The profiler's own memory for the program: it says so, and the program runs or was not started.
    for when in trial.pick(&["1", "1+", "2+"][..], &["1", "1+"]) {
        let inject = format!("memfd_create:error=ENOMEM:when={when}");
        let pair = run().around(strace("memfd_create", &inject)).both(trial)?;
        let (said, status) = (pair.profiled.said(), pair.profiled.status);
        let refused = status.code() == Some(125) && pair.profiled.stdout.is_empty();
        let differences =
            if refused { String::new() } else { differences(&pair.bare, &pair.profiled) };
        let quiet = said.len() <= 1 && invariants::no_panic(&pair.profiled.stderr);
        let words = || format!("memfd_create {when}: {status}, said {said:?}; {differences}");
        holds(quiet && differences.is_empty(), words)?;
        tried += 1;
    }
    // What is shared, in the program: the mapping is its nth one. strace is a launcher, so it is one of Python.
    let python = trial.python()?;
    let launched = || Run::of(&python).with([trial.script("children.py")]);
    let log = trial.folder().join("mappings");
    let watch = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=mmap", "-o"];
    let seen =
        launched().between(watch).between([log.as_os_str(), "--".as_ref()]).profiled(trial)?;
    let shared = shared_mappings(&std::fs::read_to_string(&log)?);
    holds(seen.status.success() && !shared.is_empty(), || "strace saw no shared mapping".into())?;
    let injected = |when: usize| {
        let inject = format!("mmap:error=ENOMEM:when={when}");
        launched().between(strace("mmap", &inject))
    };
    let bare = injected(65_535).bare(trial)?;
    for when in shared {
        let profiled = injected(when).profiled(trial)?;
        let (differences, said) = (differences(&bare, &profiled), profiled.said());
        let quiet = said.len() <= 1 && invariants::no_panic(&profiled.stderr);
        holds(quiet && differences.is_empty(), || {
            format!("mmap {when}: said {said:?}; {differences}")
        })?;
        tried += 1;
    }
    let limited = trial.compile("limited")?;
    let mut all = Held::nothing();
    for limit in ["12000000", "30000000", "100000000", "2000000000"] {
        let pair =
            Run::of(&limited).with(["as", limit]).with([&program]).with(["2", "30"]).both(trial)?;
        let mut held = invariants::same_program(&pair).map_err(|broken| broken.within(limit))?;
        let said = pair.profiled.said();
        let told = if limit == "2000000000" { said.is_empty() } else { said.len() <= 1 };
        holds(told, || format!("RLIMIT_AS {limit}: I4: said {said:?}"))?;
        held.add(Invariant::Message);
        let trace = invariants::finished(&mut held, trial, &pair)?;
        invariants::books(&mut held, &trace)?;
        all = all.and(&held);
        tried += 1;
    }
    Ok(all.figure(format!("{tried} ways to have no memory")))
}

/// Which of a program's mappings are shared ones, counted from 1, by strace's log.
fn shared_mappings(log: &str) -> Vec<usize> {
    let pid = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let Some(first) = log.lines().find(|line| line.contains("MAP_SHARED")) else {
        return Vec::new();
    };
    let own = log.lines().filter(|line| pid(line) == pid(first));
    let shared = (1..).zip(own).filter(|(_, line)| line.contains("MAP_SHARED"));
    shared.map(|(number, _)| number).collect()
}
