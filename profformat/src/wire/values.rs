//! A column read at once. It is several times faster than number by number: where a number begins is only known
//! when the one before it was read, and a processor that waits for that does nothing else. So a long column is
//! read at four places at the same time.

use alloc::vec::Vec;

use super::cursor::{SHORT, What};
use super::{varint, zigzag};

/// The numbers of a column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<u64>);

impl Values {
    /// Reads a column that must have `count` numbers, which the caller has bounded.
    pub(crate) fn read(&mut self, column: &[u8], count: u32) -> Result<&[u64], What> {
        let found = self.read_all(column, count)?.len();
        if found < count as usize { Err(SHORT) } else { Ok(&self.0) }
    }

    /// Reads a column that may have up to `limit` numbers.
    pub(crate) fn read_all(&mut self, column: &[u8], limit: u32) -> Result<&[u64], What> {
        let count = varint::count(column);
        if count > limit as usize {
            return Err("a column is too long");
        }
        if column.last().is_some_and(|last| *last >= 0x80) {
            return Err(SHORT);
        }
        self.0.clear();
        if count == column.len() {
            // One byte each.
            self.0.extend(column.iter().map(|byte| u64::from(*byte)));
            return Ok(&self.0);
        }
        self.0.resize(count, 0);
        let part = count / 4;
        let mut begins = [0; 4];
        for n in 1..4 {
            let behind = column.get(begins[n - 1]..).unwrap_or_default();
            begins[n] = begins[n - 1] + varint::position(behind, part);
        }
        let mut rest = self.parts(column, begins, part).ok_or(SHORT)?;
        for to in &mut self.0[4 * part..] {
            *to = varint::take(&mut rest).ok_or(SHORT)?;
        }
        Ok(&self.0)
    }

    /// Reads four parts of a column and gives back what is behind the last one.
    fn parts<'c>(&mut self, column: &'c [u8], begins: [usize; 4], part: usize) -> Option<&'c [u8]> {
        let [mut a, mut b, mut c, mut d] =
            begins.map(|begin| column.get(begin..).unwrap_or_default());
        let (low, high) = self.0.split_at_mut(2 * part);
        let (to_a, to_b) = low.split_at_mut(part);
        let (to_c, to_d) = high.split_at_mut(part);
        for (((to_a, to_b), to_c), to_d) in to_a.iter_mut().zip(to_b).zip(to_c).zip(to_d) {
            *to_a = varint::take(&mut a)?;
            *to_b = varint::take(&mut b)?;
            *to_c = varint::take(&mut c)?;
            *to_d = varint::take(&mut d)?;
        }
        Some(d)
    }
}

/// A number of a column of differences: `previous` becomes the value.
#[inline]
pub(crate) fn delta(coded: u64, previous: &mut u64) -> u64 {
    *previous = previous.wrapping_add(zigzag::decode(coded) as u64);
    *previous
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::Values;
    use crate::codec::tests::Source;
    use crate::wire::columns::Column;
    use crate::wire::cursor::Cursor;

    /// Any bytes give what reading number by number gives.
    #[test]
    fn reading_at_once_is_reading_one_by_one() {
        let noise: Vec<u8> =
            (0..4_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut source = Source::new(&noise, 7);
        let mut values = Values::default();
        for round in 0..3_000 {
            let mut column = Column::default();
            for _ in 0..round % 37 {
                column.put(source.number() >> (round % 64));
            }
            let bytes = if round % 3 == 0 { source.bytes() } else { column.bytes() };
            let mut cursor = Cursor::open(bytes);
            let mut wanted = Ok(vec![]);
            while !cursor.is_empty() {
                match (cursor.next(), &mut wanted) {
                    (Ok(value), Ok(all)) => all.push(value),
                    (error, _) => {
                        wanted = Err(error.err());
                        break;
                    }
                }
            }
            let read = values.read_all(bytes, 4_000).map(<[u64]>::to_vec);
            assert_eq!(read.is_ok(), wanted.is_ok(), "{bytes:?}");
            assert!(read.is_err() || read.ok() == wanted.ok());
        }
    }

    #[test]
    fn a_column_has_as_many_numbers_as_it_must() {
        let mut values = Values::default();
        assert_eq!(values.read(&[1, 0x80, 1], 2), Ok(&[1, 128][..]));
        assert!(values.read(&[1, 0x80, 1], 1).is_err());
        assert!(values.read(&[1, 0x80, 1], 3).is_err());
        assert!(values.read(&[0x80], 0).is_err());
        assert!(values.read_all(&[0; 9], 8).is_err());
    }
}
