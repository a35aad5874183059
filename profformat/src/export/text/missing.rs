//! What the report does not show: losses by reason, time in no sample, blind spots.

use std::io;

use super::number::{self, share, time};
use super::page::{Line, Page, Style, foreign};
use super::sentences::{Sentence, plain};
use super::view::View;
use crate::analysis::sites::places::shown;
use crate::analysis::{Books, books};
use crate::record::counter;

/// Reasons shown by name; the rest is summed.
const REASONS: usize = 4;
const NOTES: usize = 12;

fn lost(books: &Books) -> u64 {
    books.lost.values().fold(0, |sum, n| sum.saturating_add(*n))
}

/// Are more than 5 % of the ticks lost?
pub(super) fn losses_are_heavy(view: &View) -> bool {
    let books = books(view.profile);
    lost(&books).saturating_mul(20) > books.ticks
}

/// Ticks kept and lost, and what the profiler itself cost.
pub(super) fn trust(view: &View) -> Option<Sentence> {
    let books = books(view.profile);
    let mut parts = Vec::new();
    if view.measures_time() && books.ticks > 0 {
        let kept = number::count(books.samples);
        let mut text = format!("{kept} of {} kept", number::of(books.ticks, "tick"));
        if !books.lost.is_empty() {
            text += &format!(
                " (lost: {})",
                reasons(&books.lost.iter().map(|(k, v)| (k.as_str(), *v)).collect::<Vec<_>>())
            );
        }
        parts.push(text);
    }
    if let Some(&own) = view.profile.counters.get(counter::SELF_NS) {
        let cpu = view.totals.charged_ns.unwrap_or(view.totals.cpu_ns);
        parts.push(match cpu {
            0 => format!("the profiler used {} of CPU in the program", time(own)),
            _ => format!("the profiler used {} of the CPU ({})", share(own, cpu), time(own)),
        });
    }
    if parts.is_empty() {
        return None;
    }
    let heavy = losses_are_heavy(view);
    let style = if heavy { Style::Loss } else { Style::Plain };
    let most = books.lost.iter().max_by_key(|(_, n)| **n).map(|(reason, _)| reason.as_str());
    let help = match most {
        Some("ring_full") if heavy => {
            " A lower `--rate` or a larger `--memory-interval` keeps more of them."
        }
        _ => "",
    };
    Some(vec![(style, format!("Trust: {}.{help}", parts.join("; ")))])
}

/// Counts by reason, largest first, in words.
fn reasons(counts: &[(&str, u64)]) -> String {
    let mut counts = counts.to_vec();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut parts: Vec<String> = counts
        .iter()
        .take(REASONS)
        .map(|(name, n)| {
            let name = name.replace('_', " ");
            format!("{} {}", foreign(&shown(name.as_bytes())), number::count(*n))
        })
        .collect();
    if counts.len() > REASONS {
        let rest = counts[REASONS..].iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n));
        parts.push(format!("{} more {}", counts.len() - REASONS, number::count(rest)));
    }
    parts.join(", ")
}

pub(super) fn write(view: &View, page: &mut Page) -> io::Result<()> {
    let mut line = Line::new(view.look);
    line.push(Style::Strong, "NOT IN HERE");
    page.line(line)?;
    for sentence in all(view) {
        page.paragraph(2, &sentence)?;
    }
    let key = "Marks: · zero, ~ rough, < too few samples, n/a not measured. \
               Peak: held then. Kept: never freed.";
    page.paragraph(2, &[(Style::Dim, key.into())])
}

/// What is not in the report, in sentences.
pub(super) fn all(view: &View) -> Vec<Sentence> {
    let sentences = [losses(view), unattributed(view), unmeasured(view), unprofiled(view)];
    sentences.into_iter().flatten().chain(notes(view)).collect()
}

fn losses(view: &View) -> Option<Sentence> {
    let books = books(view.profile);
    let mut parts = Vec::new();
    let any = lost(&books) > 0;
    if view.measures_time() && books.ticks > 0 {
        let mut text =
            format!("{} of {}", number::count(lost(&books)), number::of(books.ticks, "tick"));
        if any {
            let counts: Vec<_> = books.lost.iter().map(|(k, v)| (k.as_str(), *v)).collect();
            text += &format!(" ({}): {}", share(lost(&books), books.ticks), reasons(&counts));
        }
        parts.push(text);
    }
    let mut more_lost = false;
    let kinds = [
        (view.measures_memory(), counter::LOST_ALLOC, "allocation samples"),
        (view.measures_copies(), counter::LOST_COPY, "copy samples"),
    ];
    for (measured, prefix, what) in kinds {
        if !measured {
            continue;
        }
        let counts: Vec<(&str, u64)> = view
            .profile
            .counters
            .iter()
            .filter_map(|(name, &n)| Some((name.strip_prefix(prefix)?, n)))
            .filter(|(_, n)| *n > 0)
            .collect();
        let sum = counts.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n));
        more_lost |= sum > 0;
        let why = if sum > 0 { format!(" ({})", reasons(&counts)) } else { String::new() };
        parts.push(format!("{} {what}{why}", number::count(sum)));
    }
    let style = if any || more_lost { Style::Loss } else { Style::Plain };
    (!parts.is_empty()).then(|| vec![(style, format!("Lost: {}.", parts.join("; ")))])
}

/// CPU time that the system charged and no sample stands for.
fn unattributed(view: &View) -> Option<Sentence> {
    let charged = view.totals.charged_ns.filter(|_| view.measures_time())?;
    let missing = charged.saturating_sub(view.totals.cpu_ns);
    (missing.saturating_mul(1_000) >= charged).then(|| {
        vec![plain(format!(
            "{} of CPU ({}) is in no sample: start-up, short threads, work after the last tick.",
            time(missing),
            share(missing, charged)
        ))]
    })
}

fn unmeasured(view: &View) -> Option<Sentence> {
    let kinds = [
        (view.measures_time(), "CPU time (`--no-cpu`)"),
        (view.measures_memory(), "memory (`--no-memory`)"),
        (view.measures_copies(), "copies (`--no-copies`)"),
    ];
    let off: Vec<&str> = kinds.iter().filter(|(on, _)| !on).map(|(_, name)| *name).collect();
    (!off.is_empty()).then(|| vec![plain(format!("Not measured: {}.", off.join(", ")))])
}

/// Processes that were only noted.
fn unprofiled(view: &View) -> Option<Sentence> {
    let mut names: Vec<String> = Vec::new();
    let mut processes = 0;
    for (process, _) in view.profile.processes.iter().filter(|(process, _)| !process.profiled) {
        processes += 1;
        let command = process.command.first().map_or(&b"?"[..], |first| super::place::base(first));
        let name = view.look.cut_end(&foreign(command), 30);
        if !names.contains(&name) && names.len() < 5 {
            names.push(name);
        }
    }
    let word = if processes == 1 { "process" } else { "processes" };
    (processes > 0).then(|| {
        vec![plain(format!("{processes} {word} seen but not profiled: {}.", names.join(", ")))]
    })
}

/// Is this the note that the trace itself is damaged? It stands at the top instead.
pub(super) fn is_damage(note: &str) -> bool {
    note.starts_with("the trace is damaged")
}

/// Is this the note that the trace is a part of another? It stands at the top, too.
pub(super) fn is_part(note: &str) -> bool {
    note.starts_with("this is a part of a trace")
}

fn notes(view: &View) -> Vec<Sentence> {
    let is_above = |note: &&String| is_damage(note) || is_part(note);
    let notes: Vec<&String> = view.profile.notes.iter().filter(|note| !is_above(note)).collect();
    let mut sentences: Vec<Sentence> = notes
        .iter()
        .take(NOTES)
        .map(|note| vec![plain(view.look.cut_end(&foreign(note.as_bytes()), 400))])
        .collect();
    if notes.len() > NOTES {
        let more = number::of((notes.len() - NOTES) as u64, "more note");
        sentences.push(vec![(Style::Dim, format!("… {more}: `prof info`"))]);
    }
    sentences
}
