//! Numbers and parts of a section, read one after the other. Total: what is not there is `None`.

/// A part of a section that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'b> {
    /// The section up to the end of the part.
    data: &'b [u8],
    at: usize,
}

impl<'b> Bytes<'b> {
    pub(super) fn new(data: &'b [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// From `at` to the end.
    pub(super) fn at_place(data: &'b [u8], at: usize) -> Self {
        Self { data, at: at.min(data.len()) }
    }

    /// From `from` to `to`.
    pub(super) fn of_part(data: &'b [u8], from: usize, to: usize) -> Self {
        Self::at_place(&data[..to.min(data.len())], from)
    }

    /// Where the next byte is in the section.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Where the part ends in the section.
    pub(super) fn end(&self) -> usize {
        self.data.len()
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let chunk = *self.data[self.at..].first_chunk()?;
        self.at += N;
        Some(chunk)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Option<u8> {
        let byte = *self.data.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    /// The next `length` bytes.
    pub(super) fn part(&mut self, length: usize) -> Option<Self> {
        let end = self.at.checked_add(length)?;
        let part = Self { data: self.data.get(..end)?, at: self.at };
        self.at = end;
        Some(part)
    }

    /// What is left of the part.
    pub(super) fn rest(self) -> &'b [u8] {
        &self.data[self.at..]
    }

    /// Text up to a zero.
    pub(super) fn text(&mut self) -> Option<&'b [u8]> {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| byte == 0)?;
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// The next entry, of which the length stands before it. Empty ones, which end a file's part, are passed over.
    pub(super) fn entry(&mut self) -> Option<Self> {
        loop {
            let length = match self.u32()? {
                0 => continue,
                u32::MAX => usize::try_from(self.u64()?).ok()?,
                length => length as usize,
            };
            return self.part(length);
        }
    }

    /// LEB128. Bits above the 64th are dropped.
    #[inline]
    pub(super) fn unsigned(&mut self) -> Option<u64> {
        match self.data.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Some(byte.into())
            }
            _ => Some(self.leb()?.0),
        }
    }

    /// Signed LEB128.
    pub(super) fn signed(&mut self) -> Option<i64> {
        let (value, bits) = self.leb()?;
        let above = 64_u32.saturating_sub(bits);
        Some((value << above) as i64 >> above)
    }

    /// A number's bits, and how many there are.
    fn leb(&mut self) -> Option<(u64, u32)> {
        let (mut value, mut bits) = (0, 0_u32);
        loop {
            let byte = self.u8()?;
            if bits < 64 {
                value |= u64::from(byte & 0x7f) << bits;
            }
            bits = bits.saturating_add(7);
            if byte & 0x80 == 0 {
                return Some((value, bits));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_parts_end_where_they_do() {
        let data = [1, 2, 3, 4, 5, 6, 7, 8, 9, b'z', b'R', 0, 7];
        let mut bytes = Bytes::new(&data);
        assert_eq!((bytes.u8(), bytes.u16(), bytes.u32()), (Some(1), Some(0x302), Some(0x7060504)));
        assert_eq!((bytes.u64(), bytes.at()), (None, 7), "nothing was taken");
        assert_eq!(bytes.part(2).map(Bytes::rest), Some(&[8, 9][..]));
        assert_eq!(bytes.text(), Some(&b"zR"[..]));
        assert!(bytes.part(2).is_none() && bytes.text().is_none());
        assert_eq!(bytes.part(usize::MAX).map(Bytes::rest), None);
        assert_eq!((bytes.u8(), bytes.u8()), (Some(7), None));
        assert_eq!(Bytes::of_part(&data, 20, 30).rest(), b"");
    }

    #[test]
    fn numbers_of_any_length_are_read() {
        let unsigned = |bytes: &[u8]| Bytes::new(bytes).unsigned();
        let signed = |bytes: &[u8]| Bytes::new(bytes).signed();
        assert_eq!([unsigned(&[2]), unsigned(&[0xe5, 0x8e, 0x26])], [Some(2), Some(624_485)]);
        assert_eq!([signed(&[0x78]), signed(&[0xc0, 0xbb, 0x78])], [Some(-8), Some(-123_456)]);
        assert_eq!([signed(&[0x3f]), signed(&[0x80, 0x01])], [Some(63), Some(128)]);
        let most = [&[0xff; 9][..], &[1]].concat();
        assert_eq!((unsigned(&most), signed(&most)), (Some(u64::MAX), Some(-1)));
        assert_eq!(unsigned(&[0x80; 40]), None);
        assert_eq!(unsigned(&[&[0x80; 40][..], &[1]].concat()), Some(0), "too large");
    }

    #[test]
    fn entries_follow_each_other() {
        let data =
            [2, 0, 0, 0, 8, 9, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 7, 3, 0];
        let mut bytes = Bytes::new(&data);
        assert_eq!(bytes.entry().map(Bytes::rest), Some(&[8, 9][..]));
        assert_eq!(bytes.entry().map(Bytes::rest), Some(&[7][..]));
        assert!(bytes.entry().is_none());
    }
}
