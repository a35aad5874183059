//! What lies below a line: walks over the stacks for figures that sums by site do not have.

use std::collections::{HashMap, HashSet};

use super::place::Places;
use crate::analysis::{Profile, TimeSum};
use crate::ids::StringId;
use crate::record::{Class, Lang};

/// Time by [`Class::code`].
pub(super) type ByClass = [u64; Class::ALL.len()];

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
pub(super) fn packages_below(profile: &Profile, places: &Places, from: Spot) -> Vec<(String, u64)> {
    let mut packages: HashMap<&str, u64> = HashMap::new();
    for sum in profile.time.iter().filter(|sum| sum.class.on_cpu()) {
        if !walk(profile, sum).any(|(spot, _)| spot == from) {
            continue;
        }
        if let Some(((file, _), _)) = walk(profile, sum).find(|(_, lang)| *lang == Lang::Python) {
            add(packages.entry(&places.of(file).package).or_default(), sum);
        }
    }
    largest_first(packages)
}

/// CPU time of samples without a Python frame by module, largest first, and their sum.
pub(super) fn outside_python(profile: &Profile, places: &Places) -> (u64, Vec<(String, u64)>) {
    let mut modules: HashMap<&str, u64> = HashMap::new();
    let mut sum_ns = 0;
    for sum in profile.time.iter().filter(|sum| sum.class.on_cpu() && sum.stack.is_some()) {
        if walk(profile, sum).any(|(_, lang)| lang == Lang::Python) {
            continue;
        }
        add(&mut sum_ns, sum);
        if let Some(((file, _), _)) = walk(profile, sum).next() {
            add(modules.entry(&places.of(file).base).or_default(), sum);
        }
    }
    modules.remove("");
    (sum_ns, largest_first(modules))
}

fn add(into: &mut u64, sum: &TimeSum) {
    *into = into.saturating_add(sum.weight_ns);
}

fn largest_first(sums: HashMap<&str, u64>) -> Vec<(String, u64)> {
    let mut sums: Vec<(String, u64)> =
        sums.into_iter().map(|(name, ns)| (name.into(), ns)).collect();
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
