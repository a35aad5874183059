//! The file header: fixed offsets, little endian. FORMAT.md has the table.

use crate::error::Error;
use crate::record::Header;

/// First bytes of every trace.
pub const MAGIC: [u8; 8] = *b"PROFTRC\x01";
/// The major version this crate reads and writes.
pub const MAJOR: u16 = 1;
/// The minor version this crate writes.
pub const MINOR: u16 = 4;
/// Bytes of the header this crate writes; later minor versions may have longer ones.
pub(crate) const BYTES: usize = 88;
/// Longest header that is read.
const MAX_BYTES: u32 = 4_096;

/// True when a file that begins with these bytes is a trace of any version.
pub fn is_trace(start: &[u8]) -> bool {
    start.starts_with(&MAGIC)
}

/// The header as bytes. The command and the tool's name are not in it: they are the first chunk.
pub(crate) fn encode(header: &Header, time_unit_ns: u32) -> [u8; BYTES] {
    let mut out = [0; BYTES];
    out[0..8].copy_from_slice(&MAGIC);
    out[8..10].copy_from_slice(&MAJOR.to_le_bytes());
    out[10..12].copy_from_slice(&MINOR.to_le_bytes());
    out[12..16].copy_from_slice(&(BYTES as u32).to_le_bytes());
    out[24..40].copy_from_slice(&header.trace_id);
    out[40..48].copy_from_slice(&header.start_unix_ns.to_le_bytes());
    out[48..56].copy_from_slice(&header.start_monotonic_ns.to_le_bytes());
    out[56..64].copy_from_slice(&header.cpu_interval_ns.to_le_bytes());
    out[64..72].copy_from_slice(&header.memory_interval.to_le_bytes());
    out[72..80].copy_from_slice(&header.copy_interval.to_le_bytes());
    out[80..84].copy_from_slice(&time_unit_ns.to_le_bytes());
    let crc = crc32fast::hash(&out[..84]);
    out[84..88].copy_from_slice(&crc.to_le_bytes());
    out
}

/// What the first bytes of a file say.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) header: Header,
    pub(crate) version: (u16, u16),
    pub(crate) time_unit_ns: u32,
    /// Where the first chunk begins.
    pub(crate) length: usize,
}

/// Reads the header at the start of a file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Start, Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(Error::HeaderCut { offset: bytes.len() as u64 });
    }
    if !is_trace(bytes) {
        return Err(Error::NotATrace);
    }
    let cut = Error::HeaderCut { offset: bytes.len() as u64 };
    let Some(fixed) = bytes.first_chunk::<BYTES>() else { return Err(cut) };
    let (major, minor) = (u16_at(fixed, 8), u16_at(fixed, 10));
    if major != MAJOR {
        return Err(Error::Version { major, minor });
    }
    let length = u32_at(fixed, 12);
    if !(BYTES as u32..=MAX_BYTES).contains(&length) || !length.is_multiple_of(8) {
        return Err(Error::HeaderDamaged { offset: 12 });
    }
    let length = length as usize;
    let Some(whole) = bytes.get(..length) else { return Err(cut) };
    if !crate::chunk::checksum_fits(&whole[..length - 4], u32_at(whole, length - 4)) {
        return Err(Error::HeaderDamaged { offset: length as u64 - 4 });
    }
    match u32_at(fixed, 16) {
        0 => {}
        flags => return Err(Error::Required { flags }),
    }
    let mut header = Header {
        start_unix_ns: u64_at(fixed, 40),
        start_monotonic_ns: u64_at(fixed, 48),
        cpu_interval_ns: u64_at(fixed, 56),
        memory_interval: u64_at(fixed, 64),
        copy_interval: u64_at(fixed, 72),
        ..Header::default()
    };
    header.trace_id.copy_from_slice(&fixed[24..40]);
    let time_unit_ns = u32_at(fixed, 80);
    if time_unit_ns == 0 {
        return Err(Error::HeaderDamaged { offset: 80 });
    }
    Ok(Start { header, version: (major, minor), time_unit_ns, length })
}

/// The number at an offset that the caller knows to be inside.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// The number at an offset that the caller knows to be inside.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

/// The number at an offset that the caller knows to be inside.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
