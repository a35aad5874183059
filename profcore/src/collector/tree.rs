//! The processes of a run: who started whom, who is still there, how they ended.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;

use profformat::ids::ProcessId;
use profformat::record::{Outcome, Process, ProcessEnd, Record};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::binaries::Binaries;
use super::drain::{Drain, Threads};
use super::intake::Helper;
use super::launch;
use super::listen::Arrival;
use super::perf::Events;
use super::policy::Verdict;
use super::recorder::Recorder;
use super::trace::Trace;
use crate::pace;
use crate::session;

/// Most dormant processes that are noted one by one: a build starts a hundred thousand.
const MAX_NOTED: u64 = 4096;
/// Most dormant processes that are watched until their end, each by a descriptor.
const MAX_WATCHED: usize = 256;

/// All processes that announced themselves.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Running ones by pid.
    running: HashMap<u32, Member>,
    threads: Threads,
    count: u32,
    profiled: usize,
    unsampled: usize,
    noted: u64,
    unnoted: u64,
    denied: u64,
    /// Processes that were to be profiled and are not, and why the first of them is not.
    refused: u64,
    obstacle: Option<String>,
    seen: bool,
    root_end: Option<(ExitStatus, Option<u64>)>,
    helper: Helper,
    binaries: Binaries,
    events: Events,
    recorded: fn(&[Vec<u8>]) -> Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Member {
    id: ProcessId,
    pidfd: Option<OwnedFd>,
    cpu_ns: Option<u64>,
    drain: Option<(Drain, Arc<()>)>,
}

impl Tree {
    /// An empty tree, whose drains have these perf events. `recorded`: what is written of a command line.
    pub(crate) fn new(events: Events, recorded: fn(&[Vec<u8>]) -> Vec<Vec<u8>>) -> Self {
        let helper = Helper::default();
        Self {
            running: HashMap::new(),
            threads: Threads::default(),
            count: 0,
            profiled: 0,
            unsampled: 0,
            noted: 0,
            unnoted: 0,
            denied: 0,
            refused: 0,
            obstacle: None,
            seen: false,
            root_end: None,
            binaries: Binaries::of(helper.clone()),
            helper,
            events,
            recorded,
        }
    }

    /// Processes that were profiled.
    pub(crate) fn profiled(&self) -> usize {
        self.profiled
    }

    /// Why the first process that was to be profiled was not.
    pub(crate) fn obstacle(&self) -> Option<&str> {
        self.obstacle.as_deref()
    }

    /// Ended ones that had no free signal for samples of their CPU time.
    pub(crate) fn unsampled(&self) -> usize {
        self.unsampled
    }

    /// True if this process announced itself.
    pub(crate) fn knows(&self, pid: u32) -> bool {
        self.seen && self.running.contains_key(&pid)
    }

    /// Notes how the direct child ended, and its CPU time.
    pub(crate) fn set_root_end(&mut self, status: ExitStatus, cpu_ns: Option<u64>) {
        self.root_end = Some((status, cpu_ns));
    }

    /// Takes a new process in. In a pid that is known it is a new image: the old one has ended.
    pub(crate) fn arrive(&mut self, arrival: Arrival, trace: &mut Trace) {
        self.seen = true;
        let before = self.running.remove(&arrival.pid).map(|mut old| {
            // The same process id for another process: then the old one's end was missed.
            let outcome = if arrival.forked { Outcome::Gone } else { Outcome::Exec };
            self.end(&mut old, outcome, arrival.time_ns, trace);
            old.id
        });
        self.denied += u64::from(arrival.verdict == Verdict::Denied);
        let profiled = arrival.region.is_some();
        if let Some(obstacle) = arrival.obstacle {
            self.refuse(obstacle);
        }
        let keep = profiled || self.noted < MAX_NOTED;
        if !keep {
            self.unnoted += 1;
            return;
        }
        self.noted += u64::from(!profiled);
        self.profiled += usize::from(profiled);
        let id = ProcessId::new(self.count);
        self.count += 1;
        let by_parent = || arrival.parent.and_then(|pid| self.running.get(&pid)).map(|m| m.id);
        let parent = if arrival.forked { by_parent() } else { before.or_else(by_parent) };
        trace.write(&Record::Process(Process {
            id,
            parent,
            pid: arrival.pid,
            time: trace.time(arrival.time_ns),
            command: (self.recorded)(&arrival.command),
            python: super::version_text(arrival.version),
            profiled,
        }));
        let drain = arrival.region.map(|(region, token)| {
            let recorder = Recorder::new(
                arrival.pid,
                id,
                arrival.version,
                arrival.modules,
                self.binaries.clone(),
            );
            let events = self.events.clone();
            let intake = self.helper.take_on(region);
            (Drain::new(arrival.pid, arrival.same_pids, intake, recorder, events), token)
        });
        let watched = profiled || self.running.len() < MAX_WATCHED;
        let pidfd = arrival.pidfd.filter(|_| watched);
        self.running.insert(arrival.pid, Member { id, pidfd, cpu_ns: None, drain });
    }

    /// Drains every session, and lets those processes go that have ended. Returns after how many nanoseconds it
    /// should be done again.
    ///
    /// The direct child stays: how it ended is known when it has been waited for.
    pub(crate) fn drain(&mut self, root: u32, now: u64, trace: &mut Trace) -> u64 {
        let mut pause = pace::LONGEST;
        for pid in self.ended() {
            if pid != root
                && let Some(mut member) = self.running.remove(&pid)
            {
                member.cpu_ns = launch::cpu_ns(pid).or(member.cpu_ns);
                self.end(&mut member, Outcome::Gone, now, trace);
            }
        }
        for (&pid, member) in &mut self.running {
            if let Some((drain, _)) = &mut member.drain {
                pause = pause.min(drain.drain(now, false, trace, &mut self.threads));
                member.cpu_ns = launch::cpu_ns(pid).or(member.cpu_ns);
            }
        }
        self.helper.is_not_wanted();
        pause
    }

    /// Writes the counters that changed.
    pub(crate) fn write_counters(&mut self, now: u64, trace: &mut Trace) {
        for (drain, _) in self.running.values_mut().filter_map(|member| member.drain.as_mut()) {
            drain.write_counters(now, trace);
        }
    }

    /// Ends everything: the direct child has ended, what else runs is left alone from now on.
    pub(crate) fn finish(&mut self, root: u32, now: u64, trace: &mut Trace) {
        for pid in self.ended() {
            if pid != root
                && let Some(mut member) = self.running.remove(&pid)
            {
                self.end(&mut member, Outcome::Gone, now, trace);
            }
        }
        let mut rest: Vec<_> = self.running.drain().collect();
        rest.sort_by_key(|(_, member)| member.id);
        for (pid, mut member) in rest {
            let outcome = match self.root_end {
                Some((status, cpu_ns)) if pid == root => {
                    member.cpu_ns = cpu_ns.or(member.cpu_ns);
                    outcome(status)
                }
                _ => Outcome::Running,
            };
            self.end(&mut member, outcome, now, trace);
        }
        if let Some(obstacle) = &self.obstacle {
            trace.remark(&format!("{} processes were not profiled: {obstacle}", self.refused));
        }
        for (count, words) in [
            (self.denied, "child processes were not profiled, as asked for"),
            (trace.refused(), "records made no sense and were left out"),
            (self.unnoted, "processes that were not profiled are not listed"),
            (trace.overflowed(), "names or stacks came after the limit and stand under \"other\""),
        ] {
            if count > 0 {
                trace.remark(&format!("{count} {words}"));
            }
        }
    }

    fn end(&mut self, member: &mut Member, outcome: Outcome, now: u64, trace: &mut Trace) {
        if let Some((drain, _)) = &mut member.drain {
            drain.drain(now, true, trace, &mut self.threads);
            drain.finish(member.cpu_ns, now, trace);
            if !drain.has_begun() {
                self.profiled -= 1;
                self.refuse(format!(
                    "it ended before it began, or could not map the {} MiB that it shares with prof (see ulimit -v)",
                    session::BYTES >> 20
                ));
            }
            self.unsampled += usize::from(drain.has_no_signal());
        }
        let cpu_ns = member.cpu_ns.unwrap_or(0);
        let end = ProcessEnd { id: member.id, time: trace.time(now), outcome, cpu_ns };
        trace.write(&Record::ProcessEnd(end));
    }

    fn refuse(&mut self, obstacle: String) {
        self.refused += 1;
        self.obstacle.get_or_insert(obstacle);
    }

    /// Pids of running members that have ended.
    fn ended(&self) -> Vec<u32> {
        let watched: Vec<_> = self
            .running
            .iter()
            .filter_map(|(pid, m)| m.pidfd.as_ref().map(|fd| (*pid, fd)))
            .collect();
        let mut polled: Vec<_> =
            watched.iter().map(|(_, fd)| PollFd::new(*fd, PollFlags::IN)).collect();
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        if rustix::event::poll(&mut polled, Some(&now)).is_err() {
            return Vec::new();
        }
        let done = polled.iter().map(|fd| !fd.revents().is_empty());
        watched.iter().zip(done).filter(|(_, done)| *done).map(|((pid, _), _)| *pid).collect()
    }
}

fn outcome(status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Exited(code),
        (None, Some(signal)) => Outcome::Killed(signal),
        (None, None) => Outcome::Gone,
    }
}
