//! The shortest use: a profile of CPU time and allocations of the program itself.
//!
//!     cargo run --release -p profcore --example embed && go tool pprof -top cpu.pb

use std::{error::Error, fs::File, time::Duration};

#[global_allocator]
static ALLOC: profcore::embed::SampledAlloc = profcore::embed::SampledAlloc::system();

fn main() -> Result<(), Box<dyn Error>> {
    let profiler = profcore::embed::Config::from_env()?.start()?;
    work();
    let snapshot = profiler.snapshot(Duration::from_secs(60));
    snapshot.write_pprof(File::create("cpu.pb")?)?;
    snapshot.write_heap_pprof(File::create("heap.pb")?)?;
    println!("{:?}", profiler.stop());
    Ok(())
}

fn work() {
    let mut words = Vec::new();
    for number in 0..3_000_000_u64 {
        words.push((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).to_string());
    }
    words.sort_unstable();
    println!("{} words, the last is {:?}", words.len(), words.last());
}
