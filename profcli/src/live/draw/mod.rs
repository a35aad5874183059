//! A frame of the view.
//!
//! ```text
//!  head       the program, its CPU and its memory (2 rows)
//!  choices    window, order, group, filter
//!  ────────
//!  table      its heading, rows, what was left out
//!  ────────
//!  pane       the selected row: why, who calls it, its source
//!  ────────
//!  status     losses, our own cost, where the trace is
//! ```

mod head;
pub(super) mod names;
mod pane;
mod rows;
mod status;
mod strip;
#[cfg(test)]
mod tests;

use profformat::analysis::live::{Explained, Live};
use profformat::export::text::Source;
use profformat::export::text::cells::{Look, Style};
use profformat::record::Header;
use profformat::tables::Tables;
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use self::strip::Strip;
use super::state::State;
use super::table::Table;

/// The smallest screen that is drawn on.
pub(super) const SMALLEST: (u16, u16) = (40, 10);

/// Everything that a frame tells beside the choices and the table.
pub(super) struct Facts<'a> {
    pub(super) live: &'a Live,
    pub(super) tables: &'a Tables,
    pub(super) header: &'a Header,
    pub(super) source: &'a dyn Source,
    /// The look; its width is that of the screen.
    pub(super) look: Look,
    /// Nanoseconds since the start.
    pub(super) elapsed_ns: u64,
    /// Path of the trace, and of the program's output, as a terminal may be shown them.
    pub(super) trace: &'a str,
    pub(super) output: Option<&'a str>,
    pub(super) trace_bytes: u64,
    /// Bytes of the trace that could not be read.
    pub(super) damaged_bytes: u64,
    /// Our share of a core, and the frames per second that it allows, when that is less than is wanted.
    pub(super) cost: f64,
    pub(super) slowed: Option<f64>,
    /// How the program ended, when it has.
    pub(super) ending: Option<&'a str>,
    /// Why the selected row took its time.
    pub(super) explained: &'a Explained,
}

/// How many rows of the screen what has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Rows of the table, with the line that tells what was left out.
    pub(super) table: usize,
    /// Lines of source in the pane; without any there is no pane.
    pub(super) source: usize,
}

impl Layout {
    /// Head, choices, heading, status and two rules.
    const FIXED: usize = 7;

    /// The layout of a screen of so many rows.
    pub(super) fn of(height: u16, whole_source: bool) -> Self {
        let room = usize::from(height).saturating_sub(Self::FIXED);
        let source = match height {
            _ if whole_source => room.saturating_sub(2),
            0..16 => 0,
            16..24 => 3,
            24..40 => 5,
            40.. => 9,
        };
        let pane = if source > 0 { source + 2 } else { 0 };
        Self { table: room - pane.min(room), source }
    }
}

/// Draws a frame. The buffer is empty and of the size of the screen.
pub(super) fn draw(buffer: &mut Buffer, facts: &Facts<'_>, state: &State, table: &Table) {
    let height = buffer.area.height;
    let layout = Layout::of(height, state.shows_source);
    let mut painter = Painter { buffer, y: 0 };
    head::draw(&mut painter, facts, state);
    head::choices(&mut painter, facts, state, table);
    painter.rule(facts.look);
    if state.shows_help {
        status::help(
            &mut painter,
            facts.look,
            usize::from(height).saturating_sub(Layout::FIXED - 1),
        );
    } else {
        rows::draw(&mut painter, facts, state, table, layout);
        if layout.source > 0 {
            painter.rule(facts.look);
            pane::draw(&mut painter, facts, state, table, layout.source);
        }
    }
    painter.y = height.saturating_sub(2);
    painter.rule(facts.look);
    status::draw(&mut painter, facts, state, table);
}

/// Draws one row after the other.
struct Painter<'a> {
    buffer: &'a mut Buffer,
    y: u16,
}

impl Painter<'_> {
    fn row(&mut self, strip: &Strip) {
        self.marked(strip, Modifier::empty());
    }

    fn marked(&mut self, strip: &Strip, over: Modifier) {
        strip.paint(self.buffer, self.y, over);
        self.y = self.y.saturating_add(1);
    }

    fn rule(&mut self, look: Look) {
        let mut strip = Strip::new(look);
        strip.push(Style::Dim, &"─".repeat(look.width));
        self.row(&strip);
    }
}
