//! Chunks: a header of 32 bytes, the payload, zeros up to the next multiple of 8.

use crate::header::{u16_at, u32_at, u64_at};
use crate::kind::Kind;
use crate::limit;

/// First bytes of every chunk.
pub(crate) const MAGIC: [u8; 4] = *b"PCHK";
/// Bytes of a chunk's header.
pub(crate) const HEADER_BYTES: usize = 32;
/// First bytes of the end record, the last 32 bytes of a finished trace.
pub(crate) const END_MAGIC: [u8; 8] = *b"PROFEND\x01";
/// Bytes of the end record.
pub(crate) const END_BYTES: usize = 32;

/// Bits of a chunk's flags that say how the payload is compressed: 0 not, 1 zstd.
pub(crate) const CODEC: u8 = 0b11;
/// The payload is zstd.
pub(crate) const ZSTD: u8 = 1;
/// A payload of a newer version begins with the fields of all older ones.
pub(crate) const APPEND_ONLY: u8 = 0b100;

/// True when `bytes` have this checksum. A fuzzer is let through, or it would never see what is behind.
pub(crate) fn checksum_fits(bytes: &[u8], crc: u32) -> bool {
    cfg!(fuzzing) || crc32fast::hash(bytes) == crc
}

/// A chunk's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkHeader {
    /// Code of the type; see [`Kind`].
    pub(crate) kind: u16,
    /// Version of the payload's struct.
    pub(crate) version: u8,
    pub(crate) flags: u8,
    /// Position among all chunks of the file, from 0.
    pub(crate) sequence: u64,
    /// Bytes of the payload in the file.
    pub(crate) stored: u32,
    /// Bytes of the payload uncompressed.
    pub(crate) raw: u32,
    /// Checksum of the payload in the file.
    pub(crate) crc: u32,
}

impl ChunkHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0..4].copy_from_slice(&MAGIC);
        out[4..6].copy_from_slice(&self.kind.to_le_bytes());
        out[6] = self.version;
        out[7] = self.flags;
        out[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        out[16..20].copy_from_slice(&self.stored.to_le_bytes());
        out[20..24].copy_from_slice(&self.raw.to_le_bytes());
        out[24..28].copy_from_slice(&self.crc.to_le_bytes());
        let crc = crc32fast::hash(&out[..28]);
        out[28..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header at the start of `bytes`; `None` unless magic, checksum and lengths fit.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<HEADER_BYTES>()?;
        if bytes[..4] != MAGIC || !checksum_fits(&bytes[..28], u32_at(bytes, 28)) {
            return None;
        }
        let header = Self {
            kind: u16_at(bytes, 4),
            version: bytes[6],
            flags: bytes[7],
            sequence: u64_at(bytes, 8),
            stored: u32_at(bytes, 16),
            raw: u32_at(bytes, 20),
            crc: u32_at(bytes, 24),
        };
        let plain = header.flags & CODEC == 0;
        let fits = header.raw <= limit::PAYLOAD_BYTES
            && header.stored <= header.raw
            && (!plain || header.stored == header.raw)
            && header.raw / limit::COMPRESSION_RATIO <= header.stored;
        fits.then_some(header)
    }

    /// The type, if it is known.
    pub(crate) fn kind(&self) -> Option<Kind> {
        Kind::from_code(self.kind)
    }

    /// The name of the type.
    pub(crate) fn name(&self) -> &'static str {
        self.kind().map_or("unknown", Kind::name)
    }

    /// Bytes of the whole chunk.
    pub(crate) fn length(&self) -> usize {
        HEADER_BYTES + (self.stored as usize).next_multiple_of(8)
    }
}

/// What stands at a place in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// A chunk whose checksums fit, and its payload as stored.
    Chunk(ChunkHeader, &'a [u8]),
    /// A chunk whose payload is damaged.
    Damaged(ChunkHeader),
    /// A chunk that goes on beyond the end of the file, and the bytes up to the next one or the end.
    Cut(usize),
    /// The end record, with the number of chunks and the place of the last Index chunk.
    EndRecord { chunks: u64, index: u64 },
    /// Nothing of ours for this many bytes.
    Gap(usize),
}

/// What stands at `at`, which is inside `bytes`.
pub(crate) fn find(bytes: &[u8], at: usize) -> Found<'_> {
    let rest = &bytes[at..];
    if let Some(header) = ChunkHeader::decode(rest) {
        let stored = rest.get(HEADER_BYTES..HEADER_BYTES + header.stored as usize);
        return match stored {
            None => Found::Cut(gap(bytes, at)),
            Some(stored) if checksum_fits(stored, header.crc) => Found::Chunk(header, stored),
            Some(_) => Found::Damaged(header),
        };
    }
    if rest.len() == END_BYTES
        && rest.starts_with(&END_MAGIC)
        && checksum_fits(&rest[..28], u32_at(rest, 28))
    {
        return Found::EndRecord { chunks: u64_at(rest, 16), index: u64_at(rest, 8) };
    }
    Found::Gap(gap(bytes, at))
}

/// Bytes from `at` to the next chunk, the end record or the end of the file. Chunks begin at multiples of 8.
fn gap(bytes: &[u8], at: usize) -> usize {
    let mut next = (at + 1).next_multiple_of(8);
    while let Some(place) = bytes.get(next..).and_then(|rest| rest.first_chunk::<8>()) {
        let rest = &bytes[next..];
        if (place[..4] == MAGIC && ChunkHeader::decode(rest).is_some())
            || (*place == END_MAGIC && rest.len() == END_BYTES)
        {
            return next - at;
        }
        next += 8;
    }
    bytes.len() - at
}

/// The end record.
pub(crate) fn end_record(index: u64, chunks: u64) -> [u8; END_BYTES] {
    let mut out = [0; END_BYTES];
    out[..8].copy_from_slice(&END_MAGIC);
    out[8..16].copy_from_slice(&index.to_le_bytes());
    out[16..24].copy_from_slice(&chunks.to_le_bytes());
    let crc = crc32fast::hash(&out[..28]);
    out[28..].copy_from_slice(&crc.to_le_bytes());
    out
}
