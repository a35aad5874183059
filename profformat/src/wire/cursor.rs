//! Columns as they are read. Nothing in them is trusted: every step says whether there was a value.

use super::{varint, zigzag};

/// What is wrong with a payload.
pub(crate) type What = &'static str;

pub(crate) const SHORT: What = "a column is too short";

/// The unread part of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// A cursor at the start of a column that must hold `count` numbers, so that nobody reserves memory for
    /// more of them than there can be.
    pub(crate) fn new(bytes: &'a [u8], count: u32) -> Result<Self, What> {
        if bytes.len() < count as usize { Err(SHORT) } else { Ok(Self(bytes)) }
    }

    /// A cursor at the start of a column of any length.
    pub(crate) fn open(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// True when everything is read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next number.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<u64, What> {
        varint::take(&mut self.0).ok_or(SHORT)
    }

    /// The next number, which must fit in 32 bits.
    #[inline]
    pub(crate) fn next_u32(&mut self) -> Result<u32, What> {
        u32::try_from(self.next()?).map_err(|_| "a number is too large")
    }

    /// The next number as a difference to `previous`, which becomes the value.
    #[inline]
    pub(crate) fn delta(&mut self, previous: &mut u64) -> Result<u64, What> {
        *previous = previous.wrapping_add(zigzag::decode(self.next()?) as u64);
        Ok(*previous)
    }

    /// The next `length` raw bytes.
    pub(crate) fn bytes(&mut self, length: u64) -> Result<&'a [u8], What> {
        let length = usize::try_from(length).map_err(|_| SHORT)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Succeeds when everything was read.
    pub(crate) fn end(&self) -> Result<(), What> {
        if self.0.is_empty() { Ok(()) } else { Err("a column is too long") }
    }
}
