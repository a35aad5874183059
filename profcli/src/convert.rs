//! `prof convert`: a trace in another program's format.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use profformat::analysis::Profile;
use profformat::export::escape::escape;
use profformat::export::{ExportError, Format, Metric, export, text};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace to read
    trace: PathBuf,
    /// The format to write
    #[arg(long, value_enum)]
    to: Target,
    /// What stacks are weighed by; text and json have everything side by side
    #[arg(long, value_enum, default_value = "cpu")]
    metric: Figure,
    /// The file to write; `-`, as without it, is standard output
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
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
enum ConvertError {
    #[error(transparent)]
    Open(#[from] profformat::Error),
    #[error("{}: {error}", shown(path))]
    Trace { path: PathBuf, error: profformat::Error },
    #[error("{} is binary and standard output is a terminal: give a file with -o", .0.name())]
    Terminal(Format),
    #[error("{} is there already: give another name, or --force to replace it", shown(.0))]
    Exists(PathBuf),
    #[error("{} is not a regular file: it is not replaced", shown(.0))]
    Special(PathBuf),
    #[error("{} is the trace itself", shown(.0))]
    Itself(PathBuf),
    #[error("cannot write {}: {error}", shown(path))]
    Output { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// A path as a terminal may be shown it.
fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
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
            eprintln!("prof: {error}");
            ExitCode::FAILURE
        }
    }
}

fn convert(args: &Args) -> Result<(), ConvertError> {
    let (Target(format), Figure(metric)) = (args.to, args.metric);
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if file.is_none() && format.is_binary() && io::stdout().is_terminal() {
        return Err(ConvertError::Terminal(format));
    }
    if let Some(path) = file {
        refuse(path, args)?;
    }
    let bytes = profformat::map::open(&args.trace)?;
    let profile = Profile::from_bytes_with(&bytes, |offset| bytes.release_before(offset))
        .map_err(|error| ConvertError::Trace { path: args.trace.clone(), error })?;
    crate::damage::warn(&args.trace, &profile);
    match file {
        Some(path) => to_file(&profile, format, metric, path, args.force),
        None => write(&profile, format, metric, &mut BufWriter::new(io::stdout().lock())),
    }
}

/// Exports; the text report has source lines as `prof report` has them.
fn write(
    profile: &Profile,
    format: Format,
    metric: Metric,
    out: &mut dyn Write,
) -> Result<(), ConvertError> {
    if matches!(format, Format::Text) {
        let source = crate::report::Files::of(profile);
        text::write(profile, &text::Options::default(), &source, out).map_err(ExportError::Io)?;
    } else {
        export(profile, format, metric, out)?;
    }
    Ok(out.flush().map_err(ExportError::Io)?)
}

/// Says no before the trace is read, which can take a while.
fn refuse(path: &Path, args: &Args) -> Result<(), ConvertError> {
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    if !args.force {
        return Err(ConvertError::Exists(path.to_owned()));
    }
    if !there.is_file() {
        return Err(ConvertError::Special(path.to_owned()));
    }
    let same = |trace: fs::Metadata| (trace.dev(), trace.ino()) == (there.dev(), there.ino());
    if fs::metadata(&args.trace).is_ok_and(same) {
        return Err(ConvertError::Itself(path.to_owned()));
    }
    Ok(())
}

/// Writes a new file, readable for its owner only. What it replaces stays until it is whole.
fn to_file(
    profile: &Profile,
    format: Format,
    metric: Metric,
    path: &Path,
    force: bool,
) -> Result<(), ConvertError> {
    let fail = |error| ConvertError::Output { path: path.to_owned(), error };
    let target = if force { beside(path) } else { path.to_owned() };
    let file = create(&target).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => ConvertError::Exists(target.clone()),
        _ => fail(error),
    })?;
    let mut out = BufWriter::new(file);
    let written = write(profile, format, metric, &mut out).map_err(|error| match error {
        ConvertError::Export(ExportError::Io(error)) => fail(error),
        other => other,
    });
    drop(out);
    let done =
        written.and_then(|()| if force { fs::rename(&target, path).map_err(fail) } else { Ok(()) });
    if done.is_err() {
        // Half an output is none; that it cannot be removed is no news of its own.
        let _ = fs::remove_file(&target);
    }
    done
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A name in the same folder, for a file that will take the place of `path`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}
