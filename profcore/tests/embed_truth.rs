//! What a profiler that is embedded says, against what the kernel's clocks and the program itself say.

#[path = "embed_truth/alloc.rs"]
mod alloc;
#[path = "embed_harness/mod.rs"]
mod embed_harness;
#[path = "embed_truth/shares.rs"]
mod shares;
#[path = "embed_truth/sums.rs"]
mod sums;

use profcore::embed::SampledAlloc;

#[global_allocator]
static ALLOC: SampledAlloc = SampledAlloc::system();

fn main() {
    embed_harness::main(&[sums::CASES, shares::CASES, alloc::CASES].concat(), &[]);
}
