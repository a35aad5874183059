//! The long run: nothing of ours may grow.

use std::fs;
use std::time::{Duration, Instant};

use crate::hang;
use crate::invariants;
use crate::row::{Broken, Held, holds};
use crate::run::{Pair, Run, fresh_trace, start};
use crate::trial::Trial;

/// What may be added after the first minute.
const FLAT_KIB: u64 = 1024;
const FIRST: Duration = Duration::from_secs(60);

/// The most of something in the first minute, and later.
#[derive(Clone, Copy, Debug, Default)]
struct Most {
    first: u64,
    later: u64,
}

impl Most {
    fn take(&mut self, since: Instant, value: u64) {
        let most = if since.elapsed() < FIRST { &mut self.first } else { &mut self.later };
        *most = value.max(*most);
    }

    fn is_flat(self, slack: u64) -> bool {
        self.later <= self.first + slack
    }

    fn of_mib(self) -> String {
        let mib = |kib: u64| kib as f64 / 1024.0;
        format!("{:.1} MiB in the first minute, {:.1} later", mib(self.first), mib(self.later))
    }
}

/// The highest rate, memory and copies, in a program that does a bit of everything.
pub(crate) fn soak(trial: &Trial) -> Result<Held, Broken> {
    let python = trial.python()?;
    let seconds = trial.settings.soak_minutes * 60.0;
    let line = |seconds: f64| {
        Run::of(&python).with([trial.script("mixed.py")]).with([seconds.to_string()])
    };
    let bare = line(2.0).bare(trial)?;
    let trace = fresh_trace(trial)?;
    let run = line(seconds).option(&["--rate", "10000"]);
    let started = start(trial, run.profiled_command(trial, &trace))?;
    let (prof, since) = (started.child.id(), Instant::now());
    let (mut program, mut collector, mut timers) = Default::default();
    while let Some(resident) = resident_kib(prof) {
        // The session is the program's memory, of which it has all that the two have touched. The collector looks at more
        // and more of it, which takes no memory.
        let shared = status_figure(prof, "RssShmem:").unwrap_or(0);
        Most::take(&mut collector, since, resident.saturating_sub(shared));
        for pid in hang::family(prof).into_iter().filter(|pid| *pid != prof) {
            Most::take(&mut program, since, resident_kib(pid).unwrap_or(0));
            // More of them than threads, which come and go meanwhile.
            let before = status_figure(pid, "Threads:").unwrap_or(0);
            let found = fs::read_to_string(format!("/proc/{pid}/timers")).unwrap_or_default();
            let count = found.lines().filter(|line| line.starts_with("ID:")).count() as u64;
            let threads = before.max(status_figure(pid, "Threads:").unwrap_or(0));
            Most::take(&mut timers, since, count.saturating_sub(threads));
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    let profiled = started.end(Duration::from_secs_f64(seconds + 60.0))?;
    let figure = format!(
        "{:.0} minutes: program {}; collector's own {}; timers beyond those of its threads: {} and {}",
        seconds / 60.0,
        program.of_mib(),
        collector.of_mib(),
        timers.first,
        timers.later
    );
    let pair = Pair { bare, profiled, trace };
    let (held, trace) = invariants::all(trial, &pair)?;
    let flat = program.is_flat(FLAT_KIB) && collector.is_flat(FLAT_KIB) && timers.is_flat(0);
    holds(flat, || format!("grows: {figure}"))?;
    Ok(held.figure(format!("{figure}; {}", trace.ticks())))
}

/// Resident memory of a process; `None` when it has ended.
fn resident_kib(pid: u32) -> Option<u64> {
    status_figure(pid, "VmRSS:")
}

/// A figure of what the kernel says about a process.
fn status_figure(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
