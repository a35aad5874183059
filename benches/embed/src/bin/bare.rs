//! No profiler; with the feature `jemalloc` on that allocator.

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOC: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    embed_bench::main_bare();
}
