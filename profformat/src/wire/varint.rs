//! LEB128: seven bits a byte, low bits first, the high bit set on all but the last byte.

use alloc::vec::Vec;

/// Longest varint of a `u64`.
pub(crate) const MAX_BYTES: usize = 10;

/// Appends `value`.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    if value < 0x80 {
        out.push(value as u8);
        return;
    }
    let mut bytes = [0; MAX_BYTES];
    let mut length = 0;
    while value >= 0x80 {
        bytes[length] = value as u8 | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length] = value as u8;
    out.extend_from_slice(&bytes[..=length]);
}

/// Takes a value off the front of `rest`. `None` when it is cut off or does not fit in 64 bits.
#[inline]
pub(crate) fn take(rest: &mut &[u8]) -> Option<u64> {
    // Lengths of neighbors differ at random, so a branch on them would be guessed wrong: eight bytes are taken
    // at once, and the bit that ends the first number says how many of them count.
    if let Some(word) = rest.first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        let ends = !word & 0x8080_8080_8080_8080;
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
    let word = word & 0x7f7f_7f7f_7f7f_7f7f;
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

#[cfg(test)]
mod tests {
    use super::{put, take};

    #[test]
    fn values_come_back_and_lengths_are_minimal() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                put(&mut bytes, value);
                let bits = 64 - value.leading_zeros() as usize;
                assert_eq!(bytes.len(), bits.div_ceil(7).max(1));
                let mut rest = &bytes[..];
                assert_eq!(take(&mut rest), Some(value));
                assert!(rest.is_empty());
                // With other bytes behind it.
                for byte in [0, 0xff] {
                    let mut longer = bytes.clone();
                    longer.extend([byte; 8]);
                    let mut rest = &longer[..];
                    assert_eq!(take(&mut rest), Some(value));
                    assert_eq!(rest, [byte; 8]);
                }
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
}
