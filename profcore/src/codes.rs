//! Code objects, told once each: names and line tables, copied at first sight.
//!
//! ```text
//!   code table   entry = fingerprint | state           found by fingerprint, claimed by compare-and-swap
//!   code arena   record = sizes | texts | line table   written by the claimer, then published by the state
//! ```
//!
//! A code object is alive while one of its frames is on the stack, so its bytes are copied then and there,
//! in the handler or hook that saw it first: no lock, no allocation, nothing on the stack but words. The
//! entry's index is the code object's id. A program that compiles in a loop gets the same addresses again for
//! other code objects with other texts, so addresses alone do not make a fingerprint: the object's version
//! does, or where there is none the hashes of its texts.
//!
//! Texts are copied as they lie in memory; making UTF-8 of them is left to the collector, which trusts
//! nothing it reads here.

use crate::cpython::layout::{Bytecode, Layout};
use crate::event::UNKNOWN_CODE;
use crate::session::{ARENA_WORDS, CODE_ENTRIES, Session, area, word};
use crate::sync::{AtomicU64, Ordering};
use crate::sys::probe::{self, Memory};

/// Most bytes kept of a file name, of a function's name and of a line table.
const FILE_BYTES: usize = 1024;
const NAME_BYTES: usize = 512;
const TABLE_BYTES: usize = 64 * 1024;
/// Entries that are tried before the table counts as full.
const PROBES: usize = 64;
/// Words in front of a record's texts: first line and table bytes, then the two texts.
const HEAD_WORDS: usize = 2;

/// States of an entry. Published ones also hold the record's arena offset, above bit 8.
const PUBLISHED: u64 = 1;
const NO_ROOM: u64 = 2;
const INTERNAL: u64 = 3;

/// A code object, as a walk needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) address: usize,
    /// Address of the first instruction.
    pub(crate) start: usize,
    /// Bytes of instructions.
    pub(crate) size: usize,
    /// A number that differs between code objects, also those that have lain at the same address; never 0.
    fingerprint: u64,
}

impl Code {
    /// Reads the code object at `address`; `None` if its memory cannot be read. The type is not checked.
    #[inline]
    pub(crate) fn read(memory: &impl Memory, layout: &Layout, address: usize) -> Option<Self> {
        let fields = &layout.code;
        let (start, size) = match fields.bytecode {
            Bytecode::Object { at } => {
                let object = memory.word(address + at)? as usize;
                let size = memory.word(object.wrapping_add(layout.bytes.length))? as usize;
                (object.wrapping_add(layout.bytes.data), size)
            }
            Bytecode::Inline { at, units } => {
                (address + at, (memory.word(address + units)? as usize).wrapping_mul(2))
            }
        };
        let version = match fields.version {
            Some(at) => memory.word(address + at)? as u32,
            None => 0,
        };
        let fingerprint = match version {
            0 => mixed(&[address as u64, size as u64, fields_of(memory, layout, address)?]),
            version => mixed(&[address as u64, u64::from(version)]),
        };
        Some(Self { address, start, size, fingerprint })
    }

    /// Whether this is code of the interpreter itself, which no program wrote.
    fn is_internal(&self, memory: &impl Memory, layout: &Layout) -> bool {
        let field = |at: usize| memory.word(self.address + at);
        field(layout.code.file) == field(layout.code.name)
            && layout
                .init_cleanup
                .is_some_and(|(_, opcode)| memory.byte(self.start) == Some(opcode))
    }
}

/// One number of several; never 0.
#[inline]
fn mixed(parts: &[u64]) -> u64 {
    let mut hash = 0_u64;
    for part in parts {
        hash = (hash.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    // The high bits are the well-mixed ones; entries are chosen by the low ones.
    (hash ^ hash >> 32).max(1)
}

/// A number made of all that tells the code object at `address` apart where it has no version.
fn fields_of(memory: &impl Memory, layout: &Layout, address: usize) -> Option<u64> {
    let fields = &layout.code;
    let field = |at: usize| memory.word(address + at);
    let (file, name) = (field(fields.file)?, field(fields.name)?);
    let [file_text, name_text] = [file, name].map(|text| contents(memory, layout, text as usize));
    let first_line = field(fields.first_line)? & u64::from(u32::MAX);
    Some(mixed(&[file, name, field(fields.lines)?, file_text, name_text, first_line]))
}

/// A number made of a text's contents: its hash if Python has made one (of most names and file names), else
/// its last eight bytes. It changes when the hash is made; a code object is then told once more.
#[inline]
fn contents(memory: &impl Memory, layout: &Layout, object: usize) -> u64 {
    if !probe::plausible(object) {
        return 0;
    }
    match memory.word(object + layout.text.hash) {
        Some(u64::MAX) => last_bytes(memory, layout, object).unwrap_or(0),
        hash => hash.unwrap_or(0),
    }
}

#[cold]
fn last_bytes(memory: &impl Memory, layout: &Layout, object: usize) -> Option<u64> {
    let text = Text::try_find(memory, layout, object, usize::MAX)?;
    let skipped = text.len.saturating_sub(8);
    let word = memory.word(text.data.checked_add(skipped)?)?;
    // Behind a short text lies what the allocator left there.
    Some(word & u64::MAX.checked_shr(64 - 8 * (text.len - skipped) as u32).unwrap_or(0))
}

/// The id of `code` in this session, told to the collector if it is new. `None` if it is the interpreter's own,
/// [`UNKNOWN_CODE`] if the table or the arena is full, which is counted. Safe in a handler; any number of threads at
/// once.
#[inline]
pub(crate) fn intern(
    memory: &impl Memory,
    session: Session,
    layout: &Layout,
    code: &Code,
) -> Option<u32> {
    let table = session.area(area::CODE_TABLE, 2 * CODE_ENTRIES);
    for step in 0..PROBES {
        let index = (code.fingerprint as usize).wrapping_add(step) % CODE_ENTRIES;
        let [key, state] = entry(table, index);
        let mut seen = key.load(Ordering::Relaxed);
        if seen == 0 {
            let claimed =
                key.compare_exchange(0, code.fingerprint, Ordering::Relaxed, Ordering::Relaxed);
            match claimed {
                Ok(_) => return tell(memory, session, layout, code, index, state),
                Err(other) => seen = other,
            }
        }
        if seen == code.fingerprint {
            return match state.load(Ordering::Relaxed) {
                INTERNAL => None,
                NO_ROOM => Some(unknown(session)),
                // Another thread is about to tell it.
                0 if code.is_internal(memory, layout) => None,
                _ => Some(index as u32),
            };
        }
    }
    Some(unknown(session))
}

#[cold]
fn unknown(session: Session) -> u32 {
    session.word(word::CODE_FULL).fetch_add(1, Ordering::Relaxed);
    UNKNOWN_CODE
}

fn entry(table: &[AtomicU64], index: usize) -> [&AtomicU64; 2] {
    let index = index % CODE_ENTRIES;
    [&table[2 * index], &table[2 * index + 1]]
}

/// Writes the record of a claimed entry and publishes it.
#[cold]
fn tell(
    memory: &impl Memory,
    session: Session,
    layout: &Layout,
    code: &Code,
    index: usize,
    state: &AtomicU64,
) -> Option<u32> {
    if code.is_internal(memory, layout) {
        state.store(INTERNAL, Ordering::Relaxed);
        return None;
    }
    // A field that cannot be read is 0: an object that is not there.
    let field = |at: usize| memory.word(code.address + at).unwrap_or(0) as usize;
    let file = Text::find(memory, layout, field(layout.code.file), FILE_BYTES);
    let name = Text::find(memory, layout, field(layout.code.name), NAME_BYTES);
    let table = Bytes::find(memory, layout, field(layout.code.lines));
    let first_line = field(layout.code.first_line) as u32;
    let words = HEAD_WORDS + file.words() + name.words() + table.len.div_ceil(8);
    // Relaxed: the offset is ours alone; the Release store of the state publishes what is written there.
    let at = session.word(word::ARENA_NEXT).fetch_add(words as u64, Ordering::Relaxed);
    let arena = session.area(area::CODE_ARENA, ARENA_WORDS);
    let record = usize::try_from(at).ok().and_then(|at| arena.get(at..at.checked_add(words)?));
    let Some(record) = record else {
        state.store(NO_ROOM, Ordering::Relaxed);
        return Some(unknown(session));
    };
    let (head, rest) = record.split_at(HEAD_WORDS);
    let (file_words, rest) = rest.split_at(file.words());
    let (name_words, table_words) = rest.split_at(name.words());
    let file = file.write(memory, file_words);
    let name = name.write(memory, name_words);
    let table = table.write(memory, table_words);
    head[0].store(u64::from(first_line) << 32 | table as u64, Ordering::Relaxed);
    head[1].store(u64::from(name) << 32 | u64::from(file), Ordering::Relaxed);
    // Release: pairs with the Acquire in `read`; the record is complete.
    state.store(at << 8 | PUBLISHED, Ordering::Release);
    Some(index as u32)
}

/// Copies `len` bytes into `words`; false if they cannot be read.
fn copy(memory: &impl Memory, from: usize, len: usize, words: &[AtomicU64]) -> bool {
    let mut at = from;
    let mut left = len;
    for cell in words {
        let value = if left >= 8 {
            memory.word(at)
        } else {
            let mut last = [0; 8];
            memory.copy(at, &mut last[..left]).then(|| u64::from_le_bytes(last))
        };
        let Some(value) = value else { return false };
        cell.store(value, Ordering::Relaxed);
        at = at.wrapping_add(8);
        left = left.saturating_sub(8);
    }
    true
}

/// The characters of a `str` object: where, how many bytes, and how wide each is (1, 2, 4; 0: unreadable).
#[derive(Clone, Copy, Debug)]
struct Text {
    data: usize,
    len: usize,
    kind: u8,
    cut: bool,
}

impl Text {
    const NONE: Self = Self { data: 0, len: 0, kind: 0, cut: false };

    fn find(memory: &impl Memory, layout: &Layout, object: usize, most: usize) -> Self {
        Self::try_find(memory, layout, object, most).unwrap_or(Self::NONE)
    }

    fn try_find(memory: &impl Memory, layout: &Layout, object: usize, most: usize) -> Option<Self> {
        if !probe::plausible(object) {
            return None;
        }
        let state = memory.word(object + layout.text.state)?;
        let length = memory.word(object + layout.text.length)? as usize;
        let kind = (state >> 2 & 7) as u8;
        let (compact, ascii) = (state >> 5 & 1 != 0, state >> 6 & 1 != 0);
        if !compact || !matches!(kind, 1 | 2 | 4) {
            return None;
        }
        let data = if ascii { layout.text.ascii_data } else { layout.text.compact_data };
        let bytes = length.checked_mul(usize::from(kind))?;
        Some(Self { data: object + data, len: bytes.min(most), kind, cut: bytes > most })
    }

    fn words(&self) -> usize {
        self.len.div_ceil(8)
    }

    /// Copies the characters and describes them: bytes (16) | kind (8) | cut (8).
    fn write(&self, memory: &impl Memory, words: &[AtomicU64]) -> u32 {
        if copy(memory, self.data, self.len, words) {
            self.len as u32 | u32::from(self.kind) << 16 | u32::from(self.cut) << 24
        } else {
            0
        }
    }
}

/// The contents of a line table.
#[derive(Clone, Copy, Debug)]
struct Bytes {
    data: usize,
    len: usize,
}

impl Bytes {
    fn find(memory: &impl Memory, layout: &Layout, object: usize) -> Self {
        let len = probe::plausible(object).then(|| memory.word(object + layout.bytes.length));
        match len.flatten() {
            Some(len) => {
                Self { data: object + layout.bytes.data, len: (len as usize).min(TABLE_BYTES) }
            }
            None => Self { data: 0, len: 0 },
        }
    }

    /// Copies them; returns how many.
    fn write(&self, memory: &impl Memory, words: &[AtomicU64]) -> usize {
        if copy(memory, self.data, self.len, words) { self.len } else { 0 }
    }
}

/// What was told of a code object.
#[cfg(any(test, feature = "record"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeRecord {
    /// File name, in the bytes that the file system has; ends in `…` if it was cut.
    pub(crate) file: Vec<u8>,
    /// Qualified name (3.9, 3.10: plain name) in UTF-8; ends in `…` if it was cut.
    pub(crate) name: Vec<u8>,
    /// Line of the `def`.
    pub(crate) first_line: u32,
    /// For [`crate::cpython::line`].
    pub(crate) table: Vec<u8>,
}

/// Reads the record of code `id`. `None` if there is none, or not yet: a thread may be about to write it.
/// Total: the session memory may hold anything.
#[cfg(any(test, feature = "record"))]
pub(crate) fn read(session: Session, id: u32) -> Option<CodeRecord> {
    let table = session.area(area::CODE_TABLE, 2 * CODE_ENTRIES);
    // Acquire: pairs with the Release in `tell`.
    let state = table.get(2 * id as usize + 1)?.load(Ordering::Acquire);
    if state as u8 != PUBLISHED as u8 {
        return None;
    }
    let mut words =
        session.area(area::CODE_ARENA, ARENA_WORDS).get((state >> 8) as usize..)?.iter();
    let head = words.next()?.load(Ordering::Relaxed);
    let texts = words.next()?.load(Ordering::Relaxed);
    let (file, name) = (texts as u32, (texts >> 32) as u32);
    let mut take = |len: usize, most: usize| {
        if len > most {
            return None;
        }
        let mut bytes = Vec::with_capacity(len + 8);
        for _ in 0..len.div_ceil(8) {
            bytes.extend(words.next()?.load(Ordering::Relaxed).to_le_bytes());
        }
        bytes.truncate(len);
        Some(bytes)
    };
    let file = decode(&take(file as usize & 0xffff, FILE_BYTES)?, file);
    let name = decode(&take(name as usize & 0xffff, NAME_BYTES)?, name);
    let table = take(head as u32 as usize, TABLE_BYTES)?;
    Some(CodeRecord { file, name, first_line: (head >> 32) as u32, table })
}

/// UTF-8 of the characters in `bytes`, which `described` tells the width of. A byte that Python could not
/// decode (a lone surrogate U+DC80 to U+DCFF) becomes that byte again; other surrogates become `\uXXXX`.
#[cfg(any(test, feature = "record"))]
fn decode(bytes: &[u8], described: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    let kind = (described >> 16 & 0xff) as usize;
    if !matches!(kind, 1 | 2 | 4) {
        return b"?".to_vec();
    }
    for unit in bytes.chunks_exact(kind) {
        let mut value = [0; 4];
        value[..kind].copy_from_slice(unit);
        match u32::from_le_bytes(value) {
            byte @ 0xdc80..=0xdcff => out.push(byte as u8),
            surrogate @ 0xd800..=0xdfff => out.extend(format!("\\u{surrogate:04x}").bytes()),
            value => {
                let char = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend(char.encode_utf8(&mut [0; 4]).bytes());
            }
        }
    }
    if described >> 24 & 1 != 0 {
        out.extend("…".bytes());
    }
    out
}

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
