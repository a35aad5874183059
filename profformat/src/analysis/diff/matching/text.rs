//! Lines by the text of the source.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use imara_diff::{Algorithm, Diff, InternedInput};

use super::MatchedBy;
use super::functions::Anchors;
use crate::analysis::diff::Texts;

/// Lines of source that are compared, both sides together. What comes beyond is matched by offset: a trace made on
/// purpose could have a function for every line of a large file.
const LINES: usize = 1 << 22;

/// The lines of a file.
type Text = Rc<[String]>;

/// The sources of both sides.
pub(super) struct Sources<'a> {
    texts: [&'a dyn Texts; 2],
    /// Lines that may still be compared.
    left: usize,
}

impl<'a> Sources<'a> {
    pub(super) fn new(texts: [&'a dyn Texts; 2]) -> Self {
        Self { texts, left: LINES }
    }

    /// The lines of a file that has these paths.
    pub(super) fn of(&mut self, paths: [&[u8]; 2]) -> Lines<'_> {
        let [before, after] = [0, 1].map(|side| self.texts[side].lines(paths[side]));
        let both = before.zip(after);
        let is_same = both.as_ref().is_some_and(|(before, after)| before == after);
        Lines { both, is_same, left: &mut self.left, maps: HashMap::new() }
    }
}

/// Where the lines of a part of a file went: by their distance from its first line.
type Map = Vec<Option<(u32, MatchedBy)>>;

/// The lines of one file.
pub(super) struct Lines<'s> {
    both: Option<(Text, Text)>,
    is_same: bool,
    left: &'s mut usize,
    /// By the parts that were compared, before and after.
    maps: HashMap<(Range<usize>, Range<usize>), Map>,
}

impl Lines<'_> {
    /// Where a line of a function went, and how that is known.
    pub(super) fn matched(
        &mut self,
        function: &[u8],
        line: u32,
        anchors: &Anchors<'_>,
    ) -> Option<(u32, MatchedBy)> {
        if self.is_same {
            return Some((line, MatchedBy::Text));
        }
        let function = anchors.function(function, line);
        if let Some(known) = self.by_text(function, line) {
            return known;
        }
        let (before, after) = match function {
            Some(first) => first,
            None => (line, anchors.shifted(line)),
        };
        Some(((line - before).saturating_add(after), MatchedBy::Offset))
    }

    /// The same by text; `None` if that cannot be told.
    fn by_text(
        &mut self,
        function: Option<(u32, u32)>,
        line: u32,
    ) -> Option<Option<(u32, MatchedBy)>> {
        let (before, after) = self.both.clone()?;
        if line as usize > before.len() {
            return None;
        }
        let (old, new) = match function {
            Some((old, new)) => (extent(&before, old), extent(&after, new)),
            None => (0..before.len(), 0..after.len()),
        };
        // A text in several lines can stand as far left as the function: then it seems to end there.
        let at = line as usize - 1;
        let (old, new) =
            if old.contains(&at) { (old, new) } else { (0..before.len(), 0..after.len()) };
        let (first, moved) = (old.start, new.start);
        let key = (old, new);
        if !self.maps.contains_key(&key) {
            let (old, new) = (&before[key.0.clone()], &after[key.1.clone()]);
            *self.left = self.left.checked_sub(old.len() + new.len())?;
            self.maps.insert(key.clone(), compare(old, new));
        }
        let there = self.maps.get(&key)?.get(at - first).copied().flatten();
        Some(there.map(|(distance, how)| (distance + moved as u32 + 1, how)))
    }
}

/// The lines of a function that begins at a line, from 0: up to the next that stands no further right than its head.
/// Decorators come before the head; lines that close a bracket belong to what opened it.
fn extent(lines: &[String], first_line: u32) -> Range<usize> {
    let begin = (first_line as usize).saturating_sub(1).min(lines.len());
    let Some(first) = lines.get(begin) else { return begin..begin };
    let outer = indentation(first);
    let mut is_head = true;
    for (at, line) in lines.iter().enumerate().skip(begin) {
        let text = line.trim_start();
        let inner = indentation(line);
        if inner < outer && !text.is_empty() {
            return begin..at;
        }
        let closes = text.starts_with([')', ']', '}', '{']);
        let decorates = is_head && text.starts_with('@');
        if inner > outer || text.is_empty() || closes || decorates {
            continue;
        }
        if !is_head {
            return begin..at;
        }
        is_head = false;
    }
    begin..lines.len()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Compares two parts of source, without the spaces at the ends of lines.
fn compare(before: &[String], after: &[String]) -> Map {
    let mut input = InternedInput::default();
    input.update_before(before.iter().map(|line| line.trim()));
    input.update_after(after.iter().map(|line| line.trim()));
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let mut map: Map = vec![None; before.len()];
    let (mut old, mut new) = (0, 0);
    let mut same = |old: Range<u32>, new: u32, how| {
        for (distance, at) in old.enumerate() {
            if let Some(place) = map.get_mut(at as usize) {
                *place = Some((new + distance as u32, how));
            }
        }
    };
    for hunk in diff.hunks() {
        same(old..hunk.before.start, new, MatchedBy::Text);
        if hunk.before.len() == hunk.after.len() {
            same(hunk.before.clone(), hunk.after.start, MatchedBy::Edit);
        }
        (old, new) = (hunk.before.end, hunk.after.end);
    }
    same(old..before.len() as u32, new, MatchedBy::Text);
    map
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    const CLASS: &str = "\
class C:
    @cached(
        size=3,
    )
    def f(
        self,
    ):
        return 1

    def g(self):
        text = \"\"\"
left
\"\"\"
        return 2

main()
";

    #[test]
    fn a_function_ends_where_the_next_begins() {
        let lines = lines(CLASS);
        assert_eq!(extent(&lines, 2), 1..9, "decorators, arguments and blank lines are of it");
        assert_eq!(extent(&lines, 10), 9..11, "a text in several lines seems to end it");
        assert_eq!(extent(&lines, 1), 0..11, "and the class");
        assert_eq!(extent(&lines, 16), 15..16);
        assert_eq!(extent(&lines, 99), 16..16);
    }

    #[test]
    fn lines_are_found_where_they_went() {
        let before = lines("a\n  b\nc\nd\ne");
        let after = lines("new\na\nb\nC\nd\nmore\ne");
        let (text, edit) = (MatchedBy::Text, MatchedBy::Edit);
        let moved =
            [Some((1, text)), Some((2, text)), Some((3, edit)), Some((4, text)), Some((6, text))];
        assert_eq!(compare(&before, &after), moved);
        assert_eq!(
            compare(&lines("a\nb\nc"), &lines("a\nx\ny\nc")),
            [Some((0, text)), None, Some((3, text))]
        );
        assert_eq!(compare(&[], &after), []);
    }

    proptest! {
        /// No line is found twice, the order is kept, and what is called the same has the same text.
        #[test]
        fn lines_keep_their_order(
            before in prop::collection::vec("[a-d]{0,2}", 0..40),
            after in prop::collection::vec("[a-d]{0,2}", 0..40),
        ) {
            let map = compare(&before, &after);
            prop_assert_eq!(map.len(), before.len());
            let places: Vec<u32> = map.iter().flatten().map(|(at, _)| *at).collect();
            prop_assert!(places.is_sorted_by(|a, b| a < b), "{:?}", places);
            for (at, there) in map.iter().enumerate() {
                let Some((there, how)) = there else { continue };
                let same = before[at] == after[*there as usize];
                prop_assert!(same || *how == MatchedBy::Edit, "{} {}", before[at], after[*there as usize]);
            }
        }

        #[test]
        fn any_source_is_survived(text in prop::collection::vec("[ )@a-c]{0,4}", 0..30), line: u32) {
            let range = extent(&text, line);
            prop_assert!(range.start <= range.end && range.end <= text.len());
        }
    }
}
