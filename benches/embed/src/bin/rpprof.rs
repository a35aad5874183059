//! rpprof: pprof's fork, framehop by default, and samples of allocations.

use embed_bench::{Asked, Seen, Tool, main_with};

#[global_allocator]
static ALLOC: rpprof::alloc::AllocProfiler = rpprof::alloc::AllocProfiler::system();

struct Guard(Option<rpprof::ProfilerGuard<'static>>, Asked);

impl Tool for Guard {
    fn start(asked: &Asked) -> Self {
        let guard = asked.hz.map(|hz| {
            let builder = rpprof::ProfilerGuardBuilder::default().frequency(hz as i32);
            builder.build().expect("starts")
        });
        if let Some(kib) = asked.kib {
            rpprof::alloc::set_sample_rate((kib << 10) as usize);
            rpprof::alloc::start();
        }
        Self(guard, asked.clone())
    }

    fn report(&mut self, seen: &mut Seen) -> bool {
        if let (Some(guard), Some(hz)) = (&self.0, self.1.hz) {
            let report = guard.report().build_unresolved().expect("a report");
            let samples = report.data.values().sum::<isize>() as u64;
            seen.samples = Some(samples);
            seen.weight_ns = Some(samples * 1_000_000_000 / u64::from(hz));
            seen.lost = Some(guard.missed_samples());
        }
        if self.1.kib.is_some() {
            // 0.18.3 waits here for itself for good: the report holds a lock that its own allocations want.
            let heap = rpprof::alloc::heap_report().expect("a report");
            seen.alloc_bytes = Some(heap.total_alloc_bytes() as f64);
        }
        true
    }

    fn write(&mut self, _seen: &mut Seen) -> bool {
        let _ = self.0.as_ref().map(|guard| guard.report().build().expect("a report"));
        self.0.is_some()
    }

    fn stop(self, _seen: &mut Seen) {
        if self.1.kib.is_some() {
            rpprof::alloc::stop();
        }
    }
}

fn main() {
    main_with::<Guard>();
}
