//! Stacks with their times and their allocations.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::{Serialize, Serializer};

use super::detail::{MIB, Whole, part};
use super::files;
use crate::analysis::Profile;
use crate::analysis::sites::places::OTHER;
use crate::export::names::Name;
use crate::ids::{FrameId, StackId};
use crate::record::{Frame, Function, Lang};

/// Stacks at most, and frames in them all; the other stacks are one.
const STACKS: usize = 2_000;
const FRAMES: usize = 100_000;

/// What was seen in one stack, or in those that are not told apart.
#[derive(Clone, Copy, Default)]
struct Seen {
    stack: Option<StackId>,
    is_other: bool,
    /// What stacks are sorted by: nanoseconds or bytes.
    weight: u64,
    /// Nanoseconds: Python, native, system.
    times: [u64; 3],
    samples: u64,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.weight = self.weight.saturating_add(other.weight);
        self.samples = self.samples.saturating_add(other.samples);
        for (sum, ns) in self.times.iter_mut().zip(other.times) {
            *sum = sum.saturating_add(ns);
        }
    }
}

/// The heaviest stacks, the heaviest first; at last the others together.
fn heaviest(profile: &Profile, mut all: Vec<Seen>) -> Vec<Seen> {
    all.retain(|seen| seen.weight > 0);
    all.sort_unstable_by_key(|seen| seen.stack);
    all.dedup_by(|next, kept| {
        let same = next.stack == kept.stack;
        if same {
            kept.add(next);
        }
        same
    });
    all.sort_unstable_by_key(|seen| (Reverse(seen.weight), seen.stack));
    let mut other = Seen { is_other: true, ..Seen::default() };
    let (mut stacks, mut frames) = (0, 0);
    all.retain(|seen| {
        let left = FRAMES - frames;
        let depth = match stacks < STACKS {
            true => profile.tables.walk(seen.stack).take(left + 1).count(),
            false => left + 1,
        };
        let fits = depth <= left;
        if fits {
            (stacks, frames) = (stacks + 1, frames + depth);
        } else {
            other.add(seen);
        }
        fits
    });
    if other.weight > 0 {
        all.push(other);
    }
    // There can have been a million.
    all.shrink_to_fit();
    all
}

/// Stacks with their numbers of samples.
pub(super) struct Stacks<'a> {
    profile: &'a Profile,
    whole: &'a Whole,
    seen: Vec<Seen>,
}

impl<'a> Stacks<'a> {
    pub(super) fn of(profile: &'a Profile, whole: &'a Whole) -> Self {
        let all = profile.time.iter().filter(|sum| whole.counts(sum)).map(|sum| {
            let mut times = [0; 3];
            times[part(sum.class)] = sum.weight_ns;
            let (weight, samples) = (sum.weight_ns, sum.samples);
            Seen { stack: sum.stack, is_other: false, weight, times, samples }
        });
        Self { profile, whole, seen: heaviest(profile, all.collect()) }
    }
}

impl Serialize for Stacks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = |seen: &Seen| (frames(self.profile, seen), seen.samples);
        serializer.collect_seq(self.seen.iter().map(entry))
    }
}

/// Stacks with the MiB that were allocated in them.
pub(super) struct MemoryStacks<'a> {
    profile: &'a Profile,
    seen: Vec<Seen>,
}

pub(super) fn memory_stacks(profile: &Profile) -> MemoryStacks<'_> {
    let all = profile.memory.iter().map(|sum| {
        let weight = sum.alloc_bytes;
        Seen { stack: sum.stack, weight, samples: sum.samples, ..Seen::default() }
    });
    MemoryStacks { profile, seen: heaviest(profile, all.collect()) }
}

impl Serialize for MemoryStacks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = |seen: &Seen| (frames(self.profile, seen), seen.weight as f64 / MIB);
        serializer.collect_seq(self.seen.iter().map(entry))
    }
}

/// Field names are Scalene's.
#[derive(Serialize)]
struct FrameOf {
    kind: &'static str,
    display_name: String,
    filename_or_module: String,
    line: Option<u32>,
    ip: Option<u64>,
    offset: Option<u64>,
}

impl FrameOf {
    fn native(display_name: String, filename_or_module: String) -> Self {
        let (kind, line) = ("native", None);
        Self { kind, display_name, filename_or_module, line, ip: None, offset: None }
    }

    fn of(profile: &Profile, id: FrameId) -> Self {
        let name = Name::of(&profile.tables, id).function;
        let Some((frame, function)) = known(profile, id) else {
            return Self::native(name, String::new());
        };
        let file = files::name(profile, function.file);
        match function.lang {
            Lang::Python => {
                let line = Some(frame.line);
                Self { kind: "py", line, ..Self::native(name, file) }
            }
            Lang::Native | Lang::Other => Self::native(name, file),
        }
    }
}

fn known(profile: &Profile, id: FrameId) -> Option<(Frame, Function)> {
    let frame = profile.tables.frame(id)?;
    Some((frame, profile.tables.function(frame.function)?))
}

/// Frames outermost first.
fn frames(profile: &Profile, seen: &Seen) -> Vec<FrameOf> {
    if seen.is_other {
        return vec![FrameOf::native(OTHER.to_owned(), String::new())];
    }
    let frames = profile.tables.walk(seen.stack).map(|id| FrameOf::of(profile, id));
    let mut frames: Vec<FrameOf> = frames.collect();
    frames.reverse();
    if frames.is_empty() {
        frames.push(FrameOf::native(Name::no_stack().function, String::new()));
    }
    frames
}

/// The Python frames of [`Stacks`].
pub(super) struct PythonStacks<'a> {
    profile: &'a Profile,
    whole: &'a Whole,
    seen: Vec<(Vec<FrameId>, Seen)>,
}

pub(super) fn python_stacks<'a>(profile: &'a Profile, stacks: &Stacks<'a>) -> PythonStacks<'a> {
    let is_python = |id: &FrameId| known(profile, *id).is_some_and(|f| f.1.lang == Lang::Python);
    let mut seen: Vec<(Vec<FrameId>, Seen)> = Vec::new();
    let mut places: HashMap<Vec<FrameId>, usize> = HashMap::new();
    for one in &stacks.seen {
        let stack = if one.is_other { None } else { one.stack };
        let mut frames: Vec<FrameId> = profile.tables.walk(stack).filter(is_python).collect();
        frames.reverse();
        let next = seen.len();
        let at = *places.entry(frames.clone()).or_insert(next);
        match at == next {
            true => seen.push((frames, *one)),
            false => seen[at].1.add(one),
        }
    }
    PythonStacks { profile, whole: stacks.whole, seen }
}

#[derive(Serialize)]
struct Times {
    count: u64,
    python_time: f64,
    c_time: f64,
    cpu_samples: f64,
}

impl Serialize for PythonStacks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.seen.iter().map(|(frames, seen)| {
            let frames: Vec<String> = frames
                .iter()
                .map(|id| {
                    let frame = FrameOf::of(self.profile, *id);
                    let line = frame.line.unwrap_or(0);
                    format!("{} {}:{line};", frame.filename_or_module, frame.display_name)
                })
                .collect();
            let [python, native, _] = seen.times.map(|ns| self.whole.share_of_time(ns));
            let times = Times {
                count: seen.samples,
                python_time: python,
                c_time: native,
                cpu_samples: self.whole.share_of_time(seen.weight),
            };
            (frames, times)
        }))
    }
}
