//! From a profile to the bytes of an output.
//!
//! Every output of one metric has the same total, to the nanosecond or byte.

pub mod collapsed;
pub mod diff;
pub mod escape;
pub mod html;
pub mod json;
pub mod metric;
mod names;
pub mod pprof;
pub mod speedscope;
pub mod text;

use std::io::{self, Write};

pub use self::metric::{Metric, Unit};
use crate::analysis::Profile;

/// Outputs that a profile can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The report for a terminal.
    Text,
    /// One HTML file to look around in.
    Html,
    /// Everything by line, as `docs/profile.schema.json` describes.
    Json,
    /// The format of `go tool pprof`, compressed with gzip.
    Pprof,
    /// The file format of <https://www.speedscope.app>.
    Speedscope,
    /// One line for each stack: `root;caller;leaf WEIGHT`.
    Collapsed,
}

impl Format {
    /// Every format, in the order they are offered.
    pub const ALL: [Format; 6] = [
        Format::Text,
        Format::Html,
        Format::Json,
        Format::Pprof,
        Format::Speedscope,
        Format::Collapsed,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Html => "html",
            Format::Json => "json",
            Format::Pprof => "pprof",
            Format::Speedscope => "speedscope",
            Format::Collapsed => "collapsed",
        }
    }

    /// True for an output of one metric; the others have everything side by side.
    pub const fn is_of_one_metric(self) -> bool {
        matches!(self, Format::Pprof | Format::Speedscope | Format::Collapsed)
    }

    /// True for an output that no terminal can show.
    pub const fn is_binary(self) -> bool {
        matches!(self, Format::Pprof)
    }
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Io(#[from] io::Error),
    /// The run did not measure what was asked for.
    #[error("the trace has no {} figures: the program was run without {what}", .metric.name())]
    NotMeasured {
        /// What was asked for.
        metric: Metric,
        /// What was not measured, in words.
        what: &'static str,
    },
}

impl From<serde_json::Error> for ExportError {
    /// Nothing but writing can fail: every value we serialize has a JSON form.
    fn from(error: serde_json::Error) -> Self {
        Self::Io(error.into())
    }
}

/// Writes a profile in a format. `metric` chooses what the weights of stacks are; text, HTML and JSON have all
/// metrics side by side and leave it aside.
pub fn export(
    profile: &Profile,
    format: Format,
    metric: Metric,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    match format {
        Format::Text => text::write(profile, &text::Options::default(), &text::NoSource, out)?,
        Format::Html => html::write(profile, &text::NoSource, out)?,
        Format::Json => json::write(profile, out)?,
        Format::Pprof => pprof::write(profile, metric.measured_by(profile)?, out)?,
        Format::Speedscope => speedscope::write(profile, metric.measured_by(profile)?, out)?,
        Format::Collapsed => collapsed::write(profile, metric.measured_by(profile)?, out)?,
    }
    out.flush()?;
    Ok(())
}
