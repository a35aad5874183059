//! The text report: sentences first, then lines, functions, kept memory, and what is missing.
//!
//! Time of a line is *self* when it is the innermost Python line of a sample, *total* when it is anywhere on
//! the stack. `peak` are bytes of a line that were held when the footprint was highest, `kept` are bytes
//! never freed; a sparkline is what the line held over the run, on a scale of its own. Lines of the import
//! system are one row, of which the total is all that ran because of imports. Marks: `·` zero, `~` an interval
//! wider than a third of the figure on either side, `<` too few samples for a figure (its upper bound is
//! given), `n/a` not measured, `?` unknown.
//!
//! [`write()`] never opens a file: lines of source come from a [`Source`]. Everything that came from the
//! profiled program is escaped, and no line is wider than the page.

mod bar;
pub mod cells;
mod clauses;
mod columns;
pub(in crate::export) mod diff;
mod functions;
mod imports;
mod kept;
mod lines;
mod missing;
pub(super) mod number;
mod page;
pub(super) mod place;
mod processes;
mod route;
mod select;
mod sentences;
mod source;
mod spark;
mod spent;
mod summary;
mod table;
mod threads;
pub(super) mod timeline;
mod view;
mod why;
mod words;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub(super) use page::{SiteKey, Style};
pub(super) use sentences::Sentence;
pub use source::{NoSource, Source, Whole};
pub(super) use words::{HotLine, Words, words};

use crate::analysis::Profile;
use crate::analysis::family;
use crate::analysis::sites::{self, FunctionSum, Site};
use page::Page;
use view::View;

/// What a report is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// CPU time.
    #[default]
    Cpu,
    /// Memory held at the peak.
    Memory,
    /// Bytes copied.
    Copies,
    /// Memory never freed.
    Leaks,
    /// Memory freed at once.
    Churn,
}

/// What a report shows.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cells of a line; less than 20 is taken as 20.
    pub width: usize,
    /// Rows of each table; `None` is as many as a screen takes.
    pub top: Option<usize>,
    /// What the lines are sorted by.
    pub sort: Sort,
    /// Only files whose path, or path as shown, fits this pattern (`*` any bytes, `?` one).
    pub file: Option<String>,
    /// The functions' table in full.
    pub functions: bool,
    /// The threads' table.
    pub threads: bool,
    /// The processes' table.
    pub processes: bool,
    /// All six classes of time instead of the split bar.
    pub all_classes: bool,
    /// Terminal colors.
    pub color: bool,
    /// Nothing but ASCII; other characters of names become `\u{…}`.
    pub ascii: bool,
    /// What the reader of the file found wrong with it, one sentence each; stands at the top.
    pub warnings: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 100,
            top: None,
            sort: Sort::default(),
            file: None,
            functions: false,
            threads: false,
            processes: false,
            all_classes: false,
            color: false,
            ascii: false,
            warnings: Vec::new(),
        }
    }
}

/// Figures by line and by function, as [`crate::analysis`] computes them.
#[derive(Clone, Debug, Default)]
pub(in crate::export) struct Figures {
    pub(in crate::export) sites: Vec<Site>,
    pub(in crate::export) functions: Vec<FunctionSum>,
}

impl Figures {
    /// The figures of a profile.
    pub(in crate::export) fn of(profile: &Profile) -> Self {
        Self { sites: sites::sites(profile), functions: sites::functions(profile) }
    }

    /// How much memory a copy takes.
    pub(in crate::export) fn bytes(&self) -> usize {
        let lists = |site: &Site| {
            size_of_val(&site.why[..])
                + size_of_val(&site.callers[..])
                + size_of_val(&site.copiers[..])
        };
        size_of_val(&self.sites[..])
            + self.sites.iter().map(lists).sum::<usize>()
            + size_of_val(&self.functions[..])
    }
}

/// Writes the report.
///
/// # Errors
/// Those of `out`.
pub fn write(
    profile: &Profile,
    options: &Options,
    source: &dyn Source,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_figures(profile, Figures::of(profile), options, source, out)
}

/// Writes the short summary that `prof run` ends with: 12 lines at most on a page of 80 cells or more.
/// `trace` is the path of the trace as the user can type it.
///
/// # Errors
/// Those of `out`.
pub fn summary(
    profile: &Profile,
    options: &Options,
    source: &dyn Source,
    trace: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    summary::summary_figures(profile, Figures::of(profile), options, source, trace, out)
}

fn write_figures(
    profile: &Profile,
    figures: Figures,
    options: &Options,
    source: &dyn Source,
    out: &mut dyn Write,
) -> io::Result<()> {
    let view = View::new(profile, figures, options, source);
    let mut page = Page::new(out, view.look);
    sentences::head(&view, &mut page)?;
    page.blank()?;
    sentences::write(&view, &mut page)?;
    page.blank()?;
    lines::write(&view, &mut page)?;
    functions::write(&view, &mut page)?;
    page.blank()?;
    if options.threads || options.processes {
        let shares = family::threads(profile);
        if options.processes {
            processes::write(&view, &shares, &mut page)?;
            page.blank()?;
        }
        if options.threads {
            threads::write(&view, &shares, &mut page)?;
            page.blank()?;
        }
    }
    timeline::write(&view, &mut page)?;
    kept::write(&view, &mut page)?;
    page.blank()?;
    missing::write(&view, &mut page)
}
