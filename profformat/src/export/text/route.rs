//! What lies below a line: figures of stacks that sums by site do not have.

use std::collections::{HashMap, HashSet};

use super::place::Places;
use crate::analysis::{Profile, TimeSum};
use crate::ids::{FrameId, StackId, StringId};
use crate::record::{Class, Frame, Lang};
use crate::tables::Tables;

/// Time by [`Class::code`].
pub(super) type ByClass = [u64; Class::ALL.len()];

/// Files whose names are looked at.
const NAMED: usize = 1 << 14;

/// A place in the source.
pub(super) type Spot = (StringId, u32);

/// As many spots are looked for at once.
const AT_ONCE: usize = u64::BITS as usize;

/// Total time by class of each of the spots: every sample counts once for each spot on its stack.
pub(super) fn totals_by_class(profile: &Profile, spots: &HashSet<Spot>) -> HashMap<Spot, ByClass> {
    let mut totals: HashMap<Spot, ByClass> = HashMap::new();
    let spots: Vec<Spot> = spots.iter().copied().collect();
    for spots in spots.chunks(AT_ONCE) {
        let bits: HashMap<Spot, u64> = spots.iter().copied().zip((0..).map(|at| 1 << at)).collect();
        let of_frame = |frame: &Frame| {
            let function = profile.tables.function(frame.function)?;
            bits.get(&(function.file, frame.line)).copied()
        };
        let frames: Vec<u64> =
            profile.tables.frames().iter().map(|frame| of_frame(frame).unwrap_or(0)).collect();
        let own = |frame: FrameId| frames.get(frame.index()).copied().unwrap_or(0);
        let on_stack = along(&profile.tables, 0, |above, frame| above | own(frame));
        for sum in &profile.time {
            let mut bits = at(&on_stack, sum.stack).unwrap_or(0);
            while bits != 0 {
                let spot = spots[bits.trailing_zeros() as usize];
                add(&mut totals.entry(spot).or_default()[sum.class.code() as usize], sum);
                bits &= bits - 1;
            }
        }
    }
    totals
}

/// CPU time below a spot by the package of the innermost Python file, largest first.
pub(super) fn packages_below(
    profile: &Profile,
    places: &Places<'_>,
    from: Spot,
) -> Vec<(String, u64)> {
    let tables = &profile.tables;
    // Is the spot on the stack, and which file is the innermost?
    let innermost = along(tables, (false, None), |(below, file), frame| match of(tables, frame) {
        Some((spot, lang)) => {
            let file = if lang == Lang::Python { Some(spot.0) } else { file };
            (below || spot == from, file)
        }
        None => (below, file),
    });
    let mut files: HashMap<StringId, u64> = HashMap::new();
    for sum in profile.time.iter().filter(|sum| sum.class.on_cpu()) {
        if let Some((true, Some(file))) = at(&innermost, sum.stack) {
            add(files.entry(file).or_default(), sum);
        }
    }
    largest_first(files, |file| places.of(file).package())
}

/// CPU time of samples without a Python frame by module, largest first, and their sum.
pub(super) fn outside_python(profile: &Profile, places: &Places) -> (u64, Vec<(String, u64)>) {
    let tables = &profile.tables;
    // Is there Python on the stack, and which file is the innermost?
    let innermost = along(tables, (false, None), |(python, file), frame| match of(tables, frame) {
        Some((spot, lang)) => (python || lang == Lang::Python, Some(spot.0)),
        None => (python, file),
    });
    let mut files: HashMap<StringId, u64> = HashMap::new();
    let mut sum_ns = 0;
    for sum in profile.time.iter().filter(|sum| sum.class.on_cpu()) {
        let Some((false, file)) = at(&innermost, sum.stack) else { continue };
        add(&mut sum_ns, sum);
        if let Some(file) = file {
            add(files.entry(file).or_default(), sum);
        }
    }
    let mut modules = largest_first(files, |file| places.of(file).base());
    modules.retain(|(name, _)| !name.is_empty());
    (sum_ns, modules)
}

/// What follows for each stack from that of its caller and its own frame: every frame of the tree is looked at once,
/// however many stacks it is on.
pub(super) fn along<T: Copy>(tables: &Tables, root: T, step: impl Fn(T, FrameId) -> T) -> Vec<T> {
    let mut known: Vec<T> = Vec::with_capacity(tables.stacks().len());
    for node in tables.stacks() {
        // A caller has a smaller number than what it calls.
        let above = node.parent.and_then(|parent| known.get(parent.index()).copied());
        known.push(step(above.unwrap_or(root), node.frame));
    }
    known
}

/// What is known of a stack; `None` when it has none.
pub(super) fn at<T: Copy>(known: &[T], stack: Option<StackId>) -> Option<T> {
    known.get(stack?.index()).copied()
}

/// A frame's place and language.
fn of(tables: &Tables, frame: FrameId) -> Option<(Spot, Lang)> {
    let frame = tables.frame(frame)?;
    let function = tables.function(frame.function)?;
    Some(((function.file, frame.line), function.lang))
}

fn add(into: &mut u64, sum: &TimeSum) {
    *into = into.saturating_add(sum.weight_ns);
}

/// The sums of files that go by one name together, the largest first. Of files with little time, only the largest
/// are named: there can be a million.
fn largest_first(
    files: HashMap<StringId, u64>,
    name: impl Fn(StringId) -> String,
) -> Vec<(String, u64)> {
    let mut files: Vec<(StringId, u64)> = files.into_iter().collect();
    files.sort_unstable_by_key(|&(file, ns)| (std::cmp::Reverse(ns), file));
    let mut sums: HashMap<String, u64> = HashMap::new();
    for (file, ns) in files.into_iter().take(NAMED) {
        let sum = sums.entry(name(file)).or_default();
        *sum = sum.saturating_add(ns);
    }
    let mut sums: Vec<(String, u64)> = sums.into_iter().collect();
    sums.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sums
}
