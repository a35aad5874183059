//! The live view: what a program does, in a terminal, while it runs.
//!
//! The view is a reader of the growing trace and nothing else. The collector does not know of it, and neither does the
//! program, except that what it would have written on the terminal goes to a file.
//!
//! ```text
//!  trace file -> feed -> profformat::follow -> profformat::analysis::live -> table -> draw -> screen -> terminal
//!                                                      keys -> state ---------^--------^
//! ```

mod draw;
mod feed;
mod keys;
mod pace;
mod screen;
mod state;
mod table;
mod terminal;
mod view;

use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use profcore::collector::Ended;
use profcore::collector::launch::{self, Signals};
use profcore::collector::terminal::TerminalSignals;
use profformat::export::text::cells::Look;

use self::draw::SMALLEST;
use self::feed::Feed;
use self::screen::Screen;
use self::terminal::Tty;
pub(crate) use self::view::Left;
use self::view::View;
use crate::look::{ascii_only, colors_wanted};
use crate::output::shown;
use crate::words::complain;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace to look at; it may still be growing
    trace: PathBuf,
}

/// `prof live`.
pub(crate) fn run(args: &Args) -> ExitCode {
    let path = &args.trace;
    let fail = |error: &dyn std::fmt::Display| {
        complain(format_args!("{}: {error}", shown(path)));
        ExitCode::FAILURE
    };
    let signals = match TerminalSignals::alone() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    let feed = match Feed::open(path) {
        Ok(feed) => feed,
        Err(error) => return fail(&error),
    };
    let screen = match own_terminal().and_then(|tty| Screen::new(tty).map_err(|e| e.to_string())) {
        Ok(screen) => screen,
        Err(why) => {
            complain(format_args!("{why}: `prof report` needs none"));
            return ExitCode::FAILURE;
        }
    };
    match View::new(screen, signals, feed, look(), (shown(path), None)).show() {
        Ok(Left::Quit) => ExitCode::SUCCESS,
        Ok(Left::Report) => crate::report::show(path),
        Ok(Left::Signal(signal)) => {
            launch::die_by(signal);
            ExitCode::from(128_u8.wrapping_add(signal as u8))
        }
        Err(error) => fail(&error),
    }
}

/// Where a view is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the terminal that the command was typed on.
    Here,
    /// On another one.
    At(PathBuf),
}

/// Reads the value of `--live`.
pub(crate) fn place(value: &str) -> Result<Place, String> {
    match value.strip_prefix("tty:") {
        Some(path) if !path.is_empty() => Ok(Place::At(path.into())),
        _ if value.is_empty() => Ok(Place::Here),
        _ => Err("give it nothing, or tty:PATH of another terminal".into()),
    }
}

/// A terminal that a view can be shown on, beside a program that is not started yet.
#[derive(Debug)]
pub(crate) struct Viewer {
    tty: Tty,
    signals: TerminalSignals,
}

impl Viewer {
    /// Looks at the terminal. Call it after the signals are guarded and before any thread is started. `None`: there will
    /// be no view, which was said.
    ///
    /// # Errors
    /// One line: another terminal was named, and it cannot be used.
    pub(crate) fn prepare(place: &Place) -> Result<Option<Self>, String> {
        let tty = match place {
            Place::Here => own_terminal(),
            Place::At(path) => Ok(Tty::at(path).map_err(|e| format!("{}: {e}", shown(path)))?),
        };
        let ready = tty.and_then(|tty| {
            let signals = TerminalSignals::beside_a_program();
            let signals = signals.map_err(|error| format!("cannot watch signals: {error}"))?;
            Ok(Self { tty, signals })
        });
        match ready {
            Ok(viewer) => Ok(Some(viewer)),
            Err(why) => {
                complain(format_args!("{why}: runs without the live view"));
                Ok(None)
            }
        }
    }

    /// Whether what is written to a stream would come out in the midst of the view.
    pub(crate) fn is_in_the_way(&self, stream: BorrowedFd<'_>) -> bool {
        self.tty.is_same(stream)
    }

    /// Shows the trace beside a program, which `follow` follows to its end, and tells how the view was left.
    pub(crate) fn show(
        self,
        signals: &Signals,
        trace: &Path,
        output: Option<&Path>,
        follow: impl FnOnce() -> io::Result<Ended>,
    ) -> (io::Result<Ended>, Left) {
        let Self { tty, signals: words } = self;
        let begin = || -> io::Result<(View<'_>, UnixStream)> {
            let (tell, told) = UnixStream::pair()?;
            told.set_nonblocking(true)?;
            let (feed, screen) = (Feed::open(trace)?, Screen::new(tty)?);
            let names = (shown(trace), output.map(shown));
            let view = View::new(screen, words, feed, look(), names).beside(signals, told);
            Ok((view, tell))
        };
        let (view, mut tell) = match begin() {
            Ok(begun) => begun,
            Err(error) => {
                complain(format_args!("the live view cannot be shown: {error}"));
                return (follow(), Left::Quit);
            }
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("prof-view".into());
            let thread = thread.spawn_scoped(scope, move || view.show());
            let ended = follow();
            let words = ended.as_ref().map_or("finished".into(), |ended| ending(ended.status));
            let _ = tell.write_all(words.as_bytes());
            drop(tell);
            let left = thread.map(|thread| thread.join());
            let left = match left {
                Ok(Ok(Ok(left))) => left,
                Ok(Ok(Err(error))) => {
                    complain(format_args!("the live view ended early: {error}"));
                    Left::Quit
                }
                _ => Left::Quit,
            };
            (ended, left)
        })
    }
}

fn own_terminal() -> Result<Tty, String> {
    let tty = Tty::own().map_err(|_| "there is no terminal".to_owned())?;
    if std::env::var_os("TERM").is_some_and(|term| term == *"dumb") {
        return Err("the terminal is a dumb one".into());
    }
    let (width, height) = tty.size();
    if width < SMALLEST.0 || height < SMALLEST.1 {
        let (least_width, least_height) = SMALLEST;
        return Err(format!(
            "the terminal has {width}x{height} cells, the live view wants {least_width}x{least_height}"
        ));
    }
    Ok(tty)
}

fn look() -> Look {
    Look { width: 0, color: colors_wanted(), ascii: ascii_only() }
}

/// How the program ended, for the head of the last frame.
fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("finished, exit {code}"),
        (None, Some(signal)) => format!("finished, signal {signal}"),
        (None, None) => "finished".into(),
    }
}
