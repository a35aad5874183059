//! The profile as one HTML file: no network, no build step, readable without scripts.
//!
//! What a person should know first (sentences, totals, the hottest lines, what is missing) stands in the page as
//! markup, see `page`. The rest is data for the scripts in `web/`, which are written into the page without comments and
//! indents, see `scripts`:
//!
//! | element | holds | written by |
//! |---|---|---|
//! | `d-head` | JSON: facts, metrics with their totals, books, threads, processes | `head`, `family` |
//! | `d-names` | strings, files, functions, frames | `names` |
//! | `d-tree` | all stacks as one prefix tree in preorder, with sparse columns of self figures | `nodes`, `tree` |
//! | `d-time` | weights by part of the run, thread, node and class; the footprint | `time` |
//! | `d-lines` | figures of lines and functions, as JSON export has them | `lines` |
//! | `d-source-N` | the text of file N | `source` |
//!
//! Blocks other than the head are sequences of LEB128 numbers and strings (length, then UTF-8), deflated (raw) and in
//! base64; `docs/HTML.md` lists their fields. Every total is that of the other exports, to the unit.
//!
//! Nothing foreign can act in the page: a content security policy admits this script and this style by their hashes
//! and nothing from anywhere; names are escaped once for the eye ([`escape`](mod@super::escape)) and once more where
//! they stand in markup; scripts only ever make text of them.

mod block;
mod family;
mod head;
mod lines;
mod names;
mod nodes;
mod page;
mod scripts;
mod source;
mod spread;
mod time;
mod tree;

use std::io::Write;

use self::family::Family;
use self::head::Files;
use self::names::Names;
use self::nodes::Nodes;
use self::source::Sources;
use self::time::Time;
use self::tree::Tree;
use super::ExportError;
use super::text::{Figures, Source, Words, words};
use crate::analysis::Profile;

/// The frame of the page, with the names of what is filled in in double braces.
const FRAME: &str = include_str!("web/page.html");

/// Bytes of a page at most; what costs least is summed until it fits.
const PAGE: usize = 8 << 20;
/// Bytes of those for what is written as markup.
const MARKUP: usize = 256 << 10;

/// Bytes of figures of which two fit beside each other: less than half of what they can be.
const FIGURES: usize = 24 << 20;

/// How much a page tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    /// Nodes of the tree.
    nodes: usize,
    /// Lines, and functions.
    rows: usize,
    /// Bytes of a name.
    name: usize,
    /// Threads, and processes.
    family: usize,
}

impl Limits {
    /// Figures of nodes that are written at once: with more, little memory is left.
    const FIGURES: usize = 1 << 20;
    const FULL: Self = Self { nodes: 3 << 19, rows: 20_000, name: 1_024, family: 1_000 };
    /// With these any page fits.
    const LEAST: Self = Self { nodes: 64, rows: 16, name: 32, family: 4 };

    /// The limits for a tree of so many nodes. One that must be cut is cut to a quarter: what stays is in memory beside
    /// a profile that is as large as can be.
    fn of(nodes: &Nodes) -> Self {
        let count = nodes.parents.len();
        let is_large = count > Self::FULL.nodes || nodes.own.len() > Self::FIGURES;
        let most = if is_large { count.min(Self::FULL.nodes / 4) } else { count };
        Self { nodes: most.max(Self::LEAST.nodes), ..Self::FULL }
    }

    fn halved(self) -> Self {
        Self {
            nodes: (self.nodes / 2).max(Self::LEAST.nodes),
            rows: (self.rows / 2).max(Self::LEAST.rows),
            name: (self.name / 2).max(Self::LEAST.name),
            family: (self.family / 2).max(Self::LEAST.family),
        }
    }
}

/// Writes the page. Files that `source` gives [whole](Source::whole) are in it, as far as there is room.
///
/// # Errors
/// Those of `out`.
pub fn write(
    profile: &Profile,
    source: &dyn Source,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let mut figures = Figures::of(profile);
    let words = if figures.bytes() <= FIGURES {
        words(profile, figures.clone(), source)
    } else {
        // Made twice: two at a time would be the most of what a page takes.
        let words = words(profile, figures, source);
        figures = Figures::of(profile);
        words
    };
    figures.sites.shrink_to_fit();
    let sources = Sources::of(profile, &figures.sites, source)?;
    let mut nodes = Nodes::of(profile);
    let (script, style) = (scripts::script(), scripts::style());
    let room = PAGE - MARKUP - FRAME.len() - style.len() - script.len();
    let mut limits = Limits::of(&nodes);
    let data = loop {
        nodes = nodes.prune(limits.nodes);
        let data = Data::of(profile, &nodes, &figures, &words, &sources, limits)?;
        match data {
            Some(data) if data.size() <= room || limits == Limits::LEAST => break data,
            _ => limits = limits.halved(),
        }
    };
    let rows = lines::rows(&figures.sites, limits.rows);
    fill(out, &mut |name, out| {
        let text = match name {
            "csp" => scripts::policy(&script, &style),
            "title" => page::text(&words.command),
            "style" => style.clone(),
            "bar" => page::bar(&words),
            "sentences" => page::sentences(&words, &rows),
            "totals" => page::totals(&words),
            "lines" => page::lines(&words, &rows),
            "missing" => page::missing(&words, data.pruned),
            "noscript" => NOSCRIPT.to_owned(),
            "data" => return data.write(out),
            "script" => script.clone(),
            _ => String::new(),
        };
        out.write_all(text.as_bytes())
    })?;
    Ok(())
}

const NOSCRIPT: &str = "<p>Scripts are switched off: the graph, the timeline, the source and all lines but the \
    hottest need them. They are in this file; nothing is loaded from anywhere.</p>";

/// What the scripts read.
struct Data {
    head: String,
    /// Name and content of each block.
    blocks: Vec<(String, String)>,
    pruned: usize,
}

impl Data {
    /// `None` if there is more than fits with these limits.
    fn of(
        profile: &Profile,
        nodes: &Nodes,
        figures: &Figures,
        words: &Words,
        sources: &Sources,
        limits: Limits,
    ) -> Result<Option<Self>, ExportError> {
        let tree = Tree::of(nodes);
        let family = Family::of(profile, limits.family);
        let Some(time) = Time::of(profile, &tree, &family) else { return Ok(None) };
        let mut names = Names::new(profile, limits.name);
        let mut files: Vec<(u32, &String)> =
            sources.blocks.iter().map(|(file, packed)| (names.file(*file), packed)).collect();
        // Two names of a trace can be one in the page.
        files.sort_by_key(|(file, _)| *file);
        files.dedup_by_key(|(file, _)| *file);
        let changed: Vec<u32> = sources.changed.iter().map(|file| names.file(*file)).collect();
        let tree_block = tree.block(&profile.tables, &mut names).packed()?;
        let Figures { sites, functions } = figures;
        let lines = lines::block(profile, sites, functions, limits.rows, &mut names).packed()?;
        if names.is_full() {
            return Ok(None);
        }
        let mut blocks = vec![
            ("names".to_owned(), names.block().packed()?),
            ("tree".to_owned(), tree_block),
            ("time".to_owned(), time.block(profile).packed()?),
            ("lines".to_owned(), lines),
        ];
        let files_of =
            Files { with_source: files.iter().map(|(file, _)| *file).collect(), changed };
        blocks.extend(files.into_iter().map(|(n, packed)| (format!("source-{n}"), packed.clone())));
        let head = head::head(profile, words, &family, nodes.pruned, &files_of)?;
        Ok(Some(Self { head, blocks, pruned: nodes.pruned }))
    }

    fn size(&self) -> usize {
        self.head.len() + self.blocks.iter().map(|(_, packed)| packed.len()).sum::<usize>()
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "<script type=\"application/json\" id=\"d-head\">{}</script>", self.head)?;
        for (name, packed) in &self.blocks {
            writeln!(out, "<script type=\"text/plain\" id=\"d-{name}\">{packed}</script>")?;
        }
        Ok(())
    }
}

/// Writes the frame; `put` writes what stands for a name in double braces. What it writes is not looked at again.
fn fill(
    out: &mut dyn Write,
    put: &mut dyn FnMut(&str, &mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut rest = FRAME;
    while let Some((before, (name, behind))) =
        rest.split_once("{{").and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        out.write_all(before.as_bytes())?;
        put(name, out)?;
        rest = behind;
    }
    out.write_all(rest.as_bytes())
}
