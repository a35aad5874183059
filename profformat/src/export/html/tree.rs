//! Block `tree`: the stacks of all threads and processes together as one prefix tree in preorder, with what each
//! node has itself.

use super::block::Block;
use super::names::Names;
use super::nodes::{NONE, Nodes, OTHER, Own, known};
use crate::ids::StackId;
use crate::record::Class;
use crate::tables::Tables;

/// Columns of what a node has itself.
const COLUMNS: usize = Class::ALL.len() + 4;

/// The tree of a page. Nodes are numbered in preorder.
#[derive(Debug)]
pub(super) struct Tree {
    /// Of all nodes but the root: how many levels above the node before it the parent's list of children is.
    pops: Vec<u32>,
    /// Of all nodes but the root, as in [`Nodes`].
    frames: Vec<u32>,
    own: Vec<Own>,
    /// The node of each stack; the last is that of what has no stack.
    stacks: Vec<u32>,
}

impl Tree {
    pub(super) fn of(nodes: &Nodes) -> Self {
        let order = nodes.preorder();
        let (mut places, mut depths) = (vec![0_u32; order.len()], vec![0_u32; order.len()]);
        let (mut pops, mut frames) = (Vec::new(), Vec::new());
        for (place, pair) in (1..).zip(order.windows(2)) {
            let [before, node] = [pair[0], pair[1]].map(|node| node as usize);
            places[node] = place;
            depths[node] = depths[nodes.parents[node] as usize] + 1;
            pops.push(depths[before] + 1 - depths[node]);
            frames.push(nodes.frames[node]);
        }
        let place = |node: u32| places.get(node as usize).copied().unwrap_or(0);
        let moved = nodes.own.iter().map(|own| Own { node: place(own.node), ..*own });
        let mut own: Vec<Own> = moved.collect();
        own.sort_unstable_by_key(Own::order);
        let stacks = nodes.stacks.iter().map(|node| place(*node)).collect();
        Self { pops, frames, own, stacks }
    }

    /// The node of a stack that has something.
    pub(super) fn node(&self, stack: Option<StackId>) -> u32 {
        let last = self.stacks.len() - 1;
        self.stacks[stack.map_or(last, |stack| stack.index().min(last))]
    }

    pub(super) fn block(&self, tables: &Tables, names: &mut Names<'_>) -> Block {
        let mut block = Block::default();
        block.count(self.pops.len() + 1);
        block.numbers(self.pops.iter().copied());
        let mut code = |frame: u32| match frame {
            NONE => 0,
            OTHER => OTHER,
            frame => known(tables, frame).map_or(0, |(f, line)| names.frame(&f, line) + 1),
        };
        let codes: Vec<u32> = self.frames.iter().map(|frame| code(*frame)).collect();
        let other = names.frames() as u32 + 1;
        block.numbers(codes.into_iter().map(|code| if code == OTHER { other } else { code }));
        for column in 0..COLUMNS as u8 {
            let first = self.own.partition_point(|own| own.column < column);
            let end = self.own.partition_point(|own| own.column <= column);
            block.count(end - first);
            let mut last = 0;
            for own in &self.own[first..end] {
                block.number(own.node - last);
                block.number(own.value);
                last = own.node;
            }
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::super::nodes::METRICS;
    use super::*;
    use crate::analysis::{Profile, TimeSum};
    use crate::ids::ThreadId;
    use crate::record::{Frame, Function, Lang};
    use crate::tables::Interner;
    use proptest::prelude::*;

    /// Stacks as steps down from the last one or from the root, each with a weight of a class.
    fn profile(steps: &[(u8, u8, u64)]) -> Profile {
        let mut interner = Interner::default();
        let (name, file) = (interner.string(b"f"), interner.string(b"a.py"));
        let function = Function { name, file, first_line: 1, lang: Lang::Python };
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

    /// The parent of each node.
    fn parents(tree: &Tree) -> Vec<usize> {
        let (mut parents, mut path) = (vec![0], vec![0]);
        for pop in &tree.pops {
            path.truncate(path.len() - *pop as usize);
            parents.push(*path.last().unwrap());
            path.push(parents.len() - 1);
        }
        parents
    }

    /// The frames of a node, innermost first.
    fn path(tree: &Tree, parents: &[usize], mut node: usize) -> Vec<u32> {
        let mut path = Vec::new();
        while node > 0 {
            path.push(tree.frames[node - 1]);
            node = parents[node];
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
            let whole = Nodes::of(&profile);
            let count = whole.parents.len();
            // In one step or in two.
            let cut = Nodes::of(&profile).prune(3 * limit).prune(limit);
            prop_assert_eq!(Nodes::of(&profile).prune(limit).pruned, count.saturating_sub(limit));
            prop_assert!(cut.parents.len() <= 2 * limit.max(1) || count <= limit);
            for metric in METRICS {
                prop_assert_eq!(whole.totals(metric)[0], cut.totals(metric)[0]);
            }
            let totals = [&whole, &cut].map(|nodes| {
                let (tree, order) = (Tree::of(nodes), nodes.preorder());
                let totals = nodes.totals(METRICS[0]);
                let totals = order.iter().map(|node| totals[*node as usize]);
                (totals.collect::<Vec<_>>(), parents(&tree), tree)
            });
            let [(all, all_parents, whole), (some, parents, cut)] = &totals;
            for node in 1..some.len() {
                // What stayed has the same total as before.
                if cut.frames[node - 1] != OTHER {
                    let own = path(cut, parents, node);
                    let same = (1..all.len()).find(|at| path(whole, all_parents, *at) == own);
                    prop_assert_eq!(Some(some[node]), same.map(|at| all[at]));
                }
                // Children stand by size.
                let next = (node + 1..some.len()).find(|next| parents[*next] == parents[node]);
                prop_assert!(next.is_none_or(|next| some[node] >= some[next]));
                let others = |at: &usize| parents[*at] == parents[node] && cut.frames[at - 1] == OTHER;
                prop_assert!((1..some.len()).filter(others).count() <= 1);
            }
            // Every stack is where its frames lead to, or in what stands for it.
            for sum in &profile.time {
                let mut found = path(cut, parents, cut.node(sum.stack) as usize);
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
