//! Blocks of numbers and strings in the page: LEB128, deflated, in base64.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::wire::varint::{MAX_BYTES, put};

/// A block that is being filled.
#[derive(Debug, Default)]
pub(super) struct Block(Vec<u8>);

impl Block {
    /// Appends a number.
    pub(super) fn number(&mut self, value: impl Into<u64>) {
        let mut slot = [0; MAX_BYTES];
        let length = put(&mut slot, value.into());
        self.0.extend_from_slice(&slot[..length]);
    }

    /// Appends numbers.
    pub(super) fn numbers<T: Into<u64>>(&mut self, values: impl IntoIterator<Item = T>) {
        values.into_iter().for_each(|value| self.number(value));
    }

    /// Appends a count.
    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// Appends a string.
    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends what stands here as it is.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The block as the page has it.
    pub(super) fn packed(&self) -> io::Result<String> {
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
        deflated.write_all(&self.0)?;
        Ok(STANDARD.encode(deflated.finish()?))
    }
}
