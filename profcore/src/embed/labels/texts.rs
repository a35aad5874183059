//! Texts of labels, each kept once and for ever, so that a word can stand for one.

use crate::sys::labels::OFF;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

/// Most texts that are kept, and most bytes of them.
pub(super) const MOST: usize = 65_536;
const MOST_BYTES: usize = 16 << 20;

/// What all further ones are; it has number 0.
const OTHER: &str = "[other]";

/// Times that a text found no room.
static OTHERS: AtomicUsize = AtomicUsize::new(0);

const CHUNK: usize = 256;

type Chunk = [OnceLock<&'static str>; CHUNK];

/// Texts by number - 1. Read without a lock; a chunk is made when its first text comes.
static CHUNKS: [OnceLock<Box<Chunk>>; MOST / CHUNK] = [const { OnceLock::new() }; MOST / CHUNK];

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

#[derive(Debug, Default)]
struct Table {
    numbers: HashMap<&'static str, u32>,
    bytes: usize,
}

/// A text that labels can have: a handle to be copied.
///
/// A process keeps 65,536 texts of 16 MiB together, for ever; all that come later are `[other]`. So they should be of a
/// few kinds: a tenant, a route; not an address or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Text(u32);

impl Text {
    /// The handle of a text, the same for the same text. Takes a lock; a new text is copied and kept.
    pub fn new(text: &str) -> Self {
        Self(intern(text, |text| Box::leak(Box::from(text))))
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        text(self.0.into()).unwrap_or(OTHER)
    }

    /// The word of a label that has it.
    #[inline]
    pub(super) fn word(self) -> u64 {
        1 + u64::from(self.0)
    }
}

/// Times that a text or a region's name became `[other]`, because the process keeps as many as it may; see [`Text`].
pub fn other_texts() -> usize {
    OTHERS.load(Ordering::Relaxed)
}

/// The word of a label that has this text, which lasts anyway.
#[cold]
pub(super) fn static_word(text: &'static str) -> u64 {
    Text(intern(text, |_| text)).word()
}

/// The text with this number.
pub(super) fn text(number: u64) -> Option<&'static str> {
    let Some(at) = usize::try_from(number).ok()?.checked_sub(1) else { return Some(OTHER) };
    CHUNKS.get(at / CHUNK)?.get()?[at % CHUNK].get().copied()
}

/// The number of a text, which `keep` makes last if it is new.
fn intern<'t>(text: &'t str, keep: impl FnOnce(&'t str) -> &'static str) -> u32 {
    if OFF {
        return 0;
    }
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&number) = table.numbers.get(text) {
        return number;
    }
    let (at, bytes) = (table.numbers.len(), table.bytes + text.len());
    let Some(chunk) = CHUNKS.get(at / CHUNK).filter(|_| bytes <= MOST_BYTES) else {
        OTHERS.fetch_add(1, Ordering::Relaxed);
        return 0;
    };
    let chunk = chunk.get_or_init(|| Box::new([const { OnceLock::new() }; CHUNK]));
    let (text, number) = (keep(text), at as u32 + 1);
    // Before anybody can have the number.
    let _ = chunk[at % CHUNK].set(text);
    table.numbers.insert(text, number);
    table.bytes = bytes;
    number
}
