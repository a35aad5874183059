//! Lines of styled text that never exceed the page's width.

use std::io::{self, Write};

use unicode_width::UnicodeWidthChar;

use crate::analysis::sites::Site;
use crate::ids::StringId;

/// How a page looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Cells of a line.
    pub width: usize,
    /// Terminal colors.
    pub color: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
}

/// What a piece of text is; colors follow from it. Only the sixteen names are used, so that the user's
/// theme holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Most of a page.
    Plain,
    /// What stands out.
    Strong,
    /// The name of a line: an output with links makes one of it.
    Site(SiteKey),
    /// What helps and says little.
    Dim,
    /// Time in Python.
    Python,
    /// Time in native code.
    Native,
    /// Time in the collector of cyclic garbage.
    Gc,
    /// Time in system calls.
    System,
    /// Memory.
    Memory,
    /// Copies.
    Copies,
    /// Losses, leaks, what got worse.
    Loss,
}

/// Which [`Site`] a piece of text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SiteKey {
    /// Source file.
    pub file: StringId,
    /// Line, 0 when unknown.
    pub line: u32,
    /// Qualified name of the function.
    pub function: StringId,
}

impl SiteKey {
    pub(in crate::export) fn of(site: &Site) -> Self {
        Self { file: site.file, line: site.line, function: site.function }
    }
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Strong | Style::Site(_) => "\x1b[1m",
            Style::Dim => "\x1b[2m",
            Style::Python => "\x1b[34m",
            Style::Native => "\x1b[33m",
            Style::Gc => "\x1b[35m",
            Style::System => "\x1b[90m",
            Style::Memory => "\x1b[32m",
            Style::Copies => "\x1b[36m",
            Style::Loss => "\x1b[31m",
        }
    }
}

/// Cells that a text takes on a terminal, character by character as most terminals do it.
pub fn cells(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Bytes from strangers as text that cannot act on a terminal.
pub(super) fn foreign(bytes: &[u8]) -> String {
    crate::export::escape::escape(bytes)
}

impl Look {
    /// The text in the page's characters; foreign text must be escaped before.
    pub fn text(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\u{a0}' => out.push(' '),
                _ if c.is_ascii() || !self.ascii => out.push(c),
                _ => out.push_str(&ascii(c)),
            }
        }
        out
    }

    fn ellipsis(self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }

    /// Cut at the right: for source.
    pub fn cut_end(self, text: &str, width: usize) -> String {
        let text = self.text(text);
        if cells(&text) <= width {
            return text;
        }
        if width < 4 {
            return head(&text, width).into();
        }
        format!("{}{}", head(&text, width - cells(self.ellipsis())).trim_end(), self.ellipsis())
    }

    /// Cut at the left: for paths, of which the end names the place.
    pub fn cut_start(self, text: &str, width: usize) -> String {
        let text = self.text(text);
        if cells(&text) <= width {
            return text;
        }
        if width < 4 {
            return tail(&text, width).into();
        }
        format!("{}{}", self.ellipsis(), tail(&text, width - cells(self.ellipsis())))
    }

    /// Cut in the middle: for names.
    pub fn cut_middle(self, text: &str, width: usize) -> String {
        let text = self.text(text);
        if cells(&text) <= width {
            return text;
        }
        if width < 5 {
            return head(&text, width).into();
        }
        let room = width - cells(self.ellipsis());
        format!("{}{}{}", head(&text, room / 2), self.ellipsis(), tail(&text, room - room / 2))
    }
}

fn ascii(c: char) -> String {
    match c {
        '█' => "#",
        '▓' => "=",
        '▒' => "%",
        '░' => ".",
        '▏' => "|",
        '·' => "-",
        '…' => "...",
        '±' => "+-",
        '≤' => "<=",
        '→' => "->",
        '◀' => "<",
        '▶' => ">",
        'µ' => "u",
        '−' | '─' => "-",
        '▸' => ">",
        '↵' => "Enter",
        '↑' => "up",
        '↓' => "down",
        _ => return format!("\\u{{{:x}}}", c as u32),
    }
    .into()
}

fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[..at];
        }
    }
    text
}

fn tail(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[at + c.len_utf8()..];
        }
    }
    text
}

/// One line of a page, built from left to right.
#[derive(Clone, Debug)]
pub(super) struct Line {
    look: Look,
    parts: Vec<(Style, String)>,
    used: usize,
}

impl Line {
    pub(super) fn new(look: Look) -> Self {
        Self { look, parts: Vec::new(), used: 0 }
    }

    /// Cells used so far.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Cells left on the page.
    pub(super) fn left(&self) -> usize {
        self.look.width.saturating_sub(self.used)
    }

    pub(super) fn push(&mut self, style: Style, text: &str) {
        let text = self.look.text(text);
        self.used += cells(&text);
        self.parts.push((style, text));
    }

    pub(super) fn gap(&mut self, width: usize) {
        self.push(Style::Plain, &" ".repeat(width));
    }

    /// Text at the left of a column.
    pub(super) fn left_in(&mut self, style: Style, text: &str, width: usize) {
        let text = self.look.text(text);
        let rest = width.saturating_sub(cells(&text));
        self.push(style, &text);
        self.gap(rest);
    }

    /// Text at the right of a column.
    pub(super) fn right_in(&mut self, style: Style, text: &str, width: usize) {
        let text = self.look.text(text);
        self.gap(width.saturating_sub(cells(&text)));
        self.push(style, &text);
    }

    /// Text at the right edge of the page, if it fits.
    pub(super) fn at_edge(&mut self, style: Style, text: &str) {
        let text = self.look.text(text);
        if self.left() > cells(&text) {
            self.gap(self.left() - cells(&text));
            self.push(style, &text);
        }
    }
}

/// Where lines go.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
    pub(super) look: Look,
}

impl<'a> Page<'a> {
    pub(super) fn new(out: &'a mut dyn Write, look: Look) -> Self {
        Self { out, look }
    }

    pub(super) fn blank(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    /// Writes a line, cut at the page's edge, without spaces at its end.
    pub(super) fn line(&mut self, line: Line) -> io::Result<()> {
        let mut room = self.look.width;
        let mut parts = line.parts;
        while let Some((style, text)) = parts.last_mut() {
            text.truncate(text.trim_end_matches(' ').len());
            if !text.is_empty() || *style != Style::Plain {
                break;
            }
            parts.pop();
        }
        for (style, text) in &parts {
            let text = head(text, room);
            room -= cells(text).min(room);
            let code = if self.look.color && !text.trim().is_empty() { style.code() } else { "" };
            let end = if code.is_empty() { "" } else { "\x1b[0m" };
            write!(self.out, "{code}{text}{end}")?;
        }
        self.blank()
    }

    /// Writes running text, broken at spaces, every line behind `indent` spaces.
    pub(super) fn paragraph(
        &mut self,
        indent: usize,
        pieces: &[(Style, String)],
    ) -> io::Result<()> {
        let mut line = Line::new(self.look);
        line.gap(indent);
        for word in words(pieces) {
            let width: usize = word.iter().map(|(_, text)| cells(&self.look.text(text))).sum();
            let started = line.used() > indent;
            if started && line.used() + 1 + width > self.look.width {
                self.line(line)?;
                line = Line::new(self.look);
                line.gap(indent);
            } else if started {
                line.gap(1);
            }
            for (style, text) in word {
                line.push(style, &text);
            }
        }
        self.line(line)
    }
}

/// Pieces cut into words, each of one or more styled parts.
fn words(pieces: &[(Style, String)]) -> Vec<Vec<(Style, String)>> {
    let mut words: Vec<Vec<(Style, String)>> = vec![Vec::new()];
    for (style, text) in pieces {
        for (index, part) in text.split(' ').enumerate() {
            if index > 0 {
                words.push(Vec::new());
            }
            if let (false, Some(word)) = (part.is_empty(), words.last_mut()) {
                word.push((*style, part.into()));
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { width: 20, color: false, ascii: false };

    #[test]
    fn cuts_keep_the_telling_end() {
        assert_eq!(LOOK.cut_end("return something", 10), "return so…");
        assert_eq!(LOOK.cut_start("docutils/parsers/states.py", 12), "…s/states.py");
        assert_eq!(LOOK.cut_middle("Parser.very_long_name", 11), "Parse…_name");
        let ascii = Look { ascii: true, ..LOOK };
        assert_eq!(ascii.cut_end("return something", 10), "return...");
        assert_eq!(cells(&LOOK.cut_end("漢字漢字漢字", 5)), 5);
    }

    #[test]
    fn ascii_pages_hold_ascii_only() {
        let ascii = Look { ascii: true, ..LOOK };
        assert_eq!(ascii.text("█▓▒░ · … é"), "#=%. - ... \\u{e9}");
    }

    #[test]
    fn paragraphs_break_between_words_only() {
        let mut out = Vec::new();
        let text = vec![
            (Style::Plain, "one two three 10\u{a0}s of".into()),
            (Style::Strong, " time".into()),
        ];
        Page::new(&mut out, LOOK).paragraph(2, &text).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  one two three 10 s\n  of time\n");
    }
}
