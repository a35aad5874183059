//! The head of the report and its sentences: what a person should know first, in words.
//!
//! Every sentence is built from a template with thresholds; sentences never advise, they say where and what.

use std::collections::HashSet;
use std::io;

use super::clauses;
use super::number::{self, share, time};
use super::page::{Line, Page, Style, foreign};
use super::select::{Metric, Row};
use super::view::View;
use super::{missing, spent};
use crate::ids::ProcessId;
use crate::record::{Outcome, counter};

/// A sentence in styled pieces.
pub(in crate::export) type Sentence = Vec<(Style, String)>;

pub(super) fn plain(text: impl Into<String>) -> (Style, String) {
    (Style::Plain, text.into())
}

pub(super) fn strong(text: impl Into<String>) -> (Style, String) {
    (Style::Strong, text.into())
}

fn loss(text: impl Into<String>) -> Sentence {
    vec![(Style::Loss, text.into())]
}

/// The command, escaped.
pub(super) fn command(view: &View) -> String {
    let command = view.profile.header.command.join(&b' ');
    if command.is_empty() { "(no command)".into() } else { foreign(&command) }
}

/// Facts of the run in one line.
pub(super) fn facts(view: &View) -> String {
    let profile = view.profile;
    let mut facts = Vec::new();
    let mut pythons: Vec<&str> = profile
        .processes
        .iter()
        .filter(|(process, _)| process.profiled && !process.python.is_empty())
        .map(|(process, _)| process.python.as_str())
        .collect();
    pythons.sort_unstable();
    pythons.dedup();
    if !pythons.is_empty() {
        facts.push(format!("python {}", foreign(pythons.join(", ").as_bytes())));
    }
    let profiled = profile.processes.iter().filter(|(process, _)| process.profiled);
    let processes: HashSet<ProcessId> = profiled.map(|(process, _)| process.id).collect();
    let in_them = |process| processes.contains(&process);
    let threads = profile.threads.iter().filter(|(thread, _)| in_them(thread.process)).count();
    let word = if processes.len() == 1 { "process" } else { "processes" };
    facts.push(format!("{} {word}", number::count(processes.len() as u64)));
    facts.push(number::of(threads as u64, "thread"));
    facts.push(time(profile.elapsed.as_nanos()));
    if profile.header.start_unix_ns > 0 {
        facts.push(number::date(profile.header.start_unix_ns));
    }
    facts.join(" · ")
}

/// The program, and facts of the run at the right.
pub(super) fn head(view: &View, page: &mut Page) -> io::Result<()> {
    let (command, mut facts) = (command(view), facts(view));
    let mut line = Line::new(view.look);
    let room = view.look.width.saturating_sub(facts.chars().count() + 3);
    if room < 16 {
        line.push(Style::Strong, &view.look.cut_middle(&command, view.look.width));
        page.line(line)?;
        line = Line::new(view.look);
        facts = view.look.cut_end(&facts, view.look.width);
        line.push(Style::Dim, &facts);
    } else {
        line.push(Style::Strong, &view.look.cut_middle(&command, room));
        line.at_edge(Style::Dim, &facts);
    }
    page.line(line)
}

pub(super) fn write(view: &View, page: &mut Page) -> io::Result<()> {
    for sentence in all(view) {
        page.paragraph(2, &sentence)?;
    }
    Ok(())
}

/// As many are read; what a long list would push out is in the tables.
const MOST: usize = 7;

/// Every sentence, in the order of the report.
pub(super) fn all(view: &View) -> Vec<Sentence> {
    let mut sentences = troubles(view);
    let trust = missing::trust(view);
    let heavy = missing::losses_are_heavy(view);
    let mut last = memory(view);
    last.extend(copies_and_kept(view));
    match (heavy, trust) {
        (true, Some(trust)) => sentences.push(trust),
        (false, Some(trust)) => last.push(trust),
        (_, None) => {}
    }
    // The first on time is how it divides; those behind it matter less and less.
    let room = MOST.saturating_sub(sentences.len() + last.len()).max(1);
    sentences.extend(spent::all(view).into_iter().take(room));
    sentences.extend(last);
    sentences
}

/// What is wrong with the run or the file; stands before everything else.
pub(super) fn troubles(view: &View) -> Vec<Sentence> {
    let profile = view.profile;
    let elapsed = time(profile.elapsed.as_nanos());
    let mut sentences: Vec<Sentence> =
        view.options.warnings.iter().map(|warning| loss(foreign(warning.as_bytes()))).collect();
    for damage in profile.notes.iter().filter(|note| missing::is_damage(note)) {
        sentences.push(loss(format!("Careful: {}.", foreign(damage.as_bytes()))));
    }
    match (crate::analysis::outcome(profile), profile.complete) {
        (Some(Outcome::Killed(signal)), true) => sentences.push(loss(format!(
            "The program was killed ({}) after {elapsed}; everything up to then is here.",
            signal_name(signal)
        ))),
        (Some(Outcome::Killed(signal)), false) => sentences.push(loss(format!(
            "The program was killed ({}) and the trace has no end; everything up to {elapsed} is here.",
            signal_name(signal)
        ))),
        (_, false) => sentences.push(loss(format!(
            "The trace has no end: the profiler was stopped or the file was cut. Everything up to {elapsed} is here."
        ))),
        (_, true) => {}
    }
    if let Some(part) = profile.notes.iter().find(|note| missing::is_part(note)) {
        let part = part.replacen("this is", "This is", 1);
        let text =
            format!("{}; memory of lines is what was allocated in it.", foreign(part.as_bytes()));
        sentences.push(vec![plain(text)]);
    }
    sentences
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        _ => return format!("signal {signal}"),
    };
    name.into()
}

/// How the run went and how its time divides: what a summary begins with.
pub(super) fn of_run(view: &View) -> Vec<Sentence> {
    let mut sentences = troubles(view);
    sentences.extend(spent::all(view).into_iter().take(1));
    sentences
}

/// The peak and who held it.
pub(super) fn memory(view: &View) -> Vec<Sentence> {
    if !view.measures_memory() {
        return vec![vec![plain("Memory was not recorded (`--no-memory`).")]];
    }
    let curve = &view.profile.footprint;
    let mut sentence = Vec::new();
    if curve.peak_bytes > 0 || curve.is_asked {
        let moment = time(curve.peak_time.as_nanos());
        let (before, after) = match curve.is_asked {
            true => (format!("At {moment} "), " were held"),
            false => ("Memory peaked at ".into(), ""),
        };
        sentence.push(plain(before));
        sentence.push(strong(number::bytes(curve.peak_bytes)));
        sentence.push(plain(after));
        if !curve.is_asked {
            sentence.push(plain(format!(" after {moment}")));
        }
        if let Some(row) = view.leader(Metric::Peak) {
            // Scaled up from samples, one line can come out a little above the exact total.
            let held = row.value(Metric::Peak).min(curve.peak_bytes);
            sentence.push(plain("; "));
            sentence.push(view.named(row));
            sentence.push(plain(format!(" held {} of it", number::bytes(held))));
        }
        sentence.extend(clauses::grows_to_the_end(view).map(plain));
        sentence.push(plain(". "));
    }
    sentence.push(plain(format!("{} allocated.", number::bytes(view.totals.alloc))));
    let resident = view.profile.counters.get(counter::RESIDENT_PEAK_BYTES);
    let profiled = view.profile.processes.iter().filter(|(process, _)| process.profiled);
    if profiled.count() == 1 {
        if let Some(&bytes) = resident {
            sentence.push(plain(format!(" At most {} were resident.", number::bytes(bytes))));
        }
        if let Some(&bytes) = view.profile.counters.get(counter::MAPPED_PEAK_BYTES) {
            let bytes = number::bytes(bytes);
            sentence.push(plain(format!(" At most {bytes} were mapped by the program itself.")));
        }
    }
    vec![sentence]
}

/// Copies, and what was never freed.
pub(super) fn copies_and_kept(view: &View) -> Vec<Sentence> {
    let mut sentence = Vec::new();
    if view.measures_copies() {
        sentence.push(strong(number::bytes(view.totals.copied)));
        sentence.push(plain(" copied"));
        if let Some(row) = view.leader(Metric::Copied) {
            let bytes = row.value(Metric::Copied).min(view.totals.copied);
            sentence.push(plain(format!(", {} of it by ", number::bytes(bytes))));
            sentence.push(view.named(row));
            let mean = number::bytes(row.mean_copy() as u64);
            sentence.push(plain(format!(", about {mean} at a time")));
        }
        sentence.push(plain(". "));
    } else {
        sentence.push(plain("Copies were not recorded (`--no-copies`). "));
    }
    if view.measures_memory() {
        let suspects: Vec<&Row> = view.rows.iter().filter(|row| row.site.leak.is_some()).collect();
        let growth = |row: &Row| row.site.leak.as_ref().map(|leak| leak.bytes_per_s);
        match suspects.iter().max_by_key(|row| growth(row)) {
            Some(row) => {
                let (kept, all) = (row.value(Metric::Kept), row.value(Metric::Alloc));
                sentence.push(plain("Possible leak: "));
                sentence.push(view.named(row));
                sentence.push(plain(format!(
                    " grows by {} a second; kept {} to the end, {} of what it allocated",
                    number::bytes(growth(row).unwrap_or(0)),
                    number::bytes(kept),
                    share(kept.min(all), all)
                )));
                if suspects.len() > 1 {
                    let more = suspects.len() as u64 - 1;
                    sentence.push(plain(format!(" ({} like it)", number::of(more, "more line"))));
                }
            }
            None => {
                sentence.push(plain("No leak seen"));
                if let Some(row) = view.leader(Metric::Kept).filter(|_| view.totals.kept > 1 << 20)
                {
                    let kept = number::bytes(row.value(Metric::Kept));
                    sentence.push(plain(format!("; {kept} kept by ")));
                    sentence.push(view.named(row));
                    sentence.push(plain(" to the end"));
                }
            }
        }
        sentence.push(plain("."));
    }
    vec![sentence]
}
