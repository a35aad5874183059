//! Texts of source files, and where their functions end.

use std::collections::HashMap;

use crate::analysis::Profile;
use crate::export::escape::escape;
use crate::export::names::shown;
use crate::export::text::Source;
use crate::ids::{FunctionId, StringId};
use crate::record::Lang;

/// All lines of a file, if it can be read and has at most so many. Line `n` is at `n - 1`.
pub(super) fn text(source: &dyn Source, file: &[u8], most: usize) -> Option<Vec<String>> {
    // No file has so many lines: whoever answers says the same of each, such as that the file is another one by now.
    if source.line(file, u32::MAX).is_some() {
        return None;
    }
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let lines: Vec<String> = (1..=most).map_while(|n| line(source, file, n)).collect();
    let is_whole = source.line(file, lines.len() as u32 + 1).is_none();
    (is_whole && !lines.is_empty()).then_some(lines)
}

/// One line with its break, as Scalene has it.
pub(super) fn line(source: &dyn Source, file: &[u8], number: u32) -> Option<String> {
    let line = source.line(file, number)?;
    let line = shown(line.as_bytes());
    let mut pieces = Vec::new();
    for piece in line.split(|byte| *byte == b'\t') {
        pieces.push(escape(piece));
    }
    Some(pieces.join("\t") + "\n")
}

/// First lines of Python functions by file and name.
pub(super) struct Functions {
    first_lines: HashMap<(StringId, StringId), u32>,
}

impl Functions {
    pub(super) fn of(profile: &Profile) -> Self {
        let mut first_lines = HashMap::new();
        for id in (0..profile.tables.counts()[1] as u32).map(FunctionId::new) {
            let Some(function) = profile.tables.function(id) else { continue };
            if function.lang == Lang::Python && function.first_line > 0 {
                let known = first_lines.entry((function.file, function.name));
                let first = known.or_insert(function.first_line);
                *first = function.first_line.min(*first);
            }
        }
        Self { first_lines }
    }

    /// Line of the definition, 0 when unknown.
    pub(super) fn first_line(&self, file: StringId, function: StringId) -> u32 {
        self.first_lines.get(&(file, function)).copied().unwrap_or(0)
    }
}

/// For each line of a text the first and the last line of the innermost of these functions that it is in, or zeros.
/// `first_lines` are those of the functions; whatever of them is no `def` or `class` is left out.
pub(super) fn extents(text: &[String], first_lines: &[u32]) -> Vec<(u32, u32)> {
    let mut extents = vec![(0, 0); text.len()];
    let mut first_lines = first_lines.to_vec();
    first_lines.sort_unstable();
    first_lines.dedup();
    // Functions within functions begin later, and take their lines from them.
    for first in first_lines {
        let Some(last) = last_line(text, first) else { continue };
        extents[first as usize - 1..last as usize].fill((first, last));
    }
    extents
}

/// The last line of the function that begins, with its decorators, on this line.
fn last_line(text: &[String], first: u32) -> Option<u32> {
    let begin = (first as usize).checked_sub(1)?;
    let head = text.get(begin..)?.iter().position(|line| {
        let line = line.trim_start();
        ["def ", "async def ", "class "].iter().any(|word| line.starts_with(word))
    })?;
    let depth = |line: &str| line.len() - line.trim_start().len();
    let own = depth(&text[begin + head]);
    let mut last = begin + head;
    for (at, line) in text.iter().enumerate().skip(last + 1) {
        match line.trim() {
            "" => {}
            // The end of a head of several lines.
            rest if depth(line) <= own && !rest.starts_with(')') => break,
            _ => last = at,
        }
    }
    Some(last as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_end_where_their_block_does() {
        let text = "import os\n\n@cache\ndef f(\n    a,\n) -> int:\n    def g():\n        return 1\n\n    return g\nf(1)\n";
        let text: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
        let found = extents(&text, &[7, 3, 99, 0]);
        let (f, g, none) = ((3, 10), (7, 8), (0, 0));
        assert_eq!(found, [none, none, f, f, f, f, g, g, f, f, none]);
        assert_eq!(extents(&text, &[11]), [none; 11]);
        assert!(extents(&[], &[1]).is_empty());
    }

    /// Files with a text for every line, or for three.
    struct Lines(bool);

    impl Source for Lines {
        fn line(&self, _file: &[u8], line: u32) -> Option<String> {
            (self.0 || line <= 3).then(|| format!("\tx{line}\x1b"))
        }
    }

    #[test]
    fn only_whole_files_are_texts() {
        assert_eq!(
            text(&Lines(false), b"f", 3).unwrap(),
            ["\tx1\\x1b\n", "\tx2\\x1b\n", "\tx3\\x1b\n"]
        );
        assert_eq!(text(&Lines(false), b"f", 2), None);
        assert_eq!(text(&Lines(true), b"f", 100), None);
        assert_eq!(line(&Lines(true), b"f", 9).unwrap(), "\tx9\\x1b\n");
    }
}
