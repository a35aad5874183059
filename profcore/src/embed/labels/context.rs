//! All labels of a thread as a value.

use super::{Value, resolve};
use crate::event::LABELS;
use crate::sys::labels;
use core::marker::PhantomData;

/// A thread's labels at one moment, region included, to be set on another thread. None by default.
///
/// ```
/// use profcore::embed::labels::{LabelContext, Value};
///
/// let _region = profcore::region!("sum");
/// let context = LabelContext::capture();
/// std::thread::spawn(move || {
///     let _labels = context.attach();
///     # #[cfg(not(feature = "off"))]
///     assert_eq!(LabelContext::capture().labels().next(), Some(("region", Value::Text("sum"))));
/// })
/// .join()
/// .expect("no panic");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelContext {
    pub(super) words: [u64; LABELS],
}

impl LabelContext {
    /// The calling thread's labels.
    #[inline]
    pub fn capture() -> Self {
        Self { words: labels::block().words() }
    }

    /// Sets all labels of the calling thread to these until the guard is dropped: those that are not among them are not
    /// set meanwhile. A sample amid the change (a few nanoseconds) may carry some of both.
    #[inline]
    pub fn attach(self) -> Attached {
        self.attach_amid(|| {})
    }

    /// As [`LabelContext::attach`]; calls `amid` between any two words, as a handler may come.
    #[inline(always)]
    pub(super) fn attach_amid(self, amid: impl Fn()) -> Attached {
        let block = labels::block();
        let mut before = [0; LABELS];
        for (key, (before, word)) in before.iter_mut().zip(self.words).enumerate() {
            *before = block.enter(key, word);
            amid();
        }
        Attached { before, here: PhantomData }
    }

    /// The labels that are set: name of the key, and value. The region is the first.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        self.words.into_iter().enumerate().filter_map(|(key, word)| resolve(key, word))
    }
}

/// Keeps a [`LabelContext`] set; when it is dropped, the thread has the labels again that it had before. It stays on its
/// thread.
#[derive(Debug)]
#[must_use = "the labels are set until this is dropped"]
pub struct Attached {
    before: [u64; LABELS],
    /// Belongs to this thread.
    here: PhantomData<*const ()>,
}

impl Drop for Attached {
    #[inline]
    fn drop(&mut self) {
        let block = labels::block();
        for (key, before) in self.before.into_iter().enumerate() {
            block.leave(key, before);
        }
    }
}
