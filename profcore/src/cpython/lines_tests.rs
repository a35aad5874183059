//! Tests of the line-table decoders: committed vectors, the interpreters found here, and any bytes at all.

use super::super::interpreters;
use super::super::layout::LineTable::{Linetable, Lnotab, Locations};
use super::*;
use crate::cpython::version_of;
use proptest::prelude::*;

/// What an interpreter says of one code object: table, first line, line by byte offset (0: none).
struct Vector {
    first_line: u32,
    table: Vec<u8>,
    lines: Vec<(i32, u32)>,
}

/// Lines of text `first-line table-in-hex offset:line,offset:line,...`.
fn parse(text: &str) -> Vec<Vector> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut parts = line.split(' ');
            let first_line = parts.next().unwrap().parse().unwrap();
            let hex = parts.next().unwrap();
            let table = (0..hex.len() / 2)
                .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            let lines = parts
                .next()
                .unwrap()
                .split(',')
                .map(|pair| {
                    let (offset, line) = pair.split_once(':').unwrap();
                    (offset.parse().unwrap(), line.parse().unwrap())
                })
                .collect();
            Vector { first_line, table, lines }
        })
        .collect()
}

/// Compares each instruction; returns how many had no line of their own.
fn check(kind: LineTable, vectors: &[Vector], what: &str) -> usize {
    let mut without = 0;
    for vector in vectors {
        let mut nearest = vector.first_line;
        assert_eq!(line(kind, &vector.table, vector.first_line, -1), Some(vector.first_line));
        for &(offset, told) in &vector.lines {
            match told {
                0 => without += 1,
                told => nearest = told,
            }
            let found = line(kind, &vector.table, vector.first_line, offset);
            assert_eq!(found, Some(nearest), "{what}: {:?} at {offset}", vector.table);
        }
    }
    without
}

#[test]
fn committed_vectors_decode_to_what_python_said() {
    let mut without = 0;
    for (kind, text) in [
        (Lnotab, include_str!("vectors/lines-3.9.txt")),
        (Linetable, include_str!("vectors/lines-3.10.txt")),
        (Locations, include_str!("vectors/lines-3.11.txt")),
        (Locations, include_str!("vectors/lines-3.13.txt")),
    ] {
        let vectors = parse(text);
        assert!(vectors.len() > 5);
        without += check(kind, &vectors, "committed");
    }
    assert!(without > 0, "no vector has an instruction without a line");
}

#[test]
fn whole_modules_decode_as_the_interpreters_here_say() {
    let mut seen = 0;
    for interpreter in interpreters::all() {
        let Some(version) = version_of(interpreter.version_hex) else { continue };
        let text =
            interpreter.run(include_str!("vectors/lines.py"), &["typing", "argparse", "asyncio"]);
        let vectors = parse(&text);
        assert!(vectors.len() > 100, "{}", interpreter.path);
        check(version.layout.lines, &vectors, &interpreter.path);
        seen += 1;
    }
    if seen == 0 {
        eprintln!("SKIPPED: no interpreter to compare line tables with");
    }
}

#[test]
fn instructions_without_a_line_take_the_nearest_earlier_one() {
    // 4 bytes on line 11, 2 without, 2 on line 12
    assert_eq!(line(Linetable, &[4, 1, 2, 128, 2, 1], 10, 4), Some(11));
    assert_eq!(line(Linetable, &[2, 128, 2, 1], 10, 0), Some(10), "none earlier: the first line");
    let none = 0x80 | 15 << 3;
    assert_eq!(line(Locations, &[0x80 | 11 << 3, 0, 0, none, none], 10, 4), Some(11));
    // A module's first instruction stands on line 0.
    assert_eq!(line(Locations, &[0x80 | 13 << 3, 3], 1, 0), Some(1));
}

#[test]
fn a_table_that_ends_early_does_not_guess() {
    assert_eq!(line(Linetable, &[4, 1], 10, 4), None);
    assert_eq!(line(Locations, &[0x80 | 11 << 3, 0, 0], 10, 2), None);
    assert_eq!(line(Locations, &[0x80 | 13 << 3, 0x41], 10, 0), None, "cut inside a number");
    assert_eq!(line(Locations, &[0x01], 10, 0), None, "no head byte");
    assert_eq!(line(Locations, &[], 10, 0), None);
    assert_eq!(line(Lnotab, &[], 10, 0), Some(10));
}

proptest! {
    #[test]
    fn any_bytes_give_a_line_or_none(table: Vec<u8>, first: u32, offset: i32) {
        for kind in [Lnotab, Linetable, Locations] {
            let found = line(kind, &table, first, offset);
            if offset < 0 {
                prop_assert_eq!(found, Some(first));
            }
        }
    }

    #[test]
    fn locations_written_by_the_rules_are_read_back(
        entries in proptest::collection::vec((1_u8..=8, proptest::option::of(-300_i64..300)), 1..40),
        first in 10_000_u32..20_000,
    ) {
        let mut table = Vec::new();
        let mut expected = Vec::new();
        let (mut line_now, mut nearest) = (i64::from(first), first);
        for (units, delta) in entries {
            let code = match delta { None => 15, Some(delta) if (0..3).contains(&delta) => 10 + delta as u8, Some(_) => 13 };
            table.push(0x80 | code << 3 | (units - 1));
            if let Some(delta) = delta {
                line_now += delta;
                nearest = line_now as u32;
                if code == 13 {
                    let mut value = delta.unsigned_abs() << 1 | u64::from(delta < 0);
                    while value > 0x3f {
                        table.push(value as u8 & 0x3f | 0x40);
                        value >>= 6;
                    }
                    table.push(value as u8);
                } else {
                    table.extend([7, 9]);
                }
            }
            for _ in 0..units {
                expected.push(nearest);
            }
        }
        for (unit, &expected) in expected.iter().enumerate() {
            prop_assert_eq!(line(Locations, &table, first, 2 * unit as i32), Some(expected));
        }
        prop_assert_eq!(line(Locations, &table, first, 2 * expected.len() as i32), None);
    }
}
