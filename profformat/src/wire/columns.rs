//! Columns as they are written.

use alloc::vec::Vec;

use super::{varint, zigzag};

/// A column that grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column(Vec<u8>);

impl Column {
    /// Forgets the content and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Appends a number.
    #[inline]
    pub(crate) fn put(&mut self, value: u64) {
        varint::put(&mut self.0, value);
    }

    /// Appends the difference to `previous`, which becomes `value`. Differences wrap, so any two numbers have one.
    #[inline]
    pub(crate) fn put_delta(&mut self, previous: &mut u64, value: u64) {
        varint::put(&mut self.0, zigzag::encode(value.wrapping_sub(*previous) as i64));
        *previous = value;
    }

    /// Appends raw bytes.
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The bytes, in the form that block structs hold.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
