//! All stacks of a profile as one prefix tree: built, cut down, put in order.

use std::cmp::Reverse;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::analysis::Profile;
use crate::export::Metric;
use crate::ids::{FrameId, StackId};
use crate::record::{Class, Function};
use crate::tables::Tables;

/// The metrics in the order in which children are sorted by them.
pub(super) const METRICS: [Metric; 6] =
    [Metric::Cpu, Metric::Wall, Metric::Alloc, Metric::Peak, Metric::Live, Metric::Copies];
/// Stands for a node or a frame that there is not.
pub(super) const NONE: u32 = u32::MAX;
/// Stands for the frame of what was cut off.
pub(super) const OTHER: u32 = u32::MAX - 1;

/// What a node has itself. Columns are the classes of time, then bytes allocated, live at the peak, live at the end,
/// copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Own {
    pub(super) column: u8,
    pub(super) node: u32,
    pub(super) value: u64,
}

impl Own {
    /// Column and node as one number: it is compared without a branch.
    pub(super) fn order(&self) -> u64 {
        u64::from(self.column) << 32 | u64::from(self.node)
    }
}

/// A prefix tree. Parents have smaller numbers than their children; node 0 is the root.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub(super) parents: Vec<u32>,
    /// One of the frames that share a name; [`NONE`] where it is not known.
    pub(super) frames: Vec<u32>,
    /// By column and node, in that order.
    pub(super) own: Vec<Own>,
    /// The node of each stack; the last is that of what has no stack.
    pub(super) stacks: Vec<u32>,
    /// Nodes that were cut off.
    pub(super) pruned: usize,
}

/// The function and line of a frame; a damaged trace can lack them.
pub(super) fn known(tables: &Tables, frame: u32) -> Option<(Function, u32)> {
    let frame = tables.frame(FrameId::new(frame))?;
    Some((tables.function(frame.function)?, frame.line))
}

impl Nodes {
    /// The tree of all stacks that have something.
    pub(super) fn of(profile: &Profile) -> Self {
        let tables = &profile.tables;
        let stacks = tables.stacks();
        let no_stack = stacks.len() as u32;
        let mut own = own(profile, no_stack);
        add_up(&mut own);

        let mut needed = vec![false; stacks.len() + 1];
        let mut count = 1;
        for own in &own {
            let mut next = own.node;
            while !std::mem::replace(&mut needed[next as usize], true) {
                count += 1;
                match stacks.get(next as usize).and_then(|node| node.parent) {
                    Some(parent) if parent.number() < next => next = parent.number(),
                    _ => break,
                }
            }
        }
        let same = same_frames(tables);
        let (mut parents, mut frames) = (Vec::with_capacity(count), Vec::with_capacity(count));
        parents.push(0);
        frames.push(NONE);
        let mut children = Numbers::default();
        let mut of_stack = vec![NONE; stacks.len() + 1];
        for at in (0..=stacks.len()).filter(|at| needed[*at]) {
            let node = stacks.get(at);
            let parent = node.and_then(|node| node.parent).filter(|parent| parent.index() < at);
            let parent: u32 = parent.map_or(0, |parent| of_stack[parent.index()]);
            let frame = node.and_then(|node| same.get(node.frame.index())).copied();
            let frame: u32 = frame.unwrap_or(NONE);
            let next = parents.len() as u32;
            parents.push(parent);
            frames.push(frame);
            let child = children.first(next, |n| (parents[n as usize], frames[n as usize]));
            if child != next {
                parents.pop();
                frames.pop();
            }
            of_stack[at] = child;
        }
        own.iter_mut().for_each(|own| own.node = of_stack[own.node as usize]);
        add_up(&mut own);
        Self { parents, frames, own, stacks: of_stack, pruned: 0 }
    }

    /// The total of each node in a metric.
    pub(super) fn totals(&self, metric: Metric) -> Vec<u64> {
        let mut totals = vec![0_u64; self.parents.len()];
        for own in self.own.iter().filter(|own| is_of(metric, own.column)) {
            let total = &mut totals[own.node as usize];
            *total = total.saturating_add(own.value);
        }
        for node in (1..totals.len()).rev() {
            let total = totals[node];
            let parent = &mut totals[self.parents[node] as usize];
            *parent = parent.saturating_add(total);
        }
        totals
    }

    /// The `limit` nodes with the largest shares of any metric, their parents among them. What the others had is in
    /// nodes of their own beside those that stayed.
    pub(super) fn prune(self, limit: usize) -> Self {
        let count = self.parents.len();
        if count <= limit.max(1) {
            return self;
        }
        let kept = self.largest(limit.max(1));
        let mut nodes = Self { pruned: self.pruned, ..Self::default() };
        let mut moved = vec![NONE; count];
        for node in (0..count).filter(|node| kept[*node]) {
            moved[node] = nodes.parents.len() as u32;
            nodes.parents.push(moved[self.parents[node] as usize]);
            nodes.frames.push(self.frames[node]);
        }
        let mut others = vec![NONE; nodes.parents.len()];
        for node in (1..nodes.parents.len()).filter(|node| nodes.frames[*node] == OTHER) {
            others[nodes.parents[node] as usize] = node as u32;
        }
        for node in (0..count).filter(|node| !kept[*node]) {
            nodes.pruned += usize::from(self.frames[node] != OTHER);
            let parent = self.parents[node] as usize;
            moved[node] = moved[parent];
            if kept[parent] {
                let other = &mut others[moved[parent] as usize];
                if *other == NONE {
                    *other = nodes.parents.len() as u32;
                    nodes.parents.push(moved[parent]);
                    nodes.frames.push(OTHER);
                }
                moved[node] = *other;
            }
        }
        (nodes.own, nodes.stacks) = (self.own, self.stacks);
        nodes.own.iter_mut().for_each(|own| own.node = moved[own.node as usize]);
        add_up(&mut nodes.own);
        nodes.own.shrink_to_fit();
        for node in nodes.stacks.iter_mut().filter(|node| **node != NONE) {
            *node = moved[*node as usize];
        }
        nodes
    }

    /// Which nodes are the largest. A child has no larger share and a larger number than its parent: so these are a
    /// tree.
    fn largest(&self, limit: usize) -> Vec<bool> {
        let count = self.parents.len();
        let mut shares = vec![0_f32; count];
        for metric in METRICS {
            let totals = self.totals(metric);
            for (share, total) in shares.iter_mut().zip(&totals) {
                *share = share.max((*total as f64 / totals[0].max(1) as f64) as f32);
            }
        }
        let mut order: Vec<u32> = (0..count as u32).collect();
        if limit < count {
            order.select_nth_unstable_by(limit, |a, b| {
                let share = |node: &u32| shares[*node as usize];
                share(b).total_cmp(&share(a)).then(a.cmp(b))
            });
        }
        let mut largest = vec![false; count];
        order[..limit].iter().for_each(|node| largest[*node as usize] = true);
        largest
    }

    /// The nodes in preorder, children by their totals, the largest first.
    pub(super) fn preorder(&self) -> Vec<u32> {
        let count = self.parents.len();
        let parent = |node: u32| self.parents[node as usize];
        // Siblings come to stand together, the smallest first: the last one put on the stack is the next. One metric
        // after the other, the one that counts most at last, so that only one has its totals in memory.
        let mut siblings: Vec<u32> = (1..count as u32).collect();
        siblings.sort_unstable_by_key(|node| Reverse(*node));
        for metric in METRICS.into_iter().rev() {
            let totals = self.totals(metric);
            siblings.sort_by_key(|node| totals[*node as usize]);
        }
        siblings.sort_by_key(|node| parent(*node));
        let mut first = vec![0_u32; count + 1];
        siblings.iter().for_each(|node| first[parent(*node) as usize + 1] += 1);
        (0..count).for_each(|at| first[at + 1] += first[at]);
        let (mut order, mut waiting) = (Vec::with_capacity(count), vec![0_u32]);
        while let Some(node) = waiting.pop() {
            order.push(node);
            let node = node as usize;
            waiting.extend(&siblings[first[node] as usize..first[node + 1] as usize]);
        }
        order
    }
}

/// Whether a column counts for a metric.
fn is_of(metric: Metric, column: u8) -> bool {
    let classes = Class::ALL.len() as u8;
    match metric {
        Metric::Cpu => Class::ALL.get(column as usize).is_some_and(|class| class.on_cpu()),
        Metric::Wall => column < classes,
        Metric::Alloc => column == classes,
        Metric::Peak => column == classes + 1,
        Metric::Live => column == classes + 2,
        Metric::Copies => column == classes + 3,
    }
}

/// What stacks have themselves, by number of the stack.
fn own(profile: &Profile, no_stack: u32) -> Vec<Own> {
    let behind = Class::ALL.len();
    let time = profile.time.iter().map(|t| (t.stack, t.class.code() as usize, t.weight_ns));
    let memory = profile.memory.iter().flat_map(|m| {
        let figures = [m.alloc_bytes, m.live_at_peak_bytes, m.live_at_end_bytes];
        std::array::from_fn::<_, 3, _>(|at| (m.stack, behind + at, figures[at]))
    });
    let copies = profile.copies.iter().map(|c| (c.stack, behind + 3, c.copy_bytes));
    let mut own =
        Vec::with_capacity(profile.time.len() + profile.memory.len() + profile.copies.len());
    own.extend(time.chain(memory).chain(copies).filter(|(.., value)| *value > 0).map(
        |(stack, column, value): (Option<StackId>, usize, u64)| {
            let node = stack.map_or(no_stack, |stack| stack.number().min(no_stack));
            Own { column: column as u8, node, value }
        },
    ));
    own
}

/// Makes one of those of the same column and node, in that order.
fn add_up(own: &mut Vec<Own>) {
    own.sort_unstable_by_key(Own::order);
    own.dedup_by(|next, kept| {
        let same = (next.column, next.node) == (kept.column, kept.node);
        if same {
            kept.value = kept.value.saturating_add(next.value);
        }
        same
    });
}

/// For each frame, the first that has the same names and line: of merged traces there are several.
fn same_frames(tables: &Tables) -> Vec<u32> {
    let mut numbers = Numbers::default();
    let same = (0..tables.frames().len() as u32).map(|at| match known(tables, at) {
        Some(_) => numbers.first(at, |at| known(tables, at)),
        None => NONE,
    });
    same.collect()
}

/// Numbers of different keys. The keys themselves stand elsewhere: there can be millions.
#[derive(Debug, Default)]
struct Numbers {
    hasher: DefaultHashBuilder,
    all: HashTable<u32>,
}

impl Numbers {
    /// The number that came first with the key that this one has.
    fn first<K: Eq + std::hash::Hash>(&mut self, number: u32, key: impl Fn(u32) -> K) -> u32 {
        let own = key(number);
        let hash = self.hasher.hash_one(&own);
        if let Some(known) = self.all.find(hash, |other| key(*other) == own) {
            return *known;
        }
        self.all.insert_unique(hash, number, |other| self.hasher.hash_one(key(*other)));
        number
    }
}
