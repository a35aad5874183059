//! Block `time`: what happened when, by part of the run, thread, node of the tree and class; and the footprint.
//!
//! A weight is told where it was spent, which is before the sample that tells it: see [`spread`](super::spread).

use super::block::Block;
use super::family::Family;
use super::spread::{is_too_fine, spread};
use super::tree::Tree;
use crate::analysis::{Activity, PartWeight, Profile};
use crate::ids::ThreadId;
use crate::record::Class;

/// Entries at most: two parts become one until they fit.
pub(super) const ENTRIES: usize = 200_000;

/// Entries of a part that are sorted with a buffer beside them.
const MERGED: usize = 1 << 16;

/// What one thread did in one node and class in a part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) part: u32,
    pub(super) thread: u32,
    pub(super) node: u32,
    pub(super) class: Class,
    pub(super) weight_ns: u64,
}

/// Time by part.
#[derive(Debug)]
pub(super) struct Time {
    part_ns: u64,
    parts: u64,
    entries: Vec<Entry>,
}

impl Time {
    /// `None` if there are too many entries even with a single part.
    pub(super) fn of(profile: &Profile, tree: &Tree, family: &Family) -> Option<Self> {
        if too_many(profile, tree, family) {
            return None;
        }
        let whole;
        let activity = match &profile.activity {
            Some(activity) if activity.part_ns > 0 => activity,
            _ => {
                whole = one_part(profile);
                &whole
            }
        };
        let entry = |weight: &PartWeight| {
            let sum = profile.time.get(weight.sum as usize)?;
            Some(Entry {
                part: weight.part,
                thread: sum.thread.index() as u32,
                node: tree.node(sum.stack),
                class: sum.class,
                weight_ns: weight.weight_ns,
            })
        };
        let mut entries: Vec<Entry> = activity.weights.iter().filter_map(entry).collect();
        let mut part_ns = activity.part_ns;
        add_up(&mut entries);
        while is_too_fine(&entries, part_ns, ENTRIES) {
            lengthen(&mut entries, &mut part_ns);
        }
        spread(&mut entries, part_ns);
        for entry in &mut entries {
            entry.thread = family.place(ThreadId::new(entry.thread)) as u32;
        }
        add_up(&mut entries);
        while entries.len() > ENTRIES {
            if entries.iter().all(|entry| entry.part == 0) {
                return None;
            }
            lengthen(&mut entries, &mut part_ns);
        }
        let last = entries.last().map_or(0, |entry| u64::from(entry.part));
        let parts = profile.elapsed.as_nanos().div_ceil(part_ns).max(last + 1);
        Some(Self { part_ns, parts, entries })
    }

    pub(super) fn block(&self, profile: &Profile) -> Block {
        let mut block = Block::default();
        block.number(self.part_ns);
        block.number(self.parts);
        block.count(self.entries.len());
        let mut last = 0;
        for entry in &self.entries {
            block.number(entry.part - last);
            last = entry.part;
        }
        block.numbers(self.entries.iter().map(|entry| entry.thread));
        block.numbers(self.entries.iter().map(|entry| entry.node));
        block.numbers(self.entries.iter().map(|entry| entry.class.code()));
        block.numbers(self.entries.iter().map(|entry| entry.weight_ns));
        let points = &profile.footprint.timeline;
        block.count(points.len());
        let mut last = 0;
        for point in points {
            let time = point.time.as_nanos().max(last);
            block.number(time - last);
            block.number(point.bytes);
            block.number(point.python_bytes);
            last = time;
        }
        block
    }
}

/// Whether even a single part has too many entries. To find that by making two parts one again and again takes long.
fn too_many(profile: &Profile, tree: &Tree, family: &Family) -> bool {
    let spent = profile.time.iter().filter(|sum| sum.weight_ns > 0);
    let mut places: Vec<u64> = spent
        .map(|sum| {
            let (thread, node) = (family.place(sum.thread) as u64, u64::from(tree.node(sum.stack)));
            thread << 40 | node << 8 | u64::from(sum.class.code())
        })
        .collect();
    places.sort_unstable();
    places.dedup();
    places.len() > ENTRIES
}

/// The whole run as one part: of a profile that does not know more.
fn one_part(profile: &Profile) -> Activity {
    let all = profile.time.iter().zip(0..).filter(|(sum, _)| sum.weight_ns > 0);
    let weights = all.map(|(sum, at)| PartWeight { part: 0, sum: at, weight_ns: sum.weight_ns });
    Activity { part_ns: profile.elapsed.as_nanos().max(1), weights: weights.collect() }
}

/// Makes one part of two.
fn lengthen(entries: &mut Vec<Entry>, part_ns: &mut u64) {
    *part_ns = part_ns.saturating_mul(2);
    entries.iter_mut().for_each(|entry| entry.part /= 2);
    add_up(entries);
}

/// Thread, node and class as one number: it is compared without a branch.
fn order(entry: &Entry) -> u128 {
    let place = u64::from(entry.node) << 8 | u64::from(entry.class.code());
    u128::from(entry.thread) << 64 | u128::from(place)
}

/// Makes one of those of the same part, thread, node and class, in that order.
fn add_up(entries: &mut Vec<Entry>) {
    if !entries.is_sorted_by_key(|entry| entry.part) {
        entries.sort_unstable_by_key(|entry| entry.part);
    }
    for part in entries.chunk_by_mut(|a, b| a.part == b.part) {
        // Two sorted parts that have become one are merged by the one, which takes memory, but not by the other.
        if part.len() <= MERGED {
            part.sort_by_key(order);
        } else {
            part.sort_unstable_by_key(order);
        }
    }
    entries.dedup_by(|next, kept| {
        let same = (next.part, order(next)) == (kept.part, order(kept));
        if same {
            kept.weight_ns = kept.weight_ns.saturating_add(next.weight_ns);
        }
        same
    });
}
