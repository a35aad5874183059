//! `prof convert`: a trace in another program's format.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use profformat::analysis::Profile;
use profformat::export::{ExportError, Format, Metric, export, html, scalene, speedscope, text};
use profformat::split::SplitError;

use crate::by_seconds;
use crate::output::{Output, Refusal, Replace, refuse, shown};
use crate::part::Part;
use crate::report::{Embed, Files};
use crate::words::complain;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input,
    /// The format to write
    #[arg(long, value_enum)]
    to: Target,
    /// What stacks are weighed by; text, html, json and scalene have everything side by side (scalene: cpu or wall time)
    #[arg(long, value_enum, default_value = "cpu")]
    metric: Figure,
    /// The file to write; `-`, as without it, is standard output
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// For pprof: a file for every N seconds of the run, OUT with .001, .002, … in its name
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["from", "until", "at"])]
    split_seconds: Option<u32>,
    /// For speedscope: stacks that each profile tells apart; the lightest of more are one
    #[arg(long, value_name = "N", default_value_t = speedscope::MAX_SAMPLES)]
    max_samples: usize,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
}

/// What an output is made of.
#[derive(clap::Args)]
pub(crate) struct Input {
    /// The trace to read
    trace: PathBuf,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    sources: Sources,
}

/// Which source files go into a page.
#[derive(Clone, Copy, clap::Args)]
struct Sources {
    /// html: put all source files with figures into the page, those that not everyone may read too
    #[arg(long)]
    source: bool,
    /// html: put no source files into the page
    #[arg(long, conflicts_with = "source")]
    no_source: bool,
}

impl Sources {
    fn any(self) -> bool {
        self.source || self.no_source
    }

    fn embed(self) -> Embed {
        match (self.source, self.no_source) {
            (_, true) => Embed::Nothing,
            (true, false) => Embed::Everything,
            (false, false) => Embed::Public,
        }
    }
}

/// [`Format`] as a word of the command line.
#[derive(Clone, Copy)]
struct Target(Format);

impl ValueEnum for Target {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Target; Format::ALL.len()] = {
            let mut all = [Target(Format::ALL[0]); Format::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = Target(Format::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

/// [`Metric`] as a word of the command line.
#[derive(Clone, Copy)]
struct Figure(Metric);

impl ValueEnum for Figure {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Figure; Metric::ALL.len()] = {
            let mut all = [Figure(Metric::ALL[0]); Metric::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = Figure(Metric::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvertError {
    #[error(transparent)]
    Open(#[from] profformat::Error),
    #[error("{}: {error}", shown(path))]
    Trace { path: PathBuf, error: SplitError },
    #[error("--source and --no-source are for pages: give --to html too")]
    NoPage,
    #[error("{} is binary and standard output is a terminal: give a file with -o", .0.name())]
    Terminal(Format),
    #[error("--split-seconds makes files of pprof: say --to pprof, and -o OUT")]
    NoParts,
    #[error("{} is not a sum over time: --split-seconds is for cpu, wall, alloc and copies", .0.name())]
    Undivided(Metric),
    #[error("that would be more than {0} files: give more seconds")]
    TooManyParts(u64),
    #[error(transparent)]
    Output(#[from] Refusal),
    #[error(transparent)]
    Export(#[from] ExportError),
}

impl Args {
    /// A page at this path.
    pub(crate) fn page(input: Input, path: PathBuf, force: bool) -> Self {
        let (to, metric) = (Target(Format::Html), Figure(Metric::Cpu));
        let (split_seconds, max_samples) = (None, speedscope::MAX_SAMPLES);
        let output = Some(path);
        Self { input, to, metric, output, split_seconds, max_samples, force }
    }
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match convert(args) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough.
        Err(ConvertError::Export(ExportError::Io(error)))
            if error.kind() == io::ErrorKind::BrokenPipe =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

/// Writes what was asked for.
pub(crate) fn convert(args: &Args) -> Result<(), ConvertError> {
    let (Target(format), Figure(metric)) = (args.to, args.metric);
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if file.is_none() && format.is_binary() && io::stdout().is_terminal() {
        return Err(ConvertError::Terminal(format));
    }
    if !matches!(format, Format::Html) && args.input.sources.any() {
        return Err(ConvertError::NoPage);
    }
    if args.split_seconds.is_some() && (file.is_none() || format != Format::Pprof) {
        return Err(ConvertError::NoParts);
    }
    if args.split_seconds.is_some() && matches!(metric, Metric::Live | Metric::Peak) {
        return Err(ConvertError::Undivided(metric));
    }
    let replace = if args.force { Replace::File } else { Replace::Unforced };
    let inputs = [&args.input.trace];
    if let Some(path) = file.filter(|_| args.split_seconds.is_none()) {
        refuse(path, replace, &inputs)?;
    }
    let bytes = profformat::map::open(&args.input.trace)?;
    let kinds = format.is_of_one_metric().then(|| metric.kinds());
    let profile = (args.input.part.profile(&bytes, kinds, format.has_times()))
        .map_err(|error| ConvertError::Trace { path: args.input.trace.clone(), error })?;
    crate::damage::warn(&args.input.trace, &profile);
    let (embed, max_samples) = (args.input.sources.embed(), args.max_samples);
    let what = What { format, metric, embed, max_samples };
    match (file, args.split_seconds) {
        (Some(path), Some(seconds)) => {
            let to = (args.input.trace.as_path(), path, replace);
            by_seconds::write(&bytes, &profile, to, what, u64::from(seconds) * 1_000_000_000)
        }
        (Some(path), None) => {
            let output = Output::open(path, replace, &inputs)?;
            to_file(&profile, what, path, output)
        }
        (None, _) => write(&profile, what, &mut BufWriter::new(io::stdout().lock())),
    }
}

/// What is made of a profile.
#[derive(Clone, Copy)]
pub(crate) struct What {
    format: Format,
    pub(crate) metric: Metric,
    embed: Embed,
    max_samples: usize,
}

/// Exports, with source lines as `prof report` has them.
fn write(profile: &Profile, what: What, out: &mut dyn Write) -> Result<(), ConvertError> {
    let What { format, metric, embed, max_samples } = what;
    let source = || Files::of(profile);
    match format {
        Format::Text => text::write(profile, &text::Options::default(), &source(), out)
            .map_err(ExportError::Io)?,
        Format::Html => html::write(profile, &source().embed(embed), out)?,
        Format::Scalene => scalene::write(profile, metric, &source(), out)?,
        Format::Speedscope => {
            speedscope::write_at_most(profile, metric.measured_by(profile)?, max_samples, out)?;
        }
        _ => export(profile, format, metric, out)?,
    }
    Ok(out.flush().map_err(ExportError::Io)?)
}

pub(crate) fn to_file(
    profile: &Profile,
    what: What,
    path: &Path,
    output: Output,
) -> Result<(), ConvertError> {
    let mut out = BufWriter::new(output.file());
    write(profile, what, &mut out).map_err(|error| match error {
        ConvertError::Export(ExportError::Io(error)) => {
            Refusal::Write { path: path.to_owned(), error }.into()
        }
        other => other,
    })?;
    drop(out);
    Ok(output.keep()?)
}
