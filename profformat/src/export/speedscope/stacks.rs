//! Which stacks are in a profile.

use std::cmp::Reverse;

use crate::analysis::Profile;
use crate::analysis::sites::places::OTHER;
use crate::export::Metric;
use crate::export::metric::Weight;
use crate::export::names::{depth_first, program_name, thread_name, thread_of};
use crate::ids::ThreadId;
use crate::tables::Tables;

/// Threads that have a profile of their own at most, for people choose from a list of them; the others share one.
const THREADS: usize = 100;
/// Frames of the stacks of all profiles together: some 40 MB, for speedscope takes minutes over more, or fails.
const FRAMES: usize = 6_000_000;

/// Positions of stacks in the order of [`depth_first`]; `None` of one that is not known.
struct Places(Vec<u32>);

impl Places {
    fn of(&self, weight: &Weight) -> Option<u32> {
        self.0.get(weight.stack?.index()).copied()
    }

    /// The weights of several threads, each stack once.
    fn together(&self, mut weights: Vec<Weight>) -> Vec<Weight> {
        weights.sort_unstable_by_key(|w| (self.of(w), w.stack));
        weights.dedup_by(|other, kept| {
            let same = self.of(other) == self.of(kept);
            if same {
                kept.weight = kept.weight.saturating_add(other.weight);
            }
            same
        });
        weights
    }
}

/// What becomes a profile.
pub(super) struct Stacks {
    pub(super) name: String,
    /// Those that are told apart.
    pub(super) weights: Vec<Weight>,
    /// Weight of the others.
    pub(super) other: u64,
}

/// The profiles of a metric: of all threads together, then of each, the heaviest first. Stacks with the same callers
/// are neighbors.
pub(super) fn listed(profile: &Profile, metric: Metric, max_samples: usize) -> Vec<Stacks> {
    let places = Places(depth_first(&profile.tables));
    let mut weights = metric.weights(profile);
    weights.sort_by_key(|w| (w.thread, places.of(w)));
    let mut lists = lists(profile, &places, &weights);
    limit(&profile.tables, &mut lists, max_samples);
    lists
}

/// The profiles of weights that are in order of thread, then place.
fn lists(profile: &Profile, places: &Places, weights: &[Weight]) -> Vec<Stacks> {
    let mut threads: Vec<&[Weight]> = weights.chunk_by(|a, b| a.thread == b.thread).collect();
    threads.sort_by_cached_key(|weights| Reverse(sum(weights)));
    let of = |name, weights| Stacks { name, weights, other: 0 };
    let mut lists = Vec::new();
    match threads.len() {
        // A run without a single sample is still a profile to look at.
        0 => lists.push(of("nothing was sampled".to_owned(), Vec::new())),
        // A thread alone is the whole.
        1 => {}
        count => {
            let all = places.together(weights.to_vec());
            lists.push(of(format!("all {count} threads"), all));
        }
    }
    let (own, others) = threads.split_at(threads.len().min(THREADS));
    lists.extend(own.iter().map(|own| of(thread_profile(profile, own[0].thread), own.to_vec())));
    if !others.is_empty() {
        let name = format!("other threads ({} of {})", others.len(), threads.len());
        lists.push(of(name, places.together(others.concat())));
    }
    lists
}

/// The name of a thread's profile: program and pid, thread and its number.
fn thread_profile(profile: &Profile, id: ThreadId) -> String {
    let (thread, process) = thread_of(profile, id);
    let mut name = thread_name(thread, id);
    if let Some(thread) = thread.filter(|thread| !thread.name.is_empty()) {
        name = format!("{name} {}", thread.tid);
    }
    match process {
        Some(process) => format!("{} {} / {name}", program_name(process), process.pid),
        None => name,
    }
}

/// Leaves the heaviest stacks of each profile: at most so many, and of all together [`FRAMES`].
fn limit(tables: &Tables, lists: &mut [Stacks], max_samples: usize) {
    let depths = depths(tables);
    let depth = |weight: &Weight| {
        let depth = weight.stack.and_then(|stack| depths.get(stack.index()));
        depth.map_or(1, |depth| *depth as usize)
    };
    let sizes = lists.iter().map(|list| list.weights.iter().map(depth).sum());
    let room = room(sizes.collect(), FRAMES);
    for list in lists {
        let mut order: Vec<u32> = (0..list.weights.len() as u32).collect();
        order.sort_by_key(|at| Reverse(list.weights[*at as usize].weight));
        let mut is_kept = vec![false; order.len()];
        let (mut left, mut kept) = (room, 0);
        for at in order.iter().take(max_samples) {
            let depth = depth(&list.weights[*at as usize]);
            if depth <= left {
                is_kept[*at as usize] = true;
                (left, kept) = (left - depth, kept + 1);
            }
        }
        let all = list.weights.len();
        if kept == all {
            continue;
        }
        let mut is_kept = is_kept.into_iter();
        list.weights.retain(|weight| {
            let stays = is_kept.next().unwrap_or(false);
            if !stays {
                list.other = list.other.saturating_add(weight.weight);
            }
            stays
        });
        list.name = format!("{} ({kept} of {all} stacks, the others as {OTHER})", list.name);
    }
}

/// Frames of each stack; a caller's number is smaller.
fn depths(tables: &Tables) -> Vec<u32> {
    let mut depths: Vec<u32> = Vec::with_capacity(tables.stacks().len());
    for node in tables.stacks() {
        let caller = node.parent.and_then(|parent| depths.get(parent.index()));
        depths.push(caller.map_or(1, |depth| depth.saturating_add(1)));
    }
    depths
}

/// The room that each of several things can have, so that together they take no more than there is: those that need
/// less leave the rest to the others.
fn room(mut sizes: Vec<usize>, all: usize) -> usize {
    sizes.sort_unstable();
    let mut left = all;
    for (at, size) in sizes.iter().enumerate() {
        let share = left / (sizes.len() - at);
        if *size > share {
            return share;
        }
        left -= size;
    }
    all
}

pub(super) fn sum(weights: &[Weight]) -> u64 {
    weights.iter().map(|weight| weight.weight).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::room;

    #[test]
    fn small_ones_leave_room_to_large_ones() {
        assert_eq!(room(vec![10, 20, 30], 100), 100);
        assert_eq!(room(vec![90, 10, 80], 100), 45);
        assert_eq!(room(vec![500; 4], 100), 25);
        assert_eq!(room(Vec::new(), 100), 100);
    }
}
