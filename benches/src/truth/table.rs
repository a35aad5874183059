//! Rows as text, or as a Markdown table with a column for each interpreter or tool.

use std::fmt::Write as _;

use super::memory;
use super::row::{CLOCK, Kind, MEDIAN, Row, WORST};
use super::rows::errors;
use super::suite::Suite;

/// What stands above rows that are printed as they come.
pub fn heading(suite: Suite) -> String {
    let unit = if suite == Suite::Memory { "MiB" } else { "%" };
    let (truth, told) = (format!("truth {unit}"), format!("told {unit}"));
    format!(
        "{:<20} {:<14} {:<9} {:<26} {truth:>10} {told:>10} {:>7} {:>6}",
        "program", "with", "threads", "figure", "error", "noise"
    )
}

/// A figure in the unit of its row.
fn shown(row: &Row, value: f64) -> String {
    const MIB: f64 = 1_048_576.0;
    match row.kind {
        Kind::Clock => format!("{value:.2} s"),
        Kind::Leak => format!("{:.2}/s", value / MIB),
        _ if row.is_memory() => format!("{:.2}", value / MIB),
        _ => format!("{value:.2}"),
    }
}

/// The unit of an error that is not in points.
fn unit(row: &Row) -> &'static str {
    if row.kind == Kind::Clock || row.is_memory() { "%" } else { "" }
}

/// A row as a line of text.
pub fn line(row: &Row, with: &str) -> String {
    let told = row.told.map_or("-".to_owned(), |told| shown(row, told));
    let noise = row.noise.map_or("-".to_owned(), |noise| format!("{noise:.2}"));
    let (truth, unit) = (shown(row, row.truth), unit(row));
    let error = row.error().map_or("-".to_owned(), |error| format!("{error:+.2}{unit}"));
    format!(
        "{:<20} {:<14} {:<9} {:<26} {:>10} {:>10} {:>7} {:>6}{}",
        row.program,
        with,
        row.threads,
        row.words(),
        truth,
        told,
        error,
        noise,
        marks(row)
    )
}

fn marks(row: &Row) -> &'static str {
    match (row.is_off(), row.is_noisy()) {
        (true, true) => " ! ~",
        (true, false) => " !",
        (false, true) => " ~",
        (false, false) => "",
    }
}

/// A column of a Markdown table: what it is called, and its rows.
pub type Column = (String, Vec<Row>);

/// Errors of all columns side by side, a line for each figure. Figures are in the order in which they come first.
pub fn markdown(columns: &[Column]) -> String {
    let key = |row: &Row| (row.program, row.threads.clone(), row.kind, row.what.clone());
    let mut keys = Vec::new();
    for row in columns.iter().flat_map(|(_, rows)| rows) {
        if !keys.contains(&key(row)) {
            keys.push(key(row));
        }
    }
    // A program that one column lacks stands where the others have it.
    let place = |key: &(&str, String, Kind, String)| {
        let programs = super::programs::PROGRAMS.iter().chain(&memory::programs::PROGRAMS);
        programs.map(|program| program.name).position(|name| name == key.0)
    };
    keys.sort_by(|a, b| (place(a), &a.1, a.2).cmp(&(place(b), &b.1, b.2)));
    let unit =
        if columns.iter().any(|(_, rows)| rows.iter().any(Row::is_memory)) { "MiB" } else { "%" };
    let mut text = format!("| program | figure | truth {unit} | noise |");
    columns.iter().for_each(|(name, _)| write!(text, " {name} |").expect("a string"));
    text.push_str("\n|---|---|--:|--:|");
    columns.iter().for_each(|_| text.push_str("--:|"));
    text.push('\n');
    for wanted in keys {
        let rows: Vec<Option<&Row>> =
            columns.iter().map(|(_, rows)| rows.iter().find(|row| key(row) == wanted)).collect();
        text.push_str(&markdown_line(&rows));
    }
    text
}

fn markdown_line(rows: &[Option<&Row>]) -> String {
    let known: Vec<&Row> = rows.iter().flatten().copied().collect();
    let first = known[0];
    let figure = match first.threads.as_str() {
        "" => first.words(),
        threads => format!("{threads}: {}", first.words()),
    };
    let least = known.iter().map(|row| row.truth).fold(f64::INFINITY, f64::min);
    let most = known.iter().map(|row| row.truth).fold(0.0, f64::max);
    let truth = match first.kind {
        Kind::Clock => "seconds".to_owned(),
        _ if first.is_memory() => shown(first, f64::midpoint(least, most)),
        _ if most - least < 1.0 => format!("{:.0}", f64::midpoint(least, most)),
        _ => format!("{least:.0}…{most:.0}"),
    };
    let noise = known.iter().filter_map(|row| row.noise).reduce(f64::max);
    let noise = noise.map_or(String::new(), |noise| format!("{noise:.1}"));
    let mut text = format!("| {} | {figure} | {truth} | {noise} |", first.program);
    for row in rows {
        let error = row.and_then(Row::error);
        let unit = if unit(first) == "%" { " %" } else { "" };
        let cell = match (row, error) {
            (None, _) => String::new(),
            (Some(_), None) => "-".to_owned(),
            (Some(row), Some(error)) if row.is_off() => format!("**{error:+.1}{unit}**"),
            (Some(_), Some(error)) => format!("{error:+.1}{unit}"),
        };
        write!(text, " {cell} |").expect("a string");
    }
    text.push('\n');
    text
}

/// What a column's errors come to, and whether that is within the promise.
pub fn verdict((name, rows): &Column) -> (String, bool) {
    let clocks = rows.iter().filter(|row| row.kind == Kind::Clock);
    let clock = clocks.filter_map(Row::error).map(f64::abs).reduce(f64::max);
    let noisy = rows.iter().filter(|row| row.is_noisy()).count();
    let (median, worst) = errors(rows).unwrap_or_default();
    let kept = median <= MEDIAN && worst <= WORST && clock.is_none_or(|clock| clock <= CLOCK);
    let clock = clock.map_or(String::new(), |clock| format!("; clocks within {clock:.2} %"));
    let noisy = if noisy > 0 { format!("; {noisy} figures are too noisy") } else { String::new() };
    let text = format!(
        "{name:<10} classes: median error {median:.2}, worst {worst:.2} points{clock}{noisy}{}",
        if kept { "" } else { "  BROKEN" }
    );
    (text, kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: Kind, told: Option<f64>) -> Row {
        Row {
            program: "sha256",
            threads: "main".into(),
            kind,
            what: "python".into(),
            truth: 40.0,
            told,
            noise: Some(0.4),
            of: if kind == Kind::Clock { 40.0 } else { 100.0 },
        }
    }

    #[test]
    fn columns_stand_side_by_side() {
        let columns = [
            ("3.9".to_owned(), vec![row(Kind::Class, Some(41.0))]),
            ("3.15".to_owned(), vec![row(Kind::Class, None), row(Kind::Line, Some(30.0))]),
        ];
        let expected = "| program | figure | truth % | noise | 3.9 | 3.15 |\n|---|---|--:|--:|--:|--:|\n\
                        | sha256 | main: python | 40 | 0.4 | +1.0 | - |\n\
                        | sha256 | main: line python | 40 | 0.4 |  | **-10.0** |\n";
        assert_eq!(markdown(&columns), expected);
    }

    #[test]
    fn a_promise_is_broken_by_one_figure() {
        let column = |rows| ("3.9".to_owned(), rows);
        assert!(
            verdict(&column(vec![row(Kind::Class, Some(40.9)), row(Kind::Line, Some(90.0))])).1
        );
        assert!(!verdict(&column(vec![row(Kind::Class, Some(43.1))])).1);
        assert!(!verdict(&column(vec![row(Kind::Clock, Some(40.5))])).1);
    }
}
