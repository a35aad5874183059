//! Futures that are polled here and there.

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Pending once.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// Labels, as one poll after the other found them.
type Seen = Vec<Vec<(&'static str, Value)>>;

async fn see(times: usize) -> Seen {
    let mut seen = Vec::new();
    for _ in 0..times {
        seen.push(now());
        Yield::default().await;
    }
    seen
}

#[test]
fn a_future_keeps_its_labels_on_two_threads_in_turn() {
    let context = {
        let _job = JOB.set(5);
        LabelContext::capture()
    };
    let inside = see(6).in_region("inside");
    let both = async { (inside.await, see(6).await) }.with_labels(context);
    type Boxed = Pin<Box<dyn Future<Output = (Seen, Seen)> + Send>>;
    let (here, there) = mpsc::channel::<Boxed>();
    let (back, again) = mpsc::channel::<Boxed>();
    let other = thread::spawn(move || {
        let _job = JOB.set(7);
        for mut future in there {
            assert!(poll_once(future.as_mut()).is_pending());
            assert_eq!(now(), [job(7)]);
            back.send(future).expect("the other end is there");
        }
    });
    let _region = region!("own");
    let mut future: Boxed = Box::pin(both);
    let (inside, outside) = loop {
        if let Poll::Ready(seen) = poll_once(future.as_mut()) {
            break seen;
        }
        assert_eq!(now(), [within("own")]);
        here.send(future).expect("the other end is there");
        future = again.recv().expect("comes back");
        assert_eq!(now(), [within("own")]);
    };
    drop(here);
    other.join().expect("no panic");
    assert_eq!(inside, vec![vec![job(5), within("inside")]; 6]);
    assert_eq!(outside, vec![vec![job(5)]; 6]);
    assert_eq!(now(), [within("own")]);
}

#[test]
fn a_future_in_a_region_has_the_other_labels_of_its_thread() {
    let _job = JOB.set(1);
    let seen = block_on(
        async {
            let inner = see(2).in_region("inner").await;
            (inner, see(1).await)
        }
        .in_region("outer"),
    );
    assert_eq!(seen.0, vec![vec![job(1), within("inner")]; 2]);
    assert_eq!(seen.1, vec![vec![job(1), within("outer")]]);
    assert_eq!(now(), [job(1)]);
}

#[test]
fn a_poll_that_panics_leaves_the_threads_labels() {
    let _job = JOB.set(1);
    let panics = || async {
        Yield::default().await;
        resume_unwind(Box::new(()));
    };
    let mut inside = pin!(panics().in_region("panics"));
    let mut labelled = pin!(panics().with_labels(LabelContext::default()));
    assert!(poll_once(inside.as_mut()).is_pending());
    assert!(poll_once(labelled.as_mut()).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| poll_once(inside))).is_err());
    assert_eq!(now(), [job(1)]);
    assert!(catch_unwind(AssertUnwindSafe(|| poll_once(labelled))).is_err());
    assert_eq!(now(), [job(1)]);
}

#[test]
fn a_future_dropped_halfway_leaves_the_threads_labels() {
    let _job = JOB.set(1);
    let mut future = Box::pin(see(9).in_region("halfway").with_labels(LabelContext::default()));
    assert!(poll_once(future.as_mut()).is_pending());
    assert!(poll_once(future.as_mut()).is_pending());
    thread::spawn(move || {
        drop(future);
        assert_eq!(now(), []);
    })
    .join()
    .expect("no panic");
    assert_eq!(now(), [job(1)]);
}
