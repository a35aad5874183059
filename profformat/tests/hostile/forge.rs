//! Makes files with right checksums around anything.

use profformat::limit;

use crate::example;

/// Bytes of a chunk's header.
pub(crate) const CHUNK_HEADER: usize = 32;

/// Flags of a payload that is zstd.
pub(crate) const ZSTD: u8 = 1;

/// A trace that is made chunk by chunk. It begins with a file header and the command.
pub(crate) struct Forge {
    bytes: Vec<u8>,
    sequence: u64,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let (_, bytes) = example::trace(example::PLAIN, 0);
        let first = chunks(&bytes)[0].1;
        Self { bytes: bytes[..first].to_vec(), sequence: 1 }
    }

    /// A trace with two processes, two threads and the stacks `main` and `main;work`: strings 2 to 5,
    /// functions and frames 1 and 2.
    pub(crate) fn with_definitions() -> Self {
        let (_, bytes) = example::trace(example::PLAIN, 0);
        let chunks = chunks(&bytes);
        let last = chunks.iter().filter(|(begin, _)| kind_at(&bytes, *begin) <= 7).count();
        Self { bytes: bytes[..chunks[last - 1].1].to_vec(), sequence: last as u64 }
    }

    /// Appends a chunk that is not compressed.
    pub(crate) fn plain(self, kind: u16, payload: &[u8]) -> Self {
        self.plain_as(kind, (1, 0), payload)
    }

    /// Appends a chunk that is not compressed, of another version and with these flags.
    pub(crate) fn plain_as(mut self, kind: u16, version: (u8, u8), payload: &[u8]) -> Self {
        let (version, flags) = version;
        let bytes = chunk(kind, version, flags, self.sequence, payload.len() as u32, payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.bytes.extend(bytes);
        self
    }

    /// Appends a chunk that is compressed.
    pub(crate) fn packed(self, kind: u16, payload: &[u8]) -> Self {
        self.packed_as(kind, (1, 0), payload)
    }

    /// Appends a chunk that is compressed, of another version and with these flags, too.
    pub(crate) fn packed_as(self, kind: u16, version: (u8, u8), payload: &[u8]) -> Self {
        let mut stored = pack(payload);
        let least = payload.len() / limit::COMPRESSION_RATIO as usize;
        if stored.len() < least {
            // A frame that is passed over makes the ratio one that readers accept.
            let fill = least - stored.len();
            stored.extend(b"\x50\x2a\x4d\x18");
            stored.extend((fill as u32).to_le_bytes());
            stored.resize(stored.len() + fill, 0);
        }
        self.stored_as(kind, version, payload.len() as u32, &stored)
    }

    /// Appends a chunk that says to be zstd of `raw` bytes.
    pub(crate) fn stored(self, kind: u16, raw: u32, stored: &[u8]) -> Self {
        self.stored_as(kind, (1, 0), raw, stored)
    }

    fn stored_as(mut self, kind: u16, version: (u8, u8), raw: u32, stored: &[u8]) -> Self {
        let (version, flags) = version;
        let bytes = chunk(kind, version, ZSTD | flags, self.sequence, raw, stored);
        self.sequence = self.sequence.wrapping_add(1);
        self.bytes.extend(bytes);
        self
    }

    /// Makes the next chunk this one.
    pub(crate) fn at_sequence(mut self, sequence: u64) -> Self {
        self.sequence = sequence;
        self
    }

    /// Where the next chunk begins.
    pub(crate) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Number of the next chunk.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Appends bytes as they are.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    /// A note that every reader should reach, unless it stands behind a chunk that was cut.
    pub(crate) fn note(self) -> Self {
        self.plain(15, &columns(&[1, 0, 0, 0], &[b"\x02", b"ok"]))
    }

    /// The file, without an end.
    pub(crate) fn cut(self) -> Vec<u8> {
        self.bytes
    }

    /// The file with an End chunk, no index and the end record.
    pub(crate) fn finished(self) -> Vec<u8> {
        let mut file = self.plain(16, &[0; 8]);
        let record = end_record(0, file.sequence);
        file.bytes.extend(record);
        file.bytes
    }
}

/// A chunk with right checksums.
pub(crate) fn chunk(
    kind: u16,
    version: u8,
    flags: u8,
    sequence: u64,
    raw: u32,
    stored: &[u8],
) -> Vec<u8> {
    let mut out = b"PCHK".to_vec();
    out.extend(kind.to_le_bytes());
    out.extend([version, flags]);
    out.extend(sequence.to_le_bytes());
    out.extend((stored.len() as u32).to_le_bytes());
    out.extend(raw.to_le_bytes());
    out.extend(crc32fast::hash(stored).to_le_bytes());
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out.extend(stored);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// The last 32 bytes of a trace.
pub(crate) fn end_record(index: u64, chunks: u64) -> Vec<u8> {
    let mut out = b"PROFEND\x01".to_vec();
    out.extend(index.to_le_bytes());
    out.extend(chunks.to_le_bytes());
    out.extend([0; 4]);
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out
}

/// Corrects the checksum of a file header that was changed.
pub(crate) fn seal_header(bytes: &mut [u8], length: usize) {
    let crc = crc32fast::hash(&bytes[..length - 4]);
    bytes[length - 4..length].copy_from_slice(&crc.to_le_bytes());
}

pub(crate) fn pack(payload: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(payload, 1).unwrap()
}

/// Where the chunks of a sound file begin and end.
pub(crate) fn chunks(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut at = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let mut all = Vec::new();
    while bytes[at..].starts_with(b"PCHK") {
        let stored = u32::from_le_bytes(bytes[at + 16..at + 20].try_into().unwrap()) as usize;
        all.push((at, at + CHUNK_HEADER + stored.next_multiple_of(8)));
        at = all[all.len() - 1].1;
    }
    all
}

/// Type of the chunk at an offset.
pub(crate) fn kind_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at + 4], bytes[at + 5]])
}

/// Payload of a chunk that is not compressed.
pub(crate) fn payload(bytes: &[u8], (begin, _): (usize, usize)) -> &[u8] {
    let stored = u32::from_le_bytes(bytes[begin + 16..begin + 20].try_into().unwrap()) as usize;
    &bytes[begin + CHUNK_HEADER..begin + CHUNK_HEADER + stored]
}

/// The fields of a payload: numbers in their width, columns with their length before them.
pub(crate) fn columns(numbers: &[u8], columns: &[&[u8]]) -> Vec<u8> {
    let mut out = numbers.to_vec();
    for column in columns {
        out.extend((column.len() as u64).to_le_bytes());
        out.extend(*column);
    }
    out
}

/// `first` and `count` of a dictionary delta.
pub(crate) fn span(first: u32, count: u32) -> Vec<u8> {
    [first.to_le_bytes(), count.to_le_bytes()].concat()
}

/// `count` and `time` of a block of events.
pub(crate) fn head(count: u32, time: u64) -> Vec<u8> {
    [&count.to_le_bytes()[..], &time.to_le_bytes()].concat()
}

/// Numbers as a column.
pub(crate) fn varints(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut out = Vec::new();
    for mut number in numbers {
        while number >= 0x80 {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
    }
    out
}

/// A difference in zigzag form.
pub(crate) fn zigzag(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)) as u64
}
