//! What a tool tells about the threads of a claim, in seconds or in samples.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use profformat::analysis::Profile;
use profformat::ids::{StackId, ThreadId};
use profformat::record::{Class, Lang};

use super::claim::{Claim, Seconds};

/// Figures of one tool; what it does not tell is not there.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// All on-CPU figures are parts of this.
    pub cpu: f64,
    /// All off-CPU figures are parts of this.
    pub wall: f64,
    /// Observations that `cpu` is made of.
    pub samples: u64,
    /// By class; a tool tells those that are there.
    pub classes: Seconds,
    /// On the CPU, by number of the program's line, by itself; `None` if it tells no lines.
    pub lines: Option<BTreeMap<u32, f64>>,
    /// On the CPU, by last part of the function's name, with all that it calls.
    pub functions: Option<Seconds>,
    /// Off the CPU, by number of the program's line.
    pub waits: Option<BTreeMap<u32, f64>>,
    /// CPU seconds of whole threads, in the order of the claim's.
    pub threads: Vec<f64>,
}

impl Told {
    /// What a trace tells. `file`: the program's.
    pub fn of_profile(profile: &Profile, claim: &Claim, file: &Path) -> Self {
        let mut places = Places { profile, file, root: &claim.root, known: HashMap::new() };
        let order = threads(profile, claim);
        let (mut lines, mut waits) = (BTreeMap::new(), BTreeMap::new());
        let mut functions = Seconds::new();
        let names = Class::ALL.map(name).into_iter().chain(["off"]);
        let mut told = Self {
            classes: names.map(|name| (name.to_owned(), 0.0)).collect(),
            threads: vec![0.0; claim.threads.len()],
            ..Self::default()
        };
        for sum in &profile.time {
            let Some(&thread) = order.get(&sum.thread) else { continue };
            let seconds = sum.weight_ns as f64 / 1e9;
            let place = places.of(sum.stack);
            let mut add = |class: &str| *told.classes.entry(class.into()).or_default() += seconds;
            if sum.class.on_cpu() {
                told.threads[thread] += seconds;
                if !place.in_root {
                    continue;
                }
                add(name(sum.class));
                told.cpu += seconds;
                told.samples += sum.samples;
                *lines.entry(place.line).or_default() += seconds;
                for function in &place.functions {
                    *functions.entry(function.clone()).or_default() += seconds;
                }
            } else {
                add(name(sum.class));
                add("off");
                *waits.entry(place.line).or_default() += seconds;
            }
        }
        // Seconds are compared with seconds.
        told.wall = claim.wall_s;
        (told.lines, told.waits, told.functions) = (Some(lines), Some(waits), Some(functions));
        told
    }
}

fn name(class: Class) -> &'static str {
    match class {
        Class::Python => "python",
        Class::Native => "native",
        Class::Gc => "gc",
        Class::Kernel => "kernel",
        Class::Gil => "gil",
        Class::Wait => "wait",
    }
}

/// The place of each thread of the claim in it, by its id in the trace.
fn threads(profile: &Profile, claim: &Claim) -> HashMap<ThreadId, usize> {
    let pids: HashMap<_, _> = profile.processes.iter().map(|(p, _)| (p.id, p.pid)).collect();
    let ids = profile.threads.iter().filter_map(|(thread, _)| {
        let pid = *pids.get(&thread.process)?;
        let same = |t: &super::claim::Thread| (t.pid, t.tid) == (pid, thread.tid);
        Some((thread.id, claim.threads.iter().position(same)?))
    });
    ids.collect()
}

/// What of a stack counts.
#[derive(Clone, Debug, Default)]
struct Place {
    in_root: bool,
    /// Of the innermost Python frame, if that is the program's; else 0.
    line: u32,
    functions: Vec<String>,
}

/// The places of stacks that were looked at.
#[derive(Debug)]
struct Places<'a> {
    profile: &'a Profile,
    file: &'a Path,
    root: &'a str,
    known: HashMap<Option<StackId>, Place>,
}

impl Places<'_> {
    fn of(&mut self, stack: Option<StackId>) -> &Place {
        let (profile, file, root) = (self.profile, self.file, self.root);
        self.known.entry(stack).or_insert_with(|| {
            let mut place = Place::default();
            let mut innermost = true;
            for id in profile.tables.walk(stack) {
                let Some(frame) = profile.tables.frame(id) else { continue };
                let Some(function) = profile.tables.function(frame.function) else { continue };
                if function.lang != Lang::Python {
                    continue;
                }
                let source = profile.tables.text(function.file);
                let own = Path::new(&*source).file_name() == file.file_name();
                if innermost && own {
                    place.line = frame.line;
                }
                innermost = false;
                let name = profile.tables.text(function.name);
                let name = name.rsplit('.').next().unwrap_or_default();
                place.in_root |= name == root;
                if !place.functions.iter().any(|known| known == name) {
                    place.functions.push(name.to_owned());
                }
            }
            place
        })
    }
}
