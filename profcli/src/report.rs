//! `prof report`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use profformat::analysis::Profile;
use profformat::analysis::diff::Texts;
use profformat::export::escape::escape;
use profformat::export::text::{self, Options, Sort, Source, Whole};
use profformat::split::SplitError;

use crate::look::Look;
use crate::part::Part;
use crate::words::complain;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace to read
    trace: PathBuf,
    /// What lines are sorted by
    #[arg(long, value_enum, default_value = "cpu")]
    sort: By,
    #[command(flatten)]
    part: Part,
    /// Show the table of functions in full
    #[arg(long)]
    functions: bool,
    /// Show what each thread used
    #[arg(long)]
    threads: bool,
    /// Show what each process used, and who started it
    #[arg(long)]
    processes: bool,
    /// Show all six classes of time: python, native, gc, kernel, gil, wait
    #[arg(long)]
    all_classes: bool,
    #[command(flatten)]
    look: Look,
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    Cpu,
    Memory,
    Copies,
    Leaks,
    Churn,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match report(args) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough.
        Err(ReportError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

/// The report with nothing asked for.
pub(crate) fn show(trace: &Path) -> ExitCode {
    run(&Args {
        trace: trace.to_owned(),
        sort: By::Cpu,
        part: Part::default(),
        functions: false,
        threads: false,
        processes: false,
        all_classes: false,
        look: Look::default(),
    })
}

#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error(transparent)]
    Open(profformat::Error),
    #[error("{}: {error}", escape(path.as_os_str().as_bytes()))]
    Trace { path: PathBuf, error: SplitError },
    #[error("cannot write the report: {0}")]
    Output(#[from] io::Error),
}

fn report(args: &Args) -> Result<(), ReportError> {
    let bytes = profformat::map::open(&args.trace).map_err(ReportError::Open)?;
    let profile = (args.part.profile(&bytes, None, false))
        .map_err(|error| ReportError::Trace { path: args.trace.clone(), error })?;
    crate::damage::warn(&args.trace, &profile);
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    let options = Options {
        width: args.look.width(),
        top: args.look.top,
        sort: match args.sort {
            By::Cpu => Sort::Cpu,
            By::Memory => Sort::Memory,
            By::Copies => Sort::Copies,
            By::Leaks => Sort::Leaks,
            By::Churn => Sort::Churn,
        },
        file: args.look.file.clone(),
        functions: args.functions,
        threads: args.threads,
        processes: args.processes,
        all_classes: args.all_classes,
        color: args.look.has_colors(terminal),
        ascii: args.look.is_ascii(),
        warnings: Vec::new(),
    };
    let source = Files::of(&profile);
    let mut out = BufWriter::new(stdout.lock());
    text::write(&profile, &options, &source, &mut out)?;
    out.flush()?;
    Ok(())
}

/// Files larger than this are no source.
const LARGEST: u64 = 8 << 20;

/// Which files an output has source of. A page is handed on, a terminal's text is mostly not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embed {
    Nothing,
    /// `.py` files that everyone on this machine may read.
    Public,
    Everything,
}

impl Embed {
    fn admits(self, public: bool) -> bool {
        self == Embed::Everything || public && self == Embed::Public
    }
}

/// Source files of this machine, opened when first asked for. Paths come from the trace: only regular files
/// are read, and nothing is written.
pub(crate) struct Files {
    /// Files changed after this are not those that ran.
    started: SystemTime,
    embed: Embed,
    files: RefCell<HashMap<Vec<u8>, Content>>,
}

enum Content {
    Lines {
        lines: Vec<String>,
        /// Everyone may read it, and it is Python.
        public: bool,
    },
    Changed,
    Unreadable,
}

impl Files {
    pub(crate) fn of(profile: &Profile) -> Self {
        Self::since(profile.header.start_unix_ns)
    }

    /// Files as they were at this moment, nanoseconds since the Unix epoch.
    pub(crate) fn since(unix_ns: u64) -> Self {
        let started = SystemTime::UNIX_EPOCH + Duration::from_nanos(unix_ns);
        Self { started, embed: Embed::Everything, files: RefCell::default() }
    }

    /// The same, of these files only.
    pub(crate) fn embed(self, embed: Embed) -> Self {
        Self { embed, ..self }
    }

    /// The one of the older run: what it holds was not edited since either.
    pub(crate) fn older(self, other: Self) -> Self {
        if other.started < self.started { other } else { self }
    }

    fn read(&self, path: &[u8]) -> Option<Content> {
        // Opening a pipe or a device can block or do something: a look first, and no waiting at the open.
        let path = Path::new(OsStr::from_bytes(path));
        if !std::fs::metadata(path).ok()?.is_file() {
            return None;
        }
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
        let about = file.metadata().ok()?;
        if !about.is_file() || about.len() > LARGEST {
            return None;
        }
        if about.modified().is_ok_and(|modified| modified > self.started) {
            return Some(Content::Changed);
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let public = about.mode() & 0o004 != 0 && path.extension() == Some(OsStr::new("py"));
        Some(Content::Lines { lines: text.lines().map(str::to_owned).collect(), public })
    }
}

impl Texts for Files {
    fn lines(&self, file: &[u8]) -> Option<Rc<[String]>> {
        match self
            .files
            .borrow_mut()
            .entry(file.to_vec())
            .or_insert_with(|| self.read(file).unwrap_or(Content::Unreadable))
        {
            Content::Lines { lines, .. } => Some(lines.as_slice().into()),
            Content::Changed | Content::Unreadable => None,
        }
    }
}

impl Source for Files {
    fn line(&self, file: &[u8], line: u32) -> Option<String> {
        // What is not wanted is not even opened.
        if self.embed == Embed::Nothing {
            return None;
        }
        let mut files = self.files.borrow_mut();
        let content = files
            .entry(file.to_vec())
            .or_insert_with(|| self.read(file).unwrap_or(Content::Unreadable));
        match content {
            Content::Lines { lines, public } => {
                let line = lines.get((line as usize).checked_sub(1)?);
                line.filter(|_| self.embed.admits(*public)).cloned()
            }
            Content::Changed => Some("(source changed since)".into()),
            Content::Unreadable => None,
        }
    }

    fn whole(&self, file: &[u8]) -> Whole {
        // What was read is not kept: there can be many.
        let read = if self.embed == Embed::Nothing { None } else { self.read(file) };
        match read {
            Some(Content::Lines { lines, public }) if self.embed.admits(public) => {
                Whole::Text(lines.join("\n"))
            }
            Some(Content::Changed) => Whole::Changed,
            _ => Whole::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn files(start: SystemTime) -> Files {
        let mut profile = Profile::default();
        let since = start.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        profile.header.start_unix_ns = since.as_nanos() as u64;
        Files::of(&profile)
    }

    #[test]
    fn lines_of_files_that_did_not_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.py");
        fs::write(&path, b"one\ntwo \xc3\n").expect("written");
        let name = path.as_os_str().as_bytes();
        let later = files(SystemTime::now() + Duration::from_secs(60));
        assert_eq!(later.line(name, 1).as_deref(), Some("one"));
        assert_eq!(later.line(name, 3), None);
        assert_eq!(later.line(name, 0), None);
        let earlier = files(SystemTime::now() - Duration::from_secs(60));
        assert_eq!(earlier.line(name, 1).as_deref(), Some("(source changed since)"));
    }

    #[test]
    fn what_is_not_for_everyone_is_given_only_when_asked_for() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let whole = |name: &str, mode: u32, embed: Embed| {
            let path = folder.path().join(name);
            fs::write(&path, "one\ntwo\n").expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
            let files = files(SystemTime::now() + Duration::from_secs(60)).embed(embed);
            let name = path.as_os_str().as_bytes();
            let whole = files.whole(name);
            let line = files.line(name, 2);
            assert_eq!(line.is_some(), whole != Whole::Missing, "a line is as private as its file");
            whole
        };
        let text = || Whole::Text("one\ntwo".to_owned());
        assert_eq!(whole("a.py", 0o644, Embed::Public), text());
        assert_eq!(whole("a.py", 0o640, Embed::Public), Whole::Missing);
        assert_eq!(whole("a.pem", 0o644, Embed::Public), Whole::Missing);
        assert_eq!(whole("a.py", 0o600, Embed::Everything), text());
        assert_eq!(whole("a.py", 0o644, Embed::Nothing), Whole::Missing);
        let path = folder.path().join("a.py");
        let changed = files(SystemTime::now() - Duration::from_secs(60)).embed(Embed::Everything);
        assert_eq!(changed.whole(path.as_os_str().as_bytes()), Whole::Changed);
    }

    #[test]
    fn only_regular_files_of_a_sane_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let later = files(SystemTime::now() + Duration::from_secs(60));
        let large = folder.path().join("large.py");
        fs::File::create(&large).and_then(|file| file.set_len(LARGEST + 1)).expect("made");
        let link = folder.path().join("link.py");
        std::os::unix::fs::symlink("/dev/zero", &link).expect("linked");
        for path in [large.as_path(), link.as_path(), Path::new("/dev/tty"), folder.path()] {
            assert_eq!(later.line(path.as_os_str().as_bytes(), 1), None, "{}", path.display());
        }
    }
}
