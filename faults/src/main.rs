//! The fault catalogue: makes go wrong what goes wrong for profilers, and shows that the program does not notice.
#![forbid(unsafe_code)]

mod catalogue;
mod forge;
mod hang;
mod invariants;
mod random;
mod reading;
mod row;
mod rows;
mod run;
mod seen;
mod table;
mod trace;
mod trial;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use row::Row;
use trial::{Settings, Strength};

/// Tries the faults of the catalogue. Fails if anything does not hold.
#[derive(Parser)]
struct Arguments {
    /// Less of everything: all rows in under four minutes on two busy cores
    #[arg(long)]
    short: bool,
    /// Only this row, such as 5b
    #[arg(long, value_name = "ROW")]
    row: Vec<String>,
    /// Try each row so many times
    #[arg(long, value_name = "N", default_value_t = 1)]
    times: usize,
    /// Rows side by side
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// How many times as long as on an idle machine a run may take; by default 4 for a short trial, else 1
    #[arg(long, value_name = "N")]
    patience: Option<u32>,
    /// Minutes that row 23 mutates traces; by default 120 when it is asked for by name, else a part of one
    #[arg(long, value_name = "N")]
    fuzz_minutes: Option<f64>,
    /// The long run instead of the catalogue, for so many minutes
    #[arg(long, value_name = "MINUTES", num_args = 0..=1, default_missing_value = "30")]
    soak: Option<f64>,
    /// Show the rows and try none
    #[arg(long)]
    list: bool,
    /// The table in Markdown
    #[arg(long)]
    markdown: bool,
    /// The command to try, instead of a release build of this workspace
    #[arg(long, value_name = "PATH")]
    prof: Option<PathBuf>,
    #[command(subcommand)]
    child: Option<Child>,
}

/// What this program starts itself as.
#[derive(clap::Subcommand)]
enum Child {
    #[command(hide = true)]
    Reading(reading::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.child {
        Some(Child::Reading(arguments)) => reading::run(arguments).map(|()| true),
        None => attempt(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("faults: {why}");
            ExitCode::FAILURE
        }
    }
}

fn attempt(arguments: &Arguments) -> Result<bool, String> {
    let rows = wanted(arguments)?;
    if arguments.list {
        rows.iter().for_each(|row| println!("{:>4}  {}", row.number, row.fault));
        return Ok(true);
    }
    let prof = arguments.prof.clone().map_or_else(built_prof, Ok)?;
    let prof = std::path::absolute(&prof).map_err(|error| error.to_string())?;
    if !prof.is_file() || !prof.with_file_name("libprofshim.so").is_file() {
        return Err(format!("{} or libprofshim.so beside it is missing", prof.display()));
    }
    let by_name = !arguments.row.is_empty() && !arguments.short;
    let settings = Settings {
        prof,
        strength: if arguments.short { Strength::Short } else { Strength::Full },
        patience: arguments.patience.unwrap_or(if arguments.short { 4 } else { 1 }),
        fuzz_minutes: arguments.fuzz_minutes.or(by_name.then_some(120.0)),
        soak_minutes: arguments.soak.unwrap_or_default(),
    };
    Ok(table::fill(&rows, &settings, arguments.times, arguments.jobs, arguments.markdown))
}

fn wanted(arguments: &Arguments) -> Result<Vec<&'static Row>, String> {
    if arguments.soak.is_some() {
        return Ok(vec![&catalogue::SOAK]);
    }
    let all = catalogue::ROWS.iter();
    if arguments.row.is_empty() {
        return Ok(all.collect());
    }
    let find = |number: &String| {
        all.clone().find(|row| row.number == number).ok_or(format!("there is no row {number}"))
    };
    arguments.row.iter().map(find).collect()
}

/// Builds the profiler as a release and returns where it is.
fn built_prof() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    build.current_dir(trial::workspace());
    build.args(["build", "--quiet", "--release", "-p", "profcli", "-p", "profshim"]);
    match build.status() {
        Ok(status) if status.success() => Ok(trial::workspace().join(target).join("release/prof")),
        Ok(status) => Err(format!("the profiler does not build: {status}")),
        Err(error) => Err(format!("cargo: {error}")),
    }
}

/// Whether a row that cannot be tried counts as one that fails.
fn must_not_skip() -> bool {
    std::env::var_os("PROF_NO_SKIP").is_some_and(|value| value != "0")
}

/// A file's name for people.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
