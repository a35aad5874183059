//! Changed traces whose checksums fit all the same: what they protect is then read.

use std::ops::Range;

const CHUNK_HEADER: usize = 32;

/// Numbers that mean harm where a length or a count stands: 2^63, 2^32-1, -1, and varints that do not end in time.
const HUGE: [&[u8]; 5] = [
    &(1_u64 << 63).to_le_bytes(),
    &u32::MAX.to_le_bytes(),
    &u64::MAX.to_le_bytes(),
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

/// Payloads as they are stored, of a sound trace; what is no chunk is passed over.
pub(crate) fn payloads(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + CHUNK_HEADER <= bytes.len() {
        if !bytes[at..].starts_with(b"PCHK") {
            at += 8;
            continue;
        }
        let stored = bytes[at + 16..at + 20].try_into().map_or(0, u32::from_le_bytes) as usize;
        let (begin, end) = (at + CHUNK_HEADER, at + CHUNK_HEADER + stored);
        if end > bytes.len() {
            break;
        }
        found.push(begin..end);
        at = end.next_multiple_of(8);
    }
    found
}

/// Makes the checksums of a payload's chunk right.
pub(crate) fn seal(bytes: &mut [u8], payload: &Range<usize>) {
    let header = payload.start - CHUNK_HEADER;
    let crc = crc32fast::hash(&bytes[payload.clone()]);
    bytes[header + 24..header + 28].copy_from_slice(&crc.to_le_bytes());
    let crc = crc32fast::hash(&bytes[header..header + 28]);
    bytes[header + 28..header + 32].copy_from_slice(&crc.to_le_bytes());
}

/// A trace with each huge number at each place of each payload, and in each chunk's own lengths.
pub(crate) fn huge_numbers(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let places = payloads(bytes).into_iter().flat_map(|payload| {
        let lengths = [payload.start - 16, payload.start - 12];
        let inside = payload.clone();
        lengths.into_iter().chain(inside).map(move |at| (payload.clone(), at))
    });
    places.flat_map(move |(payload, at)| {
        HUGE.iter().map(move |huge| {
            let mut forged = bytes.to_vec();
            let limit = if at < payload.start { at + 4 } else { payload.end };
            let length = huge.len().min(limit - at);
            forged[at..at + length].copy_from_slice(&huge[..length]);
            seal(&mut forged, &payload);
            forged
        })
    })
}
