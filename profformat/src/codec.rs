//! The one module that knows bincode: fixed-width little-endian numbers, a limit, bytes after the known
//! fields allowed (a newer version may append fields), and only ever from slices, which bounds every length.

use bincode::Options;
use serde::{Deserialize, Serialize};

fn options() -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding().allow_trailing_bytes()
}

/// Replaces `out` by the bytes of `value`.
pub(crate) fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> std::io::Result<()> {
    out.clear();
    options().serialize_into(out, value).map_err(std::io::Error::other)
}

/// The value at the start of `bytes`; its columns are borrowed from there.
pub(crate) fn decode<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<T, crate::wire::cursor::What> {
    options()
        .with_limit(bytes.len() as u64)
        .deserialize(bytes)
        .map_err(|_| "its fields do not fit its length")
}
