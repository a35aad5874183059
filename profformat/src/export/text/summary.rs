//! The short summary that `prof run` prints when the program has ended.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::page::{Line, Page, Style, foreign};
use super::select::{Metric, Row};
use super::view::View;
use super::{Figures, Options, Source, missing, number, sentences, spent};
use crate::analysis::Profile;

/// Hottest lines in the summary.
const LINES: usize = 3;

/// Writes totals, the hottest lines, the peak, copies, what was kept and what was lost, and where the trace
/// is: 12 lines at most on a page of 80 cells or more, no blank line. `trace` is the path as the user can
/// type it.
///
/// # Errors
/// Those of `out`.
pub(super) fn summary_figures(
    profile: &Profile,
    figures: Figures,
    options: &Options,
    source: &dyn Source,
    trace: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let view = View::new(profile, figures, options, source);
    let mut page = Page::new(out, view.look);
    let mut first = sentences::of_run(&view);
    if let Some((_, text)) = first.first_mut().and_then(|sentence| sentence.first_mut()) {
        text.insert_str(0, "prof: ");
    }
    for sentence in &first {
        page.paragraph(0, sentence)?;
    }
    let mut rows: Vec<&Row> = view.rows.iter().filter(|row| row.value(Metric::Own) > 0).collect();
    rows.sort_by_key(|row| Reverse(row.value(Metric::Own)));
    for row in rows.iter().take(if spent::is_enough(&view) { LINES } else { 0 }) {
        page.line(line(&view, row))?;
    }
    for sentence in sentences::memory(&view).iter().chain(&sentences::copies_and_kept(&view)) {
        page.paragraph(2, sentence)?;
    }
    if let Some(trust) = missing::trust(&view) {
        page.paragraph(2, &trust)?;
    }
    let trace = foreign(trace.as_bytes());
    let quoted = match trace.contains([' ', '\'', '"', '$', '&', ';', '(', ')', '*', '?', '\\']) {
        true => format!("'{}'", trace.replace('\'', "'\\''")),
        false => trace,
    };
    page.paragraph(
        2,
        &[(Style::Plain, "More:".into()), (Style::Strong, format!(" prof report {quoted}"))],
    )
}

fn line(view: &View, row: &Row) -> Line {
    let mut line = Line::new(view.look);
    let cell = view.time.cell(row.value(Metric::Own), row.site.samples, row.site.self_squares);
    line.right_in(Style::Strong, &format!("{} {}", cell.trim_end(), view.time.unit), 10);
    line.gap(2);
    let spot = view.look.cut_start(&view.spot(row), line.left());
    line.left_in(Style::Plain, &spot, 24);
    let share = number::share(row.value(Metric::Own), view.totals.cpu_ns);
    line.right_in(Style::Plain, &share, 6);
    if row.site.line > 0 && line.left() > 10 {
        line.gap(2);
        let file = view.profile.tables.string(row.site.file);
        if let Some(text) = view.source.line(file, row.site.line) {
            let text = foreign(text.trim().replace('\t', "    ").as_bytes());
            let text = view.look.cut_end(&text, line.left());
            line.push(Style::Dim, &text);
        }
    }
    line
}
