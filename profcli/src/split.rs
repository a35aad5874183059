//! `prof split`: the part of a trace between two moments.

use std::path::PathBuf;
use std::process::ExitCode;

use profformat::recover::Report;
use profformat::split::{SplitError, split_with};
use profformat::units::Timestamp;

use crate::check::readable;
use crate::output::{Output, Refusal, Replace, refuse, shown};
use crate::words::{answer, complain};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace to read
    trace: PathBuf,
    /// Start of the part: 12.5s, 300ms, 2m, or seconds; without it that of the trace
    #[arg(long, value_name = "T", value_parser = moment)]
    from: Option<Timestamp>,
    /// End of the part, not in it; without it that of the trace
    #[arg(long, value_name = "T", value_parser = moment)]
    until: Option<Timestamp>,
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
    Trace { path: PathBuf, error: SplitError },
    #[error(transparent)]
    Output(#[from] Refusal),
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match save(args) {
        Ok(report) => {
            let status = answer(
                &format!("{}: {}\n", shown(&args.output), readable(&report)),
                ExitCode::SUCCESS,
            );
            if !report.damage.is_sound() {
                let path = shown(&args.trace);
                complain(format_args!(
                    "{path} is damaged and parts are missing: `prof check` tells which"
                ));
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
    let inputs = [&args.trace];
    refuse(&args.output, replace, &inputs)?;
    let bytes = profformat::map::open(&args.trace)?;
    let output = Output::open(&args.output, replace, &inputs)?;
    let behind = |offset| bytes.release_before(offset);
    let report = split_with(&bytes, args.from, args.until, output.file(), true, behind);
    let report = report.map_err(|error| match error {
        SplitError::Output(error) => Refusal::Write { path: args.output.clone(), error }.into(),
        error => Error::Trace { path: args.trace.clone(), error },
    })?;
    output.keep()?;
    Ok(report)
}

/// A moment since the start of the trace: a number and `ms`, `s` or `m`, seconds without.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    const UNITS: [(&str, f64); 3] = [("ms", 1e6), ("s", 1e9), ("m", 60e9)];
    let unit = UNITS.iter().find_map(|(unit, nanos)| Some((text.strip_suffix(unit)?, *nanos)));
    let (digits, nanos) = unit.unwrap_or((text, 1e9));
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match digits.parse::<f64>() {
        // A century and a half: numbers that exact times are lost in are far away.
        Ok(number) if is_number && number * nanos < 5e18 => {
            Ok(Timestamp::from_nanos((number * nanos).round() as u64))
        }
        _ => Err("give a time since the start, such as 12.5s, 300ms or 2m".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_units() {
        let nanos = |text| moment(text).map(Timestamp::as_nanos);
        assert_eq!(nanos("12.5s"), Ok(12_500_000_000));
        assert_eq!(nanos("300ms"), Ok(300_000_000));
        assert_eq!(nanos("2m"), Ok(120_000_000_000));
        assert_eq!(nanos("0"), Ok(0));
        assert_eq!(nanos("1.25"), Ok(1_250_000_000));
        for wrong in ["", "s", "-1", "+1", "1e3", "nan", "inf", "1h", "1.2.3", "99999999999", "1 s"]
        {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
