//! From a profile to the bytes of an output.
//!
//! Every output of one metric has the same total, to the nanosecond or byte.

mod binaries;
pub mod collapsed;
pub mod diff;
pub mod escape;
pub mod firefox;
pub mod flamegraph;
pub mod html;
pub mod json;
pub mod metric;
mod names;
#[cfg(feature = "parquet")]
pub mod parquet;
mod pieces;
pub mod pprof;
pub mod scalene;
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
    /// The JSON of Scalene, for `scalene view`.
    Scalene,
    /// A picture for a browser: SVG.
    Flamegraph,
    /// The file format of <https://profiler.firefox.com>.
    Firefox,
    /// One row for each weight, for DuckDB and the like.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    /// Every format, in the order they are offered.
    pub const ALL: [Format; 9 + cfg!(feature = "parquet") as usize] = [
        Format::Text,
        Format::Html,
        Format::Json,
        Format::Pprof,
        Format::Speedscope,
        Format::Collapsed,
        Format::Scalene,
        Format::Flamegraph,
        Format::Firefox,
        #[cfg(feature = "parquet")]
        Format::Parquet,
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
            Format::Scalene => "scalene",
            Format::Flamegraph => "flamegraph",
            Format::Firefox => "firefox",
            #[cfg(feature = "parquet")]
            Format::Parquet => "parquet",
        }
    }

    /// True for an output of one metric; the others have everything side by side. Scalene's and Firefox's have the
    /// metric's weights beside everything else.
    pub const fn is_of_one_metric(self) -> bool {
        match self {
            Format::Pprof | Format::Speedscope | Format::Collapsed | Format::Flamegraph => true,
            #[cfg(feature = "parquet")]
            Format::Parquet => true,
            Format::Text | Format::Html | Format::Json => false,
            Format::Scalene | Format::Firefox => false,
        }
    }

    /// True for an output that no terminal can show.
    pub const fn is_binary(self) -> bool {
        match self {
            Format::Pprof => true,
            #[cfg(feature = "parquet")]
            Format::Parquet => true,
            _ => false,
        }
    }

    /// True for an output that tells when time was spent, if the profile does: see [`Profile::activity`].
    pub const fn has_times(self) -> bool {
        match self {
            Format::Html | Format::Firefox => true,
            #[cfg(feature = "parquet")]
            Format::Parquet => true,
            _ => false,
        }
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
        Format::Scalene => scalene::write(profile, metric, &text::NoSource, out)?,
        Format::Flamegraph => flamegraph::write(profile, metric.measured_by(profile)?, out)?,
        Format::Firefox => firefox::write(profile, metric.measured_by(profile)?, out)?,
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::write(profile, metric.measured_by(profile)?, out)?,
    }
    out.flush()?;
    Ok(())
}
