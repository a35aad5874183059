//! The boxes of a flame graph without the profile that they were made of: a comparison of many runs has no room for it.

use hashbrown::HashMap;

use super::tree::{What, blocks};
use crate::analysis::Profile;
use crate::analysis::sites::places::OTHER;
use crate::export::Metric;
use crate::export::names::NO_STACK;

/// Boxes at most; wider ones go first.
const BOXES: usize = 4_000;
/// Parts of the whole that a box is not worth its place below.
const PARTS: u64 = 1_000;
/// Levels at most.
const LEVELS: u32 = 100;

/// Functions by what they took, each box below its caller's, as [`write`](super::write) draws them.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(in crate::export) whole: u64,
    pub(in crate::export) functions: Vec<Called>,
    pub(in crate::export) boxes: Vec<Part>,
}

/// A function by its names in the trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::export) struct Called {
    pub(in crate::export) name: Vec<u8>,
    pub(in crate::export) file: Vec<u8>,
}

/// A box: it begins at `start` of the whole and is `weight` wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::export) struct Part {
    /// Its position among the functions.
    pub(in crate::export) function: usize,
    pub(in crate::export) level: u32,
    pub(in crate::export) start: u64,
    pub(in crate::export) weight: u64,
}

impl Graph {
    /// The boxes that can be seen on a page.
    pub fn of(profile: &Profile, metric: Metric) -> Self {
        let blocks = blocks(profile, metric);
        let whole = blocks.first().map_or(0, |block| block.weight);
        let mut weights: Vec<u64> = blocks.iter().map(|block| block.weight).collect();
        weights.sort_unstable_by(|a, b| b.cmp(a));
        // Of equal ones all or none, so that no box hangs from one that is left out.
        let crowded = weights.get(BOXES).map_or(0, |weight| weight.saturating_add(1));
        let least = (whole / PARTS).max(crowded);
        let mut graph = Self { whole, ..Self::default() };
        let mut numbers: HashMap<What, usize> = HashMap::new();
        for block in blocks.iter().filter(|block| block.weight >= least && block.level < LEVELS) {
            let function = *numbers.entry(block.what).or_insert_with(|| {
                graph.functions.push(called(profile, block.what));
                graph.functions.len() - 1
            });
            let (level, start, weight) = (block.level, block.start, block.weight);
            graph.boxes.push(Part { function, level, start, weight });
        }
        graph
    }
}

fn called(profile: &Profile, what: What) -> Called {
    let only = |name: &str| Called { name: name.into(), file: Vec::new() };
    match what {
        What::Function(name, file, _) => {
            let text = |id| profile.tables.string(id).to_vec();
            Called { name: text(name), file: text(file) }
        }
        What::All => only("all"),
        What::NoStack => only(NO_STACK),
        What::Other => only(OTHER),
    }
}
