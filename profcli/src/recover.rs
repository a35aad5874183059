//! `prof recover`: the readable part of a damaged trace as a sound one.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use profformat::recover::{RecoverError, Report, recover};

use crate::check::{lost, readable};
use crate::output::{Output, Refusal, Replace, shown};
use crate::words::{answer, complain};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace to read
    trace: PathBuf,
    /// The file to write; it must not be there yet
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Open(#[from] profformat::Error),
    #[error("{}: {error}", shown(path))]
    Trace { path: PathBuf, error: profformat::Error },
    #[error(transparent)]
    Output(#[from] Refusal),
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match save(args) {
        Ok(report) => {
            let (path, readable) = (shown(&args.output), readable(&report));
            answer(&format!("{path}: {readable}\nlost: {}\n", lost(&report)), ExitCode::SUCCESS)
        }
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

fn save(args: &Args) -> Result<Report, Error> {
    let path = &args.output;
    let bytes = profformat::map::open(&args.trace)?;
    let unreadable = |error| Error::Trace { path: args.trace.clone(), error };
    // Nothing is created for a file that is no trace.
    profformat::TraceReader::new(&bytes).map_err(unreadable)?;
    let output = Output::open(path, Replace::Never, &[&args.trace])?;
    let fail = |error| Error::Output(Refusal::Write { path: path.clone(), error });
    let report = recover(&bytes, output.file(), true).map_err(|error| match error {
        RecoverError::Trace(error) => unreadable(error),
        RecoverError::Output(error) => fail(error),
        error => fail(io::Error::other(error)),
    })?;
    output.keep()?;
    Ok(report)
}
