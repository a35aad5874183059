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

#[cfg(test)]
mod tests {
    use serde_bytes::Bytes;

    use super::{decode, encode};
    use crate::payload::{EndV1, ProcessV1, ProcessesV1, StringsV1};

    /// The same fields for another codec: the way out, should bincode ever have to go.
    #[derive(wincode::SchemaWrite)]
    struct Strings<'a> {
        first: u32,
        count: u32,
        lengths: &'a [u8],
        bytes: &'a [u8],
    }

    #[derive(wincode::SchemaWrite)]
    struct Processes<'a> {
        first: u32,
        entries: Vec<Process<'a>>,
    }

    #[derive(wincode::SchemaWrite)]
    struct Process<'a> {
        parent: u64,
        pid: u32,
        time: u64,
        profiled: u8,
        python: &'a [u8],
        command: Vec<&'a [u8]>,
    }

    #[test]
    fn wincode_writes_the_same_bytes() {
        let (lengths, bytes) = (&[3, 0][..], &b"abc"[..]);
        let mut ours = Vec::new();
        let strings = StringsV1 {
            first: 7,
            count: 2,
            lengths: Bytes::new(lengths),
            bytes: Bytes::new(bytes),
        };
        encode(&strings, &mut ours).unwrap();
        let theirs = wincode::serialize(&Strings { first: 7, count: 2, lengths, bytes }).unwrap();
        assert_eq!(ours, theirs);

        let entry = ProcessV1 {
            parent: 1,
            pid: 2,
            time: 3,
            profiled: 1,
            python: Bytes::new(b"3.11"),
            command: vec![Bytes::new(b"a"), Bytes::new(b"")],
        };
        encode(&ProcessesV1 { first: 9, entries: vec![entry] }, &mut ours).unwrap();
        let (python, command) = (&b"3.11"[..], vec![&b"a"[..], &b""[..]]);
        let entry = Process { parent: 1, pid: 2, time: 3, profiled: 1, python, command };
        let theirs = wincode::serialize(&Processes { first: 9, entries: vec![entry] }).unwrap();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn bytes_behind_the_known_fields_are_passed_over_and_missing_ones_are_not() {
        let mut bytes = Vec::new();
        encode(&EndV1 { time: 5 }, &mut bytes).unwrap();
        bytes.extend(b"more");
        assert_eq!(decode::<EndV1>(&bytes).unwrap().time, 5);
        assert!(decode::<EndV1>(&bytes[..7]).is_err());
        assert!(decode::<ProcessesV1<'_>>(&[0xff; 12]).is_err());
    }
}
