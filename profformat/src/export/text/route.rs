//! What lies below a line: walks over the stacks for figures that sums by site do not have.

use std::collections::{HashMap, HashSet};

use super::place::Places;
use crate::analysis::{Profile, TimeSum};
use crate::ids::StringId;
use crate::record::{Class, Lang};

/// Time by [`Class::code`].
pub(super) type ByClass = [u64; Class::ALL.len()];

/// Files whose names are looked at.
const NAMED: usize = 1 << 14;

/// A place in the source.
pub(super) type Spot = (StringId, u32);

/// Total time by class of each of the spots: every sample counts once for each spot on its stack.
pub(super) fn totals_by_class(profile: &Profile, spots: &HashSet<Spot>) -> HashMap<Spot, ByClass> {
    let mut totals: HashMap<Spot, ByClass> = HashMap::new();
    let mut hit: Vec<Spot> = Vec::new();
    for sum in &profile.time {
        hit.clear();
        for spot in walk(profile, sum).map(|(spot, _)| spot).filter(|spot| spots.contains(spot)) {
            if !hit.contains(&spot) {
                hit.push(spot);
            }
        }
        for &spot in &hit {
            add(&mut totals.entry(spot).or_default()[sum.class.code() as usize], sum);
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
    let mut files: HashMap<StringId, u64> = HashMap::new();
    for sum in profile.time.iter().filter(|sum| sum.class.on_cpu()) {
        if !walk(profile, sum).any(|(spot, _)| spot == from) {
            continue;
        }
        if let Some(((file, _), _)) = walk(profile, sum).find(|(_, lang)| *lang == Lang::Python) {
            add(files.entry(file).or_default(), sum);
        }
    }
    largest_first(files, |file| places.of(file).package())
}

/// CPU time of samples without a Python frame by module, largest first, and their sum.
pub(super) fn outside_python(profile: &Profile, places: &Places) -> (u64, Vec<(String, u64)>) {
    let mut files: HashMap<StringId, u64> = HashMap::new();
    let mut sum_ns = 0;
    for sum in profile.time.iter().filter(|sum| sum.class.on_cpu() && sum.stack.is_some()) {
        if walk(profile, sum).any(|(_, lang)| lang == Lang::Python) {
            continue;
        }
        add(&mut sum_ns, sum);
        if let Some(((file, _), _)) = walk(profile, sum).next() {
            add(files.entry(file).or_default(), sum);
        }
    }
    let mut modules = largest_first(files, |file| places.of(file).base());
    modules.retain(|(name, _)| !name.is_empty());
    (sum_ns, modules)
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

fn walk<'a>(profile: &'a Profile, sum: &TimeSum) -> impl Iterator<Item = (Spot, Lang)> + 'a {
    let tables = &profile.tables;
    tables.walk(sum.stack).filter_map(|frame| {
        let frame = tables.frame(frame)?;
        let function = tables.function(frame.function)?;
        Some(((function.file, frame.line), function.lang))
    })
}
