//! Columns as they are written.

use alloc::vec::Vec;

use super::{varint, zigzag};

/// A column that grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    /// The column and room for more.
    bytes: Vec<u8>,
    length: usize,
}

impl Column {
    /// Forgets the content and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    /// Appends a number.
    #[inline]
    pub(crate) fn put(&mut self, value: u64) {
        self.reserve(varint::MAX_BYTES);
        let slot = self.bytes.get_mut(self.length..).and_then(|room| room.first_chunk_mut());
        if let Some(slot) = slot {
            self.length += varint::put(slot, value);
        }
    }

    /// Appends the difference to `previous`, which becomes `value`. Differences wrap, so any two numbers have one.
    #[inline]
    pub(crate) fn put_delta(&mut self, previous: &mut u64, value: u64) {
        self.put(zigzag::encode(value.wrapping_sub(*previous) as i64));
        *previous = value;
    }

    /// Appends raw bytes.
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// The bytes, in the form that block structs hold.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.bytes.len() - self.length < more {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let room = (self.length + more).next_power_of_two().max(1 << 12);
        self.bytes.resize(room, 0);
    }
}
