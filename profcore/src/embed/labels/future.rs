//! Labels of a future, whichever thread polls it.

use super::context::LabelContext;
use super::region::{self, Region};
use core::pin::Pin;
use core::task::{Context, Poll};

/// Futures that have labels: they are set whenever the future is polled, and the thread has its own again after.
///
/// A guard such as [`Region`] must not be held over an `.await`: the thread would go on with another future under its
/// label. (A future that does is not `Send`, and most runtimes refuse it.) What the future's `drop` does is not labelled.
///
/// ```
/// use profcore::embed::labels::{Key, LabelContext, LabelFuture, Value};
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// static REQUEST: Key = Key::new("request");
///
/// let request = REQUEST.set(5);
/// let future = async { LabelContext::capture().labels().collect::<Vec<_>>() }
///     .in_region("answer")
///     .with_labels(LabelContext::capture());
/// drop(request);
/// let Poll::Ready(labels) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else {
///     panic!("waits for nothing")
/// };
/// # #[cfg(not(feature = "off"))]
/// assert_eq!(labels, [("region", Value::Text("answer")), ("request", Value::Number(5))]);
/// assert_eq!(LabelContext::capture(), LabelContext::default());
/// ```
pub trait LabelFuture: Future + Sized {
    /// The future in a region with this name. All other labels are those of the thread that polls.
    fn in_region(self, name: &'static str) -> InRegion<Self> {
        InRegion { future: self, word: region::word(name) }
    }

    /// The future with these labels and no others.
    fn with_labels(self, context: LabelContext) -> WithLabels<Self> {
        WithLabels { future: self, context }
    }
}

impl<F: Future> LabelFuture for F {}

/// See [`LabelFuture::in_region`].
#[derive(Clone, Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct InRegion<F> {
    future: F,
    word: u64,
}

/// See [`LabelFuture::with_labels`].
#[derive(Clone, Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct WithLabels<F> {
    future: F,
    context: LabelContext,
}

impl<F: Future> Future for InRegion<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _region = Region::enter(self.word);
        // SAFETY: `future` is pinned whenever the whole is: nothing moves it out of there, there is no `Drop`, and the
        // whole is `Unpin` only if `F` is.
        unsafe { self.map_unchecked_mut(|this| &mut this.future) }.poll(context)
    }
}

impl<F: Future> Future for WithLabels<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _labels = self.context.attach();
        // SAFETY: as for `InRegion`.
        unsafe { self.map_unchecked_mut(|this| &mut this.future) }.poll(context)
    }
}
