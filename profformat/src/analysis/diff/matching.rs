//! Which lines of two sides are the same.
//!
//! Files are matched by their paths, as far as these agree from the end; functions by file and qualified name; lines
//! within a function by the text of the source where it is at hand from both sides, else by their distance from the
//! function's first line.

pub(super) mod files;
mod functions;
mod text;

use std::collections::HashMap;

use self::functions::{Anchors, owner};
use self::text::Sources;
use super::side::{Line, Side};
use super::{Pair, Spot, Texts};

/// How a line before and a line after were found to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchedBy {
    /// By the text of the source, which is at hand from both sides.
    Text,
    /// It stands in the place of as many lines of another text.
    Edit,
    /// By its distance from the first line of its function.
    Offset,
    /// By the name of the function, where no line is known.
    Name,
    /// Not at all: it is known from one side only.
    None,
}

impl MatchedBy {
    /// The name that outputs have.
    pub const fn name(self) -> &'static str {
        match self {
            MatchedBy::Text => "text",
            MatchedBy::Edit => "edit",
            MatchedBy::Offset => "offset",
            MatchedBy::Name => "name",
            MatchedBy::None => "none",
        }
    }
}

/// The lines of both sides.
pub(super) struct Pairing<'a> {
    pub(super) pairs: Vec<Pair<'a>>,
    /// Numbers of each pair's lines on both sides, as far as they have figures.
    pub(super) lines: Vec<(Option<u32>, Option<u32>)>,
    /// Lines of a file that was edited were matched by offset, for its text is not at hand from both sides.
    pub(super) is_by_offset: bool,
}

/// Where lines of the side after stand: by file, line, and name where there is no line.
type Places = HashMap<(u32, u32, Option<u32>), u32>;

/// Pairs the lines of both sides; lines before come first.
pub(super) fn pair<'a>(before: &'a Side, after: &'a Side, texts: [&dyn Texts; 2]) -> Pairing<'a> {
    let path = |side: &'a Side, file: &u32| side.name(*file);
    let known: Vec<&[u8]> = before.files.iter().map(|file| path(before, file)).collect();
    let paths: Vec<&[u8]> = after.files.iter().map(|file| path(after, file)).collect();
    let same = files::matched(&known, &paths);
    let file_after: HashMap<u32, u32> = after
        .files
        .iter()
        .zip(same)
        .filter_map(|(file, known)| Some((before.files[known? as usize], *file)))
        .collect();
    let mut pairing = Pairing { pairs: Vec::new(), lines: Vec::new(), is_by_offset: false };
    let places: Places = after
        .lines
        .iter()
        .zip(0..)
        .map(|(line, at)| ((line.file, line.line, (line.line == 0).then_some(line.function)), at))
        .collect();
    let names: HashMap<&[u8], u32> =
        after.names.iter().zip(0..).map(|(name, at)| (&**name, at)).collect();

    let mut by_file: Vec<u32> = (0..before.lines.len() as u32).collect();
    by_file.sort_by_key(|at| before.lines[*at as usize].file);
    let mut taken = vec![false; after.lines.len()];
    let mut sources = Sources::new(texts);
    for group in
        by_file.chunk_by(|a, b| before.lines[*a as usize].file == before.lines[*b as usize].file)
    {
        let file = before.lines[group[0] as usize].file;
        let mut of_file = file_after.get(&file).map(|&after_file| {
            let paths = [before.name(file), after.name(after_file)];
            let lines = sources.of(paths);
            (after_file, Anchors::of([before, after], [file, after_file]), lines)
        });
        for &at in group {
            let line = &before.lines[at as usize];
            let found = of_file.as_mut().and_then(|(after_file, anchors, lines)| {
                let found = match line.line {
                    0 => Some((0, MatchedBy::Name)),
                    _ => lines.matched(before.name(line.function), line.line, anchors),
                };
                let (number, matched_by) = found?;
                let name = names.get(before.name(line.function)).copied();
                let key = (*after_file, number, if number == 0 { Some(name?) } else { None });
                let there = places.get(&key).copied();
                let there = there.filter(|&there| !taken[there as usize]);
                let is_same = matched_by != MatchedBy::Offset
                    || there.is_none_or(|there| is_same(before, line, after, there, &names));
                is_same.then_some((*after_file, number, matched_by, there))
            });
            let by_offset = found.is_some_and(|(_, _, how, _)| how == MatchedBy::Offset);
            let has_moved = || of_file.as_ref().is_some_and(|(_, anchors, _)| anchors.have_moved());
            pairing.is_by_offset |= by_offset && has_moved();
            pairing.push(before, at, after, found);
            if let Some((.., Some(there))) = found {
                taken[there as usize] = true;
            }
        }
    }
    for (at, _) in taken.iter().enumerate().filter(|(_, taken)| !**taken) {
        let spot = Some(after.spot(at as u32));
        pairing.pairs.push(Pair { before: None, after: spot, matched_by: MatchedBy::None });
        pairing.lines.push((None, Some(at as u32)));
    }
    pairing
}

impl<'a> Pairing<'a> {
    /// `found`: file, line, how, and the line's number if it has figures there.
    fn push(
        &mut self,
        before: &'a Side,
        at: u32,
        after: &'a Side,
        found: Option<(u32, u32, MatchedBy, Option<u32>)>,
    ) {
        let spot = before.spot(at);
        let (there, matched_by) = match found {
            Some((_, _, matched_by, Some(there))) => (Some(after.spot(there)), matched_by),
            Some((file, line, matched_by, None)) => {
                (Some(Spot { file: after.name(file), line, ..spot }), matched_by)
            }
            None => (None, MatchedBy::None),
        };
        self.pairs.push(Pair { before: Some(spot), after: there, matched_by });
        self.lines.push((Some(at), found.and_then(|(.., there)| there)));
    }
}

/// Can a line that was found by offset be that one? Its function must have the same name, or be known after; of one that
/// is not, another can have taken the place.
fn is_same(
    before: &Side,
    line: &Line,
    after: &Side,
    there: u32,
    names: &HashMap<&[u8], u32>,
) -> bool {
    let function = before.name(line.function);
    let other = after.name(after.lines[there as usize].function);
    owner(function) == owner(other) || names.contains_key(function)
}
