//! The flame graph of a comparison: what a run after took, colored by what changed; above it what is gone.
//!
//! Colors are of functions: the sum of their lines that surely changed. Who called them changed nothing.

use std::io::{self, Write};

use hashbrown::HashMap;

use super::html::Text;
use crate::analysis::diff::{Change, Compared, Row};
use crate::analysis::sites::places::shown;
use crate::export::Unit;
use crate::export::escape::escape;
use crate::export::flamegraph::{Graph, amount, cut, xml};
use crate::export::text::diff::{Section, View};

/// Pixels of the picture, of a level, and of a letter.
const WIDTH: f64 = 1200.0;
const LEVEL: u32 = 18;
const LETTER: f64 = 7.3;
/// Letters of a name that are told where a mouse is.
const TOLD: usize = 120;

/// Changed lines are hatched too: up for more, down for less, so that they are told apart without color.
const PATTERNS: &str = "<defs>\
    <pattern id=\"up\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><path d=\"M0 8L8 0M-2 2L2 -2M6 10L10 6\"/></pattern>\
    <pattern id=\"down\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><path d=\"M0 0L8 8M-2 6L2 10M6 -2L10 2\"/></pattern>\
    </defs>";

pub(super) fn write(
    graph: &Graph,
    view: &View<'_>,
    section: &Section<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if graph.whole == 0 {
        return Ok(());
    }
    let sure = || section.changed.iter().chain(&section.cut).copied();
    let changes = changes(view, sure());
    let gone: Vec<&Row> = sure().filter(|row| row.change.after == 0.0).collect();
    let picture = Picture { section, whole: graph.whole };
    let top = if gone.is_empty() { 0 } else { LEVEL + 6 };
    let levels = graph.boxes.iter().map(|part| part.level + 1).max().unwrap_or(0);
    let height = top + levels * LEVEL;
    let whole = amount(Unit::Nanoseconds, graph.whole);
    writeln!(
        out,
        "<section id=\"graph\">\n<h2>Where it goes after <small>full width = {whole} of CPU in one run</small></h2>"
    )?;
    writeln!(
        out,
        "<p class=\"muted\"><span class=\"key more\">takes more</span> \
         <span class=\"key less\">takes less</span> gray: within noise. {}</p>",
        if gone.is_empty() { "" } else { "On top: what is gone, as wide as it was." }
    )?;
    writeln!(
        out,
        "<div class=\"wide\"><svg class=\"flame\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Flame graph; the tables say the same in figures\">{PATTERNS}"
    )?;
    picture.gone(view, &gone, out)?;
    for part in &graph.boxes {
        let called = &graph.functions[part.function];
        let (name, file) = (escape(&shown(&called.name)), escape(&called.file));
        let change = changes.get(&(called.name.as_slice(), called.file.as_slice()));
        let place = if file.is_empty() { file } else { format!(" ({})", cut(&file, TOLD)) };
        let figures = amount(Unit::Nanoseconds, part.weight);
        let title = format!("{}{place}\n{figures}, {}", cut(&name, TOLD), picture.verdict(change));
        let (x, width) = (picture.pixels(part.start as f64), picture.pixels(part.weight as f64));
        let y = top + part.level * LEVEL;
        picture.draw((x, y, width), class(change), &title, &name, out)?;
    }
    writeln!(out, "</svg></div>\n</section>")
}

/// What surely changed, by name and file of the function.
fn changes<'v>(
    view: &View<'v>,
    rows: impl Iterator<Item = &'v Row>,
) -> HashMap<(&'v [u8], &'v [u8]), Change> {
    let mut lines: HashMap<_, Vec<&Row>> = HashMap::new();
    for row in rows {
        if let Some(spot) = view.diff.pairs[row.pair].after {
            lines.entry((spot.function, spot.file)).or_default().push(row);
        }
    }
    lines.into_iter().map(|(function, rows)| (function, Compared::sum(rows))).collect()
}

fn class(change: Option<&Change>) -> &'static str {
    match change {
        None => "same",
        Some(change) if change.difference() > 0.0 => "more",
        Some(_) => "less",
    }
}

struct Picture<'a> {
    section: &'a Section<'a>,
    whole: u64,
}

impl Picture<'_> {
    fn pixels(&self, nanos: f64) -> f64 {
        (nanos / self.whole as f64 * WIDTH).clamp(0.0, WIDTH)
    }

    fn verdict(&self, change: Option<&Change>) -> String {
        let text = |change| format!("lines that changed: {}", self.section.scale.change(change));
        change.map_or_else(|| "within noise".into(), text)
    }

    /// What is not there any more, side by side as wide as it was.
    fn gone(&self, view: &View<'_>, rows: &[&Row], out: &mut dyn Write) -> io::Result<()> {
        let mut x = 0.0;
        for row in rows {
            let width = self.pixels(row.change.before).min(WIDTH - x);
            if width < 1.0 {
                break;
            }
            let spot = view.spot(row);
            let title = format!("{}\n{}", cut(&spot, TOLD), self.section.scale.change(&row.change));
            self.draw((x, 0, width), "less", &title, &spot, out)?;
            x += width;
        }
        Ok(())
    }

    fn draw(
        &self,
        (x, y, width): (f64, u32, f64),
        class: &str,
        title: &str,
        name: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let height = LEVEL - 1;
        let frame = format!("x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\"");
        write!(out, "<g class=\"{class}\"><title>{}</title><rect {frame}/>", Text(title))?;
        let hatching = match class {
            "more" => "up",
            "less" => "down",
            _ => "",
        };
        if !hatching.is_empty() {
            write!(out, "<rect class=\"{hatching}\" {frame}/>")?;
        }
        let letters = ((width - 6.0) / LETTER) as usize;
        if letters >= 3 {
            let text = xml(&cut(name, letters));
            write!(out, "<text x=\"{:.1}\" y=\"{}\">{text}</text>", x + 3.0, y + 13)?;
        }
        writeln!(out, "</g>")
    }
}
