//! `prof`: profiles a program by line and turns traces into reports.
#![forbid(unsafe_code)]

mod budget;
mod by_seconds;
mod check;
mod convert;
mod damage;
mod diff;
mod info;
mod live;
mod look;
mod merge;
mod output;
mod part;
mod recover;
mod report;
mod run;
mod split;
mod view;
mod words;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use profcore::collector::inheritance;

#[derive(Parser)]
#[command(name = "prof", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a program under the profiler
    Run(run::Args),
    /// Look at a trace while it is written
    Live(live::Args),
    /// Show where time, memory and copies went, by line
    Report(report::Args),
    /// Turn a trace into a page or into what other programs read: text, JSON, pprof, speedscope and more
    Convert(convert::Args),
    /// Show a trace as a page in the browser
    View(view::Args),
    /// Show what a trace holds: processes, threads, counts, losses
    Info(info::Args),
    /// Tell whether a trace is sound
    Check(check::Args),
    /// Write the readable part of a damaged trace as a sound one
    Recover(recover::Args),
    /// Make one trace of several
    Merge(merge::Args),
    /// Make a trace of a part of another: what lies between two moments
    Split(split::Args),
    /// Compare two programs by line, and tell what is more than noise
    Diff(diff::Args),
    /// Tell whether a program used more than it may: status 3 if it did, 1 if that cannot be told
    CheckBudget(budget::Args),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    // A profiled program's end is not our end, and a summary goes out whether anybody reads it or not.
    if !matches!(cli.command, Command::Run(_)) {
        inheritance::restore_pipe_signal();
    }
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Live(args) => live::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::View(args) => view::run(args),
        Command::Info(args) => info::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Recover(args) => recover::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Split(args) => split::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::CheckBudget(args) => budget::run(&args),
    }
}

/// Help and version as they are; anything else in one line.
///
/// The status of a wrong command line is 2, but for `prof run` it is 125: its other statuses are the program's.
fn refuse(error: &clap::Error) -> ExitCode {
    let help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if help {
        // Nobody is told when standard output is closed.
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    }
    let is_run = std::env::args_os().nth(1).is_some_and(|word| word == "run");
    let text = error.render().to_string();
    let what = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    let what = what.collect::<Vec<_>>().join(" ");
    let what = escaped(what.strip_prefix("error: ").unwrap_or(&what));
    let which = if is_run { "prof run" } else { "prof" };
    words::complain(format_args!("{what} (see {which} --help)"));
    ExitCode::from(if is_run { 125 } else { 2 })
}

/// Foreign text for a terminal.
fn escaped(text: &str) -> String {
    profformat::export::escape::escape(text.as_bytes())
}
