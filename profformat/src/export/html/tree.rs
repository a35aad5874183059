//! Block `tree`: the stacks of all threads and processes together as one prefix tree in preorder, with what each
//! node has itself.
//!
//! Nodes beyond the limit are cut off, smallest subtrees first; what they had is in a node `[other]` beside the
//! children that stayed, so that every total is as before.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::block::Block;
use super::names::Names;
use crate::analysis::Profile;
use crate::export::Metric;
use crate::ids::{FrameId, StackId};
use crate::record::{Class, Function};
use crate::tables::Tables;

/// Columns of what a node has itself: the classes of time, then allocated, live at the peak, live at the end, copied.
const COLUMNS: usize = Class::ALL.len() + 4;
/// The metrics in the order in which children are sorted by them.
const METRICS: [Metric; 6] =
    [Metric::Cpu, Metric::Wall, Metric::Alloc, Metric::Peak, Metric::Live, Metric::Copies];
/// Stands for a node, a frame or a place that there is not.
const NONE: u32 = u32::MAX;
/// Stands for the frame of what was cut off.
const OTHER: u32 = u32::MAX - 1;

/// What a node has itself of a column; its node is the parent's child from the outermost frame on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Own {
    column: u8,
    node: u32,
    value: u64,
}

/// A prefix tree. Parents have smaller numbers than their children; node 0 is the root.
#[derive(Clone, Debug, Default)]
struct Nodes {
    parents: Vec<u32>,
    /// One of the frames that share a name; [`NONE`] where it is not known.
    frames: Vec<u32>,
    own: Vec<Own>,
    /// The node of each stack; the last is that of what has no stack.
    stacks: Vec<u32>,
}

/// All stacks that have something, as a tree of any size.
#[derive(Debug)]
pub(super) struct Stacks(Nodes);

/// The tree of a page.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Nodes,
    /// Node numbers in preorder, and the place of each node in it.
    order: Vec<u32>,
    places: Vec<u32>,
    /// Nodes that were cut off.
    pub(super) pruned: usize,
}

impl Stacks {
    pub(super) fn of(profile: &Profile) -> Self {
        Self(Nodes::of(profile))
    }
}

impl Tree {
    /// The tree with at most `limit` nodes, those that stand for what was cut off not counted.
    pub(super) fn of(whole: &Stacks, limit: usize) -> Self {
        let (nodes, pruned) = whole.0.prune(limit);
        let order = nodes.preorder();
        let mut places = vec![0; order.len()];
        for (place, node) in order.iter().enumerate() {
            places[*node as usize] = place as u32;
        }
        Self { nodes, order, places, pruned }
    }

    /// The place in preorder of a stack that has something.
    pub(super) fn place(&self, stack: Option<StackId>) -> u32 {
        let stacks = &self.nodes.stacks;
        let last = stacks.len() - 1;
        let node = stacks[stack.map_or(last, |stack| stack.index().min(last))];
        self.places.get(node as usize).copied().unwrap_or(0)
    }

    pub(super) fn block(&self, tables: &Tables, names: &mut Names<'_>) -> Block {
        let mut block = Block::default();
        block.count(self.order.len());
        let mut depths = vec![0_u32; self.order.len()];
        for pair in self.order.windows(2) {
            let [before, node] = [pair[0], pair[1]].map(|node| node as usize);
            depths[node] = depths[self.nodes.parents[node] as usize] + 1;
            block.number(depths[before] + 1 - depths[node]);
        }
        let codes = self.order[1..].iter().map(|node| match self.nodes.frames[*node as usize] {
            NONE => Some(0),
            OTHER => None,
            frame => Some(known(tables, frame).map_or(0, |(f, line)| names.frame(&f, line) + 1)),
        });
        let codes: Vec<Option<u32>> = codes.collect();
        let other = names.frames() as u32 + 1;
        codes.into_iter().for_each(|code| block.number(code.unwrap_or(other)));
        let place = |own: &Own| Own { node: self.places[own.node as usize], ..*own };
        let mut own: Vec<Own> = self.nodes.own.iter().map(place).collect();
        own.sort_unstable();
        for column in 0..COLUMNS as u8 {
            let first = own.partition_point(|own| own.column < column);
            let end = own.partition_point(|own| own.column <= column);
            block.count(end - first);
            let mut last = 0;
            for own in &own[first..end] {
                block.number(own.node - last);
                block.number(own.value);
                last = own.node;
            }
        }
        block
    }
}

/// The function and line of a frame; a damaged trace can lack them.
fn known(tables: &Tables, frame: u32) -> Option<(Function, u32)> {
    let frame = tables.frame(FrameId::new(frame))?;
    Some((tables.function(frame.function)?, frame.line))
}

impl Nodes {
    fn of(profile: &Profile) -> Self {
        let tables = &profile.tables;
        let stacks = tables.stacks();
        let no_stack = stacks.len() as u32;
        let mut own = own(profile, no_stack);
        add_up(&mut own);

        let mut needed = vec![false; stacks.len() + 1];
        for own in &own {
            let mut next = own.node;
            while !std::mem::replace(&mut needed[next as usize], true) {
                match stacks.get(next as usize).and_then(|node| node.parent) {
                    Some(parent) if parent.number() < next => next = parent.number(),
                    _ => break,
                }
            }
        }
        let frames = same_frames(tables);
        let mut nodes = Self { parents: vec![0], frames: vec![NONE], ..Self::default() };
        let mut children: HashMap<(u32, u32), u32> = HashMap::new();
        let mut of_stack = vec![NONE; stacks.len() + 1];
        for at in (0..=stacks.len()).filter(|at| needed[*at]) {
            let node = stacks.get(at);
            let parent = node.and_then(|node| node.parent).filter(|parent| parent.index() < at);
            let parent = parent.map_or(0, |parent| of_stack[parent.index()]);
            let frame = node.and_then(|node| frames.get(node.frame.index())).copied();
            let frame = frame.unwrap_or(NONE);
            let next = nodes.parents.len() as u32;
            let child = *children.entry((parent, frame)).or_insert(next);
            if child == next {
                nodes.parents.push(parent);
                nodes.frames.push(frame);
            }
            of_stack[at] = child;
        }
        own.iter_mut().for_each(|own| own.node = of_stack[own.node as usize]);
        add_up(&mut own);
        Self { own, stacks: of_stack, ..nodes }
    }

    /// The total of each node in a metric.
    fn totals(&self, metric: Metric) -> Vec<u64> {
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

    /// The nodes with the largest shares of any metric, their parents among them, and how many are gone.
    fn prune(&self, limit: usize) -> (Self, usize) {
        let count = self.parents.len();
        if count <= limit.max(1) {
            return (self.clone(), 0);
        }
        let mut shares = vec![0_f32; count];
        for metric in METRICS {
            let totals = self.totals(metric);
            for (share, total) in shares.iter_mut().zip(&totals) {
                *share = share.max((*total as f64 / totals[0].max(1) as f64) as f32);
            }
        }
        // A child has no larger share and a larger number than its parent: what is kept is a tree.
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.sort_unstable_by(|a, b| {
            let share = |node: &u32| shares[*node as usize];
            share(b).total_cmp(&share(a)).then(a.cmp(b))
        });
        let mut kept = vec![false; count];
        kept[0] = true;
        order[..limit.max(1)].iter().for_each(|node| kept[*node as usize] = true);
        let mut nodes = Self::default();
        let mut moved = vec![NONE; count];
        for node in (0..count).filter(|node| kept[*node]) {
            moved[node] = nodes.parents.len() as u32;
            nodes.parents.push(moved[self.parents[node] as usize]);
            nodes.frames.push(self.frames[node]);
        }
        let mut others = vec![NONE; nodes.parents.len()];
        for node in (0..count).filter(|node| !kept[*node]) {
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
        let pruned = kept.iter().filter(|kept| !**kept).count();
        nodes.own.extend(self.own.iter().map(|own| Own { node: moved[own.node as usize], ..*own }));
        add_up(&mut nodes.own);
        let place = |node: &u32| moved.get(*node as usize).copied().unwrap_or(NONE);
        nodes.stacks.extend(self.stacks.iter().map(place));
        (nodes, pruned)
    }

    /// The nodes in preorder, children by their totals, the largest first.
    fn preorder(&self) -> Vec<u32> {
        let count = self.parents.len();
        let mut totals = vec![[0_u64; METRICS.len()]; count];
        for (at, metric) in METRICS.into_iter().enumerate() {
            for (into, total) in totals.iter_mut().zip(self.totals(metric)) {
                into[at] = total;
            }
        }
        // Siblings stand together, the smallest first: the last one put on the stack is the next.
        let mut siblings: Vec<u32> = (1..count as u32).collect();
        let parent = |node: u32| self.parents[node as usize];
        siblings.sort_unstable_by_key(|&node| (parent(node), totals[node as usize], Reverse(node)));
        let mut first = vec![0_u32; count + 1];
        siblings.iter().for_each(|&node| first[parent(node) as usize + 1] += 1);
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
    let mut own = Vec::with_capacity(profile.time.len());
    let mut add = |stack: Option<StackId>, column: usize, value: u64| {
        if value > 0 {
            let node = stack.map_or(no_stack, |stack| stack.number().min(no_stack));
            own.push(Own { column: column as u8, node, value });
        }
    };
    for sum in &profile.time {
        add(sum.stack, sum.class.code().into(), sum.weight_ns);
    }
    let behind = Class::ALL.len();
    for sum in &profile.memory {
        add(sum.stack, behind, sum.alloc_bytes);
        add(sum.stack, behind + 1, sum.live_at_peak_bytes);
        add(sum.stack, behind + 2, sum.live_at_end_bytes);
    }
    for sum in &profile.copies {
        add(sum.stack, behind + 3, sum.copy_bytes);
    }
    own
}

/// Makes one of those of the same column and node, in that order.
fn add_up(own: &mut Vec<Own>) {
    own.sort_unstable();
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
    let mut first: HashMap<(Function, u32), u32> = HashMap::new();
    let same = tables.frames().iter().zip(0_u32..).map(|(frame, at)| {
        let Some(function) = tables.function(frame.function) else { return NONE };
        *first.entry((function, frame.line)).or_insert(at)
    });
    same.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::TimeSum;
    use crate::ids::ThreadId;
    use crate::record::Frame;
    use crate::tables::Interner;
    use proptest::prelude::*;

    /// Stacks as steps down from the last one or from the root, each with a weight of a class.
    fn profile(steps: &[(u8, u8, u64)]) -> Profile {
        let mut interner = Interner::default();
        let (name, file) = (interner.string(b"f"), interner.string(b"a.py"));
        let function = Function { name, file, first_line: 1, lang: crate::record::Lang::Python };
        let function = interner.function(function);
        let (mut profile, mut stacks) = (Profile::default(), vec![None]);
        for &(parent, line, weight_ns) in steps {
            let frame = interner.frame(Frame { function, line: line.into() });
            let stack = interner.stack(stacks[parent as usize % stacks.len()], frame);
            stacks.push(Some(stack));
            profile.time.push(TimeSum {
                thread: ThreadId::new(0),
                stack: Some(stack),
                class: Class::ALL[line as usize % Class::ALL.len()],
                weight_ns,
                samples: 1,
                weight_squares: 1,
            });
        }
        profile.tables = interner.tables().clone();
        profile
    }

    /// The frames of a node, innermost first.
    fn path(tree: &Tree, mut node: u32) -> Vec<u32> {
        let mut path = Vec::new();
        while node > 0 {
            path.push(tree.nodes.frames[node as usize]);
            node = tree.nodes.parents[node as usize];
        }
        path
    }

    proptest! {
        #[test]
        fn what_is_cut_off_keeps_its_figures(
            steps in prop::collection::vec((any::<u8>(), 0..9_u8, 1..1000_u64), 1..120),
            limit in 1..40_usize,
        ) {
            let profile = profile(&steps);
            let all = Stacks::of(&profile);
            let (whole, cut) = (Tree::of(&all, usize::MAX), Tree::of(&all, limit));
            prop_assert_eq!(whole.pruned, 0);
            prop_assert_eq!(cut.pruned, whole.order.len().saturating_sub(limit));
            prop_assert!(cut.order.len() <= 2 * limit.max(whole.order.len().min(limit)));
            for metric in METRICS {
                let (all, some) = (whole.nodes.totals(metric), cut.nodes.totals(metric));
                prop_assert_eq!(all[0], some[0]);
                // What stayed has the same total as before.
                for node in (1..some.len()).filter(|node| cut.nodes.frames[*node] != OTHER) {
                    let same = (1..all.len() as u32)
                        .find(|other| path(&whole, *other) == path(&cut, node as u32));
                    prop_assert_eq!(Some(some[node]), same.map(|other| all[other as usize]));
                }
                // Children stand by size.
                if metric == Metric::Cpu {
                    for pair in cut.order.windows(2) {
                        let [a, b] = [pair[0] as usize, pair[1] as usize];
                        if a > 0 && cut.nodes.parents[a] == cut.nodes.parents[b] {
                            prop_assert!(some[a] >= some[b]);
                        }
                    }
                }
            }
            // Every stack is where its frames lead to, or in what stands for it.
            for sum in &profile.time {
                let place = cut.place(sum.stack);
                prop_assert!((place as usize) < cut.order.len() && place > 0);
                let mut found = path(&cut, cut.order[place as usize]);
                let mut frames: Vec<u32> =
                    profile.tables.walk(sum.stack).map(|frame| frame.number()).collect();
                if found[0] == OTHER {
                    found.remove(0);
                    frames.drain(..frames.len() - found.len());
                }
                prop_assert_eq!(found, frames);
            }
        }
    }
}
