//! `prof`: profiles a program by line and turns traces into reports.
#![forbid(unsafe_code)]

mod check;
mod convert;
mod info;
mod recover;
mod report;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Show where time, memory and copies went, by line
    Report(report::Args),
    /// Turn a trace into text, JSON, pprof, speedscope or collapsed stacks
    Convert(convert::Args),
    /// Show what a trace holds: processes, threads, counts, losses
    Info(info::Args),
    /// Tell whether a trace is sound
    Check(check::Args),
    /// Write the readable part of a damaged trace as a sound one
    Recover(recover::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Recover(args) => recover::run(&args),
    }
}
