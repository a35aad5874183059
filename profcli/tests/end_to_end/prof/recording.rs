//! Running a program bare and under `prof run`.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Profile, Python, call, prof};

/// No program of these tests runs longer than this, on any machine.
const HANG: Duration = Duration::from_secs(300);

/// How a program ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) output: Output,
}

impl Ended {
    pub(crate) fn status(&self) -> ExitStatus {
        self.output.status
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// What the program printed about itself.
    #[track_caller]
    pub(crate) fn truth(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout())
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout(), self.stderr()))
    }
}

/// A command to be run under the profiler.
#[derive(Debug)]
pub(crate) struct Recording {
    folder: TempDir,
    options: Vec<OsString>,
    command: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    input: Option<Vec<u8>>,
}

/// Programs of several tests run side by side, unless one wants the machine for itself.
static MACHINE: RwLock<()> = RwLock::new(());

impl Recording {
    /// A Python program with its arguments.
    pub(crate) fn of(python: &Python, program: &Path, arguments: &[&str]) -> Self {
        let mut command: Vec<OsString> = vec![python.path().into(), program.into()];
        command.extend(arguments.iter().map(OsString::from));
        Self::of_command(command)
    }

    /// Any command.
    pub(crate) fn of_command<S: Into<OsString>>(command: impl IntoIterator<Item = S>) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a scratch folder"),
            options: vec!["--quiet".into()],
            command: command.into_iter().map(Into::into).collect(),
            variables: Vec::new(),
            input: None,
        }
    }

    /// An option of `prof run`, with its value if it takes one.
    pub(crate) fn option(mut self, words: &[&str]) -> Self {
        self.options.extend(words.iter().map(OsString::from));
        self
    }

    pub(crate) fn rate(self, hertz: u32) -> Self {
        self.option(&["--rate", &hertz.to_string()])
    }

    pub(crate) fn variable(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((key.into(), value.as_ref().into()));
        self
    }

    pub(crate) fn input(mut self, bytes: &[u8]) -> Self {
        self.input = Some(bytes.to_vec());
        self
    }

    /// The folder the program works in.
    pub(crate) fn folder(&self) -> PathBuf {
        let work = self.folder.path().join("work");
        std::fs::create_dir_all(&work).expect("scratch is writable");
        work
    }

    /// Where the trace goes: outside the folder the program works in.
    pub(crate) fn trace(&self) -> PathBuf {
        self.folder.path().join("run.proftrace")
    }

    fn dress(&self, command: &mut Command) {
        command.current_dir(self.folder());
        command.envs(self.variables.iter().map(|(key, value)| (key, value)));
        command.env_remove("LD_PRELOAD").env_remove("PROF_SESSION");
    }

    /// The `prof run` command line, not started.
    pub(crate) fn profiled_command(&self) -> Command {
        let mut command = Command::new(prof());
        command.arg("run").arg("-o").arg(self.trace()).args(&self.options).arg("--");
        command.args(&self.command);
        self.dress(&mut command);
        command
    }

    /// Runs it under the profiler.
    pub(crate) fn run(&self) -> Ended {
        let _with_others = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
        to_the_end(self.profiled_command(), self.input.as_deref())
    }

    /// Runs it as it is.
    pub(crate) fn run_bare(&self) -> Ended {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        self.dress(&mut command);
        let _with_others = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
        to_the_end(command, self.input.as_deref())
    }

    /// Runs it under the profiler, expects success, and reads the trace.
    #[track_caller]
    pub(crate) fn profile(&self) -> (Ended, Profile) {
        let ended = self.run();
        assert!(ended.status().success(), "{}\n{}", ended.status(), ended.stderr());
        let profile = self.read();
        (ended, profile)
    }

    /// As [`Recording::profile`], while no other test runs a program: for truths about who ran when.
    #[track_caller]
    pub(crate) fn profile_alone(&self) -> (Ended, Profile) {
        let ended = {
            let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
            to_the_end(self.profiled_command(), self.input.as_deref())
        };
        assert!(ended.status().success(), "{}\n{}", ended.status(), ended.stderr());
        (ended, self.read())
    }

    /// Reads the trace through `prof convert --to json`.
    #[track_caller]
    pub(crate) fn read(&self) -> Profile {
        Profile::of_trace(&self.trace())
    }

    /// The text of `prof report`.
    #[track_caller]
    pub(crate) fn report(&self) -> String {
        self.report_with(&[])
    }

    /// The text report with these options.
    #[track_caller]
    pub(crate) fn report_with(&self, options: &[&str]) -> String {
        let trace = self.trace();
        let mut words = vec![OsStr::new("report"), trace.as_os_str()];
        words.extend(options.iter().map(OsStr::new));
        let output = call(self.folder.path(), &words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "report: {}\n{stderr}", output.status);
        String::from_utf8(output.stdout).expect("a report is UTF-8")
    }
}

/// Runs a command to its end, feeding its input and taking its outputs; kills it and panics if it hangs.
#[track_caller]
pub(crate) fn to_the_end(mut command: Command, input: Option<&[u8]>) -> Ended {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let feeder = input.map(|bytes| {
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let bytes = bytes.to_vec();
        // A program that ends without reading its input is no fault of the test.
        std::thread::spawn(move || drop(stdin.write_all(&bytes)))
    });
    let stdout = drain(child.stdout.take().expect("standard output is a pipe"));
    let stderr = drain(child.stderr.take().expect("standard error is a pipe"));
    let status = wait(&mut child, &command);
    if let Some(feeder) = feeder {
        feeder.join().expect("the feeder does not panic");
    }
    let stdout = stdout.join().expect("the reader does not panic");
    let stderr = stderr.join().expect("the reader does not panic");
    Ended { output: Output { status, stdout, stderr } }
}

fn drain(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

/// Waits for a child; kills it and panics if it hangs.
#[track_caller]
pub(crate) fn wait(child: &mut Child, command: &Command) -> ExitStatus {
    let deadline = Instant::now() + HANG;
    loop {
        if let Some(status) = child.try_wait().expect("our own child can be waited for") {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().expect("our own child can be killed");
            let status = child.wait().expect("our own child can be waited for");
            panic!("hangs ({status}, signal {:?}): {command:?}", status.signal());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
