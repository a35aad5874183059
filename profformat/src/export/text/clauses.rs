//! Clauses that a class of time, the start-up or a thread earns by being large.

use super::number::{share, time};
use super::select::Row;
use super::sentences::{Sentence, plain, strong};
use super::view::View;
use crate::analysis::family;
use crate::record::Class;

/// From these per cents on a class of time is told by its line: of CPU, the GIL's of the run.
const TOLD: [(Class, u64, &str); 3] = [
    (Class::Gc, 10, "most of the garbage collection set off by"),
    (Class::Kernel, 15, "most of the system's at"),
    (Class::Gil, 10, "for the GIL most at"),
];
/// From this per cent of CPU on imports are told.
const IMPORTS: u64 = 20;
/// From this per cent of CPU on one thread of several is told.
const ONE_THREAD: u64 = 90;

/// What is said behind the classes of time. `told` is a line whose classes another sentence tells.
pub(super) fn large_parts(view: &View, told: Option<&Row>) -> Sentence {
    let cpu = view.totals.cpu_ns;
    let is_large = |ns: u64, per_cent: u64, whole: u64| {
        ns > 0 && ns.saturating_mul(100) >= whole.saturating_mul(per_cent)
    };
    let mut sentence = Vec::new();
    for (class, per_cent, words) in TOLD {
        let whole = if class.on_cpu() { cpu } else { view.profile.elapsed.as_nanos() };
        if !is_large(view.totals.class(class), per_cent, whole) {
            continue;
        }
        let of = |row: &Row| row.site.self_ns[class.code() as usize];
        let lines = view.rows.iter().filter(|row| row.site.line > 0);
        let Some(row) = lines.max_by_key(|row| of(row)) else { continue };
        let is_told = class.on_cpu() && told.is_some_and(|told| std::ptr::eq(told, row));
        // Most of it, or it is no answer to where.
        if !is_told && of(row).saturating_mul(2) >= view.totals.class(class) {
            sentence.push(plain(format!("; {words} ")));
            sentence.push(strong(view.spot(row)));
            sentence.push(plain(format!(" ({})", time(of(row)))));
        }
    }
    let imports = view.imports.cpu_ns;
    if is_large(imports, IMPORTS, cpu) {
        sentence.push(plain(format!("; {} ({}) in imports", time(imports), share(imports, cpu))));
    }
    let threads: Vec<u64> = family::threads(view.profile).iter().map(|one| one.cpu_ns()).collect();
    let busiest = threads.iter().copied().max().unwrap_or(0);
    if threads.len() > 1 && is_large(busiest, ONE_THREAD, cpu) {
        let share = share(busiest, cpu);
        let threads = threads.len();
        sentence.push(plain(format!("; one of {threads} threads used {share} of the CPU time")));
    }
    sentence
}

/// Said of a footprint that still grew when the run ended.
pub(super) fn grows_to_the_end(view: &View) -> Option<&'static str> {
    let curve = &view.profile.footprint;
    let third = view.profile.elapsed.as_nanos() / 3 * 2;
    let behind = curve.timeline.partition_point(|point| point.time.as_nanos() <= third);
    let before = curve.timeline.get(behind.checked_sub(1)?)?.bytes;
    let grown = curve.end_bytes.saturating_sub(before);
    let is_highest = curve.end_bytes.saturating_mul(20) >= curve.peak_bytes.saturating_mul(19);
    let is_much = grown >= 1 << 20 && grown.saturating_mul(10) >= curve.peak_bytes;
    (is_highest && is_much && !curve.is_asked).then_some("; it still grew at the end")
}
