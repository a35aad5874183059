//! What an allocation costs by the allocator.

use super::*;
use std::hint::black_box;
use std::time::Instant;

/// The least of a few runs; what was told is taken out between them, as a profiler does.
fn pair(allocator: &impl GlobalAlloc) -> f64 {
    const PAIRS: u32 = 500_000;
    let once = || {
        let begin = Instant::now();
        for _ in 0..PAIRS {
            // SAFETY: the size is not 0, and the block is freed with its layout.
            unsafe {
                let block = black_box(allocator.alloc(black_box(layout(64))));
                allocator.dealloc(block, layout(64));
            }
        }
        let seconds = begin.elapsed().as_secs_f64();
        told();
        seconds * 1e9 / f64::from(PAIRS)
    };
    (0..15).map(|_| once()).fold(f64::INFINITY, f64::min)
}

/// Prints nanoseconds of a pair of `alloc` and `dealloc`:
/// `cargo test -p profcore --features embed pair_costs -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn pair_costs() {
    let session = session(512 * 1024);
    let bare = [pair(&System), pair(&ALLOC)];
    STATE.fetch_add(MEASURER, Relaxed);
    let elsewhere = pair(&ALLOC);
    let measured = measure::while_measuring(|| pair(&ALLOC));
    STATE.fetch_sub(MEASURER, Relaxed);
    set_active(true);
    let active = pair(&ALLOC);
    session.word(word::CONTROL).store(0, Relaxed);
    let unsampled = pair(&ALLOC);
    let [system, inert] = bare;
    eprintln!(
        "ns of a pair: system {system:.2}, inert {inert:.2}, another thread measures \
         {elsewhere:.2}, measured {measured:.2}, active {active:.2}, with sampling off \
         {unsampled:.2}"
    );
}
