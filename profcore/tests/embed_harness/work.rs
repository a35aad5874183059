//! Work whose amount is known.

use super::clock;
use std::hint::black_box;
use std::time::Duration;

/// Computes for a few microseconds.
#[inline]
pub(crate) fn compute() {
    for number in 0..2_000_u64 {
        black_box(number.wrapping_mul(number));
    }
}

/// Uses so much CPU time of the calling thread.
#[inline(always)]
pub(crate) fn burn(time: Duration) {
    let end = clock::thread() + time;
    while clock::thread() < end {
        compute();
    }
}

/// Uses so much CPU time, under a name of its own.
#[inline(never)]
pub(crate) fn heavy(time: Duration) {
    burn(time);
    black_box(());
}

/// As [`heavy`], under another.
#[inline(never)]
pub(crate) fn light(time: Duration) {
    burn(time);
    black_box(1);
}

/// Allocates blocks of changing sizes and computes, for so many rounds.
pub(crate) fn allocate(rounds: u64) {
    let mut held: Vec<Vec<u8>> = Vec::new();
    for round in 0..rounds {
        held.push(vec![round as u8; 16 + (round as usize * 37) % 5000]);
        if held.len() > 50 {
            held.swap_remove((round as usize * 13) % 50);
        }
        compute();
    }
    black_box(held);
}

pub(crate) fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(crate) fn us(count: u64) -> Duration {
    Duration::from_micros(count)
}

/// Runs work on two threads, to the very end of both: a scope waits for what a thread does, not for the thread.
pub(crate) fn on_two(work: impl Fn(u64) + Sync) {
    std::thread::scope(|scope| {
        let work = &work;
        let both = [0, 1].map(|number| scope.spawn(move || work(number)));
        both.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
}
