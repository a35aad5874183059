//! What a reader of a snapshot's figures must know, in words.

use std::time::Duration;

use super::{Snapshot, What};

/// What wrote a file.
pub(super) const TOOL: &str = concat!("profcore ", env!("CARGO_PKG_VERSION"));

/// CPU time that is in no sample. It is told, not spread over the samples: nobody knows where it was spent.
pub(super) fn of_cpu(snapshot: &Snapshot) -> Vec<String> {
    let of = |what| match what {
        What::Cpu { ns } => ns,
        What::Alloc { .. } => 0,
    };
    let sampled = snapshot.samples().map(|s| of(s.what())).fold(0, u64::saturating_add);
    let rest = snapshot.cpu_ns.saturating_sub(snapshot.own_cpu_ns).saturating_sub(sampled);
    let told = [
        (snapshot.cpu_ns, "CPU time of the process"),
        (snapshot.own_cpu_ns, "of it the profiler's own, in no sample"),
        (rest, "of it not sampled"),
    ];
    let told = told.into_iter().filter(|(ns, _)| *ns > 0);
    told.map(|(ns, what)| format!("{what}: {:?}", Duration::from_nanos(ns))).collect()
}
