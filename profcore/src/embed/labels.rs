//! Labels: a key and a value on a thread, for a scope. Every sample that the thread gives meanwhile carries them.
//!
//! A [`region!`](crate::region!) names a part of the program; a [`Key`] or a [`TextKey`] says what it works for. They can
//! be set in libraries too: without a profiler they cost the same few nanoseconds and do nothing. With the feature `off`
//! they compile to nothing.
//!
//! A new thread has no labels. [`LabelContext`] takes them there, and [`LabelFuture`] keeps them on a future, whichever
//! thread polls it.
//!
//! ```
//! use profcore::embed::labels::{Key, LabelContext, Value};
//!
//! static REQUEST: Key = Key::new("request");
//!
//! fn answer(request: u64) {
//!     let _request = REQUEST.set(request);
//!     let _region = profcore::region!("answer");
//!     let labels: Vec<_> = LabelContext::capture().labels().collect();
//!     # #[cfg(not(feature = "off"))]
//!     assert_eq!(labels, [("region", Value::Text("answer")), ("request", Value::Number(17))]);
//! }
//!
//! answer(17);
//! assert_eq!(LabelContext::capture().labels().count(), 0);
//! ```

mod context;
#[expect(unsafe_code, reason = "projects a pin to the future inside")]
mod future;
mod keys;
mod region;
mod telling;
#[cfg(all(test, not(feature = "off")))]
mod tests;
mod texts;

pub use context::{Attached, LabelContext};
pub use future::{InRegion, LabelFuture, WithLabels};
pub use keys::{Key, LabelGuard, TextKey, refused};
#[doc(hidden)]
pub use region::Place;
pub use region::{Region, region};
pub(crate) use telling::{begin_owner, tell};
pub use texts::{Text, other_texts};

/// A label's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Of a [`Key`].
    Number(u64),
    /// A region's name, or of a [`TextKey`].
    Text(&'static str),
}

/// What a word of a key says: the key's name and the value. `None`: not set, or nothing that this process has set.
pub(super) fn resolve(key: usize, word: u64) -> Option<(&'static str, Value)> {
    let number = word.checked_sub(1)?;
    let (name, kind) = keys::registered(key)?;
    let value = match kind {
        keys::Kind::Number => Value::Number(keys::number_of(word)),
        keys::Kind::Text => Value::Text(texts::text(number)?),
    };
    Some((name, value))
}

#[cfg(all(test, feature = "off"))]
mod off_tests {
    use super::*;

    #[test]
    fn nothing_is_set_and_nothing_is_kept() {
        static KEY: Key = Key::new("key");
        static TEXT: TextKey = TextKey::new("text");
        let _labels = (crate::region!("place"), region("function"), KEY.set(1));
        let text = Text::new("text");
        let _text = TEXT.set(&text);
        assert_eq!(LabelContext::capture(), LabelContext::default());
        assert_eq!((text.as_str(), refused(), other_texts()), ("[other]", 0, 0));
        assert_eq!((texts::text(1), keys::registered(1)), (None, None));
    }
}
