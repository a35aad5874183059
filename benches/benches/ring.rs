//! What it costs to put an event into a ring, and to take it out and decode it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use profcore::bench::RingBench;

fn ring(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring");
    for frames in [0_usize, 4, 30, 100] {
        group.throughput(Throughput::Elements(1));
        group.bench_with_input(BenchmarkId::new("push and pop", frames), &frames, |b, &frames| {
            let mut ring = RingBench::new();
            b.iter(|| {
                assert!(ring.push_tick(black_box(frames)));
                ring.pop()
            });
        });
    }
    group.bench_function("full", |b| {
        let mut ring = RingBench::new();
        while ring.push_tick(4) {}
        b.iter(|| ring.push_tick(black_box(4)));
    });
    group.finish();
}

criterion_group!(benches, ring);
criterion_main!(benches);
