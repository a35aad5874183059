//! What labels cost: nanoseconds for each enter and leave, on one thread and on two at once. The loop around it counts
//! too, and is measured by itself.
//!
//! `cargo run --release -p profcore --no-default-features --features embed --example label_cost`

use profcore::embed::labels::{Key, LabelContext, LabelFuture, Text, TextKey, region};
use profcore::region;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

const ROUNDS: usize = 41;
const TIMES: u64 = 1_000_000;

static JOB: Key = Key::new("job");
static TENANT: TextKey = TextKey::new("tenant");

/// Never ready.
struct Busy(u64);

impl Future for Busy {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0 = black_box(self.0 + 1);
        Poll::Pending
    }
}

/// Nanoseconds of one call: the median of rounds, and the quickest.
fn measure(mut call: impl FnMut(u64)) -> (f64, f64) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            (0..TIMES).for_each(&mut call);
            began.elapsed().as_nanos() as f64 / TIMES as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    (rounds[ROUNDS / 2], rounds[0])
}

fn poll(future: impl Future<Output = ()>) -> (f64, f64) {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    measure(|_| assert!(future.as_mut().poll(&mut context).is_pending()))
}

fn all() -> Vec<(&'static str, (f64, f64))> {
    let text = Text::new("acme");
    let context = LabelContext::capture();
    vec![
        ("nothing", measure(|at| _ = black_box(at))),
        (
            "region!",
            measure(|at| {
                let _region = region!("place");
                black_box(at);
            }),
        ),
        (
            "region()",
            measure(|at| {
                let _region = region("function");
                black_box(at);
            }),
        ),
        (
            "Key::set",
            measure(|at| {
                let _job = JOB.set(at);
                black_box(at);
            }),
        ),
        (
            "TextKey::set",
            measure(|at| {
                let _tenant = TENANT.set(&text);
                black_box(at);
            }),
        ),
        ("attach", measure(|at| drop((context.attach(), black_box(at))))),
        ("poll, bare", poll(Busy(0))),
        ("poll, InRegion", poll(Busy(0).in_region("polled"))),
        ("poll, WithLabels", poll(Busy(0).with_labels(context))),
    ]
}

fn main() {
    for threads in 1..=2 {
        let running: Vec<_> = (0..threads).map(|_| std::thread::spawn(all)).collect();
        for (number, thread) in running.into_iter().enumerate() {
            println!("thread {} of {threads}: median ns (least)", number + 1);
            for (what, (median, least)) in thread.join().expect("no panic") {
                println!("  {what:18}{median:6.2} ({least:.2})");
            }
        }
    }
}
