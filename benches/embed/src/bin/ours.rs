//! profcore.

use std::time::Duration;

use embed_bench::{Asked, Seen, Tool, main_with};
use profcore::embed::{Bytes, Config, Profiler, SampledAlloc, What};

#[cfg(not(feature = "jemalloc"))]
#[global_allocator]
static ALLOC: SampledAlloc = SampledAlloc::system();

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOC: SampledAlloc<tikv_jemallocator::Jemalloc> =
    SampledAlloc::new(tikv_jemallocator::Jemalloc);

/// Longer than any run.
const ALL: Duration = Duration::from_secs(60);

struct Ours(Profiler);

impl Tool for Ours {
    fn start(asked: &Asked) -> Self {
        let cpu = asked.hz.map_or(Duration::ZERO, |hz| Duration::from_secs(1) / hz);
        let alloc = asked.kib.map_or(Bytes(0), Bytes::kib);
        Self(Config::new().cpu(cpu).alloc(alloc).start().expect("starts"))
    }

    fn report(&mut self, seen: &mut Seen) -> bool {
        let snapshot = self.0.snapshot(ALL);
        let (mut samples, mut bytes) = (0, 0);
        for sample in snapshot.samples() {
            match sample.what() {
                What::Cpu { .. } => samples += 1,
                What::Alloc { bytes: of, .. } => bytes += of,
                _ => {}
            }
        }
        seen.samples = Some(samples);
        seen.weight_ns = Some(snapshot.cpu_sampled().as_nanos() as u64);
        seen.own_ns = Some(snapshot.cpu_own().as_nanos() as u64);
        seen.alloc_bytes = Some(bytes as f64);
        true
    }

    fn write(&mut self, _seen: &mut Seen) -> bool {
        let mut file = Vec::new();
        self.0.snapshot(ALL).write_pprof(&mut file).expect("memory");
        true
    }

    fn stop(self, seen: &mut Seen) {
        let stats = self.0.stop();
        if std::env::var_os("EMBED_STATS").is_some() {
            eprintln!("{stats:?}");
        }
        seen.lost = Some(stats.lost.iter().map(|(_reason, count)| count).sum());
    }
}

fn main() {
    main_with::<Ours>();
}
