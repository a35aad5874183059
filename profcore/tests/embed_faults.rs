//! Tries to break an embedded profiler, and the program that it is in by way of it.
//!
//! Cases run for seconds; with PROF_FULL=1, for as long as it takes to trust them. The allocator under the profiler's ends the
//! process when a handler or a hook of it allocates.

#[path = "embed_harness/mod.rs"]
mod embed_harness;
#[path = "embed_faults/ends.rs"]
mod ends;
#[path = "embed_faults/fence.rs"]
mod fence;
#[path = "embed_faults/forks.rs"]
mod forks;
#[path = "embed_faults/life.rs"]
mod life;
#[path = "embed_faults/limits.rs"]
mod limits;
#[path = "embed_faults/signals.rs"]
mod signals;
#[path = "embed_faults/stacks.rs"]
mod stacks;
#[path = "embed_faults/system.rs"]
mod system;
#[path = "embed_faults/threads.rs"]
mod threads;
#[path = "embed_faults/unloads.rs"]
mod unloads;

use profcore::embed::SampledAlloc;

#[global_allocator]
static ALLOC: SampledAlloc<fence::Fenced> = SampledAlloc::new(fence::Fenced);

fn main() {
    let cases = [
        life::CASES,
        forks::CASES,
        signals::CASES,
        threads::CASES,
        stacks::CASES,
        unloads::CASES,
        ends::CASES,
        limits::CASES,
    ];
    embed_harness::main(&cases.concat(), &[limits::HIDDEN, ends::HIDDEN].concat());
}
