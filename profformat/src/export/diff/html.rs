//! A comparison as a page: sentences, and tables with two bars for each line. There is no script in it, nothing is
//! loaded, and its policy lets nothing in but its own style.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Options, graph};
use crate::analysis::diff::{Compared, Metric, Row};
use crate::export::escape::escape;
use crate::export::text::diff::{Section, View, facts, rate, sentences, title};

const STYLE: &str = include_str!("style.css");

/// Lines of a table at most; a browser gets slow with more.
const ROWS: usize = 1_000;

/// Text for markup. What could steer a terminal or hide what is written was made visible before.
pub(super) struct Text<'a>(pub(super) &'a str);

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// Writes the page.
pub(super) fn write(view: &View<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let [before, after] = options.labels.each_ref().map(|label| escape(label.as_bytes()));
    let name = format!("{before} → {after}");
    let (name, facts) = (Text(&name), facts(view).join(" · "));
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>")?;
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">"
    )?;
    writeln!(out, "<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>")?;
    writeln!(out, "<header><h1><bdi>{name}</bdi></h1>")?;
    writeln!(out, "<p class=\"facts\">{}</p></header>\n<main>", Text(&facts))?;
    for (text, is_loss) in sentences(view) {
        let class = if is_loss { " class=\"loss\"" } else { "" };
        writeln!(out, "<p{class}>{}</p>", Text(&text))?;
    }
    for compared in &view.diff.compared {
        let shown = view.section(compared);
        section(view, &shown, out)?;
        if let Some(graph) = options.graph.as_ref().filter(|_| compared.metric == Metric::Cpu) {
            graph::write(graph, view, &shown, out)?;
        }
    }
    writeln!(out, "</main>\n</body>\n</html>")
}

fn section(view: &View<'_>, section: &Section<'_>, out: &mut dyn Write) -> io::Result<()> {
    let name = match section.compared.metric {
        Metric::Cpu => title(Metric::Cpu).to_owned(),
        metric => capitalized(title(metric)),
    };
    let changed: Vec<&Row> = section.changed.iter().chain(&section.cut).copied().collect();
    let count = format!("{} of {} lines changed", changed.len(), section.count);
    writeln!(out, "<section>\n<h2>{name} <small>{count}</small></h2>")?;
    table(view, section, "Lines that changed, the largest change first", &changed, out)?;
    for (what, rows) in
        [("within noise", &section.within_noise), ("only in one", &section.only_in_one)]
    {
        if rows.is_empty() {
            continue;
        }
        let sum = section.scale.change(&Compared::sum(rows.iter().copied()));
        let lines = if rows.len() == 1 { "line" } else { "lines" };
        let summary = format!("{} {lines} {what}, together {sum}", rows.len());
        writeln!(out, "<details><summary>{}</summary>", Text(&summary))?;
        table(view, section, &capitalized(what), rows, out)?;
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</section>")
}

fn capitalized(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut letters = lower.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn table(
    view: &View<'_>,
    section: &Section<'_>,
    caption: &str,
    rows: &[&Row],
    out: &mut dyn Write,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let largest = |rows: &[&Row]| {
        let figures = rows.iter().map(|row| row.change.before.max(row.change.after));
        figures.fold(0.0, f64::max)
    };
    let (shown, rest) = rows.split_at(rows.len().min(ROWS));
    let (full, unit) = (largest(shown), section.scale.unit());
    let longest = section.scale.figure(full);
    writeln!(out, "<div class=\"wide\"><table>")?;
    writeln!(out, "<caption>{}; full bar = {longest} {unit}</caption>", Text(caption))?;
    write!(out, "<thead><tr>")?;
    for name in [format!("before {unit}"), format!("after {unit}"), "change".into(), "±".into()] {
        write!(out, "<th scope=\"col\">{name}</th>")?;
    }
    write!(out, "<th scope=\"col\" class=\"left\">before, after</th>")?;
    write!(out, "<th scope=\"col\">samples</th><th scope=\"col\">q</th>")?;
    write!(out, "<th scope=\"col\" class=\"left\">line</th>")?;
    writeln!(out, "<th scope=\"col\" class=\"left\">source</th></tr></thead>\n<tbody>")?;
    for row in shown {
        entry(view, section, row, full, out)?;
    }
    if !rest.is_empty() {
        let sum = section.scale.change(&Compared::sum(rest.iter().copied()));
        let text = format!("… {} more lines, together {sum}", rest.len());
        writeln!(out, "<tr><td class=\"left muted\" colspan=\"9\">{}</td></tr>", Text(&text))?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn entry(
    view: &View<'_>,
    section: &Section<'_>,
    row: &Row,
    full: f64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (change, scale) = (&row.change, section.scale);
    let class = match (row.is_sure, change.difference() > 0.0) {
        (false, _) => "same",
        (true, false) => "less",
        (true, true) => "more",
    };
    write!(
        out,
        "<tr><td>{}</td><td>{}</td>",
        scale.figure(change.before),
        scale.figure(change.after)
    )?;
    let difference = scale.difference(change.difference());
    let half_width = scale.half_width(change.half_width);
    write!(out, "<td class=\"{class}\">{difference}</td>")?;
    write!(out, "<td class=\"muted\">{}</td>", half_width.trim_start_matches('±'))?;
    // Shares are rounded to what a screen can show; that also keeps them numbers that SVG knows.
    let share =
        |value: f64| if full > 0.0 { (value / full * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    write!(
        out,
        "<td><svg aria-hidden=\"true\"><rect class=\"before\" width=\"{:.2}%\" height=\"6\"/>\
         <rect class=\"{class}\" y=\"8\" width=\"{:.2}%\" height=\"6\"/></svg></td>",
        share(change.before),
        share(change.after)
    )?;
    let q = rate(row.q);
    write!(out, "<td class=\"muted\">{}</td><td class=\"muted\">{}</td>", row.samples, Text(&q))?;
    let (is_source, text) = view.text(row);
    let muted = if is_source { "" } else { " muted" };
    write!(out, "<td class=\"code\"><bdi>{}</bdi></td>", Text(&view.spot(row)))?;
    writeln!(out, "<td class=\"code{muted}\"><bdi>{}</bdi></td></tr>", Text(cut(&text)))
}

/// As much of a text as a cell shows.
fn cut(text: &str) -> &str {
    text.char_indices().nth(200).map_or(text, |(at, _)| &text[..at])
}
