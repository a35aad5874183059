//! Regions: parts of the program that have a name.

use super::keys::REGION;
use super::texts;
use crate::sys::labels::{self, OFF};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, Ordering};

/// Names the time until the end of the scope: `let _region = region!("parse");`. The name is a constant `&'static str`.
///
/// Gives a [`Region`]. It costs less than [`region`](crate::embed::labels::region()):
/// the name is looked up once for each place in the program.
///
/// ```
/// use profcore::embed::labels::{LabelContext, Value};
///
/// fn parse() {
///     let _region = profcore::region!("parse");
///     # #[cfg(not(feature = "off"))]
///     assert_eq!(LabelContext::capture().labels().next(), Some(("region", Value::Text("parse"))));
/// }
///
/// parse();
/// assert_eq!(LabelContext::capture().labels().next(), None);
/// ```
///
/// The guard stays on its thread:
///
/// ```compile_fail
/// let region = profcore::region!("parse");
/// std::thread::spawn(move || drop(region));
/// ```
#[macro_export]
macro_rules! region {
    ($name:expr $(,)?) => {{
        static PLACE: $crate::embed::labels::Place = $crate::embed::labels::Place::new($name);
        PLACE.enter()
    }};
}

/// A place in the program that has a name. For [`region!`](crate::region!).
#[derive(Debug)]
pub struct Place {
    name: &'static str,
    /// The name's, 0: not known yet.
    word: AtomicU64,
}

impl Place {
    /// A place with this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, word: AtomicU64::new(0) }
    }

    /// Enters it.
    #[inline]
    pub fn enter(&self) -> Region {
        let word = if OFF { 1 } else { self.word.load(Ordering::Relaxed) };
        Region::enter(if word == 0 { self.look_up() } else { word })
    }

    #[cold]
    #[inline(never)]
    fn look_up(&self) -> u64 {
        let word = texts::static_word(self.name);
        self.word.store(word, Ordering::Relaxed);
        word
    }
}

/// Names that [`region`] was called with, by where they are: the word that one had. Another at the same entry takes it
/// over.
static RECENT: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

/// The word of a name.
pub(super) fn word(name: &'static str) -> u64 {
    if OFF {
        return 1;
    }
    let place = name.as_ptr().addr() as u64 ^ (name.len() as u64) << 48;
    let cell = &RECENT[(place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize];
    let word = cell.load(Ordering::Relaxed);
    // The text is compared too: a library that was unloaded leaves its addresses to others.
    if word.checked_sub(1).and_then(texts::text) == Some(name) {
        return word;
    }
    let word = texts::static_word(name);
    cell.store(word, Ordering::Relaxed);
    word
}

/// Names the time until the guard is dropped. Looks the name up each time; [`region!`](crate::region!) does it once.
///
/// The process keeps the name, see [`Text`](super::Text); regions inside one hide it while they last.
pub fn region(name: &'static str) -> Region {
    Region::enter(word(name))
}

/// Keeps a region's name set; when it is dropped, the thread is in the region again where it was before.
///
/// It stays on its thread. If regions are left in another order than the reverse, the thread is where the one left last
/// was entered.
#[derive(Debug)]
#[must_use = "the region lasts until this is dropped"]
pub struct Region {
    before: u64,
    /// Belongs to this thread.
    here: PhantomData<*const ()>,
}

impl Region {
    #[inline(always)]
    pub(super) fn enter(word: u64) -> Self {
        Self { before: labels::block().enter(REGION, word), here: PhantomData }
    }
}

impl Drop for Region {
    #[inline]
    fn drop(&mut self) {
        labels::block().leave(REGION, self.before);
    }
}
