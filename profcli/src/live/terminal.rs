//! The terminal that the view is shown on: its modes, its alternate screen, and giving both back.
//!
//! Keys come one by one and are not echoed, but Ctrl-C, Ctrl-\ and Ctrl-Z stay the terminal's: it sends their signals to
//! everything in the foreground, the program among it, as it does without a view.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ratatui::termion::{cursor, screen};
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios};

/// A terminal; ours or another one. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Tty(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    /// Its modes before we took it; `None` while it is not taken.
    before: Mutex<Option<Termios>>,
    /// Keys that make signals are keys as all others.
    takes_all_keys: AtomicBool,
}

impl Tty {
    /// The terminal that this process belongs to.
    pub(super) fn own() -> io::Result<Self> {
        Self::at(Path::new("/dev/tty"))
    }

    /// Another terminal.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let flags = libc::O_NOCTTY | libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        if !rustix::termios::isatty(&file) {
            return Err(io::Error::other("it is no terminal"));
        }
        // Opening a terminal may wait for a modem; drawing on one may wait for its reader.
        let flags = rustix::fs::fcntl_getfl(&file)?;
        rustix::fs::fcntl_setfl(&file, flags - rustix::fs::OFlags::NONBLOCK)?;
        let (before, takes_all_keys) = (Mutex::new(None), AtomicBool::new(false));
        Ok(Self(Arc::new(Inner { file, before, takes_all_keys })))
    }

    /// Whether this stream is the same terminal.
    pub(super) fn is_same(&self, stream: BorrowedFd<'_>) -> bool {
        let device = |fd: BorrowedFd<'_>| rustix::fs::fstat(fd).ok().map(|about| about.st_rdev);
        rustix::termios::isatty(stream)
            && (device(stream) == device(self.0.file.as_fd()) || self.is_own())
    }

    /// Opened by the name that every process has for its own.
    fn is_own(&self) -> bool {
        const DEV_TTY: (u32, u32) = (5, 0);
        let about = self.0.file.metadata();
        about.is_ok_and(|about| {
            let device = about.rdev();
            (rustix::fs::major(device), rustix::fs::minor(device)) == DEV_TTY
        })
    }

    /// Columns and rows; none when the terminal does not know.
    pub(super) fn size(&self) -> (u16, u16) {
        let size = rustix::termios::tcgetwinsize(&self.0.file);
        size.map_or((0, 0), |size| (size.ws_col, size.ws_row))
    }

    /// Whether we may draw: a job in the background may not. A terminal that is not ours has no background.
    pub(super) fn is_foreground(&self) -> bool {
        let group = rustix::termios::tcgetpgrp(&self.0.file);
        group.is_err() || group == Ok(rustix::process::getpgrp())
    }

    /// Takes the terminal, if it is not taken: keys one by one, the alternate screen, no cursor.
    pub(super) fn take(&self) -> io::Result<()> {
        let mut before = self.0.before.lock().unwrap_or_else(PoisonError::into_inner);
        if before.is_some() {
            return Ok(());
        }
        let found = rustix::termios::tcgetattr(&self.0.file)?;
        self.0.set_modes(&found)?;
        *before = Some(found);
        let words = format!("{}{}", screen::ToAlternateScreen, cursor::Hide);
        (&self.0.file).write_all(words.as_bytes())
    }

    /// Sets modes and screen again, after something else may have had the terminal.
    pub(super) fn take_again(&self) -> io::Result<()> {
        let before = self.0.before.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.take()?;
        let mut now = self.0.before.lock().unwrap_or_else(PoisonError::into_inner);
        *now = before.or(now.take());
        Ok(())
    }

    /// Forgets that the terminal was taken: somebody else has it, and has set it as they want it.
    pub(super) fn lose(&self) {
        self.0.before.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Gives the terminal back as it was.
    pub(super) fn give_back(&self) {
        self.0.give_back();
    }

    /// Gives it back before a panic says anything.
    pub(super) fn give_back_on_panic(&self) {
        let inner = Arc::clone(&self.0);
        let next = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            inner.give_back();
            next(panic);
        }));
    }

    /// What was typed, as far as it is there.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0.file).read(buffer)
    }

    /// Writes beside the frames.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0.file).write_all(bytes)
    }

    /// From now on keys that make signals are keys as all others, while the terminal is taken.
    pub(super) fn take_all_keys(&self) {
        self.0.takes_all_keys.store(true, Ordering::Relaxed);
        let before = self.0.before.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = &*before {
            // A terminal that refuses is gone, which is found when it is read.
            let _ = self.0.set_modes(before);
        }
    }

    /// Where frames go.
    pub(super) fn writer(&self) -> impl Write + Send + use<> {
        io::BufWriter::with_capacity(1 << 16, Frames(Arc::clone(&self.0)))
    }
}

impl AsFd for Tty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.file.as_fd()
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

impl Inner {
    fn set_modes(&self, found: &Termios) -> io::Result<()> {
        let mut modes = found.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN;
        // Ctrl-C would throw away what of a frame is on its way, and the next frame draws only what has changed.
        modes.local_modes |= LocalModes::NOFLSH;
        if self.takes_all_keys.load(Ordering::Relaxed) {
            modes.local_modes -= LocalModes::ISIG;
        }
        modes.input_modes -= InputModes::IXON;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        Ok(rustix::termios::tcsetattr(&self.file, OptionalActions::Drain, &modes)?)
    }

    fn give_back(&self) {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = before.take() else { return };
        // Nothing can be done about a terminal that is gone.
        let words = format!("{}{}", cursor::Show, screen::ToMainScreen);
        let _ = (&self.file).write_all(words.as_bytes());
        let _ = rustix::termios::tcsetattr(&self.file, OptionalActions::Drain, &before);
    }
}

struct Frames(Arc<Inner>);

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0.file).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    /// A terminal and what is in front of it.
    fn terminal() -> (File, Tty) {
        let front = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&front).and_then(|()| unlockpt(&front)).unwrap();
        let path = ptsname(&front, Vec::new()).unwrap().into_string().unwrap();
        (front.into(), Tty::at(Path::new(&path)).unwrap())
    }

    fn modes(tty: &Tty) -> LocalModes {
        let modes = rustix::termios::tcgetattr(&tty.0.file).unwrap().local_modes;
        modes & (LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    #[test]
    fn modes_come_back_however_often_the_terminal_was_taken() {
        let (_front, tty) = terminal();
        let usual = modes(&tty);
        assert!(tty.is_foreground() && tty.is_same(tty.as_fd()));
        for _ in 0..2 {
            tty.take().unwrap();
            tty.take_again().unwrap();
            assert_eq!(modes(&tty), LocalModes::ISIG, "Ctrl-C stays the terminal's");
            tty.give_back();
            tty.give_back();
            assert_eq!(modes(&tty), usual);
        }
        tty.take_all_keys();
        assert_eq!(modes(&tty), usual);
        tty.take().unwrap();
        assert_eq!(modes(&tty), LocalModes::empty());
        tty.lose();
        tty.give_back();
        assert_eq!(modes(&tty), LocalModes::empty(), "it is somebody else's");
    }

    #[test]
    fn a_panic_gives_the_terminal_back_first() {
        let (mut front, tty) = terminal();
        let usual = modes(&tty);
        tty.give_back_on_panic();
        tty.take().unwrap();
        let panic = std::thread::spawn(|| panic!("on purpose")).join();
        assert!(panic.is_err());
        assert_eq!(modes(&tty), usual);
        let mut written = [0; 100];
        let length = front.read(&mut written).unwrap();
        let written = String::from_utf8_lossy(&written[..length]).into_owned();
        let end = format!("{}{}", cursor::Show, screen::ToMainScreen);
        assert!(written.ends_with(&end), "{written:?}");
    }

    #[test]
    fn what_is_no_terminal_is_refused() {
        assert!(Tty::at(Path::new("/dev/null")).is_err());
        assert!(Tty::at(Path::new("/no/such/terminal")).is_err());
    }
}
