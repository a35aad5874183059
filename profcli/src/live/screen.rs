//! Frames on a terminal: when it may be drawn on, and drawing what has changed.

use std::io::{self, Write};

use profformat::export::text::cells::Look;
use ratatui::backend::TermionBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::termion::clear;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::draw::SMALLEST;
use super::terminal::Tty;

/// A terminal that is drawn on while we are in its foreground.
pub(super) struct Screen {
    tty: Tty,
    terminal: Terminal<TermionBackend<Box<dyn Write + Send>>>,
    size: (u16, u16),
    is_shown: bool,
}

impl Screen {
    pub(super) fn new(tty: Tty) -> io::Result<Self> {
        tty.give_back_on_panic();
        let size = tty.size();
        let terminal = blank(&tty, size)?;
        Ok(Self { tty, terminal, size, is_shown: false })
    }

    pub(super) fn tty(&self) -> &Tty {
        &self.tty
    }

    pub(super) fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Takes the terminal if we are in its foreground; true if it is ours. Whoever is in its background leaves it alone.
    pub(super) fn show(&mut self) -> io::Result<bool> {
        if !self.tty.is_foreground() {
            self.tty.lose();
            self.is_shown = false;
        } else if !self.is_shown {
            self.tty.take()?;
            self.wipe()?;
            self.is_shown = true;
        }
        Ok(self.is_shown)
    }

    /// Something else may have drawn on it, or set its modes.
    pub(super) fn show_again(&mut self) -> io::Result<()> {
        if self.is_shown && self.tty.is_foreground() {
            self.tty.take_again()?;
            self.wipe()?;
        }
        Ok(())
    }

    /// Clears the screen. `Terminal::clear` would ask the terminal where its cursor is, and wait for what it types.
    fn wipe(&mut self) -> io::Result<()> {
        self.terminal = blank(&self.tty, self.size)?;
        self.tty.write(clear::All.as_ref())
    }

    /// Gives the terminal back.
    pub(super) fn hide(&mut self) {
        self.tty.give_back();
        self.is_shown = false;
    }

    /// Draws a frame with `draw`, which is given a look of the terminal's width.
    pub(super) fn frame(
        &mut self,
        look: Look,
        draw: impl FnOnce(&mut Buffer, Look),
    ) -> io::Result<()> {
        let size = self.tty.size();
        if size != self.size {
            self.size = size;
            self.wipe()?;
        }
        let look = Look { width: size.0.into(), ..look };
        self.terminal.draw(|frame| {
            let buffer = frame.buffer_mut();
            if size.0 < SMALLEST.0 || size.1 < SMALLEST.1 {
                too_small(buffer);
            } else {
                draw(buffer, look);
            }
        })?;
        Ok(())
    }
}

/// What draws on a screen of this size on which nothing is.
fn blank(
    tty: &Tty,
    (width, height): (u16, u16),
) -> io::Result<Terminal<TermionBackend<Box<dyn Write + Send>>>> {
    let writer: Box<dyn Write + Send> = Box::new(tty.writer());
    let area = Rect::new(0, 0, width, height);
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    Terminal::with_options(TermionBackend::new(writer), options)
}

fn too_small(buffer: &mut Buffer) {
    if !buffer.area.is_empty() {
        let (width, height) = SMALLEST;
        let text = format!("too small, wants {width}x{height}");
        let room = buffer.area.width.into();
        buffer.set_stringn(0, 0, text, room, ratatui::style::Style::new());
    }
}
