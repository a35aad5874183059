//! Figures of a line or of a function, as Scalene has them.

use serde::{Serialize, Serializer};

use crate::analysis::leaks::Leak;
use crate::analysis::sites::{Curve, Site};
use crate::analysis::{Profile, TimeSum};
use crate::record::Class;
use crate::units::Timestamp;

/// What Scalene calls MB.
pub(super) const MIB: f64 = 1_048_576.0;
/// Points of a curve at most.
const POINTS: u64 = 100;

/// What shares are of.
pub(super) struct Whole {
    /// Waiting is among the times.
    pub(super) waits: bool,
    pub(super) time_ns: u64,
    pub(super) alloc_bytes: u64,
    pub(super) elapsed: Timestamp,
}

impl Whole {
    pub(super) fn of(profile: &Profile, waits: bool) -> Self {
        let mut whole = Self { waits, time_ns: 0, alloc_bytes: 0, elapsed: profile.elapsed };
        let times = profile.time.iter().filter(|sum| whole.counts(sum)).map(|sum| sum.weight_ns);
        whole.time_ns = times.fold(0, u64::saturating_add);
        let bytes = profile.memory.iter().map(|sum| sum.alloc_bytes);
        whole.alloc_bytes = bytes.fold(0, u64::saturating_add);
        whole
    }

    pub(super) fn counts(&self, sum: &TimeSum) -> bool {
        self.waits || sum.class.on_cpu()
    }

    /// Part of the time, 0 to 1.
    pub(super) fn share_of_time(&self, ns: u64) -> f64 {
        share(ns, self.time_ns)
    }

    /// Part of what was allocated, 0 to 1.
    pub(super) fn share_of_alloc(&self, bytes: u64) -> f64 {
        share(bytes, self.alloc_bytes)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}

/// What one or more sites did.
#[derive(Clone, Default)]
pub(super) struct Sum {
    /// Nanoseconds: Python, native, system.
    pub(super) times: [u64; 3],
    pub(super) alloc_bytes: u64,
    alloc_python_bytes: u64,
    alloc_count: u64,
    pub(super) live_at_peak_bytes: u64,
    copy_bytes: u64,
    pub(super) leak: Option<Leak>,
}

impl Sum {
    pub(super) fn add(&mut self, site: &Site, waits: bool) {
        for class in Class::ALL.iter().filter(|class| waits || class.on_cpu()) {
            let part = &mut self.times[part(*class)];
            *part = part.saturating_add(site.self_ns[class.code() as usize]);
        }
        let parts = [
            (&mut self.alloc_bytes, site.alloc_bytes),
            (&mut self.alloc_python_bytes, site.alloc_python_bytes),
            (&mut self.alloc_count, site.alloc_count),
            (&mut self.live_at_peak_bytes, site.live_at_peak_bytes),
            (&mut self.copy_bytes, site.copy_bytes),
        ];
        for (sum, part) in parts {
            *sum = sum.saturating_add(part);
        }
        self.leak = self.leak.or(site.leak);
    }

    /// All three times together.
    pub(super) fn time_ns(&self) -> u64 {
        self.times.iter().fold(0, |sum, ns| sum.saturating_add(*ns))
    }
}

/// Which of Scalene's three times a class is of.
pub(super) fn part(class: Class) -> usize {
    match class {
        Class::Python => 0,
        Class::Native | Class::Gc => 1,
        Class::Kernel | Class::Gil | Class::Wait => 2,
    }
}

/// Field names are Scalene's.
#[derive(Serialize)]
pub(super) struct Detail<'a> {
    #[serde(serialize_with = "code")]
    pub(super) line: &'a str,
    pub(super) lineno: u32,
    memory_samples: Vec<(u64, f64)>,
    cpu_samples_list: [f64; 0],
    n_cpu_percent_python: f64,
    n_cpu_percent_c: f64,
    n_sys_percent: f64,
    n_core_utilization: f64,
    n_gpu_percent: f64,
    n_gpu_avg_memory_mb: f64,
    n_gpu_peak_memory_mb: f64,
    n_peak_mb: f64,
    n_growth_mb: f64,
    n_avg_mb: f64,
    n_malloc_mb: f64,
    n_mallocs: u64,
    n_usage_fraction: f64,
    n_python_fraction: f64,
    n_copy_mb_s: f64,
    n_async_await_percent: f64,
    n_async_concurrency_mean: f64,
    n_async_concurrency_peak: f64,
    async_task_names: [&'static str; 0],
    is_coroutine: bool,
}

impl<'a> Detail<'a> {
    pub(super) fn of(
        (line, lineno): (&'a str, u32),
        sum: &Sum,
        curve: Option<&Curve>,
        whole: &Whole,
    ) -> Self {
        let [python, native, system] = sum.times.map(|ns| whole.share_of_time(ns) * 100.0);
        // Of the same sampled blocks, but the curve is of whole parts of the run.
        let peak = sum.live_at_peak_bytes.max(curve.map_or(0, |curve| curve.most_bytes));
        let average = curve.map_or(0, |curve| average(&curve.points, whole.elapsed)).min(peak);
        let points = curve.map_or(&[][..], |curve| &curve.points);
        let seconds = whole.elapsed.as_secs_f64().max(1e-9);
        Self {
            line,
            // Its reader wants a line; 1 stands for none.
            lineno: lineno.max(1),
            memory_samples: thinned(points.iter().copied(), whole.elapsed),
            cpu_samples_list: [],
            n_cpu_percent_python: python,
            n_cpu_percent_c: native,
            n_sys_percent: system,
            n_core_utilization: 0.0,
            n_gpu_percent: 0.0,
            n_gpu_avg_memory_mb: 0.0,
            n_gpu_peak_memory_mb: 0.0,
            n_peak_mb: peak as f64 / MIB,
            n_growth_mb: peak as f64 / MIB,
            n_avg_mb: average as f64 / MIB,
            n_malloc_mb: sum.alloc_bytes as f64 / MIB,
            n_mallocs: sum.alloc_count,
            n_usage_fraction: whole.share_of_alloc(sum.alloc_bytes),
            n_python_fraction: share(sum.alloc_python_bytes, sum.alloc_bytes),
            n_copy_mb_s: sum.copy_bytes as f64 / MIB / seconds,
            n_async_await_percent: 0.0,
            n_async_concurrency_mean: 0.0,
            n_async_concurrency_peak: 0.0,
            async_task_names: [],
            is_coroutine: false,
        }
    }
}

/// Code with its markup as Scalene writes it: its page turns `\u003c` back into `<`.
fn code<S: Serializer>(line: &&str, serializer: S) -> Result<S::Ok, S::Error> {
    let line = line.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    serializer.serialize_str(&line)
}

/// Bytes held on average over the run; a curve's points are where it changes.
fn average(points: &[(Timestamp, u64)], elapsed: Timestamp) -> u64 {
    let ends = points.iter().skip(1).map(|point| point.0).chain([elapsed]);
    let areas = points.iter().zip(ends).map(|((from, bytes), until)| {
        u128::from(until.as_nanos().saturating_sub(from.as_nanos())) * u128::from(*bytes)
    });
    let area = areas.fold(0, u128::saturating_add);
    u64::try_from(area / u128::from(elapsed.as_nanos().max(1))).unwrap_or(u64::MAX)
}

/// The highest point of each of [`POINTS`] equal parts of the run, as nanoseconds and MiB.
pub(super) fn thinned(
    points: impl Iterator<Item = (Timestamp, u64)>,
    elapsed: Timestamp,
) -> Vec<(u64, f64)> {
    let length = elapsed.as_nanos() / POINTS + 1;
    let mut kept: Vec<(u64, u64)> = Vec::new();
    for (time, bytes) in points {
        let time = time.as_nanos().min(elapsed.as_nanos());
        match kept.last_mut() {
            Some(last) if last.0 / length == time / length => {
                if bytes > last.1 {
                    *last = (time, bytes);
                }
            }
            _ => kept.push((time, bytes)),
        }
    }
    kept.into_iter().map(|(time, bytes)| (time, bytes as f64 / MIB)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_keeps_its_highest_points() {
        let elapsed = Timestamp::from_nanos(1_000_000);
        let bytes = |n: u64| if n == 777 { 5 << 20 } else { n % 7 };
        let points = (0..1_000).map(|n| (Timestamp::from_nanos(n * 1_000), bytes(n)));
        let kept = thinned(points, elapsed);
        assert!(kept.len() <= POINTS as usize && kept.len() > 90);
        assert!(kept.is_sorted_by_key(|point| point.0));
        assert!(kept.contains(&(777_000, 5.0)));
    }

    #[test]
    fn what_was_held_half_the_time_is_half_on_average() {
        let at = Timestamp::from_nanos;
        assert_eq!(average(&[(at(20), 100), (at(70), 0)], at(100)), 50);
        assert_eq!(average(&[(at(0), u64::MAX)], at(u64::MAX)), u64::MAX);
        assert_eq!(average(&[], at(0)), 0);
    }
}
