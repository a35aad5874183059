//! Traces as a later minor version may write them, and others that this writer does not write.

use crate::example;

const HEADER: usize = 88;
const CHUNK: usize = 32;
const SAMPLES: u16 = 8;
const END: u16 = 16;
const APPEND_ONLY: u8 = 4;

struct Chunk {
    kind: u16,
    version: u8,
    flags: u8,
    payload: Vec<u8>,
}

/// The example with a longer file header and an optional feature, with chunks of unknown types and versions between its
/// own, and once more its samples with a field appended. It has no index: its chunks stand elsewhere now.
pub(crate) fn trace() -> Vec<u8> {
    let whole = example::trace(example::PLAIN, 10).1;
    let mut out = file_header(&whole[..HEADER]);
    let mut sequence = 0;
    let mut put = |chunk: Chunk| {
        write(&mut out, sequence, &chunk);
        sequence += 1;
    };
    let unknown =
        |kind, version, flags| Chunk { kind, version, flags, payload: b"anything".to_vec() };
    for chunk in chunks(&whole[HEADER..]) {
        let (kind, payload) = (chunk.kind, chunk.payload.clone());
        put(chunk);
        if kind == SAMPLES {
            let payload = [&payload[..], b"a field"].concat();
            put(Chunk { kind, version: 2, flags: APPEND_ONLY, payload });
            put(unknown(99, 1, 0));
            put(unknown(0x8001, 1, APPEND_ONLY));
            put(unknown(SAMPLES, 2, 0));
            put(unknown(0, 1, 0));
        }
    }
    out
}

/// Minor version 7, eight bytes more, a bit of the optional features.
fn file_header(old: &[u8]) -> Vec<u8> {
    let mut header = [&old[..HEADER - 4], &[0xaa; 12]].concat();
    header[10] = 7;
    header[12] = (HEADER + 8) as u8;
    header[23] = 0x80;
    let end = header.len() - 4;
    let checksum = crc32fast::hash(&header[..end]);
    header[end..].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// Changes what a unit of time is, so that the same numbers stand for other times.
pub(crate) fn set_time_unit(trace: &mut [u8], nanoseconds: u32) {
    trace[80..84].copy_from_slice(&nanoseconds.to_le_bytes());
    let checksum = crc32fast::hash(&trace[..HEADER - 4]);
    trace[HEADER - 4..HEADER].copy_from_slice(&checksum.to_le_bytes());
}

/// The chunks of a plain trace up to its End.
fn chunks(mut rest: &[u8]) -> Vec<Chunk> {
    let mut all = Vec::new();
    loop {
        let stored = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
        let kind = u16::from_le_bytes([rest[4], rest[5]]);
        let payload = rest[CHUNK..CHUNK + stored].to_vec();
        all.push(Chunk { kind, version: rest[6], flags: rest[7], payload });
        if kind == END {
            return all;
        }
        rest = &rest[CHUNK + stored.next_multiple_of(8)..];
    }
}

fn write(out: &mut Vec<u8>, sequence: u64, chunk: &Chunk) {
    let length = (chunk.payload.len() as u32).to_le_bytes();
    let begin = out.len();
    out.extend_from_slice(b"PCHK");
    out.extend_from_slice(&chunk.kind.to_le_bytes());
    out.extend_from_slice(&[chunk.version, chunk.flags]);
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&length);
    out.extend_from_slice(&length);
    out.extend_from_slice(&crc32fast::hash(&chunk.payload).to_le_bytes());
    let checksum = crc32fast::hash(&out[begin..]);
    out.extend_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(&chunk.payload);
    out.resize(out.len().next_multiple_of(8), 0);
}
