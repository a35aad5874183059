//! Running a program bare and under `prof run`.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::hang;
use crate::row::Broken;
use crate::seen::Seen;
use crate::trial::Trial;

/// A bare run that takes longer than this is no program for a row.
const LONGEST: Duration = Duration::from_secs(3600);

/// A program, and how it is to be run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    around: Vec<OsString>,
    options: Vec<OsString>,
    between: Vec<OsString>,
    command: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
}

/// A bare run and a profiled one.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) bare: Seen,
    pub(crate) profiled: Seen,
    pub(crate) trace: PathBuf,
}

impl Run {
    pub(crate) fn of(program: impl AsRef<OsStr>) -> Self {
        Self { command: vec![program.as_ref().into()], ..Self::default() }
    }

    /// Arguments of the program.
    pub(crate) fn with<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.command.extend(words.into_iter().map(|word| word.as_ref().into()));
        self
    }

    /// An option of `prof run`, with its value if it takes one.
    pub(crate) fn option(mut self, words: &[&str]) -> Self {
        self.options.extend(words.iter().map(OsString::from));
        self
    }

    /// Ten thousand ticks a second, and so many samples of memory and copies that hooks leave their usual path all the
    /// time.
    pub(crate) fn dense(self) -> Self {
        let intervals = ["--memory-interval", "16384", "--copy-interval", "65536"];
        self.option(&["--rate", "10000"]).option(&intervals)
    }

    /// A variable of the program's and the profiler's environment.
    pub(crate) fn variable(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((key.into(), value.as_ref().into()));
        self
    }

    /// A command that runs the rest of the line, profiler and all, such as `strace`.
    pub(crate) fn around<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.around.extend(words.into_iter().map(|word| word.as_ref().into()));
        self
    }

    /// A command that the profiler runs and that becomes the program, such as `prlimit`.
    pub(crate) fn between<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.between.extend(words.into_iter().map(|word| word.as_ref().into()));
        self
    }

    /// The command line without the profiler, not started.
    pub(crate) fn bare_command(&self) -> Command {
        self.line(&[self.around.as_slice(), &self.between, &self.command].concat())
    }

    /// The command line with the profiler, not started.
    pub(crate) fn profiled_command(&self, trial: &Trial, trace: &Path) -> Command {
        let prof = [trial.settings.prof.as_os_str(), "run".as_ref(), "--quiet".as_ref()];
        let mut words = self.around.clone();
        words.extend(prof.map(OsString::from));
        words.extend(["-o".into(), trace.as_os_str().to_owned()]);
        words.extend(self.options.iter().cloned().chain(["--".into()]));
        words.extend(self.between.iter().chain(&self.command).cloned());
        self.line(&words)
    }

    fn line(&self, words: &[OsString]) -> Command {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        command.env_remove("LD_PRELOAD").env_remove("PROF_SESSION");
        command.envs(self.variables.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs it as it is.
    pub(crate) fn bare(&self, trial: &Trial) -> Result<Seen, Broken> {
        to_the_end(trial, self.bare_command(), LONGEST)
    }

    /// Runs it profiled alone, for what is compared with a bare run of something else.
    pub(crate) fn profiled(&self, trial: &Trial) -> Result<Seen, Broken> {
        let trace = fresh_trace(trial)?;
        let limit = Duration::from_secs(20) * trial.settings.patience;
        to_the_end(trial, self.profiled_command(trial, &trace), limit)
    }

    /// Runs it bare and profiled; the profiled run may take three times as long, and five seconds.
    pub(crate) fn both(&self, trial: &Trial) -> Result<Pair, Broken> {
        let bare = self.bare(trial)?;
        let limit = limit(trial, bare.took);
        self.after(trial, bare, limit)
    }

    /// Runs it profiled after a bare run, within a limit.
    pub(crate) fn after(&self, trial: &Trial, bare: Seen, limit: Duration) -> Result<Pair, Broken> {
        let trace = fresh_trace(trial)?;
        let profiled = to_the_end(trial, self.profiled_command(trial, &trace), limit)?;
        Ok(Pair { bare, profiled, trace })
    }
}

/// How long a profiled run may take.
pub(crate) fn limit(trial: &Trial, bare: Duration) -> Duration {
    (3 * bare + Duration::from_secs(5)) * trial.settings.patience
}

/// A name for a trace that is not there: outside of the folder that programs work in.
pub(crate) fn fresh_trace(trial: &Trial) -> Result<PathBuf, Broken> {
    let trace = trial.folder().join("run.proftrace");
    match fs::remove_file(&trace) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(trace),
    }
}

/// A command that was started in a fresh folder, with its outputs in files.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) child: Child,
    work: PathBuf,
    outputs: [PathBuf; 2],
    since: Instant,
    line: String,
}

/// Starts a command.
pub(crate) fn start(trial: &Trial, mut command: Command) -> Result<Started, Broken> {
    let work = trial.folder().join("work");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir(&work)?;
    let outputs = ["stdout", "stderr"].map(|name| trial.folder().join(name));
    command.stdout(File::create(&outputs[0])?).stderr(File::create(&outputs[1])?);
    // A group of its own, so that what it leaves behind can be ended with it.
    command.current_dir(&work).process_group(0);
    let line = format!("{command:?}");
    let child = command.spawn().map_err(|error| Broken::fault(format!("{line}: {error}")))?;
    Ok(Started { child, work, outputs, since: Instant::now(), line })
}

impl Started {
    /// The folder that it works in.
    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    /// Waits for its end; when it hangs, shows where and kills it.
    pub(crate) fn end(mut self, limit: Duration) -> Result<Seen, Broken> {
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if self.since.elapsed() > limit {
                let shown = hang::shown(self.child.id());
                hang::kill(self.child.id());
                self.child.wait()?;
                let line = &self.line;
                return Err(Broken::fault(format!(
                    "hangs: not done after {limit:?}\n{line}\n{shown}"
                )));
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let took = self.since.elapsed();
        let [stdout, stderr] = self.outputs.each_ref().map(fs::read);
        Ok(Seen { status, stdout: stdout?, stderr: stderr?, files: files(&self.work)?, took })
    }
}

/// Starts a command and waits for its end.
pub(crate) fn to_the_end(trial: &Trial, command: Command, limit: Duration) -> Result<Seen, Broken> {
    start(trial, command)?.end(limit)
}

/// Regular files in a folder, with their contents.
fn files(folder: &Path) -> Result<Vec<(OsString, Vec<u8>)>, Broken> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            found.push((entry.file_name(), fs::read(entry.path())?));
        }
    }
    found.sort();
    Ok(found)
}
