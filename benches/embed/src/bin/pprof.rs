//! pprof with the unwinder that it has by default: libgcc's.

use embed_bench::{Asked, Seen, Tool, main_with};

struct Guard(pprof::ProfilerGuard<'static>, u32);

impl Tool for Guard {
    fn start(asked: &Asked) -> Self {
        let hz = asked.hz.expect("it has CPU samples only");
        // No blocklist: it drops samples.
        Self(
            pprof::ProfilerGuardBuilder::default().frequency(hz as i32).build().expect("starts"),
            hz,
        )
    }

    fn report(&mut self, seen: &mut Seen) -> bool {
        let report = self.0.report().build_unresolved().expect("a report");
        let samples = report.data.values().sum::<isize>() as u64;
        seen.samples = Some(samples);
        // It gives every sample the interval that was asked for.
        seen.weight_ns = Some(samples * 1_000_000_000 / u64::from(self.1));
        true
    }

    fn write(&mut self, _seen: &mut Seen) -> bool {
        // There is no way out without names.
        let _ = self.0.report().build().expect("a report");
        true
    }

    fn stop(self, _seen: &mut Seen) {}
}

fn main() {
    main_with::<Guard>();
}
