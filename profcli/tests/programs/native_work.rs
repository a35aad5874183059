//! A Rust library for ctypes: seconds of work in a generic function, called by `outer`. Line numbers are found by the
//! marks.

use std::ffi::{c_int, c_long};
use std::hint::black_box;

extern "C" {
    fn clock_gettime(clock: c_int, time: *mut [c_long; 2]) -> c_int;
}

fn seconds_of_thread() -> f64 {
    let mut time = [0; 2];
    // SAFETY: CLOCK_THREAD_CPUTIME_ID, and room for a timespec.
    unsafe { clock_gettime(3, &mut time) };
    time[0] as f64 + time[1] as f64 / 1e9
}

trait Step {
    fn step(state: u64) -> u64;
}

struct Twist;

impl Step for Twist {
    #[inline(always)]
    fn step(state: u64) -> u64 {
        state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407) // STEP
    }
}

#[inline(never)]
fn inner<S: Step>(mut state: u64) -> u64 {
    for _ in 0..1_000_000 {
        state = S::step(state);
    }
    state
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn outer(seconds: f64) {
    let end = seconds_of_thread() + seconds;
    let mut state = 1;
    while seconds_of_thread() < end {
        state = black_box(inner::<Twist>(state)); // OUTER
    }
}
