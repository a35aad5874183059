//! `prof check`: is a trace sound?

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use profformat::export::escape::escape;
use profformat::recover::{Report, check_with, scan};

use crate::words::{answer, complain};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace to read
    trace: PathBuf,
    /// Look at checksums only, not into what they protect: finds what a disk or a transfer did
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let path = escape(args.trace.as_os_str().as_encoded_bytes());
    if args.quick {
        return quick(args, &path);
    }
    let report = match profformat::map::open(&args.trace) {
        Ok(bytes) => check_with(&bytes, |offset| bytes.release_before(offset))
            .map_err(|error| format!("{path}: {error}")),
        Err(error) => Err(error.to_string()),
    };
    match report {
        Ok(report) if report.damage.is_sound() => {
            answer(&format!("{path} is sound: {}\n", readable(&report)), ExitCode::SUCCESS)
        }
        Ok(report) => {
            let (readable, lost) = (readable(&report), lost(&report));
            let text = format!("{path} is damaged\nreadable: {readable}\nlost: {lost}\n");
            answer(&text, ExitCode::FAILURE);
            complain_of_damage(&path, report.first);
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

fn quick(args: &Args, path: &str) -> ExitCode {
    let frames = match profformat::map::open(&args.trace) {
        Ok(bytes) => scan(&bytes, |offset| bytes.release_before(offset))
            .map_err(|error| format!("{path}: {error}")),
        Err(error) => Err(error.to_string()),
    };
    match frames {
        Ok(frames) if frames.damage.is_sound() => {
            let chunks = frames.chunks;
            let text = format!("{path} is whole: {chunks} chunks whose checksums fit\n");
            answer(&text, ExitCode::SUCCESS)
        }
        Ok(frames) => {
            complain_of_damage(path, frames.first);
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

fn complain_of_damage(path: &str, first: Option<profformat::Error>) {
    let first = first.map_or_else(String::new, |error| format!(": {error}"));
    complain(format_args!("{path} is damaged{first}; `prof recover` saves what is readable"));
}

/// What can be read, in words.
pub(crate) fn readable(report: &Report) -> String {
    let mut out = format!("{} records over {:.3} s", report.records, report.last.as_secs_f64());
    if report.damage.unknown > 0 {
        let _ = write!(out, ", {} chunks of a newer version passed over", report.damage.unknown);
    }
    if report.damage.unsupported > 0 {
        let chunks = report.damage.unsupported;
        let _ = write!(out, ", {chunks} chunks passed over that this build cannot decompress");
    }
    out
}

/// What is lost, in words.
pub(crate) fn lost(report: &Report) -> String {
    let damage = &report.damage;
    let mut parts = Vec::new();
    let mut part = |count: u64, what: &str, thing: &str| {
        if count > 0 {
            parts.push(format!("{count} {what} {thing}{}", if count == 1 { "" } else { "s" }));
        }
    };
    part(damage.chunks, "damaged", "chunk");
    part(damage.missing, "missing", "chunk");
    part(damage.bytes, "unreadable", "byte");
    if !damage.complete {
        parts.push("the end of the run".to_owned());
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}
