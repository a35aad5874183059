//! The interpreter's loop, of which only one part may have a name.
//!
//! Compilers move what they take for rare into a part of its own, far away and without an exported symbol; with
//! some that is nearly the whole loop. The parts of one function jump into each other's middle, which nothing else
//! does: other functions are entered at their first instruction. Where functions begin is told by the table that
//! exceptions are unwound with. All of this is pure: bytes in, addresses out.

/// A range of addresses; empty if both ends are the same.
pub(crate) type Range = (usize, usize);

/// The mapped code of the module that holds the interpreter, and where its functions begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code<'a> {
    at: usize,
    text: &'a [u8],
    /// Of `.eh_frame_hdr`: its address, and pairs of two 32-bit numbers, sorted. The first of a pair is the
    /// distance from that address to where a function, or a part of one, begins.
    table_at: usize,
    pairs: &'a [u8],
}

/// Parts that jumps lead into, at most this many at once.
const MOST: usize = 16;
/// Fewer jumps than these may be constants that only look like jumps.
const FEWEST: u32 = 2;

impl<'a> Code<'a> {
    /// From executable bytes mapped at `at`, and the contents of `.eh_frame_hdr` mapped at `table_at`. `None` if
    /// that is not in the form which all linkers write.
    pub(crate) fn new(at: usize, text: &'a [u8], table_at: usize, table: &'a [u8]) -> Option<Self> {
        // Version; address of .eh_frame, 32 bits to here; count, 32 bits; pairs, 32 bits from the table's start.
        let rest = table.strip_prefix(&[1, 0x1b, 3, 0x3b])?.get(4..)?;
        let (count, rest) = rest.split_first_chunk()?;
        let pairs = rest.get(..8_usize.checked_mul(u32::from_le_bytes(*count) as usize)?)?;
        Some(Self { at, text, table_at, pairs })
    }

    /// The function, or part of one, that `address` stands in.
    pub(super) fn part(&self, address: usize) -> Option<Range> {
        let end = self.at + self.text.len();
        if !(self.at..end).contains(&address) {
            return None;
        }
        let (mut low, mut high) = (0, self.pairs.len() / 8);
        while low < high {
            let middle = low.midpoint(high);
            if self.start(middle)? <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let start = self.start(low.checked_sub(1)?)?;
        Some((start, self.start(low).unwrap_or(end).min(end)))
    }

    /// The part of `function` that lies elsewhere, the one most jumped into if there are several; empty if there
    /// is none.
    pub(crate) fn other_part(&self, function: Range) -> Range {
        let mut found = [((0, 0), 0_u32); MOST];
        let code = function.0.checked_sub(self.at).and_then(|offset| {
            let rest = self.text.get(offset..)?;
            rest.get(..function.1.saturating_sub(function.0).min(rest.len()))
        });
        let code = code.unwrap_or(&[]);
        for end in 5..=code.len() {
            let (before, distance) = code[..end].split_at(end - 4);
            // jmp, or one of the sixteen conditional jumps, with a 32-bit distance from its end
            if !matches!(before, [.., 0xe9] | [.., 0x0f, 0x80..=0x8f]) {
                continue;
            }
            let distance = distance.first_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
            let target = (function.0 + end).wrapping_add_signed(distance as isize);
            if (function.0..function.1).contains(&target) {
                continue;
            }
            let Some(part) = self.part(target).filter(|part| part.0 != target) else { continue };
            if let Some(entry) = found.iter_mut().find(|e| e.0 == part || e.1 == 0) {
                *entry = (part, entry.1 + 1);
            }
        }
        let most = found.into_iter().max_by_key(|&(_, jumps)| jumps);
        most.filter(|&(_, jumps)| jumps >= FEWEST).map_or((0, 0), |(part, _)| part)
    }

    fn start(&self, index: usize) -> Option<usize> {
        let pair = self.pairs.get(8 * index..)?.first_chunk()?;
        Some(self.table_at.wrapping_add_signed(i32::from_le_bytes(*pair) as isize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: usize = 0x1000;
    const TABLE: usize = 0x9000;

    /// Four functions of 64 bytes.
    fn table() -> Vec<u8> {
        let mut table = vec![1, 0x1b, 3, 0x3b, 0, 0, 0, 0, 4, 0, 0, 0];
        for start in [TEXT, TEXT + 64, TEXT + 128, TEXT + 192] {
            table.extend((start as i32 - TABLE as i32).to_le_bytes());
            table.extend([0; 4]);
        }
        table
    }

    fn jump(text: &mut [u8], at: usize, opcode: &[u8], target: usize) {
        let end = at + opcode.len() + 4;
        text[at..at + opcode.len()].copy_from_slice(opcode);
        text[end - 4..end].copy_from_slice(&(target as i32 - end as i32).to_le_bytes());
    }

    #[test]
    fn an_address_finds_its_function() {
        let (table, text) = (table(), [0; 256]);
        let code = Code::new(TEXT, &text, TABLE, &table).unwrap();
        assert_eq!(code.part(TEXT), Some((TEXT, TEXT + 64)));
        assert_eq!(code.part(TEXT + 127), Some((TEXT + 64, TEXT + 128)));
        assert_eq!(code.part(TEXT + 255), Some((TEXT + 192, TEXT + 256)));
        assert_eq!((code.part(TEXT - 1), code.part(TEXT + 256)), (None, None));
    }

    #[test]
    fn a_part_is_jumped_into_and_not_called_or_entered_at_its_start() {
        let table = table();
        let mut text = [0x90; 256];
        let other = |text: &[u8]| {
            Code::new(TEXT, text, TABLE, &table).unwrap().other_part((TEXT, TEXT + 64))
        };
        // Within the function, a tail call of another one, and a call into the middle, which is none.
        jump(&mut text, 0, &[0xe9], 40);
        jump(&mut text, 5, &[0xe9], 64);
        jump(&mut text, 10, &[0xe9], 64);
        jump(&mut text, 15, &[0xe8], 140);
        assert_eq!(other(&text), (0, 0));
        jump(&mut text, 20, &[0xe9], 200);
        assert_eq!(other(&text), (0, 0), "one may be a constant");
        jump(&mut text, 25, &[0x0f, 0x84], 210);
        assert_eq!(other(&text), (TEXT + 192, TEXT + 256));
        for at in [31, 36, 41] {
            jump(&mut text, at, &[0xe9], 130);
        }
        assert_eq!(other(&text), (TEXT + 128, TEXT + 192), "the one most jumped into");
        // Behind the end of the module.
        let outside = Code::new(TEXT, &text[..128], TABLE, &table).unwrap();
        assert_eq!(outside.other_part((TEXT, TEXT + 64)), (0, 0));
        assert_eq!(outside.other_part((TEXT - 64, TEXT)), (0, 0));
        assert_eq!(outside.other_part((TEXT + 64, TEXT)), (0, 0));
    }

    #[test]
    fn a_table_of_another_form_is_none() {
        let whole = table();
        for len in 0..whole.len() {
            assert!(Code::new(TEXT, &[], TABLE, &whole[..len]).is_none(), "{len} bytes");
        }
        for at in 0..4 {
            let mut other = whole.clone();
            other[at] ^= 1;
            assert!(Code::new(TEXT, &[], TABLE, &other).is_none());
        }
        let mut many = whole;
        many[8..12].fill(0xff);
        assert!(Code::new(TEXT, &[], TABLE, &many).is_none());
    }
}
