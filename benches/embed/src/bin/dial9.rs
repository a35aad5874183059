//! dial9 without Tokio: its recorder writes one file, with CPU samples (perf events, or with `EMBED_CTIMER` set its timers for
//! each thread), allocations (no live set), or both. Names are not looked up.

use std::path::PathBuf;
use std::time::Duration;

use dial9::RecorderPerfExt;
use dial9::cpu::CpuProfilingConfig;
use dial9::format::Decoder;
use dial9::memory::{Dial9Allocator, MemoryProfiler, MemoryProfilerGuard, MemoryProfilingConfig};
use dial9_trace_format::types::FieldValueRef;
use embed_bench::{Asked, Seen, Tool, main_with};

#[cfg(not(feature = "jemalloc"))]
#[global_allocator]
static ALLOC: Dial9Allocator = Dial9Allocator::system();

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOC: Dial9Allocator<tikv_jemallocator::Jemalloc> =
    Dial9Allocator::new(tikv_jemallocator::Jemalloc);

struct Recorder(dial9::Recorder, Option<MemoryProfilerGuard>);

fn file() -> PathBuf {
    std::env::temp_dir().join(format!("embed-dial9-{}.bin", std::process::id()))
}

fn sealed() -> PathBuf {
    file().with_extension("0.bin")
}

impl Tool for Recorder {
    fn start(asked: &Asked) -> Self {
        let mut builder = dial9::recorder(dial9::DiskBuffer::single_file(file()).expect("a file"));
        if let Some(hz) = asked.hz {
            let ctimer = std::env::var_os("EMBED_CTIMER").is_some();
            let how = if ctimer {
                CpuProfilingConfig::with_ctimer_backend()
            } else {
                CpuProfilingConfig::with_perf_backend()
            };
            builder = builder.with_cpu_profiling(how.frequency_hz(hz.into()));
        }
        let recorder = builder.build();
        let memory = asked.kib.map(|kib| {
            let config = MemoryProfilingConfig::builder().sample_rate_bytes(kib << 10).build();
            MemoryProfiler::from_config(config)
                .install(recorder.handle().clone())
                .expect("installs")
        });
        Self(recorder, memory)
    }

    fn stop(self, _seen: &mut Seen) {
        drop(self.1);
        self.0.graceful_shutdown(Duration::from_secs(5));
    }

    fn starts_again(asked: &Asked) -> bool {
        // Its profiler of allocations is installed for good.
        asked.kib.is_none()
    }

    fn read_back(asked: &Asked, seen: &mut Seen) {
        // Without any event it leaves no file.
        let Ok(bytes) = std::fs::read(sealed()) else {
            seen.samples = Some(0);
            seen.weight_ns = asked.hz.map(|_| 0);
            seen.alloc_bytes = asked.kib.map(|_| 0.0);
            return;
        };
        let interval = asked.kib.map_or(1.0, |kib| (kib << 10) as f64);
        let (mut samples, mut allocated) = (0_u64, 0.0);
        let mut decoder = Decoder::new(&bytes).expect("a header");
        let read = decoder.for_each_event(|event| match event.name {
            "CpuSampleEvent" => samples += 1,
            "AllocEvent" => {
                let size =
                    event.field_names().position(|name| name == "size").map(|at| &event.fields[at]);
                if let Some(FieldValueRef::Varint(size)) = size {
                    let size = *size as f64;
                    allocated += size / (1.0 - (-size / interval).exp());
                }
            }
            _ => {}
        });
        read.expect("events");
        let _ = std::fs::remove_file(sealed());
        seen.samples = Some(samples);
        seen.weight_ns = asked.hz.map(|hz| samples * 1_000_000_000 / u64::from(hz));
        seen.alloc_bytes = asked.kib.map(|_| allocated);
    }
}

fn main() {
    main_with::<Recorder>();
    let _ = std::fs::remove_file(sealed());
}
