//! A line of the screen, built from left to right out of styled text.

use profformat::export::text::cells::{Look, Style, cells};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style as Paint};

/// A line. What does not fit is cut at the edge.
#[derive(Debug)]
pub(super) struct Strip {
    look: Look,
    parts: Vec<(Style, String)>,
    used: usize,
}

impl Strip {
    pub(super) fn new(look: Look) -> Self {
        Self { look, parts: Vec::new(), used: 0 }
    }

    /// Cells left.
    pub(super) fn left(&self) -> usize {
        self.look.width.saturating_sub(self.used)
    }

    pub(super) fn push(&mut self, style: Style, text: &str) -> &mut Self {
        let text = self.look.text(text);
        self.used += cells(&text);
        self.parts.push((style, text));
        self
    }

    pub(super) fn gap(&mut self, width: usize) -> &mut Self {
        self.push(Style::Plain, &" ".repeat(width))
    }

    /// Text at the left of a column, which takes that many cells.
    pub(super) fn left_in(&mut self, style: Style, text: &str, width: usize) -> &mut Self {
        let rest = width.saturating_sub(cells(&self.look.text(text)));
        self.push(style, text).gap(rest)
    }

    /// Text at the right of a column.
    pub(super) fn right_in(&mut self, style: Style, text: &str, width: usize) -> &mut Self {
        let rest = width.saturating_sub(cells(&self.look.text(text)));
        self.gap(rest).push(style, text)
    }

    /// Text at the right edge, if it fits with a space before it; true if it did.
    pub(super) fn at_edge(&mut self, style: Style, text: &str) -> bool {
        let width = cells(&self.look.text(text)) + 1;
        let fits = self.left() > width;
        if fits {
            self.gap(self.left() - width).push(style, text);
        }
        fits
    }

    /// Draws it on a row of the screen; `over` is added to every cell of the row.
    pub(super) fn paint(&self, buffer: &mut Buffer, y: u16, over: Modifier) {
        let area = buffer.area;
        if y >= area.bottom() {
            return;
        }
        let mut x = area.left();
        for (style, text) in &self.parts {
            let room = usize::from(area.right().saturating_sub(x));
            (x, _) = buffer.set_stringn(x, y, text, room, paint(*style, self.look.color));
        }
        for x in area.left()..area.right() {
            let cell = &mut buffer[(x, y)];
            cell.modifier |= over;
        }
    }
}

/// The sixteen colors only, so that the user's theme holds.
fn paint(style: Style, color: bool) -> Paint {
    let colored = |name: Color| if color { Paint::new().fg(name) } else { Paint::new() };
    match style {
        Style::Plain => Paint::new(),
        Style::Strong | Style::Site(_) => Paint::new().add_modifier(Modifier::BOLD),
        Style::Dim => Paint::new().add_modifier(Modifier::DIM),
        Style::Python => colored(Color::Blue),
        Style::Native => colored(Color::Yellow),
        Style::Gc => colored(Color::Magenta),
        Style::System => colored(Color::DarkGray),
        Style::Memory => colored(Color::Green),
        Style::Copies => colored(Color::Cyan),
        Style::Loss => colored(Color::Red),
    }
}

const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const LEVELS_ASCII: [&str; 8] = ["_", ".", ":", "-", "=", "+", "*", "#"];

/// Values as a line of bars against `full`, the last at the right; only nothing is on the lowest level.
pub(super) fn spark(values: &[u64], full: u64, look: Look) -> String {
    let levels = if look.ascii { LEVELS_ASCII } else { LEVELS };
    let level = |value: &u64| {
        let top = levels.len() as u128 - 1;
        let level = (u128::from(*value) * top).div_ceil(u128::from(full.max(1)));
        levels[usize::try_from(level.min(top)).unwrap_or(0)]
    };
    values.iter().map(level).collect()
}
