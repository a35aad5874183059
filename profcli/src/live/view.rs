//! The view's loop: signals, keys, the trace, a frame, and again.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use profcore::collector::launch::Signals;
use profcore::collector::terminal::{TerminalSignals, Word};
use profformat::analysis::live::{By, Explained, Window};
use profformat::export::text::cells::Look;
use profformat::record::Header;
use profformat::tables::Tables;
use profformat::units::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::time::ClockId;

use super::draw::{self, Facts, Layout};
use super::feed::{Feed, FeedError};
use super::keys::keys;
use super::pace::Pace;
use super::screen::Screen;
use super::state::{Leave, State};
use super::table::Table;
use crate::report::Files;

/// Time between two looks at what is held, and why a row took its time: these go over many stacks.
const SELDOM: Duration = Duration::from_millis(500);
/// Nobody wrote for so long: the trace's clock stands still.
const SILENCE_NS: u64 = 5_000_000_000;

/// How the view was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// For nothing more, or because the terminal is gone.
    Quit,
    /// For the report.
    Report,
    /// By a signal.
    Signal(i32),
}

/// What is asked about a row: its group, number and window.
type Question = (By, u32, Window);

/// A view of a trace in a terminal.
pub(super) struct View<'a> {
    screen: Screen,
    signals: TerminalSignals,
    /// Of a run: says how the program ended, and is closed then.
    end: Option<UnixStream>,
    program: Option<&'a Signals>,
    feed: Feed,
    look: Look,
    trace: String,
    output: Option<String>,
    state: State,
    table: Table,
    pace: Pace,
    files: Option<Files>,
    begun: Instant,
    next: Instant,
    seldom: Option<Instant>,
    explained: (Option<Question>, Explained),
    ending: Option<String>,
    /// What was said of the end so far.
    told: Vec<u8>,
    has_more: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(
        screen: Screen,
        signals: TerminalSignals,
        feed: Feed,
        look: Look,
        (trace, output): (String, Option<String>),
    ) -> Self {
        let begun = Instant::now();
        Self {
            screen,
            signals,
            end: None,
            program: None,
            feed,
            look,
            trace,
            output,
            state: State::default(),
            table: Table::default(),
            pace: Pace::new(),
            files: None,
            begun,
            next: begun,
            seldom: None,
            explained: (None, Explained::default()),
            ending: None,
            told: Vec::new(),
            has_more: true,
        }
    }

    /// The view is beside a program, whose end will be told.
    pub(super) fn beside(mut self, program: &'a Signals, end: UnixStream) -> Self {
        (self.program, self.end) = (Some(program), Some(end));
        self
    }

    /// Shows the trace until it is not wanted any more. Beside a program it returns after the program's end, however early
    /// it was left: the signals of the terminal have to be seen to until then.
    pub(super) fn show(mut self) -> Result<Left, FeedError> {
        let left = self.look_on();
        self.screen.hide();
        if self.end.is_some() && self.ending.is_none() {
            self.say_that_it_runs_on();
            while self.ending.is_none() {
                self.wait(None, false);
                let _ = self.hear();
                self.look_for_end();
            }
        }
        left
    }

    fn say_that_it_runs_on(&self) {
        let output = self.output.as_ref().map(|output| format!("; its output is in {output}"));
        let output = output.unwrap_or_default();
        let words = format!("prof: the program runs on, recorded into {}{output}\n", self.trace);
        // Nobody is told when the terminal is gone.
        let _ = self.screen.tty().write(words.as_bytes());
    }

    fn look_on(&mut self) -> Result<Left, FeedError> {
        loop {
            if let Some(left) = self.hear()? {
                return Ok(left);
            }
            self.look_for_end();
            let is_shown = self.screen.show()?;
            if self.ending.is_some()
                && self.end.is_some()
                && (!is_shown || self.program.is_some_and(Signals::asked_to_end))
            {
                return Ok(Left::Quit);
            }
            let now = Instant::now();
            if now >= self.next || (self.has_more && !self.state.is_paused) {
                if !self.state.is_paused {
                    self.has_more = self.feed.read()?;
                }
                if is_shown {
                    self.frame()?;
                }
                self.pace.measure();
                self.next = now + self.pace.interval(self.state.rate());
            }
            let hurry = self.has_more && !self.state.is_paused;
            let pause = if hurry { Duration::ZERO } else { self.next - Instant::now() };
            if self.wait(Some(pause), is_shown)
                && let Some(left) = self.listen_to_keys()
            {
                return Ok(left);
            }
        }
    }

    /// Does what signals ask for.
    fn hear(&mut self) -> Result<Option<Left>, FeedError> {
        while let Some(word) = self.signals.next_word() {
            match word {
                Word::Stop => {
                    self.screen.hide();
                    self.signals.stop();
                    self.next = Instant::now();
                }
                Word::GoOn => self.screen.show_again()?,
                Word::Resized => self.next = Instant::now(),
                Word::End(signal) => return Ok(Some(Left::Signal(signal))),
            }
        }
        Ok(None)
    }

    /// Has the program ended, or the trace?
    fn look_for_end(&mut self) {
        if self.ending.is_some() {
            return;
        }
        let told = match &mut self.end {
            Some(end) => match end.read_to_end(&mut self.told) {
                Ok(_) => Some(String::from_utf8_lossy(&self.told).into_owned()),
                // Not all of it yet.
                Err(_) => None,
            },
            None => self.feed.live.is_complete().then(|| "finished".into()),
        };
        if told.is_some() {
            self.ending = told;
            self.state.is_finished = true;
            self.state.is_paused = false;
            self.has_more = true;
            self.next = Instant::now();
            // Nothing else runs that the terminal's keys could be meant for.
            self.screen.tty().take_all_keys();
        }
    }

    /// Waits for a key, a signal or the end; true if something was typed.
    fn wait(&self, pause: Option<Duration>, with_keys: bool) -> bool {
        let pause = pause.map(|pause| Timespec {
            tv_sec: pause.as_secs() as i64,
            tv_nsec: pause.subsec_nanos().into(),
        });
        let signals = self.signals.as_fd();
        let tty = self.screen.tty().as_fd();
        let program = self.program.map(Signals::as_fd);
        let mut polled = vec![PollFd::new(&signals, PollFlags::IN)];
        if with_keys {
            polled.push(PollFd::new(&tty, PollFlags::IN));
        }
        match (&self.end, &program) {
            (Some(end), _) if self.ending.is_none() => polled.push(PollFd::new(end, PollFlags::IN)),
            (Some(_), Some(program)) => polled.push(PollFd::new(program, PollFlags::IN)),
            _ => {}
        }
        // An interrupted wait is a short one.
        let _ = rustix::event::poll(&mut polled, pause.as_ref());
        with_keys && !polled[1].revents().is_empty()
    }

    fn listen_to_keys(&mut self) -> Option<Left> {
        let mut typed = [0; 1024];
        let length = match self.screen.tty().read(&mut typed) {
            // Nothing is said of a terminal that is gone.
            Ok(0) => return Some(Left::Quit),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(_) if !self.screen.tty().is_foreground() => 0,
            Err(_) => return Some(Left::Quit),
        };
        let layout = Layout::of(self.screen.size().1, false);
        for key in keys(&typed[..length]) {
            self.state.key(key, &self.table.rows, layout.table.saturating_sub(1));
        }
        self.next = Instant::now();
        self.state.leave.map(|leave| match leave {
            Leave::Quit => Left::Quit,
            Leave::Report => Left::Report,
        })
    }

    fn frame(&mut self) -> io::Result<()> {
        let (no_header, no_tables) = (Header::default(), Tables::default());
        let header = self.feed.follower.header().unwrap_or(&no_header);
        let tables = self.feed.follower.tables().unwrap_or(&no_tables);
        let live = &mut self.feed.live;
        let now_ns = match (&self.ending, self.state.is_paused) {
            (Some(_), _) | (_, true) => live.now().as_nanos(),
            _ => now_ns(header, live.now(), self.end.is_some()),
        };
        live.advance(Timestamp::from_nanos(now_ns), tables);
        let is_due = self.seldom.is_none_or(|last| last.elapsed() >= SELDOM);
        if is_due {
            live.look_at_held(tables);
            self.seldom = Some(Instant::now());
        }
        let State { by, window, .. } = self.state;
        let filter = self.state.filter.to_lowercase();
        self.table.update(live, &self.state, self.begun.elapsed(), |row| {
            filter.is_empty() || draw::names::searched(live, tables, by, row).contains(&filter)
        });
        let layout = Layout::of(self.screen.size().1, self.state.shows_source);
        let is_cut = self.table.rows.len() > layout.table;
        self.state.scroll(&self.table.rows, layout.table - usize::from(is_cut && layout.table > 0));
        let row = self.table.rows.get(self.state.position(&self.table.rows));
        let question = row.map(|row| (by, *row, window));
        if layout.source > 0 && (is_due || question != self.explained.0) {
            let explained = question.map(|(by, row, window)| live.explain(by, row, window, tables));
            self.explained = (question, explained.unwrap_or_default());
        }
        let files = self.files.get_or_insert_with(|| Files::since(header.start_unix_ns));
        let facts = |look| Facts {
            live,
            tables,
            header,
            source: files,
            look,
            elapsed_ns: now_ns,
            trace: &self.trace,
            output: self.output.as_deref(),
            trace_bytes: self.feed.at,
            damaged_bytes: self.feed.follower.damage().bytes,
            cost: self.pace.cost,
            slowed: self.pace.slowed(self.state.rate()),
            ending: self.ending.as_deref(),
            explained: &self.explained.1,
        };
        let (state, table) = (&self.state, &self.table);
        self.screen.frame(self.look, |buffer, look| draw::draw(buffer, &facts(look), state, table))
    }
}

/// Nanoseconds since the start of the trace: by the clock, as long as somebody writes.
fn now_ns(header: &Header, latest: Timestamp, is_running: bool) -> u64 {
    let time = rustix::time::clock_gettime(ClockId::Monotonic);
    let monotonic = time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
    let latest = latest.as_nanos();
    let since = monotonic.saturating_sub(header.start_monotonic_ns);
    let is_silent = since.saturating_sub(latest) > SILENCE_NS && !is_running;
    if is_silent || header.start_monotonic_ns == 0 { latest } else { since.max(latest) }
}
