//! `prof run`: starts a program, profiles it and ends as it ends.

mod command;
mod elf;
mod output;
pub(crate) mod quantity;
mod shim;
mod streams;
mod summary;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use profcore::collector::launch::{self, Launch, Signals};
use profcore::collector::{self, Collector, Ended, Settings};
use profcore::config::{Config, SESSION_VARIABLE};
use profformat::export::escape::escape;

use self::streams::Streams;
use crate::live::{self, Left, Viewer};
use crate::output::shown;
use crate::words::complain;

/// Nothing was run: the profiler could not start it.
const CANNOT_START: u8 = 125;
/// As a shell says it: found, but not to be executed; not found.
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Trace to write; without it, named after the program, never over another file
    #[arg(short, long, value_name = "TRACE")]
    output: Option<PathBuf>,
    /// CPU samples per second of CPU time and thread, 1 to 10000
    #[arg(long, value_name = "HZ", default_value = "100", value_parser = quantity::rate)]
    rate: f64,
    /// What ticks: timers, which the kernel looks at when it ticks itself, or perf events, which may need rights;
    /// without it, perf events where the rate is above the kernel's tick
    #[arg(long, value_enum, value_name = "CLOCK")]
    clock: Option<Clock>,
    /// Expected bytes between two allocation samples
    #[arg(long, value_name = "BYTES", default_value = "128K", value_parser = quantity::bytes)]
    memory_interval: u64,
    /// Expected bytes between two copy samples
    #[arg(long, value_name = "BYTES", default_value = "1M", value_parser = quantity::bytes)]
    copy_interval: u64,
    /// Do not sample CPU time
    #[arg(long)]
    no_cpu: bool,
    /// No native frames below and between Python's, and a cheaper tick
    #[arg(long)]
    no_native: bool,
    /// Do not sample allocations
    #[arg(long)]
    no_memory: bool,
    /// Do not sample copies
    #[arg(long)]
    no_copies: bool,
    /// Profile the program only, not what it starts
    #[arg(long)]
    no_children: bool,
    /// Record the name of the program alone, not its arguments; without it, what looks like a secret is left out
    #[arg(long)]
    no_argv: bool,
    /// No summary when the program has ended
    #[arg(short, long)]
    quiet: bool,
    /// Watch the program in this terminal while it runs, or in another one: --live=tty:/dev/pts/7
    #[arg(
        long,
        value_name = "tty:PATH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = live::place
    )]
    live: Option<live::Place>,
    /// Replace TRACE if it is a trace
    #[arg(long)]
    force: bool,
    /// The program and its arguments: a program, a .py file, or -m MODULE
    #[arg(
        value_name = "CMD",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

/// What ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Clock {
    Timer,
    Perf,
}

/// Why nothing was run, and the status that says so.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: u8,
    words: String,
}

impl Refusal {
    fn new(status: u8, words: impl Into<String>) -> Self {
        Self { status, words: words.into() }
    }
}

impl From<String> for Refusal {
    fn from(words: String) -> Self {
        Self::new(CANNOT_START, words)
    }
}

/// A run that is over.
struct Run {
    ended: Ended,
    /// What to say about the rate.
    remark: Option<String>,
    trace: PathBuf,
    /// With a live view: the file with what the program wrote, and how the view was left.
    output: Option<PathBuf>,
    left: Left,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match start_and_follow(args) {
        Ok(run) => {
            summary::tell(args, &run);
            end_as(run.ended.status)
        }
        Err(Refusal { status, words }) => {
            complain(words);
            ExitCode::from(status)
        }
    }
}

/// Everything that can go wrong does so before the program is started.
fn start_and_follow(args: &Args) -> Result<Run, Refusal> {
    let (config, remark) = config(args)?;
    let target = command::resolve(&args.command)?;
    let preload = shim::Preload::find()?;
    let signals = Signals::guard().map_err(|e| format!("cannot arrange signals: {e}"))?;
    let viewer = args.live.as_ref().map(Viewer::prepare).transpose()?.flatten();
    let mut output = output::open(args.output.as_deref(), &target.trace_name, args.force)?;
    let streams = match &viewer {
        None => Streams::default(),
        Some(viewer) => match Streams::out_of_the_way(viewer, output.path()) {
            Ok(streams) => streams,
            Err(words) => {
                output.discard();
                return Err(words.into());
            }
        },
    };
    let settings = Settings {
        config,
        command: args.command.iter().map(|word| word.as_bytes().to_vec()).collect(),
        tool: concat!("prof ", env!("CARGO_PKG_VERSION")).to_owned(),
        script_interpreter: target.script_interpreter,
        program_only: args.no_argv,
        remarks: remark.iter().cloned().collect(),
    };
    let begun = output
        .writer()
        .map_err(collector::Error::Write)
        .and_then(|writer| Collector::begin(settings, writer));
    let collector = match begun {
        Ok(collector) => collector,
        Err(error) => {
            output.discard();
            streams.discard();
            return Err(error.to_string().into());
        }
    };
    let launch = Launch {
        program: target.program,
        arguments: target.arguments,
        environment: vec![
            ("LD_PRELOAD".into(), preload.value()),
            (SESSION_VARIABLE.into(), collector.session_name().into()),
        ],
        streams: streams.all.clone(),
    };
    let program = match signals.spawn(&launch) {
        Ok(program) => program,
        Err(error) => {
            output.discard();
            streams.discard();
            let words = format!("{}: {error}", shown(&launch.program));
            return Err(match error.kind() {
                std::io::ErrorKind::NotFound => Refusal::new(NOT_FOUND, words),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::OutOfMemory => words.into(),
                _ => Refusal::new(NOT_EXECUTABLE, words),
            });
        }
    };
    let trace = output.take_place();
    let written = streams.output;
    let follow = || collector.follow(program, &signals);
    let (ended, left) = match viewer {
        Some(viewer) => viewer.show(&signals, &trace, written.as_deref(), follow),
        None => (follow(), Left::Quit),
    };
    let ended = ended.map_err(|error| format!("lost sight of the program: {error}"))?;
    Ok(Run { ended, remark, trace, output: written, left })
}

/// What to sample, and a remark for the report when the rate cannot be reached.
fn config(args: &Args) -> Result<(Config, Option<String>), String> {
    if args.no_cpu && args.no_memory && args.no_copies {
        return Err("nothing is left to measure with --no-cpu, --no-memory and --no-copies".into());
    }
    let (perf, remark) = clock(args)?;
    let unless = |off: bool, interval: u64| if off { 0 } else { interval };
    let config = Config {
        cpu_interval_ns: unless(args.no_cpu, (1e9 / args.rate).round() as u64),
        perf,
        native_frames: !args.no_native,
        memory_interval: unless(args.no_memory, args.memory_interval),
        copy_interval: unless(args.no_copies, args.copy_interval),
        children: !args.no_children,
    };
    Ok((config, remark))
}

/// Whether perf events tick.
fn clock(args: &Args) -> Result<(bool, Option<String>), String> {
    let tick = collector::kernel_tick_hz().round();
    let above = !args.no_cpu && args.rate > tick;
    let refusal = || collector::perf_refusal().map(|error| error.to_string());
    let limited = |why: &str| {
        let asked = args.rate;
        format!("{why} limits CPU samples to {tick} a second; {asked} were asked for")
    };
    match args.clock {
        Some(Clock::Timer) => Ok((false, above.then(|| limited("the kernel's tick")))),
        Some(Clock::Perf) => match refusal() {
            None => Ok((true, None)),
            Some(why) => Err(format!(
                "the kernel gives no perf events ({why}): see kernel.perf_event_paranoid, or leave out --clock"
            )),
        },
        None if !above => Ok((false, None)),
        None => Ok(match refusal() {
            None => (true, None),
            Some(why) => (
                false,
                Some(limited(&format!("the kernel gives no perf events ({why}), and its tick"))),
            ),
        }),
    }
}

/// Ends this process as the program ended.
fn end_as(status: ExitStatus) -> ExitCode {
    if let Some(signal) = status.signal() {
        launch::die_by(signal);
        return ExitCode::from(128_u8.wrapping_add(signal as u8));
    }
    ExitCode::from(status.code().unwrap_or(0) as u8)
}
