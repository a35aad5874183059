//! dhat: every allocation, with a backtrace each.

use embed_bench::{Asked, Seen, Tool, main_with};

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

struct Heap(dhat::Profiler);

impl Tool for Heap {
    fn start(_asked: &Asked) -> Self {
        Self(dhat::Profiler::builder().testing().build())
    }

    fn report(&mut self, seen: &mut Seen) -> bool {
        seen.alloc_bytes = Some(dhat::HeapStats::get().total_bytes as f64);
        true
    }

    fn stop(self, _seen: &mut Seen) {
        drop(self.0);
    }
}

fn main() {
    main_with::<Heap>();
}
