//! The boxes of a flame graph: stacks by function, pruned to what can be seen.

use hashbrown::HashMap;

use crate::analysis::Profile;
use crate::export::Metric;
use crate::export::metric::Weight;
use crate::export::names::depth_first;
use crate::ids::{FunctionId, StringId};
use crate::record::Lang;
use crate::tables::Tables;

/// Parts of the whole that a box is not worth its place below.
const PARTS: u64 = 10_000;
/// Boxes at most; wider ones go first.
const BOXES: usize = 50_000;
/// Levels at most; what is deeper is one box.
const LEVELS: u32 = 500;

/// What a box is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// Everything.
    All,
    /// A function, whatever its lines: name, file, and the language for the color.
    Function(StringId, StringId, Lang),
    /// A stack that is not known.
    NoStack,
    /// What is too narrow or too deep.
    Other,
}

/// A box: it begins at `start` of the whole, is `weight` wide and hangs from its caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) what: What,
    pub(super) level: u32,
    pub(super) start: u64,
    pub(super) weight: u64,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    what: What,
    parent: u32,
    level: u32,
    /// Of its own and of all that it calls.
    weight: u64,
    /// Position of its first stack when stacks are walked depth first.
    order: u32,
}

/// The boxes of a metric, each after its caller's.
pub(super) fn blocks(profile: &Profile, metric: Metric) -> Vec<Block> {
    let nodes = nodes(&profile.tables, &metric.weights(profile));
    let least = least(&nodes);
    let mut children: Vec<u32> = (1..nodes.len() as u32).collect();
    children.sort_by_key(|at| {
        let node = &nodes[*at as usize];
        (node.parent, node.order, *at)
    });
    let mut firsts = vec![0; nodes.len() + 1];
    for child in &children {
        firsts[nodes[*child as usize].parent as usize + 1] += 1;
    }
    for at in 1..firsts.len() {
        firsts[at] += firsts[at - 1];
    }
    let mut blocks = Vec::new();
    let mut waiting = vec![(0u32, 0u64)];
    while let Some((at, start)) = waiting.pop() {
        let Node { what, level, weight, .. } = nodes[at as usize];
        blocks.push(Block { what, level, start, weight });
        let own = &children[firsts[at as usize]..firsts[at as usize + 1]];
        let (mut next, mut cut) = (start, 0u64);
        let mut kept = Vec::new();
        for child in own {
            let weight = nodes[*child as usize].weight;
            if weight >= least && level + 1 < LEVELS {
                kept.push((*child, next));
                next = next.saturating_add(weight);
            } else {
                cut = cut.saturating_add(weight);
            }
        }
        if cut > 0 && cut >= least {
            blocks.push(Block { what: What::Other, level: level + 1, start: next, weight: cut });
        }
        waiting.extend(kept.into_iter().rev());
    }
    blocks
}

/// The weight of the narrowest box.
fn least(nodes: &[Node]) -> u64 {
    let mut weights: Vec<u64> = nodes.iter().map(|node| node.weight).collect();
    let narrow = weights[0] / PARTS;
    if weights.len() <= BOXES {
        return narrow;
    }
    weights.sort_unstable_by(|a, b| b.cmp(a));
    // Of equal ones all or none, so that no box hangs from one that is left out.
    narrow.max(weights[BOXES].saturating_add(1))
}

/// The tree of functions, callers before callees; the first node is everything.
fn nodes(tables: &Tables, weights: &[Weight]) -> Vec<Node> {
    let stacks = tables.stacks();
    let mut is_used = vec![false; stacks.len()];
    for stack in weights.iter().filter_map(|weight| weight.stack) {
        if let Some(used) = is_used.get_mut(stack.index()) {
            *used = true;
        }
    }
    let parent = |at: usize| stacks[at].parent.map(|p| p.index()).filter(|parent| *parent < at);
    // A caller's number is smaller.
    for at in (0..stacks.len()).rev() {
        if let Some(parent) = parent(at).filter(|_| is_used[at]) {
            is_used[parent] = true;
        }
    }
    let positions = depth_first(tables);
    let root = Node { what: What::All, parent: 0, level: 0, weight: 0, order: 0 };
    let mut nodes = vec![root];
    let mut index: HashMap<(u32, What), u32> = HashMap::new();
    let mut add = |nodes: &mut Vec<Node>, parent: u32, what, order| {
        let next = nodes.len() as u32;
        let at = *index.entry((parent, what)).or_insert(next);
        if at == next {
            let level = nodes[parent as usize].level + 1;
            nodes.push(Node { what, parent, level, weight: 0, order });
        }
        let node = &mut nodes[at as usize];
        node.order = node.order.min(order);
        at
    };
    // The node of each stack; 0 for those that are not used.
    let mut of_stack = vec![0u32; stacks.len()];
    for (at, stack) in stacks.iter().enumerate().filter(|(at, _)| is_used[*at]) {
        let caller = parent(at).map_or(0, |parent| of_stack[parent]);
        let function = tables.frame(stack.frame).map(|frame| frame.function);
        of_stack[at] = add(&mut nodes, caller, what(tables, function), positions[at]);
    }
    for weight in weights {
        let known = weight.stack.and_then(|stack| of_stack.get(stack.index()));
        let at = match known {
            Some(at) => *at,
            None => add(&mut nodes, 0, What::NoStack, u32::MAX),
        };
        let sum = &mut nodes[at as usize].weight;
        *sum = sum.saturating_add(weight.weight);
    }
    for at in (1..nodes.len()).rev() {
        let Node { parent, weight, .. } = nodes[at];
        let sum = &mut nodes[parent as usize].weight;
        *sum = sum.saturating_add(weight);
    }
    nodes
}

fn what(tables: &Tables, function: Option<FunctionId>) -> What {
    match function.and_then(|function| tables.function(function)) {
        Some(function) => What::Function(function.name, function.file, function.lang),
        None => What::NoStack,
    }
}
