//! From instruction to line: decoders of CPython's three line tables.
//!
//! Pure and total: a table may hold anything. All three visit the table's ranges of instructions in order,
//! each with its line or none, so that one search serves them.

use super::layout::LineTable;

/// A range of instructions: where it ends, in bytes from the start of the bytecode, and its line.
struct Range {
    end: i64,
    line: Option<i64>,
}

/// See [`super::line`].
pub(super) fn line(kind: LineTable, table: &[u8], first_line: u32, offset: i32) -> Option<u32> {
    let offset = i64::from(offset);
    if offset < 0 {
        return Some(first_line);
    }
    let first = i64::from(first_line);
    match kind {
        LineTable::Lnotab => lnotab(table, first, offset),
        LineTable::Linetable => search(linetable(table, first), first, offset),
        LineTable::Locations => search(locations(table, first), first, offset),
    }
}

/// The line of the range that holds `offset`, or of the nearest earlier range that has one.
fn search(ranges: impl Iterator<Item = Range>, first: i64, offset: i64) -> Option<u32> {
    let mut start = 0;
    let mut last = first;
    for range in ranges {
        if range.end > start
            && let Some(line) = range.line
        {
            last = line;
        }
        if range.end > offset {
            return u32::try_from(last).ok();
        }
        start = range.end;
    }
    None
}

/// Pairs of (bytes, lines) to go on by; lines are signed. The last line holds to the end of the code, which
/// the table does not tell.
fn lnotab(table: &[u8], first: i64, offset: i64) -> Option<u32> {
    let (mut address, mut line) = (0, first);
    for pair in table.chunks_exact(2) {
        address += i64::from(pair[0]);
        if address > offset {
            break;
        }
        line += i64::from(pair[1] as i8);
    }
    u32::try_from(line).ok()
}

/// Pairs of (bytes, lines): the range of that many bytes is that many lines below the one before; -128 marks
/// a range without a line, which leaves the line as it was.
fn linetable(table: &[u8], first: i64) -> impl Iterator<Item = Range> {
    let (mut end, mut line) = (0, first);
    table.chunks_exact(2).map(move |pair| {
        end += i64::from(pair[0]);
        let delta = pair[1] as i8;
        if delta == -128 {
            return Range { end, line: None };
        }
        line += i64::from(delta);
        Range { end, line: Some(line) }
    })
}

/// Entries of a head byte (bit 7, a code in bits 3 to 6, units less one in bits 0 to 2) and what the code
/// calls for; all other bytes have bit 7 clear. Lines below 1 mark instructions that no source line made.
fn locations(table: &[u8], first: i64) -> impl Iterator<Item = Range> {
    let (mut rest, mut end, mut line) = (table, 0, first);
    core::iter::from_fn(move || {
        let (&head, mut tail) = rest.split_first()?;
        if head & 0x80 == 0 {
            return None;
        }
        let code = head >> 3 & 15;
        let delta = match code {
            15 => None,
            13 | 14 => Some(signed_varint(&mut tail)?),
            10..=12 => Some(i64::from(code) - 10),
            _ => Some(0),
        };
        // Columns are of no use here: on to the next head byte.
        let columns = tail.iter().position(|byte| byte & 0x80 != 0).unwrap_or(tail.len());
        rest = &tail[columns..];
        end += 2 * (i64::from(head & 7) + 1);
        line += delta.unwrap_or(0);
        Some(Range { end, line: delta.map(|_| line).filter(|&line| line > 0) })
    })
}

/// Six bits a byte, lowest first, bit 6 set on all but the last; bit 0 of the value is the sign.
fn signed_varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_i64;
    // Lines are 32-bit numbers: six bytes hold them with their sign.
    for shift in (0..36).step_by(6) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= i64::from(byte & 0x3f) << shift;
        if byte & 0x40 == 0 {
            return Some(if value & 1 == 0 { value >> 1 } else { -(value >> 1) });
        }
    }
    None
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
