//! Block `lines`: the figures of lines and of functions. Those beyond the limit are summed in a last row.

use std::collections::HashMap;

use super::block::Block;
use super::names::Names;
use crate::analysis::Profile;
use crate::analysis::sites::{Curve, FunctionSum, Site, WhyKind, curves};
use crate::export::escape::escape;
use crate::export::text::number::half_width;
use crate::export::text::{SiteKey, timeline};

/// What stands for the rows that are left out.
const OTHER: &str = "[other]";
/// Parts of a line's time that are told.
const PARTS: usize = 8;
/// Lines whose memory over time is told, and the part of the peak that they must have held.
const CURVES: usize = 500;
const LEAST_OF_A_CURVE: u64 = 100;
/// Cells of such a curve.
const CELLS: usize = 24;

/// Where the sites of a page stand in its block, by what sentences call them.
pub(super) fn rows(sites: &[Site], limit: usize) -> HashMap<SiteKey, usize> {
    sites.iter().take(limit).map(SiteKey::of).zip(0..).collect()
}

/// The block of these figures: as many lines and functions as fit, and one of each that stands for the others.
pub(super) fn block(
    profile: &Profile,
    sites: &[Site],
    functions: &[FunctionSum],
    limit: usize,
    names: &mut Names<'_>,
) -> Block {
    let mut block = Block::default();
    let curves = curves_of(profile, sites);
    let (kept, others) = sites.split_at(limit.min(sites.len()));
    block.count(kept.len() + usize::from(!others.is_empty()));
    for (at, site) in kept.iter().enumerate() {
        let place = [names.file(site.file), site.line, names.of_site(site.function)];
        let curve = curves.get(&at).map_or(&[][..], Vec::as_slice);
        push_site(&mut block, profile, names, place, site, curve);
    }
    if let Some(other) = others.iter().cloned().reduce(added) {
        let place = [0, 0, names.text(OTHER)];
        push_site(&mut block, profile, names, place, &alone(other), &[]);
    }
    let (kept, others) = functions.split_at(limit.min(functions.len()));
    block.count(kept.len() + usize::from(!others.is_empty()));
    for function in kept {
        let place =
            [names.of_site(function.function), names.file(function.file), function.first_line];
        push_function(&mut block, place, function);
    }
    if let Some(mut other) = others.iter().cloned().reduce(added_functions) {
        other.total_cpu_ns = other.self_cpu_ns();
        push_function(&mut block, [names.text(OTHER), 0, 0], &other);
    }
    block
}

fn push_site(
    block: &mut Block,
    profile: &Profile,
    names: &mut Names<'_>,
    place: [u32; 3],
    site: &Site,
    curve: &[u64],
) {
    block.numbers(place);
    block.numbers(site.self_ns);
    block.number(site.samples);
    block.number(half_width(site.self_squares).round() as u64);
    block.number(site.total_cpu_ns);
    block.number(site.total_samples);
    block.number(half_width(site.total_squares).round() as u64);
    block.count(site.why.len().min(PARTS));
    for why in site.why.iter().take(PARTS) {
        block.number(match why.what {
            WhyKind::Itself => 0_u32,
            WhyKind::Gc => 1,
            WhyKind::Native => 2,
            WhyKind::Kernel => 3,
            WhyKind::Callee => 4,
        });
        let name = escape(why.name(&profile.tables).as_bytes());
        block.number(names.text(&name));
        block.number(why.cpu_ns);
    }
    block.count(site.callers.len());
    for &(file, line, ns) in &site.callers {
        block.number(names.file(file));
        block.number(line);
        block.number(ns);
    }
    let figures = [
        site.alloc_bytes,
        site.alloc_python_bytes,
        site.alloc_count,
        site.live_at_peak_bytes,
        site.live_at_end_bytes,
        site.live_at_end_blocks,
        site.churn_bytes,
        site.leak.map_or(0, |leak| leak.bytes_per_s.saturating_add(1)),
        site.copy_bytes,
        site.copy_count,
    ];
    block.numbers(figures);
    block.count(curve.len());
    block.numbers(curve.iter().copied());
}

fn push_function(block: &mut Block, place: [u32; 3], function: &FunctionSum) {
    block.numbers(place);
    block.numbers(function.self_ns);
    block.number(function.samples);
    block.number(half_width(function.self_squares).round() as u64);
    block.number(function.total_cpu_ns);
}

/// The sum of two lines.
fn added(mut sum: Site, site: Site) -> Site {
    let own = sum.self_ns.iter_mut().zip(site.self_ns);
    own.for_each(|(into, ns)| *into = into.saturating_add(ns));
    sum.self_squares = sum.self_squares.saturating_add(site.self_squares);
    for (into, figure) in [
        (&mut sum.samples, site.samples),
        (&mut sum.alloc_bytes, site.alloc_bytes),
        (&mut sum.alloc_python_bytes, site.alloc_python_bytes),
        (&mut sum.alloc_count, site.alloc_count),
        (&mut sum.live_at_peak_bytes, site.live_at_peak_bytes),
        (&mut sum.live_at_end_bytes, site.live_at_end_bytes),
        (&mut sum.live_at_end_blocks, site.live_at_end_blocks),
        (&mut sum.churn_bytes, site.churn_bytes),
        (&mut sum.copy_bytes, site.copy_bytes),
        (&mut sum.copy_count, site.copy_count),
    ] {
        *into = into.saturating_add(figure);
    }
    sum
}

/// A sum of lines without what only a single line has. What is below several of them would count twice.
fn alone(sum: Site) -> Site {
    Site {
        total_cpu_ns: sum.self_cpu_ns(),
        total_samples: sum.samples,
        total_squares: sum.self_squares,
        why: Vec::new(),
        callers: Vec::new(),
        leak: None,
        ..sum
    }
}

/// The sum of two functions.
fn added_functions(mut sum: FunctionSum, function: FunctionSum) -> FunctionSum {
    let own = sum.self_ns.iter_mut().zip(function.self_ns);
    own.for_each(|(into, ns)| *into = into.saturating_add(ns));
    sum.samples = sum.samples.saturating_add(function.samples);
    sum.self_squares = sum.self_squares.saturating_add(function.self_squares);
    sum
}

/// What lines held over the run, by row: that of the first function of a line.
fn curves_of(profile: &Profile, sites: &[Site]) -> HashMap<usize, Vec<u64>> {
    let least = (profile.footprint.peak_bytes / LEAST_OF_A_CURVE).max(1);
    let mut curves = curves(profile, CURVES, |_| true);
    curves.retain(|curve| curve.most_bytes >= least);
    let key = |file, line, function| (file, line, (line == 0).then_some(function));
    let mut rows = HashMap::new();
    for (at, site) in sites.iter().enumerate() {
        rows.entry(key(site.file, site.line, site.function)).or_insert(at);
    }
    let row = |curve: &Curve| rows.get(&key(curve.file, curve.line, curve.function)).copied();
    let cells = |curve: &Curve| timeline::bars(&curve.points, profile.elapsed, CELLS);
    curves.iter().filter_map(|curve| Some((row(curve)?, cells(curve)))).collect()
}
