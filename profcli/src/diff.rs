//! `prof diff`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use profformat::Filter;
use profformat::analysis::diff::{Diff, Metric, Run, Side, compare};
use profformat::analysis::{Profile, Survey};
use profformat::export::flamegraph::Graph;
use profformat::export::{self, ExportError, diff};

use crate::look::Look;
use crate::output::{Output, Refusal, Replace, refuse, shown};
use crate::report::Files;
use crate::words::complain;

/// Status when `--fail-on` applies.
pub(crate) const FAILED: u8 = 3;

#[derive(clap::Args)]
#[command(override_usage = "prof diff [OPTIONS] BEFORE AFTER\n       \
                            prof diff [OPTIONS] BEFORE... -- AFTER...")]
pub(crate) struct Args {
    /// The two traces to compare; or several runs before, and behind `--` several after
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
    #[arg(last = true, hide = true)]
    after: Vec<PathBuf>,
    /// Divide all figures by this number of units of work, the same for both or one each: `1000`, `1000,1200`
    #[arg(long, value_name = "N", value_parser = work)]
    per: Option<(f64, f64)>,
    /// List the lines that did not change, too
    #[arg(long)]
    all: bool,
    /// End with status 3 if this is sure
    #[arg(long, value_enum)]
    fail_on: Option<FailOn>,
    /// What to write
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// The file to write; `-`, as without it, is standard output
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    look: Look,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A line, or with repeated runs the whole program, takes more CPU time
    Slower,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
    Html,
}

#[derive(Debug, thiserror::Error)]
enum DiffError {
    #[error("give two traces, or several before and behind `--` several after")]
    Sides,
    #[error(transparent)]
    Open(profformat::Error),
    #[error("{}: {error}", shown(path))]
    Trace { path: PathBuf, error: profformat::Error },
    #[error(
        "the traces have nothing in common to compare: one was run with --no-cpu, the other without"
    )]
    Nothing,
    #[error("--fail-on slower needs CPU time on both sides, and a run was made with --no-cpu")]
    NoCpu,
    #[error(transparent)]
    Output(#[from] Refusal),
    #[error(transparent)]
    Export(#[from] ExportError),
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match report(args) {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::from(FAILED),
        // Whoever read our output has seen enough.
        Err(DiffError::Export(ExportError::Io(error)))
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

/// Units of work before and after.
fn work(text: &str) -> Result<(f64, f64), String> {
    let number = |text: &str| {
        let number: Option<f64> = text.trim().parse().ok();
        number
            .filter(|number| (1e-9..=1e18).contains(number))
            .ok_or("give a number of units, or one for each side: 1000,1200")
    };
    match text.split_once(',') {
        Some((before, after)) => Ok((number(before)?, number(after)?)),
        None => Ok((number(text)?, number(text)?)),
    }
}

/// Writes the comparison; true if what `--fail-on` says is the case.
fn report(args: &Args) -> Result<bool, DiffError> {
    let (before, after) = match (&args.traces[..], &args.after[..]) {
        ([before, after], []) => (std::slice::from_ref(before), std::slice::from_ref(after)),
        (_, []) => return Err(DiffError::Sides),
        (before, after) => (before, after),
    };
    let inputs: Vec<&Path> = before.iter().chain(after).map(PathBuf::as_path).collect();
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let replace = if args.force { Replace::File } else { Replace::Unforced };
    if let Some(path) = file {
        refuse(path, replace, &inputs)?;
    }
    let (old_work, new_work) = args.per.unwrap_or((1.0, 1.0));
    let mut graph = matches!(args.format, Form::Html).then(Graph::default);
    let (old, old_source) = side(before, old_work, &mut None)?;
    let (new, new_source) = side(after, new_work, &mut graph)?;
    let diff = compare(&old, &new, [&old_source, &new_source]);
    if diff.compared.is_empty() {
        return Err(DiffError::Nothing);
    }
    if args.fail_on.is_some() && diff.by(Metric::Cpu).is_none() {
        return Err(DiffError::NoCpu);
    }
    let sources = [&old_source, &new_source];
    let options = |is_terminal| options(args, [before, after], graph, is_terminal);
    match file {
        Some(path) => {
            let output = Output::open(path, replace, &inputs)?;
            let mut out = BufWriter::new(output.file());
            write(args, &diff, &options(false), sources, &mut out).map_err(
                |error| match error {
                    ExportError::Io(error) => {
                        Refusal::Write { path: path.to_owned(), error }.into()
                    }
                    other => DiffError::Export(other),
                },
            )?;
            drop(out);
            output.keep()?;
        }
        None => {
            let stdout = io::stdout();
            let is_terminal = stdout.is_terminal();
            let mut out = BufWriter::new(stdout.lock());
            write(args, &diff, &options(is_terminal), sources, &mut out)?;
        }
    }
    Ok(args.fail_on == Some(FailOn::Slower) && diff.is_slower())
}

/// How the comparison looks.
fn options(
    args: &Args,
    traces: [&[PathBuf]; 2],
    graph: Option<Graph>,
    is_terminal: bool,
) -> diff::Options {
    diff::Options {
        labels: traces.map(label),
        width: args.look.width(),
        top: args.look.top,
        all: args.all,
        file: args.look.file.clone(),
        color: args.look.has_colors(is_terminal),
        ascii: args.look.is_ascii(),
        graph,
    }
}

fn write(
    args: &Args,
    diff: &Diff<'_>,
    options: &diff::Options,
    sources: [&Files; 2],
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let format = match args.format {
        Form::Text => diff::Format::Text,
        Form::Json => diff::Format::Json,
        Form::Html => diff::Format::Html,
    };
    diff::write(diff, format, options, [sources[0], sources[1]], out)
}

/// The runs of a side, one in memory after the other, and their sources: those of the oldest run, so that a file that
/// was edited between two of them is none of them.
/// `graph`, if one is wanted, becomes that of the last run.
fn side(
    traces: &[PathBuf],
    work: f64,
    graph: &mut Option<Graph>,
) -> Result<(Side, Files), DiffError> {
    let mut runs = Vec::new();
    let mut source: Option<Files> = None;
    for path in traces {
        let bytes = profformat::map::open(path).map_err(DiffError::Open)?;
        let behind = |offset| bytes.release_before(offset);
        let profile = Profile::from_bytes_with(&bytes, &Filter::new(), Survey::default(), behind)
            .map_err(|error| DiffError::Trace { path: path.clone(), error })?;
        crate::damage::warn(path, &profile);
        let files = Files::of(&profile);
        source = Some(match source {
            Some(known) => known.older(files),
            None => files,
        });
        if let Some(graph) = graph {
            *graph = Graph::of(&profile, export::Metric::Cpu);
        }
        runs.push(Run::of(&profile));
    }
    Ok((Side::new(runs, work), source.ok_or(DiffError::Sides)?))
}

fn label(traces: &[PathBuf]) -> String {
    let name = |path: &PathBuf| {
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    match traces {
        [] => String::new(),
        [only] => name(only),
        [first, more @ ..] => format!("{} and {} more", name(first), more.len()),
    }
}
