//! The index of a trace: where each chunk is, and which times and threads it is about.
//!
//! A writer lets an Index chunk go every 2,048 chunks or 64 MiB, and one at the end. Each lists the chunks since the
//! one before and says where that one is, so that a reader that finds any of them can begin in the middle: it knows
//! where all definitions before that place are.

use alloc::vec::Vec;

use crate::chunk::{self, ChunkHeader, Found};
use crate::codec;
use crate::compress::Decompressor;
use crate::kind::Kind;
use crate::limit;
use crate::payload::{IndexV1, IndexV2};
use crate::units::Timestamp;
use crate::wire::columns::Column;
use crate::wire::cursor::{Cursor, What};

/// What the index says of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where the chunk begins in the file.
    pub offset: u64,
    /// Code of its type; see [`Kind::from_code`].
    pub kind: u16,
    /// Entries or events in it.
    pub records: u32,
    /// The times of its events, first and last; for chunks without events both are the start of the trace.
    pub times: [Timestamp; 2],
    /// The lowest and the highest thread of its events.
    pub threads: [u32; 2],
}

/// The index of a whole trace, read and checked.
#[derive(Clone, Debug, Default)]
pub struct Index {
    entries: Vec<Entry>,
    /// Where what it does not list begins: the end record, and all chunks of a trace that was cut off.
    pub(crate) rest: usize,
}

impl Index {
    /// Every chunk but the index itself, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// How many entries or events of a kind there are in the trace.
    pub fn records(&self, kind: Kind) -> u64 {
        let of_kind = self.entries.iter().filter(|entry| entry.kind == kind.code());
        of_kind.map(|entry| u64::from(entry.records)).sum()
    }

    /// Reads the index of a finished trace from its end backwards. `None` when there is none or when it does not
    /// fit the file: a trace can be read without.
    pub(crate) fn finished(bytes: &[u8], header: usize, unit: u64) -> Option<Self> {
        let end = bytes.len().checked_sub(chunk::END_BYTES)?;
        if end < header || !end.is_multiple_of(8) {
            return None;
        }
        let Found::EndRecord { index, .. } = chunk::find(bytes, end) else { return None };
        Self::chain(bytes, header, usize::try_from(index).ok()?, end, unit)
    }

    /// Reads the index of a trace that was cut off, as far as there is one.
    pub(crate) fn unfinished(bytes: &[u8], header: usize, unit: u64) -> Option<Self> {
        let mut last = None;
        let mut at = header;
        while let Some(found) = bytes.get(at..).and_then(ChunkHeader::decode) {
            let end = at + found.length();
            if found.kind() == Some(Kind::Index) && end <= bytes.len() {
                last = Some((at, end));
            }
            at = end;
        }
        let (last, rest) = last?;
        Self::chain(bytes, header, last, rest, unit)
    }

    /// Reads the Index chunks from the one at `at` to the first one. What they do not list begins at `rest`.
    fn chain(bytes: &[u8], header: usize, mut at: usize, rest: usize, unit: u64) -> Option<Self> {
        let mut decompressor = Decompressor::new();
        let mut buffer = Vec::new();
        let mut parts: Vec<Vec<Entry>> = Vec::new();
        let (mut behind, mut count) = (rest, 0);
        while at != 0 {
            // A chain can only lead towards the front.
            if at < header || at >= behind || !at.is_multiple_of(8) {
                return None;
            }
            let Found::Chunk(found, stored) = chunk::find(bytes, at) else { return None };
            let payload = plain(&found, stored, decompressor.as_mut(), &mut buffer)?;
            let (previous, entries) = match found.version {
                1 => (0, entries_of_1_0(&codec::decode(payload).ok()?)),
                _ => {
                    let part: IndexV2<'_> = codec::decode(payload).ok()?;
                    (part.previous, entries(&part, unit))
                }
            };
            let previous = usize::try_from(previous).ok()?;
            let entries = entries.ok()?;
            // Chunks lie next to each other, so a part must begin where the one before it ends.
            let start = match previous {
                0 => header,
                _ => previous + ChunkHeader::decode(bytes.get(previous..)?)?.length(),
            };
            let first = entries.first().map_or(at as u64, |entry| entry.offset);
            let last = entries.last().map_or(0, |entry| entry.offset);
            count += entries.len();
            if first != start as u64 || last >= at as u64 || count > limit::INDEX_ENTRIES {
                return None;
            }
            parts.push(entries);
            (behind, at) = (at, previous);
        }
        let entries = parts.into_iter().rev().flatten().collect();
        (behind < rest).then_some(Self { entries, rest })
    }
}

/// The payload of an Index chunk of a version that is known here.
fn plain<'p>(
    header: &ChunkHeader,
    stored: &'p [u8],
    decompressor: Option<&mut Decompressor>,
    buffer: &'p mut Vec<u8>,
) -> Option<&'p [u8]> {
    if header.kind() != Some(Kind::Index) || !matches!(header.version, 1 | 2) {
        return None;
    }
    match header.flags & chunk::CODEC {
        0 => Some(stored),
        chunk::ZSTD => {
            decompressor?.decompress(stored, header.raw, buffer)?;
            Some(buffer)
        }
        _ => None,
    }
}

/// Version 1 does not know times and threads: any could be there.
fn entries_of_1_0(index: &IndexV1<'_>) -> Result<Vec<Entry>, What> {
    if index.count as usize > limit::INDEX_ENTRIES {
        return Err("it has too many entries");
    }
    let mut offsets = Cursor::new(index.offsets, index.count)?;
    let mut kinds = Cursor::new(index.kinds, index.count)?;
    let mut records = Cursor::new(index.records, index.count)?;
    let mut offset = 0_u64;
    let mut entries = Vec::new();
    for _ in 0..index.count {
        let before = offset;
        if offsets.delta(&mut offset)? <= before {
            return Err("a chunk is listed twice");
        }
        entries.push(Entry {
            offset: offset.checked_mul(8).ok_or("an offset is too large")?,
            kind: u16::try_from(kinds.next()?).map_err(|_| "a type is too large")?,
            records: records.next_u32()?,
            times: [Timestamp::ZERO, Timestamp::from_nanos(u64::MAX)],
            threads: [0, u32::MAX],
        });
    }
    [offsets, kinds, records].iter().try_for_each(Cursor::end)?;
    Ok(entries)
}

fn entries(index: &IndexV2<'_>, unit: u64) -> Result<Vec<Entry>, What> {
    let count = index.count;
    if count > limit::ENTRIES {
        return Err("it has too many entries");
    }
    let mut offsets = Cursor::new(index.offsets, count)?;
    let mut kinds = Cursor::new(index.kinds, count)?;
    let mut records = Cursor::new(index.records, count)?;
    let mut begins = Cursor::new(index.begins, count)?;
    let mut spans = Cursor::new(index.spans, count)?;
    let mut threads = Cursor::new(index.threads, count)?;
    let mut spreads = Cursor::new(index.spreads, count)?;
    let (mut offset, mut begin) = (0_u64, 0);
    let mut entries = Vec::with_capacity(count as usize);
    let time = |units: u64| Timestamp::from_nanos(units.saturating_mul(unit));
    for _ in 0..count {
        let step = offsets.next()?;
        offset = offset.checked_add(step).ok_or("an offset is too large")?;
        if step == 0 {
            return Err("a chunk is listed twice");
        }
        let begin = begins.delta(&mut begin)?;
        let end = begin.saturating_add(spans.next()?);
        let thread = threads.next_u32()?;
        entries.push(Entry {
            offset: offset.checked_mul(8).ok_or("an offset is too large")?,
            kind: u16::try_from(kinds.next()?).map_err(|_| "a type is too large")?,
            records: records.next_u32()?,
            times: [time(begin), time(end)],
            threads: [thread, thread.saturating_add(spreads.next_u32()?)],
        });
    }
    [offsets, kinds, records, begins, spans, threads, spreads].iter().try_for_each(Cursor::end)?;
    Ok(entries)
}

/// Times, in units, and threads of the events of a chunk, as far as gathered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    times: [u64; 2],
    threads: [u32; 2],
}

impl Default for Extent {
    /// The extent of no events.
    fn default() -> Self {
        Self { times: [u64::MAX, 0], threads: [u32::MAX, 0] }
    }
}

impl Extent {
    /// Takes in an event's time.
    #[inline]
    pub(crate) fn time(&mut self, units: u64) {
        self.times = [self.times[0].min(units), self.times[1].max(units)];
    }

    /// Takes in a thread.
    pub(crate) fn thread(&mut self, id: u32) {
        self.threads = [self.threads[0].min(id), self.threads[1].max(id)];
    }
}

/// What will be the next Index chunk.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Where the last Index chunk is, 0 for none.
    pub(crate) previous: u64,
    /// Bytes of the chunks listed.
    pub(crate) bytes: u64,
    count: u32,
    last_offset: u64,
    last_begin: u64,
    offsets: Column,
    kinds: Column,
    records: Column,
    begins: Column,
    spans: Column,
    threads: Column,
    spreads: Column,
}

impl Listing {
    /// Lists a chunk.
    pub(crate) fn add(&mut self, offset: u64, kind: u16, records: u32, extent: &Extent) {
        let [begin, end] = if extent.times[0] <= extent.times[1] { extent.times } else { [0; 2] };
        let [low, high] =
            if extent.threads[0] <= extent.threads[1] { extent.threads } else { [0; 2] };
        self.count += 1;
        self.offsets.put(offset / 8 - self.last_offset);
        self.last_offset = offset / 8;
        self.kinds.put(kind.into());
        self.records.put(records.into());
        self.begins.put_delta(&mut self.last_begin, begin);
        self.spans.put(end - begin);
        self.threads.put(low.into());
        self.spreads.put((high - low).into());
    }

    /// An empty one that follows an Index chunk.
    pub(crate) fn behind(previous: u64) -> Self {
        Self { previous, ..Self::default() }
    }

    /// True when a chunk of it should go out.
    pub(crate) fn is_full(&self) -> bool {
        self.count >= limit::INDEX_CHUNKS || self.bytes >= limit::INDEX_BYTES
    }

    /// Replaces `out` by the payload.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let payload = IndexV2 {
            previous: self.previous,
            count: self.count,
            offsets: self.offsets.bytes(),
            kinds: self.kinds.bytes(),
            records: self.records.bytes(),
            begins: self.begins.bytes(),
            spans: self.spans.bytes(),
            threads: self.threads.bytes(),
            spreads: self.spreads.bytes(),
        };
        codec::encode(&payload, out);
    }
}
