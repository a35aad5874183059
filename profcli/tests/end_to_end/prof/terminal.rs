//! A terminal that a command runs on, with the test in front of it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcgetpgrp, tcsetwinsize};

/// Nothing on a terminal takes longer, on any machine.
const HANG: Duration = Duration::from_secs(120);

/// What ends the alternate screen, and what begins it.
pub(crate) const LEFT: &str = "\x1b[?1049l";
pub(crate) const TAKEN: &str = "\x1b[?1049h";

/// A terminal and what was written on it.
#[derive(Debug)]
pub(crate) struct Pty {
    front: File,
    back: OwnedFd,
    path: String,
    written: Arc<Mutex<Vec<u8>>>,
    /// How much of that was waited for.
    seen: usize,
    screen: Screen,
}

/// What a person would see: as much of a terminal as frames and shells need.
#[derive(Debug)]
struct Screen {
    rows: Vec<Vec<char>>,
    x: usize,
    y: usize,
    /// How much was drawn, and the end of a sequence or character that is not whole.
    drawn: usize,
}

/// Larger than every terminal of these tests.
const ROWS: usize = 60;
const COLUMNS: usize = 250;

impl Screen {
    fn new() -> Self {
        Self { rows: vec![vec![' '; COLUMNS]; ROWS], x: 0, y: 0, drawn: 0 }
    }

    /// Draws what was written since.
    fn draw(&mut self, written: &[u8]) {
        let rest = String::from_utf8_lossy(&written[self.drawn..]).into_owned();
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == '\u{fffd}' && rest.len() - at < 4 {
                return;
            }
            if c == '\u{1b}' {
                let sequence = &rest[at..];
                let Some(end) = sequence[1..].find(|c: char| c.is_ascii_alphabetic()) else {
                    return;
                };
                self.obey(&sequence[..end + 2]);
                (0..=end).for_each(|_| _ = chars.next());
            } else {
                self.put(c);
            }
            self.drawn += rest[at..].len() - chars.as_str().len();
        }
    }

    fn put(&mut self, c: char) {
        match c {
            '\r' => self.x = 0,
            '\n' if self.y + 1 < ROWS => self.y += 1,
            '\n' => self.rows.rotate_left(1),
            _ if c.is_control() => {}
            _ => {
                self.rows[self.y][self.x.min(COLUMNS - 1)] = c;
                self.x += 1;
            }
        }
    }

    fn obey(&mut self, sequence: &str) {
        let numbers = sequence[2..sequence.len() - 1].split(';');
        let numbers: Vec<usize> = numbers.map(|number| number.parse().unwrap_or(1)).collect();
        match sequence.chars().last() {
            Some('H') => {
                let at = |index: usize| numbers.get(index).map_or(0, |number| number - 1);
                (self.y, self.x) = (at(0).min(ROWS - 1), at(1).min(COLUMNS - 1));
            }
            Some('K') => self.rows[self.y][self.x..].fill(' '),
            Some('J') => self.rows.iter_mut().for_each(|row| row.fill(' ')),
            Some('h') if sequence == TAKEN => self.rows.iter_mut().for_each(|row| row.fill(' ')),
            _ => {}
        }
    }

    fn shows(&self, what: &str) -> bool {
        self.rows.iter().any(|row| row.iter().collect::<String>().contains(what))
    }
}

impl Drop for Pty {
    /// Whatever a failed test has left on the terminal would run for ever.
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(group) = tcgetpgrp(&self.front)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Pty {
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        let front = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&front).expect("granted");
        unlockpt(&front).expect("unlocked");
        let path = ptsname(&front, Vec::new()).expect("a name").into_string().expect("ASCII");
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let back = rustix::fs::open(path.as_str(), flags, rustix::fs::Mode::empty());
        let front = File::from(front);
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, kept) = (front.try_clone().expect("a descriptor"), Arc::clone(&written));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // An error is the end: nobody has the other side open any more.
            while let Ok(length) = reader.read(&mut piece) {
                kept.lock().expect("no panic").extend_from_slice(&piece[..length]);
            }
        });
        let pty = Self {
            front,
            back: back.expect("opened"),
            path,
            written,
            seen: 0,
            screen: Screen::new(),
        };
        pty.resize(columns, rows);
        pty
    }

    /// Its name in the file system.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn resize(&self, ws_col: u16, ws_row: u16) {
        let size = Winsize { ws_col, ws_row, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.front, size).expect("resized");
    }

    /// Starts a command in a session of its own on this terminal.
    pub(crate) fn start(&self, command: &Command) -> Child {
        let mut session = Command::new("setsid");
        session
            .args(["--fork", "--ctty", "--wait"])
            .arg(command.get_program())
            .args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        session.env_remove("LD_PRELOAD").env_remove("PROF_SESSION");
        session.env("TERM", "xterm").env_remove("NO_COLOR").env("LC_ALL", "C.UTF-8");
        let stream = || self.back.try_clone().expect("a descriptor");
        session.stdin(stream()).stdout(stream()).stderr(stream());
        session.spawn().expect("setsid starts")
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.front.write_all(keys.as_bytes()).expect("typed");
    }

    /// Everything that was written.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().expect("no panic")).into_owned()
    }

    /// Waits until this is on the screen.
    #[track_caller]
    pub(crate) fn see(&mut self, what: &str) {
        let deadline = Instant::now() + HANG;
        loop {
            self.screen.draw(&self.written.lock().expect("no panic"));
            if self.screen.shows(what) {
                return;
            }
            if Instant::now() > deadline {
                let rows = self.screen.rows.iter().map(|row| row.iter().collect::<String>());
                let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
                panic!("{what:?} was never seen:\n{}", rows.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until this is written behind what was waited for before.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str) {
        let deadline = Instant::now() + HANG;
        loop {
            let written = self.written.lock().expect("no panic").clone();
            let rest = &written[self.seen..];
            let found = rest.windows(what.len()).position(|part| part == what.as_bytes());
            if let Some(at) = found {
                self.seen += at + what.len();
                return;
            }
            if Instant::now() > deadline {
                panic!("{what:?} was never written: {:?}", String::from_utf8_lossy(rest));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether lines are edited and typed keys shown, as shells and programs expect it.
    pub(crate) fn is_usual(&self) -> bool {
        let modes = tcgetattr(&self.back).expect("modes").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Waits for a command's end.
    #[track_caller]
    pub(crate) fn end(&self, child: &mut Child) -> ExitStatus {
        let deadline = Instant::now() + HANG;
        loop {
            if let Some(status) = child.try_wait().expect("our own child") {
                return status;
            }
            if Instant::now() > deadline {
                child.kill().expect("our own child");
                panic!("hangs: {:?}", self.text());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
