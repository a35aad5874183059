//! Runs the programs of `profcli/tests/truth`, and compares what profilers tell about them with what they measured.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use benches::truth::claim::Claim;
use benches::truth::interpreters::{self, Interpreter};
use benches::truth::memory;
use benches::truth::memory::peers::Peer;
use benches::truth::peers::Peers;
use benches::truth::programs::Program;
use benches::truth::row::Row;
use benches::truth::rows::rows;
use benches::truth::run::Runs;
use benches::truth::suite::Suite;
use benches::truth::table::{self, Column};
use benches::truth::told::Told;
use clap::Parser;

/// How true the profiler's figures are: programs that know, on every interpreter. Fails if a promise is broken.
#[derive(Parser)]
struct Arguments {
    /// An interpreter; without any, pyenv's 3.9, 3.12 and 3.13, the system's 3.11, and 3.14 and 3.15 of target/sid
    #[arg(long, value_name = "PATH")]
    python: Vec<PathBuf>,
    /// Memory and copies instead of time
    #[arg(long)]
    memory: bool,
    /// How many times as much as usual the programs of memory do: less is less exact
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f64,
    /// Seconds that each program of time runs; one whose threads take turns runs longer
    #[arg(long, value_name = "S", default_value_t = 8.0)]
    seconds: f64,
    /// Samples per second; above the kernel's tick, perf events are needed, or there will be fewer
    #[arg(long, value_name = "HZ", default_value_t = 1000.0)]
    rate: f64,
    /// Only programs with this in their name or file
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Scalene, py-spy and Tachyon on the same programs, instead of all interpreters; for memory Scalene, memray and
    /// Fil
    #[arg(long)]
    peers: bool,
    /// At the end, the errors as a Markdown table
    #[arg(long)]
    markdown: bool,
    /// Keep the traces in this folder
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// The command to measure, instead of a release build of this workspace
    #[arg(long, value_name = "PATH")]
    prof: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("truth: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<bool, String> {
    let wanted = |program: &&Program| {
        let only = &arguments.only;
        let has = |word: &String| program.name.contains(&**word) || program.file.contains(&**word);
        only.is_empty() || only.iter().any(has)
    };
    let suite = if arguments.memory { Suite::Memory } else { Suite::Time };
    let programs: Vec<&Program> = suite.programs().iter().filter(wanted).collect();
    if programs.is_empty() {
        let names: Vec<&str> = suite.programs().iter().map(|program| program.name).collect();
        let names = names.join(", ");
        return Err(format!("no such program; there are: {names}"));
    }
    let prof = arguments.prof.clone().unwrap_or_else(benches::built_prof);
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| error.to_string());
    let runs = Runs {
        prof: absolute(&prof)?,
        target: target(),
        length: if arguments.memory { arguments.scale } else { arguments.seconds },
        rate: arguments.rate,
        keep: arguments.keep.as_deref().map(absolute).transpose()?,
    };
    if let Some(folder) = &runs.keep {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    println!("{}", table::heading(suite));
    let columns = if arguments.peers {
        beside_peers(suite, &runs, &programs)?
    } else {
        let pythons: Result<Vec<Interpreter>, String> = match arguments.python.as_slice() {
            [] => Ok(interpreters::found(&runs.target)),
            paths => paths.iter().map(|path| Interpreter::at(path)).collect(),
        };
        on_interpreters(suite, &runs, &programs, &pythons?)
    };
    if arguments.markdown {
        println!("\n{}", table::markdown(&columns.figures));
    }
    println!(
        "\n! more than the bound off; ~ so few samples that an error says little; - not told, not sampled"
    );
    let ours = columns.figures.iter().take(columns.ours);
    let verdicts: Vec<(String, bool)> = ours.map(|column| suite.verdict(column)).collect();
    verdicts.iter().for_each(|(words, _)| println!("{words}"));
    Ok(columns.failures == 0 && verdicts.iter().all(|(_, kept)| *kept))
}

fn target() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    workspace.join(target)
}

/// What was measured.
#[derive(Default)]
struct Columns {
    figures: Vec<Column>,
    /// The first of them are ours.
    ours: usize,
    /// Runs that gave no figures.
    failures: usize,
}

impl Columns {
    /// Takes in what a run gave for a column.
    fn add(&mut self, at: usize, program: &Program, run: Result<Vec<Row>, String>) {
        let (name, figures) = &mut self.figures[at];
        match run {
            Ok(rows) => {
                rows.iter().for_each(|row| println!("{}", table::line(row, name)));
                figures.extend(rows);
            }
            Err(why) => {
                eprintln!("FAILED: {} with {name}: {why}", program.name);
                self.failures += 1;
            }
        }
    }
}

/// A column for each interpreter, with figures by thread.
fn on_interpreters(
    suite: Suite,
    runs: &Runs,
    programs: &[&Program],
    pythons: &[Interpreter],
) -> Columns {
    let figures = pythons.iter().map(|python| (python.version.clone(), Vec::new()));
    let mut columns = Columns { figures: figures.collect(), ours: pythons.len(), failures: 0 };
    for program in programs {
        for (at, python) in pythons.iter().enumerate() {
            columns.add(at, program, suite.of(runs, program, python));
        }
    }
    columns
}

/// A column for each tool, with the figures of all threads together: not all tools tell them apart.
fn beside_peers(suite: Suite, runs: &Runs, programs: &[&Program]) -> Result<Columns, String> {
    let peers = Peers::prepare(&runs.target)?;
    if suite == Suite::Memory {
        return Ok(memory_beside_peers(runs, programs, &peers.python));
    }
    let pythons: Vec<&Interpreter> = [&peers.python].into_iter().chain(&peers.newest).collect();
    let ours = pythons.iter().map(|python| format!("prof, {}", python.version));
    let theirs = peers.all().into_iter().map(|peer| peer.title(&peers));
    let figures = ours.chain(theirs).map(|title| (title, Vec::new())).collect();
    let mut columns = Columns { figures, ours: pythons.len(), failures: 0 };
    for peer in peers.all() {
        println!("{}: {}", peer.title(&peers), peer.words(programs[0]));
    }
    for program in programs {
        let tags = program.tags();
        let figures = |pair: Option<(Claim, Told)>| {
            pair.map_or(Vec::new(), |(claim, told)| rows(program.name, &tags, &claim, &told))
        };
        for (at, python) in pythons.iter().enumerate() {
            columns.add(at, program, runs.of_all_threads(program, python).map(figures));
        }
        for (at, peer) in peers.all().into_iter().enumerate() {
            columns.add(pythons.len() + at, program, peer.of(program, runs, &peers).map(figures));
        }
    }
    Ok(columns)
}

/// The same for memory; its peers work with one interpreter.
fn memory_beside_peers(runs: &Runs, programs: &[&Program], python: &Interpreter) -> Columns {
    let titles = Peer::ALL.into_iter().map(|peer| peer.title().to_owned());
    let titles = [format!("prof, {}", python.version)].into_iter().chain(titles);
    let figures = titles.map(|title| (title, Vec::new())).collect();
    let mut columns = Columns { figures, ours: 1, failures: 0 };
    for peer in Peer::ALL {
        println!("{}: {}", peer.title(), peer.words());
    }
    for program in programs {
        columns.add(0, program, memory::of(runs, program, python));
        for (at, peer) in Peer::ALL.into_iter().enumerate() {
            match peer.of(program, runs, python) {
                // A peer that cannot run a program is no failure of ours.
                Err(why) => eprintln!("FAILED: {} with {}: {why}", program.name, peer.title()),
                rows => columns.add(1 + at, program, rows),
            }
        }
    }
    columns
}
