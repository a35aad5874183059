//! How the fields of a payload stand in its bytes: one after another without gaps, numbers little endian in
//! their full width, bytes and lists with their length before them as a `u64`.
//!
//! bincode 1.3 with fixed-width integers and wincode write the same bytes, and tests hold them to it. We do it
//! ourselves since bincode is no longer maintained and neither of the two is needed for three rules.

use alloc::vec::Vec;

use crate::wire::cursor::What;

const SHORT: What = "its fields do not fit its length";

/// Something that a payload is made of.
pub(crate) trait Field<'a>: Sized {
    /// Appends its bytes.
    fn put(&self, out: &mut Vec<u8>);

    /// Takes it off the front of `rest`; what it holds is borrowed from there.
    fn take(rest: &mut &'a [u8]) -> Result<Self, What>;

    /// Any value, for tests.
    #[cfg(test)]
    fn any(source: &mut tests::Source<'a>) -> Self;
}

/// Replaces `out` by the bytes of a payload.
pub(crate) fn encode<'a>(payload: &impl Field<'a>, out: &mut Vec<u8>) {
    out.clear();
    payload.put(out);
}

/// The payload at the start of `bytes`. Bytes behind it are left alone: a newer version may append fields.
pub(crate) fn decode<'a, T: Field<'a>>(mut bytes: &'a [u8]) -> Result<T, What> {
    T::take(&mut bytes)
}

macro_rules! numbers {
    ($($number:ident)*) => {$(
        impl<'a> Field<'a> for $number {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(rest: &mut &'a [u8]) -> Result<Self, What> {
                let (bytes, after) = rest.split_first_chunk().ok_or(SHORT)?;
                *rest = after;
                Ok(Self::from_le_bytes(*bytes))
            }

            #[cfg(test)]
            fn any(source: &mut tests::Source<'a>) -> Self {
                source.number() as Self
            }
        }
    )*};
}

numbers!(u8 u32 u64);

impl<'a> Field<'a> for &'a [u8] {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self);
    }

    fn take(rest: &mut &'a [u8]) -> Result<Self, What> {
        let length = usize::try_from(u64::take(rest)?).map_err(|_| SHORT)?;
        let (bytes, after) = rest.split_at_checked(length).ok_or(SHORT)?;
        *rest = after;
        Ok(bytes)
    }

    #[cfg(test)]
    fn any(source: &mut tests::Source<'a>) -> Self {
        source.bytes()
    }
}

impl<'a, T: Field<'a>> Field<'a> for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|element| element.put(out));
    }

    /// Nothing is reserved for the number that the bytes claim: each element is there before its memory is.
    fn take(rest: &mut &'a [u8]) -> Result<Self, What> {
        let length = u64::take(rest)?;
        let mut elements = Vec::new();
        for _ in 0..length {
            elements.push(T::take(rest)?);
        }
        Ok(elements)
    }

    #[cfg(test)]
    fn any(source: &mut tests::Source<'a>) -> Self {
        (0..source.number() % 4).map(|_| T::any(source)).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use alloc::vec::Vec;

    use super::{decode, encode};
    use crate::payload::{EndV1, ProcessesV1};

    /// Numbers and bytes that look random; the same ones for the same seed.
    pub(crate) struct Source<'a> {
        bytes: &'a [u8],
        state: u64,
    }

    impl<'a> Source<'a> {
        /// A source whose byte strings are parts of `bytes`.
        pub(crate) fn new(bytes: &'a [u8], seed: u64) -> Self {
            Self { bytes, state: seed }
        }

        /// A number of any length.
        pub(crate) fn number(&mut self) -> u64 {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let value = self.state ^ self.state >> 29;
            value >> ((value >> 3) % 64)
        }

        /// Some of the bytes, or none.
        pub(crate) fn bytes(&mut self) -> &'a [u8] {
            let start = self.number() as usize % self.bytes.len();
            let length = self.number() as usize % (self.bytes.len() - start);
            &self.bytes[start..start + length]
        }
    }

    #[test]
    fn bytes_behind_the_known_fields_are_passed_over_and_missing_ones_are_not() {
        let mut bytes = Vec::new();
        encode(&EndV1 { time: 5 }, &mut bytes);
        bytes.extend(b"more");
        assert_eq!(decode::<EndV1>(&bytes).unwrap().time, 5);
        assert!(decode::<EndV1>(&bytes[..7]).is_err());
        assert!(decode::<ProcessesV1<'_>>(&[0xff; 12]).is_err());
    }
}
