//! Two profiles side by side: as text, as JSON, as a page.

mod graph;
mod html;
mod json;

use std::io::{self, Write};

use super::ExportError;
use super::flamegraph::Graph;
use super::text::Source;
use super::text::diff::View;
use crate::analysis::diff::Diff;

/// Outputs that a comparison can become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// Every line with every figure, as `docs/diff.schema.json` describes.
    Json,
    /// A page for a browser, in one file, without scripts.
    Html,
}

/// What a comparison shows.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the two sides are called, before and after.
    pub labels: [String; 2],
    /// Cells of a line of text; less than 20 is taken as 20.
    pub width: usize,
    /// Lines of each table; `None` is as many as a screen takes.
    pub top: Option<usize>,
    /// The lines that did not change, too.
    pub all: bool,
    /// Only files whose path, or path as shown, fits this pattern (`*` any bytes, `?` one); totals are of all.
    pub file: Option<String>,
    /// Terminal colors.
    pub color: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// CPU time of a run after, by function: the page shows it, colored by what changed.
    pub graph: Option<Graph>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            labels: ["before".into(), "after".into()],
            width: 100,
            top: None,
            all: false,
            file: None,
            color: false,
            ascii: false,
            graph: None,
        }
    }
}

/// Writes a comparison. `sources` have the lines of source before and after; JSON leaves them and the options aside.
pub fn write(
    diff: &Diff<'_>,
    format: Format,
    options: &Options,
    sources: [&dyn Source; 2],
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    match format {
        Format::Text => super::text::diff::write(&View::new(diff, options, sources), out)?,
        Format::Json => json::write(diff, out)?,
        Format::Html => html::write(&View::new(diff, options, sources), options, out)?,
    }
    Ok(out.flush().map_err(|error: io::Error| error)?)
}
