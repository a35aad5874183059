//! The text report: its tables in full. Figures are rounded for people, so runs that are compared have round ones.

use std::collections::BTreeMap;

use profformat::analysis::Profile;
use profformat::export::Metric;
use profformat::export::text::{NoSource, Options, Sort, write};

use super::{Function, Line, Told};

pub(super) fn read(profile: &Profile, metric: Metric) -> Told {
    let (sort, column) = match metric {
        Metric::Cpu => (Sort::Cpu, "self"),
        // Waits are told in sentences, and by class.
        Metric::Wall => return Told::default(),
        Metric::Alloc => (Sort::Memory, "alloc"),
        Metric::Live => (Sort::Leaks, "kept"),
        Metric::Peak => (Sort::Memory, "peak"),
        Metric::Copies => (Sort::Copies, "copy"),
    };
    let name = if metric == Metric::Cpu { "HOT LINES" } else { "ALL LINES" };
    let wide = report(profile, sort, 140);
    let lines = lines(&wide, name, column);
    if metric != Metric::Cpu {
        return Told { lines: Some(lines), ..Told::default() };
    }
    let narrow = report(profile, sort, 90);
    let functions =
        rows(&narrow, "FUNCTIONS").map(|words| (function(&words), weight(words[0], "s")));
    let threads = rows(&narrow, "THREADS").map(|words| (thread(&words), weight(words[0], "s")));
    Told {
        total: None,
        stacks: None,
        line_totals: Some(self::lines(&wide, name, "total")),
        lines: Some(lines),
        functions: Some(functions.collect()),
        threads: Some(threads.collect()),
    }
}

fn report(profile: &Profile, sort: Sort, width: usize) -> String {
    let top = Some(1_000);
    let options =
        Options { width, sort, top, threads: true, functions: true, ..Options::default() };
    let mut out = Vec::new();
    write(profile, &options, &NoSource, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The lines of a section, its head left out.
fn section<'t>(report: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    let at = report.find(&format!("\n{name}")).unwrap_or_else(|| panic!("no {name} in {report}"));
    report[at + 1..].lines().skip(1).take_while(|line| !line.is_empty())
}

/// The words of a line but bars and sparklines.
fn words(line: &str) -> Vec<&str> {
    let drawn = |c: char| ('\u{2580}'..='\u{259f}').contains(&c);
    line.split_whitespace().filter(|word| !word.chars().all(drawn)).collect()
}

/// The rows of a table that has no heads between them.
fn rows<'t>(report: &'t str, name: &str) -> impl Iterator<Item = Vec<&'t str>> {
    section(report, name).skip(1).map(words).filter(|words| words[0] != "…")
}

/// A column of the table of lines by file and line; without zeros.
fn lines(report: &str, name: &str, column: &str) -> BTreeMap<Line, u64> {
    let mut table = section(report, name);
    let heading = words(table.next().unwrap());
    const COLUMNS: [&str; 6] = ["self", "total", "alloc", "peak", "kept", "copy"];
    let present: Vec<&str> =
        heading.iter().copied().filter(|word| COLUMNS.contains(word)).collect();
    let at = present.iter().position(|word| *word == column).unwrap();
    let unit = heading[heading.iter().position(|word| *word == column).unwrap() + 1];
    let (mut lines, mut file) = (BTreeMap::new(), String::new());
    for line in table {
        let words = words(line);
        if !line.starts_with(' ') {
            file = if words[0] == "(no" { String::new() } else { words[0].to_owned() };
        } else if !["why:", "called", "by:", "copying", "…"].contains(&words[0]) {
            let line = words[present.len()].parse().unwrap_or(0);
            *lines.entry((file.clone(), line)).or_insert(0) += weight(words[at], unit);
        }
    }
    lines.retain(|_, weight| *weight > 0);
    lines
}

/// A figure with its mark, in nanoseconds or bytes.
fn weight(figure: &str, unit: &str) -> u64 {
    if figure == "·" {
        return 0;
    }
    let figure = figure.trim_start_matches('~');
    let value: f64 = figure.parse().unwrap_or_else(|_| panic!("{figure:?} is no figure"));
    let one = match unit {
        "s" => 1e9,
        "ms" => 1e6,
        "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        unit => panic!("a unit that these runs do not have: {unit:?}"),
    };
    (value * one).round() as u64
}

/// Name and file behind the figures of a row: `name  file:line`, or a name in brackets of no file.
fn function(words: &[&str]) -> Function {
    match &words[3..] {
        [name, place] if !name.starts_with('[') => {
            let file = place.split(':').next().unwrap_or_default();
            (file.to_owned(), (*name).to_owned())
        }
        name => (String::new(), name.join(" ")),
    }
}

/// The thread's number in `name number in pid program`.
fn thread(words: &[&str]) -> u64 {
    let at = words.iter().rposition(|word| *word == "in").unwrap_or(words.len());
    words[at - 1].parse().unwrap_or_else(|_| panic!("no thread in {words:?}"))
}
