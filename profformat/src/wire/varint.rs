//! LEB128: seven bits a byte, low bits first, the high bit set on all but the last byte.

/// Longest varint of a `u64`.
pub(crate) const MAX_BYTES: usize = 10;
/// The high bits of eight bytes.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Writes `value` to the start of `slot` and says how many bytes it has. Bytes behind it are overwritten too.
#[inline]
pub(crate) fn put(slot: &mut [u8; MAX_BYTES], value: u64) -> usize {
    // As in `take`: no branch on lengths that differ at random from one number to the next.
    if value < 1 << 14 {
        let more = u64::from(value >= 0x80);
        let word = value & 0x7f | (value & 0x3f80) << 1 | more << 7;
        slot[..2].copy_from_slice(&(word as u16).to_le_bytes());
        return 1 + more as usize;
    }
    if value < 1 << 56 {
        let length = (70 - value.leading_zeros()) / 7;
        let word = spread(value) | HIGH & ((1 << (8 * (length - 1))) - 1);
        slot[..8].copy_from_slice(&word.to_le_bytes());
        return length as usize;
    }
    put_bytewise(slot, value)
}

/// Puts groups of seven bits into the bytes of a word.
#[inline]
fn spread(value: u64) -> u64 {
    let fours = value & 0x0fff_ffff | (value & 0x00ff_ffff_f000_0000) << 4;
    let pairs = fours & 0x0000_3fff_0000_3fff | (fours & 0x0fff_c000_0fff_c000) << 2;
    pairs & 0x007f_007f_007f_007f | (pairs & 0x3f80_3f80_3f80_3f80) << 1
}

#[cold]
fn put_bytewise(slot: &mut [u8; MAX_BYTES], mut value: u64) -> usize {
    let mut length = 0;
    while value >= 0x80 {
        slot[length] = value as u8 | 0x80;
        value >>= 7;
        length += 1;
    }
    slot[length] = value as u8;
    length + 1
}

/// Takes a value off the front of `rest`. `None` when it is cut off or does not fit in 64 bits.
#[inline]
pub(crate) fn take(rest: &mut &[u8]) -> Option<u64> {
    // Lengths of neighbors differ at random, so a branch on them would be guessed wrong: eight bytes are taken
    // at once, and the bit that ends the first number says how many of them count. Only one branch is worth
    // its while: most numbers have one byte or two.
    if let Some(word) = rest.first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        if word & 0x8080 != 0x8080 {
            let more = word >> 7 & 1;
            *rest = &rest[1 + more as usize..];
            return Some(word & 0x7f | (word >> 1 & 0x3f80 & more.wrapping_neg()));
        }
        let ends = !word & HIGH;
        if ends != 0 {
            let bits = ends.trailing_zeros() + 1;
            *rest = &rest[bits as usize / 8..];
            return Some(squeeze(word & (u64::MAX >> (64 - bits))));
        }
    }
    take_bytewise(rest)
}

/// Puts the low seven bits of each byte next to each other.
#[inline]
fn squeeze(word: u64) -> u64 {
    let word = word & !HIGH;
    let pairs = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = pairs & 0x0000_3fff_0000_3fff | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    fours & 0x0fff_ffff | (fours & 0x0fff_ffff_0000_0000) >> 4
}

#[inline(never)]
fn take_bytewise(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (i, &byte) in rest.iter().take(MAX_BYTES).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            if i == MAX_BYTES - 1 && byte > 1 {
                return None;
            }
            *rest = &rest[i + 1..];
            return Some(value);
        }
    }
    None
}

/// How many numbers end in `bytes`.
pub(crate) fn count(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    let whole: usize = words.iter().map(ends).sum();
    whole + tail.iter().filter(|byte| **byte < 0x80).count()
}

/// Where the number at position `n` begins; the end of `bytes` when there are fewer.
pub(crate) fn position(bytes: &[u8], n: usize) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    let mut left = n;
    let mut at = 0;
    for word in words {
        let ends = ends(word);
        if ends > left {
            break;
        }
        left -= ends;
        at += 8;
    }
    // The number may have begun in the word before.
    while at > 0 && bytes.get(at - 1).is_some_and(|byte| *byte >= 0x80) {
        at -= 1;
    }
    while left > 0 && at < bytes.len() {
        left -= usize::from(bytes[at] < 0x80);
        at += 1;
    }
    at
}

#[inline]
fn ends(word: &[u8; 8]) -> usize {
    // The product adds up all bytes in the highest one: not every processor that this is built for can count bits.
    let ends = (!u64::from_le_bytes(*word) & HIGH) >> 7;
    (ends.wrapping_mul(0x0101_0101_0101_0101) >> 56) as usize
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::{MAX_BYTES, count, position, put, take};

    fn bytes(value: u64) -> Vec<u8> {
        let mut slot = [0xaa; MAX_BYTES];
        let length = put(&mut slot, value);
        slot[..length].to_vec()
    }

    /// Values of every length, and those beside them.
    fn values() -> impl Iterator<Item = u64> {
        (0..64).flat_map(|shift| [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift])
    }

    #[test]
    fn values_come_back_and_lengths_are_minimal() {
        for value in values() {
            let bytes = bytes(value);
            let bits = 64 - value.leading_zeros() as usize;
            assert_eq!(bytes.len(), bits.div_ceil(7).max(1));
            // With other bytes behind it, too.
            for more in [vec![], vec![0; 8], vec![0xff; 8]] {
                let longer = [&bytes[..], &more].concat();
                let mut rest = &longer[..];
                assert_eq!(take(&mut rest), Some(value));
                assert_eq!(rest, more);
            }
        }
    }

    #[test]
    fn cut_and_oversized_values_are_refused() {
        assert_eq!(take(&mut &[][..]), None);
        assert_eq!(take(&mut &[0x80][..]), None);
        assert_eq!(take(&mut &[0xff; 10][..]), None);
        let mut too_big = [0xff; 10];
        too_big[9] = 2;
        assert_eq!(take(&mut &too_big[..]), None);
        too_big[9] = 1;
        assert_eq!(take(&mut &too_big[..]), Some(u64::MAX));
    }

    #[test]
    fn numbers_are_found_by_position() {
        for first in 0..9 {
            let all: Vec<Vec<u8>> =
                vec![vec![5]; first].into_iter().chain(values().map(bytes)).collect();
            let column = all.concat();
            assert_eq!(count(&column), all.len());
            let mut begin = 0;
            for (n, bytes) in all.iter().enumerate() {
                assert_eq!(position(&column, n), begin);
                begin += bytes.len();
            }
            assert_eq!(position(&column, all.len() + 1), column.len());
        }
    }
}
