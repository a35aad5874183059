//! What a hook costs: the same calls in a bare process and in one that `prof run` has started.
//!
//! The bench starts itself again under the profiler, so the two groups `bare` and `profiled` come from one binary.

use std::ffi::c_void;
use std::hint::black_box;
use std::process::Command;

use criterion::{BenchmarkId, Criterion, Throughput};

/// Set in the process that runs under the profiler.
const INNER: &str = "PROF_BENCH_INNER";

fn main() {
    let inner = std::env::var_os(INNER).is_some();
    let mut criterion = Criterion::default().configure_from_args();
    calls(&mut criterion, if inner { "profiled" } else { "bare" });
    criterion.final_summary();
    if !inner {
        again_under_prof();
    }
}

fn calls(criterion: &mut Criterion, group: &str) {
    let mut group = criterion.benchmark_group(group);
    for size in [16_usize, 64, 1024, 65_536] {
        group.bench_with_input(BenchmarkId::new("malloc and free", size), &size, |b, &size| {
            b.iter(|| {
                // SAFETY: malloc takes any size; free takes what malloc gave, once.
                unsafe { libc::free(black_box(libc::malloc(black_box(size)))) }
            });
        });
    }
    for size in [16_usize, 256, 1024, 65_536, 1 << 20] {
        let from = vec![1_u8; size];
        let mut to = vec![0_u8; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_with_input(BenchmarkId::new("memcpy", size), &size, |b, &size| {
            // Through a pointer, or the compiler would put small copies inline.
            let memcpy: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void =
                black_box(libc::memcpy);
            b.iter(|| {
                // SAFETY: both vectors have `size` bytes and do not overlap.
                unsafe { memcpy(to.as_mut_ptr().cast(), from.as_ptr().cast(), black_box(size)) }
            });
        });
    }
    group.finish();
}

/// Builds the profiler as a release and runs this bench under it, with the same arguments.
fn again_under_prof() {
    let prof = benches::built_prof();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut run = Command::new(prof);
    run.args(["run", "--quiet", "-o"]).arg(folder.path().join("hook.proftrace")).arg("--");
    run.arg(std::env::current_exe().expect("this program has a path"))
        .args(std::env::args().skip(1));
    let status = run.env(INNER, "1").status().expect("prof starts");
    assert!(status.success(), "{status}");
}
