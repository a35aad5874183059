//! `prof recover`: the readable part of a damaged trace as a sound one.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use profformat::export::escape::escape;
use profformat::recover::{RecoverError, Report, recover};

use crate::check::{lost, readable};

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
    #[error("{} is there already: give another name", shown(.0))]
    Exists(PathBuf),
    #[error("cannot write {}: {error}", shown(path))]
    Output { path: PathBuf, error: io::Error },
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match save(args) {
        Ok(report) => {
            println!("{}: {}", shown(&args.output), readable(&report));
            println!("lost: {}", lost(&report));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("prof: {error}");
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
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(path.clone()),
        _ => Error::Output { path: path.clone(), error },
    })?;
    recover(&bytes, &file, true).map_err(|error| {
        // Half a recovery is none; that it cannot be removed is no news of its own.
        let _ = fs::remove_file(path);
        match error {
            RecoverError::Trace(error) => unreadable(error),
            RecoverError::Output(error) => Error::Output { path: path.clone(), error },
            error => Error::Output { path: path.clone(), error: io::Error::other(error) },
        }
    })
}
