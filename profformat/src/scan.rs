//! Where the next chunk is, and what of the file is none.

use crate::chunk::{self, ChunkHeader, Found};
use crate::error::Error;

/// What could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Chunks that were found but could not be read.
    pub chunks: u64,
    /// Bytes that are in no readable chunk.
    pub bytes: u64,
    /// Chunks of types or versions that this reader does not know.
    pub unknown: u64,
    /// Chunks compressed in a way that this build cannot read.
    pub unsupported: u64,
    /// Sequence numbers that no chunk had.
    pub missing: u64,
    /// True once the end record was read.
    pub complete: bool,
}

impl Damage {
    /// True when nothing was damaged and the trace was finished. Unknown chunks of a newer writer are no
    /// damage.
    pub fn is_sound(&self) -> bool {
        self.complete && self.chunks == 0 && self.bytes == 0 && self.missing == 0
    }

    /// True when something that later chunks may refer to could not be read.
    pub(crate) fn is_lossy(&self) -> bool {
        [self.chunks, self.bytes, self.unknown, self.unsupported, self.missing]
            .iter()
            .any(|n| *n > 0)
    }
}

/// Goes over a file from chunk to chunk and counts what it has to leave out.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'a> {
    bytes: &'a [u8],
    /// Bytes of the file that stand before them.
    before: u64,
    /// Where the next chunk begins.
    at: usize,
    /// Its sequence number, if none is missing.
    sequence: u64,
    /// Chunks were passed over on purpose, so that numbers are not consecutive.
    jumps: bool,
    pub(crate) damage: Damage,
}

/// A chunk whose checksums fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) offset: usize,
    pub(crate) header: ChunkHeader,
    /// The payload as stored.
    pub(crate) stored: &'a [u8],
}

/// A step of a [`Scan`].
#[derive(Clone, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) chunk: Option<Chunk<'a>>,
    /// What was wrong on the way.
    pub(crate) error: Option<Error>,
}

impl<'a> Scan<'a> {
    /// A scan that begins behind the file header.
    pub(crate) fn new(bytes: &'a [u8], header: usize) -> Self {
        let damage = Damage::default();
        Self { bytes, before: 0, at: header, sequence: 0, jumps: false, damage }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// The same scan, over the bytes that stand behind those it has gone over.
    pub(crate) fn go_on<'b>(self, bytes: &'b [u8]) -> Scan<'b> {
        let Self { sequence, jumps, damage, .. } = self;
        Scan { bytes, before: self.length(), at: 0, sequence, jumps, damage }
    }

    /// Bytes of the file, as far as they were given.
    pub(crate) fn length(&self) -> u64 {
        self.before + self.bytes.len() as u64
    }

    /// Goes on at another place further behind.
    pub(crate) fn jump(&mut self, at: usize) {
        self.jumps = true;
        self.at = self.at.max(at).min(self.bytes.len());
    }

    /// Goes to the end: there is nothing more to read.
    pub(crate) fn stop(&mut self) {
        self.at = self.bytes.len();
    }

    /// The chunk that begins here, if one does. Does not move.
    pub(crate) fn peek(&self) -> Option<Chunk<'a>> {
        if self.at >= self.bytes.len() {
            return None;
        }
        match chunk::find(self.bytes, self.at) {
            Found::Chunk(header, stored) => Some(Chunk { offset: self.at, header, stored }),
            _ => None,
        }
    }

    /// Reads what stands here and moves behind it; `None` at the end of the file.
    pub(crate) fn step(&mut self) -> Option<Step<'a>> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let offset = self.at;
        let at = offset as u64;
        let error = |error| Some(Step { chunk: None, error: Some(error) });
        let (header, stored) = match chunk::find(self.bytes, offset) {
            Found::EndRecord { chunks, .. } => {
                self.stop();
                self.damage.complete = true;
                return Some(Step { chunk: None, error: self.count_missing(chunks, offset) });
            }
            Found::Gap(bytes) => {
                self.lose(bytes, 0);
                self.at += bytes;
                return error(Error::NoChunk { offset: at, bytes: bytes as u64 });
            }
            Found::Cut(bytes) => {
                self.lose(bytes, 1);
                self.at += bytes;
                return error(Error::ChunkCut { offset: at });
            }
            Found::Damaged(header) => (header, None),
            Found::Chunk(header, stored) => (header, Some(stored)),
        };
        // The zeros behind the last payload may be cut off.
        let length = header.length().min(self.bytes.len() - offset);
        self.at += length;
        if header.sequence < self.sequence {
            self.lose(length, 1);
            return error(Error::Malformed {
                offset: at,
                chunk: header.name(),
                what: "its sequence number was there before",
            });
        }
        let missing = self.count_missing(header.sequence, offset);
        self.sequence = header.sequence.saturating_add(1);
        let Some(stored) = stored else {
            self.lose(length, 1);
            let damaged = Error::ChunkDamaged { offset: at, chunk: header.name() };
            return error(missing.unwrap_or(damaged));
        };
        Some(Step { chunk: Some(Chunk { offset, header, stored }), error: missing })
    }

    /// Counts a chunk as unreadable though its checksum fits.
    pub(crate) fn refuse(&mut self, chunk: &Chunk<'_>) {
        self.lose(self.at - chunk.offset, 1);
    }

    fn lose(&mut self, bytes: usize, chunks: u64) {
        self.damage.bytes += bytes as u64;
        self.damage.chunks += chunks;
    }

    /// Counts the chunks between the last one and the one with number `next`.
    fn count_missing(&mut self, next: u64, offset: usize) -> Option<Error> {
        if self.jumps {
            return None;
        }
        let missing = next.saturating_sub(self.sequence);
        self.damage.missing = self.damage.missing.saturating_add(missing);
        (missing > 0).then_some(Error::Missing { offset: offset as u64, missing })
    }
}
