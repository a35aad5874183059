//! Lines are found again through the edits between two runs.

use std::rc::Rc;

use profformat::analysis::diff::{Diff, MatchedBy, Metric, NoTexts, Run, Side, Texts, compare};

use crate::{Made, TICK};

/// The source of one file, whatever its path.
pub(crate) struct Text<'t>(pub(crate) &'t str);

impl Texts for Text<'_> {
    fn lines(&self, _file: &[u8]) -> Option<Rc<[String]>> {
        Some(self.0.lines().map(str::to_owned).collect())
    }
}

/// A line before and after with its figures in ticks, and how it was matched.
type Seen = (Option<u32>, Option<u32>, i64, i64, MatchedBy);

fn rows(diff: &Diff<'_>) -> Vec<Seen> {
    let cpu = diff.by(Metric::Cpu).unwrap();
    let mut rows: Vec<Seen> = cpu
        .rows
        .iter()
        .map(|row| {
            let pair = &diff.pairs[row.pair];
            let ticks = |ns: f64| (ns / TICK as f64).round() as i64;
            (
                pair.before.map(|spot| spot.line),
                pair.after.map(|spot| spot.line),
                ticks(row.change.before),
                ticks(row.change.after),
                pair.matched_by,
            )
        })
        .collect();
    rows.sort_by_key(|row| (row.0.unwrap_or(u32::MAX), row.1));
    rows
}

const BEFORE: &str = "\
import sys

def first(n):
    return n + 1

def work(n):
    total = 0
    for i in range(n):
        total += slow(i)
    return total

work(9)
";

const AFTER: &str = "\
import sys
import os

def first(n):
    # a word
    return n + 1

def work(n):
    total = 0
    for i in range(n):
        total += quick(i)
        check(total)
    return total

work(9)
";

fn before() -> Made {
    let mut made = Made::new();
    let module = made.function("/w/app.py", "<module>", 1);
    let work = made.function("/w/app.py", "work", 6);
    made.function("/w/app.py", "first", 3);
    made.ticks(work, 8, 20).ticks(work, 9, 60).ticks(work, 10, 11).ticks(module, 12, 12);
    made
}

fn after() -> Made {
    let mut made = Made::new();
    let module = made.function("/x/app.py", "<module>", 1);
    let work = made.function("/x/app.py", "work", 8);
    made.function("/x/app.py", "first", 4);
    made.ticks(work, 10, 21).ticks(work, 11, 30).ticks(work, 12, 13).ticks(work, 13, 10);
    made.ticks(module, 15, 14);
    made
}

#[test]
fn with_both_texts_lines_are_where_their_text_is() {
    let (before, after) = (before().side(), after().side());
    let diff = compare(&before, &after, [&Text(BEFORE), &Text(AFTER)]);
    let (text, none) = (MatchedBy::Text, MatchedBy::None);
    // `total += slow(i)` became two lines: which of them is it?
    let expected = [
        (Some(8), Some(10), 20, 21, text),
        (Some(9), None, 60, 0, none),
        (Some(10), Some(13), 11, 10, text),
        (Some(12), Some(15), 12, 14, text),
        (None, Some(11), 0, 30, none),
        (None, Some(12), 0, 13, none),
    ];
    assert_eq!(rows(&diff), expected);
    assert!(!diff.is_by_offset);
}

#[test]
fn a_line_that_was_edited_is_compared_with_what_stands_in_its_place() {
    let mut edited = Made::new();
    let work = edited.function("/w/app.py", "work", 6);
    edited.ticks(work, 9, 31);
    let text = BEFORE.replace("slow", "quick");
    let (before, after) = (before().side(), edited.side());
    let diff = compare(&before, &after, [&Text(BEFORE), &Text(&text)]);
    assert!(rows(&diff).contains(&(Some(9), Some(9), 60, 31, MatchedBy::Edit)));
}

#[test]
fn a_class_at_the_top_and_the_code_below_it_are_not_mixed_up() {
    let made = |setup: u32, call: u32| {
        let mut made = Made::new();
        let module = made.function("a.py", "<module>", 1);
        let class = made.function("a.py", "C", 1);
        made.ticks(class, setup, 20).ticks(module, call, 30);
        made.side()
    };
    let text = "class C:\n    x = load()\n\nwork()\n";
    let edited = "class C:\n    # a word\n    x = load()\n\n\nwork()\n";
    let (old, new) = (made(2, 4), made(3, 6));
    let diff = compare(&old, &new, [&Text(text), &Text(edited)]);
    let by = MatchedBy::Text;
    assert_eq!(rows(&diff), [(Some(2), Some(3), 20, 20, by), (Some(4), Some(6), 30, 30, by)]);
}

#[test]
fn without_texts_lines_move_with_their_function() {
    let (before, after) = (before().side(), after().side());
    let diff = compare(&before, &after, [&Text(BEFORE), &NoTexts]);
    let offset = MatchedBy::Offset;
    let expected = [
        (Some(8), Some(10), 20, 21, offset),
        (Some(9), Some(11), 60, 30, offset),
        (Some(10), Some(12), 11, 13, offset),
        // The module's own code moves as the function above it; what was put into that is not known.
        (Some(12), Some(14), 12, 0, offset),
        (None, Some(13), 0, 10, MatchedBy::None),
        (None, Some(15), 0, 14, MatchedBy::None),
    ];
    assert_eq!(rows(&diff), expected);
    assert!(diff.is_by_offset, "a function has moved");
    let same = compare(&before, &before, [&NoTexts, &NoTexts]);
    assert!(!same.is_by_offset, "nothing has moved");
    assert!(rows(&same).iter().all(|row| row.0 == row.1 && row.2 == row.3));
}

#[test]
fn every_line_counts_once_and_sums_stay() {
    let (before, after) = (before().side(), after().side());
    for texts in [[&NoTexts as &dyn Texts, &NoTexts], [&Text(BEFORE), &Text(AFTER)]] {
        let diff = compare(&before, &after, texts);
        let cpu = diff.by(Metric::Cpu).unwrap();
        let sums = cpu.rows.iter().map(|row| (row.change.before, row.change.after));
        let sum = sums.fold((0.0, 0.0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        assert_eq!(sum, (103.0 * TICK as f64, 88.0 * TICK as f64));
        assert_eq!(sum, (cpu.total.before, cpu.total.after));
    }
}

#[test]
fn getters_and_lambdas_are_found_by_what_is_next_to_them() {
    let made = |first: u32, getter: u32, setter: u32, lambda: u32| {
        let mut made = Made::new();
        made.function("a.py", "f", first);
        let get = made.function("a.py", "C.x", getter);
        let set = made.function("a.py", "C.x", setter);
        let sort = made.function("a.py", "f.<locals>.<lambda>", lambda);
        made.ticks(get, getter + 1, 11).ticks(set, setter + 1, 12).ticks(sort, lambda, 13);
        made.side()
    };
    let (old, new) = (made(3, 20, 25, 7), made(5, 22, 27, 9));
    let diff = compare(&old, &new, [&NoTexts, &NoTexts]);
    let pairs: Vec<_> = rows(&diff).into_iter().map(|row| (row.0, row.1, row.2, row.3)).collect();
    let expected = [(7, 9, 13), (21, 23, 11), (26, 28, 12)];
    assert_eq!(pairs, expected.map(|(old, new, ticks)| (Some(old), Some(new), ticks, ticks)));
}

#[test]
fn another_function_in_the_same_place_is_another_line() {
    let made = |name: &str| {
        let mut made = Made::new();
        let function = made.function("a.py", name, 3);
        made.ticks(function, 4, 20);
        made.side()
    };
    let (old, new) = (made("encode"), made("decode"));
    let diff = compare(&old, &new, [&NoTexts, &NoTexts]);
    let found: Vec<_> = rows(&diff).into_iter().map(|row| (row.2, row.3)).collect();
    assert_eq!(found, [(20, 0), (0, 20)]);
}

#[test]
fn functions_without_lines_go_by_name() {
    let made = |module: &str| {
        let mut made = Made::new();
        let function = made.function(module, "deflate", 0);
        made.ticks(function, 0, 20);
        made.side()
    };
    let (old, new) = (made("/usr/lib/libz.so.1"), made("/opt/lib/libz.so.1"));
    let diff = compare(&old, &new, [&NoTexts, &NoTexts]);
    assert_eq!(rows(&diff), [(Some(0), Some(0), 20, 20, MatchedBy::Name)]);
}

#[test]
fn runs_of_one_side_are_added_up_line_by_line() {
    let run = |folder: &str, line: u32, ticks: usize| -> Run {
        let mut made = Made::new();
        let function = made.function(&format!("{folder}/app.py"), "work", 1);
        made.ticks(function, line, ticks);
        made.run()
    };
    let side = Side::new(vec![run("/a", 2, 10), run("/b", 2, 20), run("/c", 3, 30)], 2.0);
    let other = Side::new(vec![run("/d", 2, 7)], 1.0);
    let diff = compare(&side, &other, [&NoTexts, &NoTexts]);
    // Means of three runs, by two units of work.
    let found: Vec<_> = rows(&diff).into_iter().map(|row| (row.0, row.2, row.3)).collect();
    assert_eq!(found, [(Some(2), 5, 7), (Some(3), 5, 0)]);
}
