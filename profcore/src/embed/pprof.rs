//! A snapshot as pprof: the format of `go tool pprof` and of the servers that take it.
//!
//! An encoder of our own: `profile.proto` needs no more than numbers, texts and messages in messages, and a generator
//! would cost every program that embeds the profiler some crates. Not compressed: pprof and the servers take it as it
//! is, and who wants gzip puts it around the output.

#[cfg(test)]
mod decode;
mod file;
mod message;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::labels::Value as Set;
use super::{Sample, Snapshot, What, remarks};
use file::{File, Head};

/// Bits behind the point of a number of objects.
const POINT: u32 = 32;

impl Snapshot {
    /// Writes its CPU time as a pprof profile, not compressed: sample types `samples` (count) and `cpu` (nanoseconds).
    ///
    /// Samples of the same stack and labels are added up. Labels: `thread` and `tid`. CPU time of the process that no
    /// sample stands for, and that of the profiler itself, is told in the profile's comments and is in no sample.
    /// With the feature `symbolize` it has names and lines, see `Symbols` for what that costs; without, `pprof` finds
    /// them itself where it finds the files that were mapped; addresses of callers are their return addresses, so that
    /// it can name the line after a call.
    ///
    /// # Errors
    /// Those of `out`; what was written until then is no profile.
    pub fn write_pprof(&self, out: impl Write) -> io::Result<()> {
        let mut sums = Sums::default();
        for sample in self.samples() {
            if let What::Cpu { ns } = sample.what() {
                sums.add(&sample, [1, ns.into(), 0, 0]);
            }
        }
        let head = Head {
            types: &[["samples", "count"], ["cpu", "nanoseconds"]],
            shown_first: "cpu",
            period_type: ["cpu", "nanoseconds"],
            period: self.cpu_interval_ns,
            comments: remarks::of_cpu(self),
        };
        self.write(out, &head, sums, |values| values)
    }

    /// Writes its allocations as a pprof profile, not compressed, with the sample types of Go's heap profiles:
    /// `alloc_objects`, `alloc_space` (bytes) within the snapshot, `inuse_objects`, `inuse_space` (bytes) at its end,
    /// of blocks that were allocated since the profiler's start.
    ///
    /// Values are scaled up: they estimate all allocations, not the sampled ones. Otherwise as
    /// [`write_pprof`](Self::write_pprof).
    ///
    /// # Errors
    /// Those of `out`; what was written until then is no profile.
    pub fn write_heap_pprof(&self, out: impl Write) -> io::Result<()> {
        let mut sums = Sums::default();
        for sample in self.samples() {
            if let What::Alloc { bytes, size } = sample.what() {
                sums.add(&sample, [objects(bytes, size), bytes.into(), 0, 0]);
            }
        }
        for sample in self.live() {
            if let What::Alloc { bytes, size } = sample.what() {
                sums.add(&sample, [0, 0, objects(bytes, size), bytes.into()]);
            }
        }
        let head = Head {
            types: &[
                ["alloc_objects", "count"],
                ["alloc_space", "bytes"],
                ["inuse_objects", "count"],
                ["inuse_space", "bytes"],
            ],
            shown_first: "inuse_space",
            period_type: ["space", "bytes"],
            period: self.alloc_interval,
            comments: Vec::new(),
        };
        self.write(out, &head, sums, |[alloc, alloc_bytes, held, held_bytes]| {
            [whole(alloc), alloc_bytes, whole(held), held_bytes]
        })
    }

    fn write(
        &self,
        out: impl Write,
        head: &Head<'_>,
        sums: Sums<'_>,
        told: impl Fn([u128; 4]) -> [u128; 4],
    ) -> io::Result<()> {
        let mut file = File::begin(self, out, head)?;
        for ((stack, labels), values) in &sums.sums {
            file.sample(stack, labels, &told(*values)[..head.types.len()])?;
        }
        file.finish()
    }
}

/// How many objects a sample stands for, in parts of `1 << POINT`. They are rounded when all are added up: a rounding
/// of each sample would go the same way for all of one size.
fn objects(bytes: u64, size: u64) -> u128 {
    (u128::from(bytes) << POINT) / u128::from(size.max(1))
}

/// A number of objects, rounded; what has bytes is at least one.
fn whole(objects: u128) -> u128 {
    if objects == 0 { 0 } else { (objects.saturating_add(1 << (POINT - 1)) >> POINT).max(1) }
}

/// A label's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value<'s> {
    Text(Cow<'s, str>),
    Number(u64),
}

/// What a sample's labels are, each key once. The empty text and 0 are no values in this format.
type Labels<'s> = Vec<(Cow<'s, str>, Value<'s>)>;

fn labels<'s>(sample: &Sample<'s>) -> Labels<'s> {
    let (tid, name) = sample.thread();
    let mut labels = Vec::new();
    if !name.is_empty() {
        labels.push((Cow::Borrowed("thread"), Value::Text(name.into())));
    }
    if tid != 0 {
        labels.push((Cow::Borrowed("tid"), Value::Number(tid.into())));
    }
    for (key, value) in sample.labels().filter(|label| !["thread", "tid"].contains(&label.0)) {
        let value = match value {
            Set::Number(number) => Value::Number(number),
            Set::Text(text) => Value::Text(text.into()),
        };
        labels.push((Cow::Borrowed(key), value));
    }
    labels
}

/// Values by stack and labels; in their order, so that the same snapshot gives the same bytes.
#[derive(Debug, Default)]
struct Sums<'s> {
    sums: BTreeMap<(&'s [u64], Labels<'s>), [u128; 4]>,
}

impl<'s> Sums<'s> {
    fn add(&mut self, sample: &Sample<'s>, values: [u128; 4]) {
        let sum = self.sums.entry((sample.stack(), labels(sample))).or_default();
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum = sum.saturating_add(value);
        }
    }
}
