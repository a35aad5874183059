//! `prof check-budget`: did a run use no more than it may?

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use profformat::Filter;
use profformat::analysis::diff::{Estimate, Metric, Run, Spot};
use profformat::analysis::sites::sites;
use profformat::analysis::{Profile, Survey};

use crate::output::shown;
use crate::run::quantity::size;
use crate::split::moment;
use crate::words::{answer, complain};

/// Status when something is over its budget.
const OVER: u8 = 3;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace to read
    trace: PathBuf,
    #[command(flatten)]
    budgets: Budgets,
}

#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct Budgets {
    /// Most bytes held at once: 500MB, 1.5GiB
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_peak: Option<Limit>,
    /// Most bytes allocated
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_alloc: Option<Limit>,
    /// Most bytes copied
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_copies: Option<Limit>,
    /// Most bytes kept to the end by lines that leak; 0 for no leak at all
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_leak: Option<Limit>,
    /// Most CPU time: 30s, 500ms, 2m
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_cpu: Option<Limit>,
    /// Most CPU time of one line itself: 2s, or 20% of the program's
    #[arg(long, value_name = "TIME|SHARE", value_parser = time_or_share)]
    max_line_cpu: Option<Limit>,
    /// Longest run
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_wall: Option<Limit>,
}

/// A budget, and how it was given.
#[derive(Clone, Debug, PartialEq)]
struct Limit {
    /// Bytes, nanoseconds, or a share.
    most: f64,
    is_share: bool,
    text: String,
}

fn bytes(text: &str) -> Result<Limit, String> {
    Ok(Limit { most: size(text)?, is_share: false, text: text.into() })
}

fn time(text: &str) -> Result<Limit, String> {
    let most = moment(text)?.as_nanos() as f64;
    Ok(Limit { most, is_share: false, text: text.into() })
}

fn time_or_share(text: &str) -> Result<Limit, String> {
    let Some(percent) = text.strip_suffix('%') else { return time(text) };
    match percent.trim().parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => {
            Ok(Limit { most: percent / 100.0, is_share: true, text: text.into() })
        }
        _ => Err("give a time, such as 2s, or a share, such as 20%".into()),
    }
}

/// What a figure is to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Within,
    /// It is over, and its interval is not: another run may tell otherwise, so this one fails nobody.
    Near,
    Over,
}

fn judge(figure: Estimate, limit: &Limit) -> Verdict {
    match figure.value {
        value if value - figure.half_width > limit.most => Verdict::Over,
        value if value > limit.most => Verdict::Near,
        _ => Verdict::Within,
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Open(#[from] profformat::Error),
    #[error("{}: {error}", shown(path))]
    Trace { path: PathBuf, error: profformat::Error },
    #[error("{}: {option} cannot be checked: the program was run with {without}", shown(path))]
    NotMeasured { path: PathBuf, option: &'static str, without: &'static str },
}

/// One budget with what was used of it.
struct Finding {
    name: &'static str,
    verdict: Verdict,
    figure: String,
    limit: String,
    /// Who has most of it.
    holder: Option<String>,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    let (findings, is_whole) = match check(args) {
        Ok(found) => found,
        Err(error) => {
            complain(error);
            return ExitCode::FAILURE;
        }
    };
    let mut text = String::new();
    let mut is_over = false;
    for finding in &findings {
        let Finding { name, figure, limit, holder, .. } = finding;
        let holder = holder.as_ref().map_or_else(String::new, |holder| format!("; {holder}"));
        let _ = match finding.verdict {
            Verdict::Within => writeln!(text, "within budget: {name} {figure}, at most {limit}"),
            Verdict::Near => writeln!(
                text,
                "within budget, for all the noise: {name} {figure}, at most {limit}{holder}"
            ),
            Verdict::Over => {
                is_over = true;
                writeln!(text, "OVER BUDGET: {name} {figure}, at most {limit}{holder}")
            }
        };
    }
    if is_over {
        return answer(&text, ExitCode::from(OVER));
    }
    if !is_whole {
        answer(&text, ExitCode::FAILURE);
        let path = shown(&args.trace);
        complain(format_args!("{path} is not whole: what is missing may be over its budget"));
        return ExitCode::FAILURE;
    }
    answer(&text, ExitCode::SUCCESS)
}

/// Every budget that was given, and whether all of the run is there.
fn check(args: &Args) -> Result<(Vec<Finding>, bool), Error> {
    let bytes = profformat::map::open(&args.trace)?;
    let behind = |offset| bytes.release_before(offset);
    let profile = Profile::from_bytes_with(&bytes, &Filter::new(), Survey::default(), behind)
        .map_err(|error| Error::Trace { path: args.trace.clone(), error })?;
    crate::damage::warn(&args.trace, &profile);
    let run = Run::of(&profile);
    let is_whole = run.about.is_whole;
    Ok((findings(&args.budgets, &profile, &run, &args.trace)?, is_whole))
}

fn findings(
    budgets: &Budgets,
    profile: &Profile,
    run: &Run,
    path: &Path,
) -> Result<Vec<Finding>, Error> {
    let missing = |option, without| Error::NotMeasured { path: path.into(), option, without };
    let mut findings = Vec::new();
    let totals = [
        (&budgets.max_peak, Metric::Peak, "peak", "held", "--max-peak", "--no-memory"),
        (&budgets.max_alloc, Metric::Alloc, "allocated", "allocated", "--max-alloc", "--no-memory"),
        (&budgets.max_copies, Metric::Copies, "copied", "copied", "--max-copies", "--no-copies"),
        (&budgets.max_cpu, Metric::Cpu, "CPU", "took", "--max-cpu", "--no-cpu"),
    ];
    for (limit, metric, name, verb, option, without) in totals {
        let Some(limit) = limit else { continue };
        let total = run.total(metric).ok_or_else(|| missing(option, without))?;
        let holder = largest(run, metric).map(|(spot, part)| {
            // Scaled up from samples, one line can come out a little above the exact total.
            let value = part.value.min(total.value);
            format!("{} {verb} {} of it", place(spot), quantity(metric, value))
        });
        findings.push(Finding {
            name,
            verdict: judge(total, limit),
            figure: figure(metric, total),
            limit: limit.text.clone(),
            holder,
        });
    }
    if let Some(limit) = &budgets.max_line_cpu {
        let total = run.total(Metric::Cpu).ok_or_else(|| missing("--max-line-cpu", "--no-cpu"))?;
        findings.push(line_cpu(run, total, limit));
    }
    if let Some(limit) = &budgets.max_leak {
        run.total(Metric::Alloc).ok_or_else(|| missing("--max-leak", "--no-memory"))?;
        findings.push(leak(profile, limit));
    }
    if let Some(limit) = &budgets.max_wall {
        let wall = Estimate { value: profile.elapsed.as_nanos() as f64, half_width: 0.0 };
        findings.push(Finding {
            name: "wall time",
            verdict: judge(wall, limit),
            figure: figure(Metric::Cpu, wall),
            limit: limit.text.clone(),
            holder: None,
        });
    }
    Ok(findings)
}

/// The hottest line.
fn line_cpu(run: &Run, total: Estimate, limit: &Limit) -> Finding {
    let hottest = largest(run, Metric::Cpu);
    let own = hottest.map(|(_, own)| own).unwrap_or_default();
    let share = |value: f64| if total.value > 0.0 { value / total.value } else { 0.0 };
    let of_total = Estimate { value: share(own.value), half_width: share(own.half_width) };
    let (verdict, figure) = if limit.is_share {
        let [value, half] = [of_total.value, of_total.half_width].map(|share| share * 100.0);
        (judge(of_total, limit), format!("{value:.1} ±{half:.1} %"))
    } else {
        (judge(own, limit), figure(Metric::Cpu, own))
    };
    let holder = hottest.map(|(spot, own)| {
        format!("{} took {} itself", place(spot), quantity(Metric::Cpu, own.value))
    });
    Finding { name: "CPU of one line", verdict, figure, limit: limit.text.clone(), holder }
}

/// What lines keep that lose memory all along. Of each it is sure that it grows, and by how much at least.
fn leak(profile: &Profile, limit: &Limit) -> Finding {
    let mut kept = Estimate::default();
    let mut worst: Option<(f64, String)> = None;
    for site in sites(profile) {
        let Some(leak) = &site.leak else { continue };
        let bytes = site.live_at_end_bytes as f64;
        let sure = leak.low as f64 / leak.bytes_per_s.max(1) as f64;
        kept.value += bytes;
        kept.half_width += (bytes * (1.0 - sure)).clamp(0.0, (bytes - 1.0).max(0.0));
        if worst.as_ref().is_none_or(|worst| bytes > worst.0) {
            let (file, function) =
                (profile.tables.string(site.file), profile.tables.string(site.function));
            let place = place(Spot { file, python: true, line: site.line, function });
            let growth = quantity(Metric::Alloc, leak.bytes_per_s as f64);
            worst = Some((bytes, format!("{place} grows by {growth} a second")));
        }
    }
    Finding {
        name: "leaked",
        verdict: judge(kept, limit),
        figure: figure(Metric::Alloc, kept),
        limit: limit.text.clone(),
        holder: worst.map(|(_, text)| text),
    }
}

/// The line that has most.
fn largest(run: &Run, metric: Metric) -> Option<(Spot<'_>, Estimate)> {
    let lines = run.lines(metric).filter(|(_, figure)| figure.value > 0.0);
    lines.max_by(|a, b| a.1.value.total_cmp(&b.1.value))
}

fn place(spot: Spot<'_>) -> String {
    let name = |name| shown(Path::new(OsStr::from_bytes(name)));
    match (spot.line, spot.file) {
        (0, b"") => name(spot.function),
        (0, file) => format!("{} ({})", name(spot.function), name(file)),
        (line, file) => format!("{}:{line}", name(file)),
    }
}

/// A figure with its interval, if it has one.
fn figure(metric: Metric, figure: Estimate) -> String {
    let text = quantity(metric, figure.value);
    match figure.half_width {
        0.0 => text,
        half => format!("{text} ±{}", quantity(metric, half)),
    }
}

/// Three digits at most, in seconds or binary multiples of bytes.
fn quantity(metric: Metric, value: f64) -> String {
    let (value, unit) = match metric {
        Metric::Cpu => (value / 1e9, "s"),
        _ => {
            let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
            let mut at = 0;
            while at + 1 < units.len() && value / 1024f64.powi(at as i32) >= 999.5 {
                at += 1;
            }
            (value / 1024f64.powi(at as i32), units[at])
        }
    };
    let decimals = match value {
        _ if unit == "B" => 0,
        99.95.. => 0,
        9.995.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_over_when_all_of_its_interval_is() {
        let judged =
            |value, half_width| judge(Estimate { value, half_width }, &bytes("100").unwrap());
        assert_eq!(judged(100.0, 0.0), Verdict::Within);
        assert_eq!(judged(101.0, 0.0), Verdict::Over);
        assert_eq!(judged(110.0, 10.0), Verdict::Near);
        assert_eq!(judged(111.0, 10.0), Verdict::Over);
        assert_eq!(judged(99.0, 10.0), Verdict::Within);
    }

    #[test]
    fn budgets_are_times_sizes_and_shares() {
        assert_eq!(time_or_share("20%").map(|limit| (limit.most, limit.is_share)), Ok((0.2, true)));
        assert_eq!(time_or_share("2s").map(|limit| (limit.most, limit.is_share)), Ok((2e9, false)));
        assert_eq!(time("500ms").map(|limit| limit.most), Ok(5e8));
        for wrong in ["", "%", "-1%", "101%", "nan%", "2h"] {
            assert!(time_or_share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn quantities_have_three_digits() {
        assert_eq!(quantity(Metric::Peak, 147_849_216.0), "141 MiB");
        assert_eq!(quantity(Metric::Peak, 512.0), "512 B");
        assert_eq!(quantity(Metric::Cpu, 1.5e9), "1.50 s");
        assert_eq!(
            figure(Metric::Alloc, Estimate { value: 1048576.0, half_width: 1024.0 }),
            "1.00 MiB ±1.00 KiB"
        );
    }
}
