//! Signed numbers as unsigned ones, small in magnitude staying small: 0, -1, 1, -2 become 0, 1, 2, 3.

/// The unsigned form.
#[inline]
pub(crate) const fn encode(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The signed value.
#[inline]
pub(crate) const fn decode(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn small_magnitudes_stay_small_and_all_come_back() {
        assert_eq!([0, -1, 1, -2, 2].map(encode), [0, 1, 2, 3, 4]);
        for value in [0, 1, -1, 63, -64, i64::MAX, i64::MIN] {
            assert_eq!(decode(encode(value)), value);
        }
    }
}
