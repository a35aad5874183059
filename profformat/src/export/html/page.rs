//! What of the page can be read without scripts: sentences, totals, the hottest lines, what is missing.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::export::text::{HotLine, Sentence, SiteKey, Style, Words};

/// Names of the columns of figures, in words.
const TITLES: [&str; 6] = [
    "time of samples whose innermost Python line it is",
    "time of samples that have the line on their stack, each once",
    "self time as a share of all CPU time",
    "bytes from here that were held when the footprint was highest, or at the moment asked for",
    "bytes from here that were never freed",
    "bytes copied here",
];

/// Markup that is being written. Text goes in by [`text`](Self::text) only.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn into_string(self) -> String {
        self.0
    }

    /// Markup of our own.
    fn tag(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Text that may be foreign; what steers a terminal was made visible before.
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ => self.0.push(c),
            }
        }
    }

    /// An element with a text in it.
    fn element(&mut self, open: &str, text: &str, close: &str) {
        self.tag(open);
        self.text(text);
        self.tag(close);
    }

    /// A sentence as a paragraph; `rows` are those that sites are linked to.
    fn sentence(&mut self, sentence: &Sentence, rows: &HashMap<SiteKey, usize>) {
        self.tag("<p>");
        for (style, text) in sentence {
            match style {
                Style::Plain => self.text(text),
                Style::Dim => self.element("<span class=\"dim\">", text, "</span>"),
                Style::Loss => self.element("<span class=\"loss\">", text, "</span>"),
                Style::Site(site) => self.site(site, text, rows),
                _ => self.element("<strong>", text, "</strong>"),
            }
        }
        self.tag("</p>\n");
    }

    /// The name of a line, linked to its row if it has one.
    fn site(&mut self, site: &SiteKey, text: &str, rows: &HashMap<SiteKey, usize>) {
        match rows.get(site) {
            Some(row) => {
                // Numbers only: nothing foreign is in an attribute.
                let _ = write!(self.0, "<a href=\"#site={row}\" data-site=\"{row}\">");
                self.element("<bdi>", text, "</bdi></a>");
            }
            None => self.element("<strong><bdi>", text, "</bdi></strong>"),
        }
    }
}

/// A text as markup.
pub(super) fn text(text: &str) -> String {
    let mut html = Html::default();
    html.text(text);
    html.into_string()
}

/// The command and the facts of the run.
pub(super) fn bar(words: &Words) -> String {
    let mut html = Html::default();
    html.element("<h1><bdi>", &words.command, "</bdi></h1>");
    html.element("<p class=\"facts\">", &words.facts, "</p>");
    html.into_string()
}

pub(super) fn sentences(words: &Words, rows: &HashMap<SiteKey, usize>) -> String {
    let mut html = Html::default();
    words.sentences.iter().for_each(|sentence| html.sentence(sentence, rows));
    html.into_string()
}

pub(super) fn totals(words: &Words) -> String {
    let mut html = Html::default();
    html.tag("<ul>");
    for fact in &words.totals {
        html.tag("<li class=\"");
        html.tag(fact.of);
        html.element("\"><b>", &fact.figure, "</b> ");
        html.element("", &fact.words, "</li>");
    }
    html.tag("</ul>");
    html.into_string()
}

/// The hottest lines as a table.
pub(super) fn lines(words: &Words, rows: &HashMap<SiteKey, usize>) -> String {
    let mut html = Html::default();
    html.tag("<table id=\"static-lines\"><caption>Hot lines, ");
    html.element("", words.sorted_by, " · your code and libraries</caption>\n<thead><tr>");
    for (at, (head, title)) in words.heads.iter().zip(TITLES).enumerate() {
        // The bar stands behind the share of self time.
        if at == 3 {
            html.tag("<th scope=\"col\">split</th>");
        }
        html.element("<th scope=\"col\" title=\"", title, "\">");
        html.element("", head, "</th>");
    }
    html.tag("<th scope=\"col\">line</th><th scope=\"col\">source</th></tr></thead>\n<tbody>\n");
    words.lines.iter().for_each(|line| self::line(&mut html, line, rows));
    html.tag("</tbody>\n");
    let cut = match (&words.cut, words.lines.is_empty()) {
        (Some(cut), _) => Some(format!("… {cut}")),
        (None, true) => Some("none with a figure to sort by".into()),
        (None, false) => None,
    };
    if let Some(cut) = cut {
        html.element("<tfoot><tr><td colspan=\"9\">", &cut, "</td></tr></tfoot>\n");
    }
    html.tag("</table>");
    html.into_string()
}

fn line(html: &mut Html, line: &HotLine, rows: &HashMap<SiteKey, usize>) {
    html.tag("<tr>");
    for (at, cell) in line.cells.iter().enumerate() {
        if at == 3 {
            html.tag("<td class=\"split\" aria-hidden=\"true\">");
            for (text, style) in &line.bar {
                let class = match style {
                    Style::Python => "<span class=\"python\">",
                    Style::Native => "<span class=\"native\">",
                    Style::Gc => "<span class=\"gc\">",
                    _ => "<span class=\"kernel\">",
                };
                html.element(class, text, "</span>");
            }
            html.tag("</td>");
        }
        html.element("<td class=\"figure\">", cell, "</td>");
    }
    html.tag("<td>");
    html.site(&line.site, &line.spot, rows);
    if !line.function.is_empty() {
        html.element(" <span class=\"dim\"><bdi>", &line.function, "</bdi></span>");
    }
    html.element("</td><td><code>", &line.source, "</code></td></tr>\n");
}

/// What is not in the page. `pruned` nodes of the graph stand for others.
pub(super) fn missing(words: &Words, pruned: usize) -> String {
    let mut html = Html::default();
    html.tag("<h2>Not in here</h2>\n");
    let none = HashMap::new();
    words.missing.iter().for_each(|sentence| html.sentence(sentence, &none));
    if pruned > 0 {
        let text = format!(
            "{pruned} nodes of the graph are too many for a page: what they had is in nodes called [other]."
        );
        html.element("<p>", &text, "</p>\n");
    }
    html.tag(
        "<p class=\"dim\">Marks: · zero, ~ rough, &lt; too few samples, n/a not measured. \
         Peak: held then. Kept: never freed.</p>\n",
    );
    html.into_string()
}
