//! Fixed amounts of work, so that CPU time with a profiler and without compares: nothing here looks at a clock.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Steps that take about a millisecond on the machine that this was written on.
const STEPS_OF_A_MS: u64 = 1_000_000;
const DEPTH: u32 = 100;
/// Blocks of one message, and messages that wait: what the channel and the scheduler cost shall not be what is measured.
const BATCH: usize = 512;
const WAITING: usize = 2;

/// Bytes that it allocated in blocks of its own, if that is what it is for.
pub fn run(name: &str, scale: f64) -> u64 {
    let of = |amount: u64| (amount as f64 * scale).ceil() as u64;
    match name {
        "compute" => {
            steps(of(800 * STEPS_OF_A_MS));
        }
        "deep" => {
            for _ in 0..of(800) {
                black_box(descend(DEPTH));
            }
        }
        "alloc" => return alloc(of(5_000)),
        "pingpong" => pingpong(of(100_000)),
        "churn1" => churn(of(400), STEPS_OF_A_MS),
        "churn10" => churn(of(40), 10 * STEPS_OF_A_MS),
        _ => panic!("{name}: compute, deep, alloc, pingpong, churn1 or churn10"),
    }
    0
}

/// Xorshift: each step waits for the one before, so that it takes the same time in every binary.
#[inline(never)]
fn steps(count: u64) -> u64 {
    let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state)
}

#[inline(never)]
fn descend(depth: u32) -> u64 {
    if depth == 0 {
        return steps(STEPS_OF_A_MS);
    }
    // Work after the call: no tail call, so each level is a frame.
    black_box(descend(black_box(depth - 1))).wrapping_add(1)
}

/// Two threads: one allocates blocks of 64 B to 16 KiB, the other frees them.
fn alloc(batches: u64) -> u64 {
    let (send, receive) = sync_channel::<Vec<Vec<u8>>>(WAITING);
    let maker = thread::spawn(move || make_blocks(batches, &send));
    for batch in receive {
        drop(black_box(batch));
    }
    maker.join().expect("no panic")
}

#[inline(never)]
fn make_blocks(batches: u64, to: &SyncSender<Vec<Vec<u8>>>) -> u64 {
    let (mut state, mut bytes) = (1_u64, 0);
    for _ in 0..batches {
        let mut batch = Vec::with_capacity(BATCH);
        for _ in 0..BATCH {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            batch.push(make_block(64 + (state >> 50) as usize));
        }
        bytes += (BATCH * size_of::<Vec<u8>>()) as u64
            + batch.iter().map(|block| block.capacity() as u64).sum::<u64>();
        to.send(batch).expect("the receiver waits for the last");
    }
    bytes
}

#[inline(never)]
fn make_block(size: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(size);
    block.push(1);
    black_box(block)
}

/// A word there and back, through channels without room.
fn pingpong(turns: u64) {
    let (ping, pinged) = sync_channel::<u64>(0);
    let (pong, ponged) = sync_channel::<u64>(0);
    let other = thread::spawn(move || answer(&pinged, &pong));
    for turn in 0..turns {
        ping.send(turn).expect("it answers");
        black_box(ponged.recv().expect("it answers"));
    }
    drop(ping);
    other.join().expect("no panic");
}

#[inline(never)]
fn answer(pinged: &Receiver<u64>, pong: &SyncSender<u64>) {
    while let Ok(turn) = pinged.recv() {
        let _ = pong.send(turn + 1);
    }
}

/// Threads one after the other, two at a time.
fn churn(threads: u64, length: u64) {
    let one_after_the_other = move || {
        for _ in 0..threads {
            thread::spawn(move || steps(length)).join().expect("no panic");
        }
    };
    let other = thread::spawn(one_after_the_other);
    one_after_the_other();
    other.join().expect("no panic");
}
