//! Blocks `source-N`: the text of files, those that cost most first, as far as there is room.

use std::collections::HashMap;
use std::io;

use super::block::Block;
use crate::analysis::Profile;
use crate::analysis::sites::Site;
use crate::export::escape::escape;
use crate::export::text::place::Places;
use crate::export::text::{Source, Whole};
use crate::ids::StringId;

/// Bytes of all blocks of source together in the page.
const ROOM: usize = 128_000;
/// A longer file is not looked at.
const LONGEST: usize = 2 << 20;
/// Files that are tried.
const TRIED: usize = 256;

/// Source files of a page.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The blocks of those that are in it.
    pub(super) blocks: Vec<(StringId, String)>,
    /// Those that were changed since the run.
    pub(super) changed: Vec<StringId>,
}

impl Sources {
    pub(super) fn of(profile: &Profile, sites: &[Site], source: &dyn Source) -> io::Result<Self> {
        let mut sources = Self::default();
        let mut room = ROOM;
        for file in by_cost(profile, sites).into_iter().take(TRIED) {
            let text = match source.whole(profile.tables.string(file)) {
                Whole::Text(text) if text.len() <= LONGEST => text,
                Whole::Text(_) | Whole::Missing => continue,
                Whole::Changed => {
                    sources.changed.push(file);
                    continue;
                }
            };
            let packed = block(&text).packed()?;
            if let Some(left) = room.checked_sub(packed.len()) {
                room = left;
                sources.blocks.push((file, packed));
            }
        }
        Ok(sources)
    }
}

/// The Python files with any time, memory or copies. Of a file of the user's own, what its lines lead to counts too.
fn by_cost(profile: &Profile, sites: &[Site]) -> Vec<StringId> {
    let places = Places::new(profile);
    let mut costs: HashMap<StringId, (u64, u64)> = HashMap::new();
    for site in sites.iter().filter(|site| site.line > 0) {
        let (own, led) = costs.entry(site.file).or_default();
        *own = own.saturating_add(site.self_cpu_ns());
        *led = (*led).max(site.total_cpu_ns);
    }
    let mut files: Vec<(u64, StringId)> = costs
        .into_iter()
        .filter_map(|(file, (own, led))| {
            let place = places.of(file);
            place.python.then(|| (own.saturating_add(if place.yours { led } else { 0 }), file))
        })
        .collect();
    files.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    files.into_iter().map(|(_, file)| file).collect()
}

fn block(text: &str) -> Block {
    let mut block = Block::default();
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            block.bytes(b"\n");
        }
        block.bytes(escape(line.replace('\t', "    ").as_bytes()).as_bytes());
    }
    block
}
