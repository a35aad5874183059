//! `prof merge`: several traces as one.

use std::path::PathBuf;
use std::process::ExitCode;

use profformat::merge::{MergeError, Report, merge_with};

use crate::check::lost;
use crate::output::{Output, Refusal, Replace, refuse, shown};
use crate::words::{answer, complain};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The traces to read
    #[arg(required = true)]
    traces: Vec<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it is a trace of yours
    #[arg(long)]
    force: bool,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Open(#[from] profformat::Error),
    #[error("{}: {error}", shown(path))]
    Trace { path: PathBuf, error: profformat::Error },
    #[error("{} and {} are the same trace: what they share would count twice", shown(.0), shown(.1))]
    Twice(PathBuf, PathBuf),
    #[error(transparent)]
    Output(#[from] Refusal),
    #[error(transparent)]
    Merge(MergeError),
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match save(args) {
        Ok(report) => {
            let records: u64 = report.inputs.iter().map(|input| input.records).sum();
            let (traces, end) = (report.inputs.len(), report.end.as_secs_f64());
            let out = shown(&args.output);
            let text = format!("{out}: {records} records of {traces} traces over {end:.3} s\n");
            let status = answer(&text, ExitCode::SUCCESS);
            let inputs = args.traces.iter().zip(&report.inputs);
            for (path, input) in inputs.filter(|(_, input)| !input.damage.is_sound()) {
                complain(format_args!("{} is damaged and lost {}", shown(path), lost(input)));
            }
            status
        }
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

fn save(args: &Args) -> Result<Report, Error> {
    let replace = if args.force { Replace::Trace } else { Replace::Unforced };
    refuse(&args.output, replace, &args.traces)?;
    let files: Vec<_> =
        args.traces.iter().map(|path| profformat::map::open(path)).collect::<Result<_, _>>()?;
    let inputs: Vec<&[u8]> = files.iter().map(|file| &**file).collect();
    let output = Output::open(&args.output, replace, &args.traces)?;
    let path = |input: usize| args.traces[input].clone();
    let behind = |input: usize, offset| files[input].release_before(offset);
    let report = merge_with(&inputs, output.file(), true, behind).map_err(|error| match error {
        MergeError::Trace { input, error } => Error::Trace { path: path(input), error },
        MergeError::Twice { first, second } => Error::Twice(path(first), path(second)),
        MergeError::Output(error) => Refusal::Write { path: args.output.clone(), error }.into(),
        error => Error::Merge(error),
    })?;
    output.keep()?;
    Ok(report)
}
