//! Allocated bytes by the place that allocates them, and blocks that are held.

use crate::embed_harness::chance::{SURE, sigma};
use crate::embed_harness::symbols::range;
use crate::embed_harness::work::compute;
use crate::embed_harness::{Case, rounds};
use profcore::embed::{Bytes, Config, Sample, Snapshot, What};
use std::hint::black_box;
use std::ops::Range;
use std::sync::mpsc::channel;
use std::time::Duration;

pub(crate) const CASES: &[Case] = &[
    Case::new("alloc_bytes_by_site", by_site),
    Case::new("alloc_live_blocks", live),
    Case::new("alloc_freed_by_another_thread", freed_elsewhere),
];

const ALL: Duration = Duration::from_secs(60);
const EACH: Bytes = Bytes::kib(16);

fn config() -> Config {
    Config::new().cpu(Duration::ZERO).alloc(EACH).memory(Bytes::mib(64))
}

fn bytes(sample: &Sample<'_>) -> u64 {
    match sample.what() {
        What::Alloc { bytes, .. } => bytes,
        _ => 0,
    }
}

type Site = fn(usize) -> Vec<u8>;

#[inline(never)]
fn site_a(size: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(black_box(size)))
}

#[inline(never)]
fn site_b(size: usize) -> Vec<u8> {
    let block = black_box(Vec::with_capacity(black_box(size)));
    black_box(1);
    block
}

#[inline(never)]
fn site_c(size: usize) -> Vec<u8> {
    let block = black_box(Vec::with_capacity(black_box(size)));
    black_box(2);
    block
}

const SITES: [Site; 3] = [site_a, site_b, site_c];

/// Bytes of the samples that come from each site.
fn by_sites<'s>(samples: impl Iterator<Item = Sample<'s>>) -> [u64; 3] {
    let codes = SITES.map(|site| range(site as *const ()));
    let mut sums = [0; 3];
    for sample in samples {
        let on = |code: &Range<u64>| sample.stack().iter().any(|pc| code.contains(pc));
        if let Some(site) = codes.iter().position(on) {
            sums[site] += bytes(&sample);
        }
    }
    sums
}

fn by_site() {
    let profiler = config().start().expect("it starts");
    // Handlers and hooks ask for tables at their first stacks, which have one frame each.
    for _ in 0..20 {
        (0..200).for_each(|_| drop(SITES.map(|site| site(1000))));
        std::thread::sleep(Duration::from_millis(10));
    }
    let (before, stats) = (profiler.snapshot(ALL), profiler.stats());
    let mut due = [0_u64; 3];
    for round in 0..300_000_usize {
        for (index, size) in [(0, 100 + round % 1000), (1, 600), (2, 16 + round % 1168)] {
            let block = SITES[index](size);
            due[index] += size as u64;
            drop(block);
        }
        // Samples are so many a second: it takes its time.
        (0..12).for_each(|_| compute());
    }
    let (after, stats_after) = (profiler.snapshot(ALL), profiler.stats());
    assert_eq!(stats_after.forgotten, 0, "{stats_after:?}");
    let sums = |snapshot: &Snapshot| by_sites(snapshot.samples());
    let (sums_before, sums_after) = (sums(&before), sums(&after));
    let all: u64 = due.iter().sum();
    let exact = stats_after.allocated - stats.allocated;
    let weights = |snapshot: &Snapshot| Vec::from_iter(snapshot.samples().map(|s| bytes(&s)));
    let of = |site: usize| {
        let part = due[site] as f64;
        let off = sigma(&weights(&after), part / all as f64);
        let told = (sums_after[site] - sums_before[site]) as f64;
        (told / part, off * all as f64 / part)
    };
    let ratios = [0, 1, 2].map(of);
    println!(
        "= by site (told, sigma) {ratios:.4?}; sum {exact}, due {all}; {} samples, interval {}, lost {:?}",
        stats_after.samples - stats.samples,
        stats_after.alloc_interval,
        stats_after.lost
    );
    let sum = |snapshot: &Snapshot| weights(snapshot).iter().sum::<u64>();
    let all_sites = (sum(&after) - sum(&before)) as f64 / all as f64;
    println!("= all samples {all_sites:.4}");
    assert!((all_sites - 1.0).abs() < 0.01);
    assert!(ratios.iter().all(|(told, sigma)| (told - 1.0).abs() < SURE * sigma));
    assert_eq!(exact, all);
}

/// Now and then gives the profiler's thread time to empty the ring: where samples are thinned out, a small block that stays
/// may stand for megabytes, which is right on average and in no single case.
fn unhurried(number: &usize) {
    if number.is_multiple_of(50) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn live() {
    let profiler = config().start().expect("it starts");
    for _ in 0..20 {
        (0..200).for_each(|_| drop(SITES.map(|site| site(1000))));
        std::thread::sleep(Duration::from_millis(10));
    }
    let kept: Vec<_> = (0..4_000).inspect(unhurried).map(|_| site_a(5_000)).collect();
    let mut freed: Vec<_> = (0..4_000).inspect(unhurried).map(|_| site_b(5_000)).collect();
    let of = |snapshot: &Snapshot| by_sites(snapshot.live()).map(|sum| sum as f64 / 20e6);
    let before = of(&profiler.snapshot(ALL));
    freed.clear();
    let after = of(&profiler.snapshot(ALL));
    println!("= kept {:.4}, freed {:.4} -> {:.4}", after[0], before[1], after[1]);
    assert!(
        (after[0] - 1.0).abs() < 0.12 && (before[1] - 1.0).abs() < 0.12,
        "{before:?} {after:?}"
    );
    assert_eq!(after[1], 0.0);
    // Blocks that grow stand for more.
    let mut grown = kept;
    for (number, block) in grown.iter_mut().enumerate() {
        unhurried(&number);
        block.reserve_exact(10_000);
    }
    let held = profiler.snapshot(ALL);
    let sum: u64 = held.live().map(|sample| bytes(&sample)).sum();
    println!("= grown {:.4}", sum as f64 / 40e6);
    assert!((sum as f64 / 40e6 - 1.0).abs() < 0.15);
    for number in 0..4_000 {
        unhurried(&number);
        grown.pop();
    }
    drop(grown);
    let held: u64 = profiler.snapshot(ALL).live().map(|sample| bytes(&sample)).sum();
    // Of 40 MB: few blocks of other kinds stay, and each may stand for more than itself.
    assert!(held < 400_000, "{held} bytes are held by nobody");
}

type Half = Box<dyn FnOnce() + Send>;

/// The ring of the thread that frees may be emptied before that of the one that allocates, or after.
fn freed_elsewhere() {
    let profiler = config().start().expect("it starts");
    let pass = |from_new: bool| {
        let (send, receive) = channel::<Vec<u8>>();
        let produce = move || {
            for round in 0..rounds(100_000, 2_000_000) as usize {
                send.send(SITES[round % 3](100 + round % 3000)).expect("the other thread lives");
            }
        };
        let consume = move || receive.into_iter().for_each(drop);
        let (here, there): (Half, Half) = match from_new {
            true => (Box::new(consume), Box::new(produce)),
            false => (Box::new(produce), Box::new(consume)),
        };
        let thread = std::thread::spawn(there);
        here();
        thread.join().expect("it does not panic");
    };
    pass(false);
    pass(true);
    let snapshot = profiler.snapshot(ALL);
    let held = by_sites(snapshot.live());
    let all: u64 = snapshot.samples().map(|sample| bytes(&sample)).sum();
    println!("= held {held:?} of {all}, lost {:?}", profiler.stats().lost);
    assert_eq!(held, [0; 3]);
}
