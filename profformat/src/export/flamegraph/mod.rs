//! A flame graph as one SVG file, for a browser: widths are weights, and a box hangs from its caller's.
//!
//! It hangs since pages are read from the top: few stacks are as deep as the deepest. Boxes are functions, their lines
//! together. A click widens a box, Escape or a click on the topmost one goes back, `/` asks for a text to look for. Without scripts (as an image in a page) it can be looked at. The same profile gives the
//! same bytes.

mod graph;
mod tree;

pub use self::graph::Graph;

use std::io::{self, Write};

use self::tree::{Block, What, blocks};
use super::escape::escape;
use super::names::{NO_STACK, shown};
use super::{ExportError, Metric, Unit};
use crate::analysis::Profile;
use crate::analysis::sites::places::OTHER;
use crate::record::Lang;
use crate::tables::Tables;

/// Pixels of the picture and of a level.
const WIDTH: u32 = 1200;
const LEVEL: u32 = 17;
/// Pixels above the boxes.
const HEAD: u32 = 48;
/// Pixels of a letter.
const LETTER: f64 = 7.0;
/// Letters of a title that fit into the picture.
const TITLE: usize = 100;
/// Letters of a name, and of a place, that are told where a mouse is.
const TOLD: usize = 300;

const STYLE: &str = "text{font:12px ui-monospace,monospace;fill:#111}\
    .title{font-size:15px}.about{fill:#555}\
    g.box{cursor:pointer}g.box:hover rect{stroke:#111;stroke-width:1}\
    g.box text{pointer-events:none}.found rect{fill:#e0f}";

/// Makes boxes answer clicks. Reads nothing but the boxes' own `data-` attributes.
const SCRIPT: &str = include_str!("zoom.js");

/// Writes the weights of all threads together.
pub fn write(profile: &Profile, metric: Metric, out: &mut dyn Write) -> Result<(), ExportError> {
    let blocks = blocks(profile, metric);
    let whole = blocks.first().map_or(0, |block| block.weight);
    let levels = blocks.iter().map(|block| block.level).max().unwrap_or(0) + 1;
    let height = HEAD + levels * LEVEL + LEVEL;
    let command: Vec<String> = profile.header.command.iter().map(|word| escape(word)).collect();
    let title = xml(&cut(&command.join(" "), TITLE));
    let about = format!("{} of {}, 100 %", amount(metric.unit(), whole), words(metric));
    write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" data-metric=\"{}\" data-unit=\"{}\" data-whole=\"{whole}\">\n\
         <title>{title}: {about}</title>\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text class=\"title\" x=\"6\" y=\"20\">{title}</text>\n\
         <text class=\"about\" x=\"6\" y=\"38\">{about}</text>\n",
        metric.name(),
        metric.unit().name(),
    )?;
    let picture = Picture { tables: &profile.tables, metric, whole };
    for block in &blocks {
        picture.draw(block, out)?;
    }
    write!(out, "<script><![CDATA[\n{SCRIPT}]]></script>\n</svg>\n")?;
    Ok(())
}

struct Picture<'a> {
    tables: &'a Tables,
    metric: Metric,
    whole: u64,
}

impl Picture<'_> {
    fn draw(&self, block: &Block, out: &mut dyn Write) -> io::Result<()> {
        let pixels = |weight: u64| weight as f64 / self.whole.max(1) as f64 * f64::from(WIDTH);
        let (x, width) = (pixels(block.start), pixels(block.weight));
        let y = HEAD + block.level * LEVEL;
        let (name, place) = self.name(block.what);
        let share = block.weight as f64 / self.whole.max(1) as f64 * 100.0;
        let amount = amount(self.metric.unit(), block.weight);
        write!(
            out,
            "<g class=\"box\" data-level=\"{}\" data-start=\"{}\" data-weight=\"{}\">\
             <title>{}{}\n{amount}, {share:.2} %</title>\
             <rect x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{}\" rx=\"1\" fill=\"{}\"/>",
            block.level,
            block.start,
            block.weight,
            xml(&cut(&name, TOLD)),
            xml(&cut(&place, TOLD)),
            LEVEL - 1,
            color(block.what, &name),
        )?;
        let letters = ((width - 6.0) / LETTER) as usize;
        if letters >= 3 {
            let text = xml(&cut(&name, letters));
            write!(out, "<text x=\"{:.2}\" y=\"{}\">{text}</text>", x + 3.0, y + 12)?;
        }
        out.write_all(b"</g>\n")
    }

    /// Name and, in brackets, place.
    fn name(&self, what: What) -> (String, String) {
        let name = match what {
            What::Function(name, file, _) => {
                let text = |id| escape(&shown(self.tables.string(id)));
                let (name, file) = (text(name), text(file));
                let name = if name.is_empty() { "[no name]".to_owned() } else { name };
                let place = if file.is_empty() { file } else { format!(" ({file})") };
                return (name, place);
            }
            What::All => "all",
            What::NoStack => NO_STACK,
            What::Other => OTHER,
        };
        (name.to_owned(), String::new())
    }
}

/// Python blue, native code orange, the rest gray; the same name has the same shade in every picture.
fn color(what: What, name: &str) -> String {
    // FNV-1a.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let [hue, light] = [hash >> 16 & 0xff, hash >> 32 & 0xff];
    match what {
        What::Function(_, _, Lang::Python) => {
            format!("hsl({},60%,{}%)", 195 + hue * 30 / 255, 68 + light * 12 / 255)
        }
        What::Function(_, _, Lang::Native) => {
            format!("hsl({},80%,{}%)", 20 + hue * 25 / 255, 66 + light * 12 / 255)
        }
        _ => format!("hsl(0,0%,{}%)", 80 + light * 8 / 255),
    }
}

/// What a metric is about, in words.
fn words(metric: Metric) -> &'static str {
    match metric {
        Metric::Cpu => "CPU time",
        Metric::Wall => "CPU and waiting time",
        Metric::Alloc => "memory allocated",
        Metric::Live => "memory never freed",
        Metric::Peak => "memory held at the peak",
        Metric::Copies => "memory copied",
    }
}

/// A weight with its unit, in three or four digits.
pub(super) fn amount(unit: Unit, weight: u64) -> String {
    let units: &[(&str, f64)] = match unit {
        Unit::Nanoseconds => &[("s", 1e9), ("ms", 1e6), ("µs", 1e3)],
        Unit::Bytes => &[("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1024.0)],
    };
    let value = weight as f64;
    match units.iter().find(|(_, size)| value >= *size) {
        Some((name, size)) => format!("{:.2} {name}", value / size),
        None => format!("{weight} {}", if unit == Unit::Nanoseconds { "ns" } else { "bytes" }),
    }
}

/// The first letters of a text, with a sign that there are more.
pub(super) fn cut(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        None => text.to_owned(),
        Some(_) => text.chars().take(letters.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Text that was escaped for the eye, as XML's.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // Of what is left these two are no characters to XML.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_unit() {
        let time = [(999, "999 ns"), (1_500, "1.50 µs"), (2_000_000_000, "2.00 s")];
        for (weight, text) in time {
            assert_eq!(amount(Unit::Nanoseconds, weight), text);
        }
        for (weight, text) in [(1023, "1023 bytes"), (1 << 20, "1.00 MiB")] {
            assert_eq!(amount(Unit::Bytes, weight), text);
        }
    }

    #[test]
    fn nothing_is_markup_and_everything_is_xml() {
        assert_eq!(xml("a<b>&\"c\"\u{ffff}"), "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
