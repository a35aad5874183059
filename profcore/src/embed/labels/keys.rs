//! Keys of labels, and the numbers that they get at their first use.

use super::texts::{self, Text};
use crate::event::LABELS;
use crate::sys::labels::{self, OFF};
use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Number of a key that has none yet. It is the region's, which is not given away.
const NEW: usize = REGION;
/// Number of the regions' key.
pub(super) const REGION: usize = 0;
/// Number of a key that came too late.
const REFUSED: usize = LABELS;

/// Keys that came too late.
static REFUSALS: AtomicUsize = AtomicUsize::new(0);

/// Keys by number - 1: the word of the name, doubled, plus the kind; 0: free. They fill up in order and stay.
static KEYS: [AtomicU64; LABELS - 1] = [const { AtomicU64::new(0) }; LABELS - 1];

/// What a key's words stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
}

/// Name and kind of the key with this number.
pub(super) fn registered(key: usize) -> Option<(&'static str, Kind)> {
    let Some(at) = key.checked_sub(1) else { return Some(("region", Kind::Text)) };
    let entry = KEYS.get(at)?.load(Ordering::Relaxed);
    let name = texts::text((entry >> 1).checked_sub(1)?)?;
    Some((name, if entry & 1 == 0 { Kind::Number } else { Kind::Text }))
}

/// The number of the key with this name and kind.
fn register(name: &'static str, kind: Kind) -> usize {
    if kind == Kind::Text && name == "region" {
        return REGION;
    }
    let entry = texts::static_word(name) << 1 | u64::from(kind == Kind::Text);
    let at = KEYS.iter().position(|cell| {
        // Who comes second sees what the first has put there: no key has two places.
        match cell.compare_exchange(0, entry, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => true,
            Err(there) => there == entry,
        }
    });
    at.map_or(REFUSED, |at| at + 1)
}

/// Keys that are ignored because the process had seven before. Each is counted once.
pub fn refused() -> usize {
    REFUSALS.load(Ordering::Relaxed)
}

/// What [`Key`] and [`TextKey`] have in common.
struct Name {
    name: &'static str,
    /// 1 + the number; 0: not known yet.
    number: AtomicUsize,
}

impl Name {
    const fn new(name: &'static str) -> Self {
        Self { name, number: AtomicUsize::new(NEW) }
    }

    #[inline(always)]
    fn set(&self, kind: Kind, word: u64) -> LabelGuard {
        let known = if OFF { REFUSED + 1 } else { self.number.load(Ordering::Relaxed) };
        let key = if known == 0 { self.first_use(kind) } else { known - 1 };
        LabelGuard { key, before: labels::block().enter(key, word), here: PhantomData }
    }

    #[cold]
    #[inline(never)]
    fn first_use(&self, kind: Kind) -> usize {
        let key = register(self.name, kind);
        let is_first = self.number.swap(key + 1, Ordering::Relaxed) == 0;
        if key == REFUSED && is_first {
            REFUSALS.fetch_add(1, Ordering::Relaxed);
        }
        key
    }
}

/// A key whose values are numbers: of a request, a shard, a size. To be put in a `static`.
///
/// A process has seven keys, [`TextKey`]s included, in the order of their first use. Further ones are ignored and
/// counted, see [`refused`]. Two with the same name are one.
///
/// ```
/// use profcore::embed::labels::{Key, LabelContext, Value};
///
/// static SHARD: Key = Key::new("shard");
///
/// let shard = || LabelContext::capture().labels().next();
/// let outer = SHARD.set(1);
/// {
///     let _inner = SHARD.set(2);
///     # #[cfg(not(feature = "off"))]
///     assert_eq!(shard(), Some(("shard", Value::Number(2))));
/// }
/// # #[cfg(not(feature = "off"))]
/// assert_eq!(shard(), Some(("shard", Value::Number(1))));
/// drop(outer);
/// assert_eq!(shard(), None);
/// ```
pub struct Key(Name);

/// A key whose values are texts: of a tenant, a route. To be put in a `static`. Otherwise as [`Key`].
///
/// The one named `region` is that of regions: for names that are not known when the program is compiled.
///
/// ```
/// use profcore::embed::labels::{LabelContext, Text, TextKey, Value};
///
/// static TENANT: TextKey = TextKey::new("tenant");
///
/// let acme = Text::new(&format!("{}-{}", "acme", 7));
/// let _tenant = TENANT.set(&acme);
/// # #[cfg(not(feature = "off"))]
/// assert_eq!(LabelContext::capture().labels().next(), Some(("tenant", Value::Text("acme-7"))));
/// ```
pub struct TextKey(Name);

impl Key {
    /// A key with this name.
    pub const fn new(name: &'static str) -> Self {
        Self(Name::new(name))
    }

    /// Sets the label on the calling thread until the guard is dropped. Of two values that differ, samples of
    /// `u64::MAX - 1` and `u64::MAX` alone look the same: as `u64::MAX`.
    #[inline]
    pub fn set(&self, value: u64) -> LabelGuard {
        self.0.set(Kind::Number, value.saturating_add(1))
    }
}

/// The number that a word stands for.
pub(super) fn number_of(word: u64) -> u64 {
    if word == u64::MAX { word } else { word.wrapping_sub(1) }
}

impl TextKey {
    /// A key with this name.
    pub const fn new(name: &'static str) -> Self {
        Self(Name::new(name))
    }

    /// Sets the label on the calling thread until the guard is dropped.
    #[inline]
    pub fn set(&self, value: &Text) -> LabelGuard {
        self.0.set(Kind::Text, value.word())
    }
}

/// Debugs as the name.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.0.name).finish()
    }
}

/// Debugs as the name.
impl fmt::Debug for TextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TextKey").field(&self.0.name).finish()
    }
}

/// Keeps a label set; when it is dropped, the key has the value again that it had before.
///
/// It stays on its thread. If guards of one key are dropped in another order than the reverse, the key has what the one
/// dropped last found.
#[derive(Debug)]
#[must_use = "the label is set until this is dropped"]
pub struct LabelGuard {
    key: usize,
    before: u64,
    /// Belongs to this thread.
    here: PhantomData<*const ()>,
}

impl Drop for LabelGuard {
    #[inline]
    fn drop(&mut self) {
        labels::block().leave(self.key, self.before);
    }
}
