//! Threads and processes, as many as a page lists; the others are one.

use std::cmp::Reverse;

use serde::Serialize;

use super::head::clipped;
use crate::analysis::Profile;
use crate::analysis::family::{self, Share};
use crate::export::escape::escape;
use crate::export::names::thread_name;
use crate::ids::ThreadId;
use crate::record::{Class, Process};

/// What stands for those that are not listed.
const OTHER: &str = "[other]";
/// Bytes of a command, and of the version of a Python, that are listed.
const COMMAND: usize = 512;
const PYTHON: usize = 32;

#[derive(Debug, Serialize)]
pub(super) struct ThreadEntry {
    process: Option<usize>,
    tid: u32,
    name: String,
    ns: [u64; Class::ALL.len()],
    alloc: u64,
    copied: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct ProcessEntry {
    pid: u32,
    parent: Option<usize>,
    command: String,
    python: String,
    profiled: bool,
    ns: [u64; Class::ALL.len()],
    alloc: u64,
    copied: u64,
}

/// The lists of a page.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) threads: Vec<ThreadEntry>,
    pub(super) processes: Vec<ProcessEntry>,
    /// Place in the list by place in the profile.
    listed: Vec<usize>,
    /// Ids of the threads in the profile.
    ids: Vec<ThreadId>,
}

impl Family {
    /// The threads and processes that did most, at most so many of each.
    pub(super) fn of(profile: &Profile, most: usize) -> Self {
        let by_thread = family::threads(profile);
        let by_process = family::processes(profile, &by_thread);
        let (kept_processes, listed_processes) = largest(&by_process, most);
        let (kept, listed) = largest(&by_thread, most);
        let place = |id| profile.processes.binary_search_by_key(&id, |(p, _)| p.id).ok();
        let listed_process = |id| {
            let at: Option<usize> = place(id).map(|at| listed_processes[at]);
            at.filter(|at| *at < kept_processes.len())
        };
        let mut threads: Vec<ThreadEntry> = kept
            .iter()
            .map(|&at| {
                let (thread, _) = &profile.threads[at];
                let process = listed_process(thread.process);
                let name = thread_name(Some(thread), thread.id);
                thread_entry(process, thread.tid, name, &by_thread[at])
            })
            .collect();
        // What the lists leave out: of threads that are too many, or that the trace has lost.
        let rest = rest_of(profile, &by_thread, &kept);
        if let Some(rest) = &rest {
            threads.push(thread_entry(None, 0, OTHER.into(), rest));
        }
        let entry = |&at: &usize| {
            let (process, _) = &profile.processes[at];
            process_entry(process, process.parent.and_then(listed_process), &by_process[at])
        };
        let mut processes: Vec<ProcessEntry> = kept_processes.iter().map(entry).collect();
        if let Some(rest) = rest_of(profile, &by_process, &kept_processes) {
            processes.push(ProcessEntry {
                pid: 0,
                parent: None,
                command: OTHER.into(),
                python: String::new(),
                profiled: true,
                ns: rest.ns.map(clipped),
                alloc: clipped(rest.alloc_bytes),
                copied: clipped(rest.copy_bytes),
            });
        }
        let ids = profile.threads.iter().map(|(thread, _)| thread.id).collect();
        Self { threads, processes, listed, ids }
    }

    /// The place of a thread in the list.
    pub(super) fn place(&self, thread: ThreadId) -> usize {
        let other = self.threads.len().saturating_sub(1);
        self.ids.binary_search(&thread).map_or(other, |at| self.listed[at].min(other))
    }
}

/// The places of the largest shares, in their own order, and for each share its place among them; those that are not
/// among them have the place behind the last.
fn largest(shares: &[Share], most: usize) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..shares.len()).collect();
    if order.len() > most {
        let size = |at: usize| {
            let share = &shares[at];
            let wall = share.ns.iter().fold(0, |sum: u64, ns| sum.saturating_add(*ns));
            (share.cpu_ns(), wall, share.alloc_bytes, share.copy_bytes)
        };
        order.sort_by_key(|&at| Reverse(size(at)));
        order.truncate(most);
        order.sort_unstable();
    }
    let mut listed = vec![order.len(); shares.len()];
    order.iter().enumerate().for_each(|(place, &at)| listed[at] = place);
    (order, listed)
}

/// What the whole run has beside these shares, if that is anything.
fn rest_of(profile: &Profile, shares: &[Share], kept: &[usize]) -> Option<Share> {
    let mut whole = Share::default();
    for sum in &profile.time {
        let class = &mut whole.ns[sum.class.code() as usize];
        *class = class.saturating_add(sum.weight_ns);
    }
    let all = |bytes: &mut dyn Iterator<Item = u64>| bytes.fold(0, u64::saturating_add);
    whole.alloc_bytes = all(&mut profile.memory.iter().map(|sum| sum.alloc_bytes));
    whole.copy_bytes = all(&mut profile.copies.iter().map(|sum| sum.copy_bytes));
    for &at in kept {
        let share = &shares[at];
        for (into, ns) in whole.ns.iter_mut().zip(share.ns) {
            *into = into.saturating_sub(ns);
        }
        whole.alloc_bytes = whole.alloc_bytes.saturating_sub(share.alloc_bytes);
        whole.copy_bytes = whole.copy_bytes.saturating_sub(share.copy_bytes);
    }
    let any = whole.ns.iter().any(|ns| *ns > 0) || whole.alloc_bytes > 0 || whole.copy_bytes > 0;
    any.then_some(whole)
}

fn thread_entry(process: Option<usize>, tid: u32, name: String, share: &Share) -> ThreadEntry {
    ThreadEntry {
        process,
        tid,
        name,
        ns: share.ns.map(clipped),
        alloc: clipped(share.alloc_bytes),
        copied: clipped(share.copy_bytes),
    }
}

fn process_entry(process: &Process, parent: Option<usize>, share: &Share) -> ProcessEntry {
    let mut command = Vec::new();
    for word in &process.command {
        if !command.is_empty() {
            command.push(b' ');
        }
        command.extend_from_slice(&word[..word.len().min(COMMAND)]);
        if command.len() > COMMAND {
            break;
        }
    }
    let is_cut = command.len() > COMMAND;
    command.truncate(COMMAND);
    ProcessEntry {
        pid: process.pid,
        parent,
        command: escape(&command) + if is_cut { "…" } else { "" },
        python: escape(&process.python.as_bytes()[..process.python.len().min(PYTHON)]),
        profiled: process.profiled,
        ns: share.ns.map(clipped),
        alloc: clipped(share.alloc_bytes),
        copied: clipped(share.copy_bytes),
    }
}
