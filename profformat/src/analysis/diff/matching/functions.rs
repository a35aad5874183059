//! Functions by their qualified names, and how far they have moved.

use std::collections::BTreeMap;

use crate::analysis::diff::run::Definition;
use crate::analysis::diff::side::Side;

/// The named function that a function belongs to: `f` of `f.<locals>.<lambda>`. Empty for a module's own code.
pub(super) fn owner(name: &[u8]) -> &[u8] {
    let mut name = name;
    while name.ends_with(b">") {
        let Some(begin) = name.iter().rposition(|byte| *byte == b'<') else { break };
        // `operator>` and a generic function's parameters are part of a name.
        let before = &name[..begin];
        if begin == 0 {
            return b"";
        }
        match before.strip_suffix(b".") {
            Some(rest) => name = rest,
            None => break,
        }
    }
    name
}

/// Functions of a file that are there on both sides: first lines before and after.
#[derive(Clone, Debug, Default)]
pub(super) struct Anchors<'a> {
    /// In order of the first line before. A name is there once on either side, or its first lines can be told apart.
    by_line: Vec<(u32, u32)>,
    /// First lines before of a name, in order, with those after.
    by_name: BTreeMap<&'a [u8], Vec<(u32, Option<u32>)>>,
}

impl<'a> Anchors<'a> {
    /// Those of a file: `files` are its numbers on either side.
    pub(super) fn of(sides: [&'a Side; 2], files: [u32; 2]) -> Self {
        let [old, new] = [0, 1].map(|side| by_name(sides[side], files[side]));
        let mut anchors = Self::default();
        for (name, lines) in &old {
            if let ([line], Some([after])) = (&lines[..], new.get(name).map(|lines| &lines[..])) {
                anchors.by_line.push((*line, *after));
            }
        }
        anchors.by_line.sort_unstable();
        for (name, lines) in old {
            let after = new.get(name).map(|lines| &lines[..]).unwrap_or_default();
            let moved = lines.iter().zip(0..).map(|(&line, at)| {
                let expected = anchors.shifted(line);
                let there = match after {
                    [only] if lines.len() == 1 => Some(*only),
                    _ if after.binary_search(&expected).is_ok() => Some(expected),
                    // A getter and its setter, both moved.
                    _ if after.len() == lines.len() => after.get::<usize>(at).copied(),
                    _ => None,
                };
                (line, there)
            });
            let moved = moved.collect();
            anchors.by_name.insert(name, moved);
        }
        anchors
    }

    /// Did any function move? If none did, the file is most likely the same.
    pub(super) fn have_moved(&self) -> bool {
        self.by_line.iter().any(|(before, after)| before != after)
    }

    /// First lines before and after of the function of this name that a line before is in.
    pub(super) fn function(&self, name: &[u8], line: u32) -> Option<(u32, u32)> {
        let lines = self.by_name.get(owner(name))?;
        let (before, after) = lines[..lines.partition_point(|known| known.0 <= line)].last()?;
        Some((*before, (*after)?))
    }

    /// Where a line before would be, had it moved as what is next to it: the function that begins behind it, for what
    /// was put into the one above it stands before it; the one above it when it is behind all; not at all when it is
    /// above all.
    pub(super) fn shifted(&self, line: u32) -> u32 {
        let behind = self.by_line.partition_point(|anchor| anchor.0 <= line);
        let nearest = match (behind, self.by_line.get(behind)) {
            (0, _) => None,
            (_, Some(next)) => Some(next),
            (_, None) => self.by_line.last(),
        };
        let moved = nearest.map_or(0, |(before, after)| i64::from(*after) - i64::from(*before));
        u32::try_from(i64::from(line).saturating_add(moved).max(1)).unwrap_or(u32::MAX)
    }
}

/// First lines of the named functions of a file, in order.
fn by_name(side: &Side, file: u32) -> BTreeMap<&[u8], Vec<u32>> {
    let functions = &side.functions;
    let begin = functions.partition_point(|function| function.file < file);
    let of_file = functions[begin..].iter().take_while(|function| function.file == file);
    let mut lines: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
    for Definition { name, first_line, .. } in of_file {
        let name = side.name(*name);
        if !name.is_empty() && owner(name) == name {
            lines.entry(name).or_default().push(*first_line);
        }
    }
    for lines in lines.values_mut() {
        lines.dedup();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn what_has_no_name_belongs_to_what_has() {
        assert_eq!(owner(b"f"), b"f");
        assert_eq!(owner(b"C.f.<locals>.<lambda>"), b"C.f");
        assert_eq!(owner(b"C.f.<locals>.g.<locals>.<listcomp>"), b"C.f.<locals>.g");
        assert_eq!(owner(b"<module>"), b"");
        assert_eq!(owner(b"<listcomp>"), b"");
        assert_eq!(owner(b"Vec<u8>"), b"Vec<u8>");
        assert_eq!(owner(b"a::operator>"), b"a::operator>");
    }
}
