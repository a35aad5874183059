//! What changed, in words.

use super::View;
use super::scale::Scale;
use crate::analysis::diff::{Compared, Metric, RATE, Side};
use crate::export::text::number;
use crate::export::text::page::{Style, foreign};
use crate::export::text::sentences::{Sentence, plain, strong};

/// Is it the same program under the same interpreter?
pub(super) fn sameness(view: &View<'_>) -> String {
    let first = |side: &'_ Side| side.abouts().first().cloned().unwrap_or_default();
    let (before, after) = (first(view.diff.before), first(view.diff.after));
    let command = if before.command == after.command { "same command" } else { "other command" };
    match (before.pythons.join(", "), after.pythons.join(", ")) {
        (old, new) if old.is_empty() && new.is_empty() => command.into(),
        (old, new) if old == new => format!("{command}, same python"),
        (old, new) => foreign(format!("{command}, python {old} → {new}").as_bytes()),
    }
}

pub(super) fn all(view: &View<'_>) -> Vec<Sentence> {
    let mut sentences = troubles(view);
    sentences.push(totals(view));
    sentences.extend(view.diff.by(Metric::Cpu).map(lines));
    let missing: Vec<&str> = Metric::ALL
        .into_iter()
        .filter(|metric| view.diff.by(*metric).is_none())
        .map(|metric| match metric {
            Metric::Cpu => "CPU time",
            Metric::Peak => "memory at the peak",
            Metric::Alloc => "allocation",
            Metric::Copies => "copies",
        })
        .collect();
    if !missing.is_empty() {
        let what = missing.join(", ");
        sentences.push(vec![plain(format!("Not compared, for a run did not measure it: {what}."))]);
    }
    if view.diff.is_by_offset {
        sentences.push(vec![plain(
            "Functions have moved, and the source of both sides is not at hand: lines were matched by their \
             distance from the begin of their function.",
        )]);
    }
    sentences
}

/// What is wrong with the runs; stands before everything else.
fn troubles(view: &View<'_>) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for (side, which) in [(view.diff.before, "before"), (view.diff.after, "after")] {
        let broken = side.abouts().iter().filter(|about| !about.is_whole).count();
        if broken > 0 {
            let text = match (broken, side.runs()) {
                (1, 1) => format!("The run {which} is not whole"),
                (n, of) => format!("{n} of {of} runs {which} are not whole"),
            };
            let text = format!("{text}: its trace was cut off or is damaged, and time is missing.");
            sentences.push(vec![(Style::Loss, text)]);
        }
    }
    sentences
}

/// `CPU 10.1 → 9.0 s (−1.1 ±0.9 s): more than noise. Peak 141 → 97 MiB.`
fn totals(view: &View<'_>) -> Sentence {
    let mut sentence = Vec::new();
    for compared in &view.diff.compared {
        let total = &compared.total;
        let name = match compared.metric {
            Metric::Cpu => "CPU",
            Metric::Peak => "Peak",
            Metric::Alloc => "Allocated",
            Metric::Copies => "Copied",
        };
        let scale = Scale::for_largest(compared.metric, total.before.max(total.after));
        if !sentence.is_empty() {
            sentence.push(plain(" "));
        }
        sentence.push(plain(format!("{name} ")));
        sentence.push(strong(scale.both(total)));
        if total.half_width > 0.0 {
            let noise = match total.is_more_than_noise() {
                true => "more than noise",
                false => "within noise",
            };
            sentence.push(plain(format!(" ({}): {noise}.", scale.change(total))));
        } else {
            sentence.push(plain("."));
        }
    }
    sentence
}

/// `2 lines changed, together −1.06 s; 409 other lines moved, each within noise (false alarms held to 5 %).`
fn lines(cpu: &Compared) -> Sentence {
    let (sure, others): (Vec<_>, Vec<_>) = cpu.rows.iter().partition(|row| row.is_sure);
    if cpu.tested == 0 {
        return vec![plain("Too few samples to compare lines: one needs about 10.")];
    }
    let mut sentence = Vec::new();
    if sure.is_empty() {
        sentence.push(strong("No line changed"));
    } else {
        let sum = Compared::sum(sure.iter().copied());
        let scale = Scale::for_largest(cpu.metric, cpu.total.before.max(cpu.total.after));
        sentence.push(strong(format!("{} changed", number::of(sure.len() as u64, "line"))));
        sentence.push(plain(format!(", together {}", scale.change(&sum))));
    }
    let moved = others.iter().filter(|row| row.change.difference() != 0.0).count() as u64;
    let noun = if sure.is_empty() { "line" } else { "other line" };
    match moved {
        0 => sentence.push(plain(format!("; no {noun} moved"))),
        1 => sentence.push(plain(format!("; one {noun} moved within noise"))),
        n => {
            let moved = number::of(n, noun);
            sentence.push(plain(format!("; {moved} moved, each within noise")));
        }
    }
    let percent = (RATE * 100.0).round();
    sentence.push(plain(format!(" (false alarms held to {percent}\u{a0}%).")));
    sentence
}
