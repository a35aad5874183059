//! Figures by source line and by function.
//!
//! Which frames of a stack are sites is decided in `places`, what a line's time went into in `why`, who copied in
//! `copiers`.

pub(crate) mod copiers;
mod curves;
pub(crate) mod places;
mod stacks;
mod why;

pub use copiers::Copier;
pub use curves::{Curve, curves};

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;

use self::places::{Place, Places, text};
use self::stacks::by_stack;
use self::why::Parts;
use crate::analysis::family::Hottest;
use crate::analysis::leaks::{self, Leak, Spread};
use crate::analysis::{COPY_SIZES, Profile, TimeSum, copies};
use crate::ids::StringId;
use crate::record::Class;
use crate::tables::Tables;

/// What one source line did. Self figures are those of samples whose innermost Python frame is on the line;
/// a stack without any Python frame counts for its innermost frame, its memory and copies for the innermost
/// line of a source that is not the compiler's or the system's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Source file.
    pub file: StringId,
    /// Line, 0 when unknown.
    pub line: u32,
    /// Qualified name of the function the line belongs to.
    pub function: StringId,
    /// Self time in nanoseconds by [`Class::code`].
    pub self_ns: [u64; Class::ALL.len()],
    /// Number of on-CPU samples in `self_ns`.
    pub samples: u64,
    /// Sum of squared weights (ns squared) of those samples.
    pub self_squares: u128,
    /// CPU time of every sample that has the line anywhere on its stack, each once.
    pub total_cpu_ns: u64,
    /// Number of those samples.
    pub total_samples: u64,
    /// Sum of their squared weights (ns squared).
    pub total_squares: u128,
    /// The largest parts of `total_cpu_ns`, largest first.
    pub why: Vec<Why>,
    /// The lines that lead here, with their part of `total_cpu_ns`, largest first, at most 3.
    pub callers: Vec<(StringId, u32, u64)>,
    /// Bytes allocated here.
    pub alloc_bytes: u64,
    /// Bytes of those through Python's allocators.
    pub alloc_python_bytes: u64,
    /// Estimated number of allocations.
    pub alloc_count: u64,
    /// Number of samples that these were scaled up from.
    pub alloc_samples: u64,
    /// Bytes from here that were live when the footprint was highest.
    pub live_at_peak_bytes: u64,
    /// Followed blocks among them.
    pub live_at_peak_blocks: u64,
    /// Bytes from here that were never freed.
    pub live_at_end_bytes: u64,
    /// Followed blocks among them.
    pub live_at_end_blocks: u64,
    /// Bytes from here that were freed within 10 ms.
    pub churn_bytes: u64,
    /// How it grows, if it does.
    pub leak: Option<Leak>,
    /// Bytes copied here.
    pub copy_bytes: u64,
    /// Estimated number of copies.
    pub copy_count: u64,
    /// Number of samples that these were scaled up from.
    pub copy_samples: u64,
    /// Bytes copied, by the size of the copy: up to each of [`COPY_SIZES`], and larger.
    pub copy_sizes: [u64; COPY_SIZES.len() + 1],
    /// Whose code copied, largest first. What the trace does not tell is left out.
    pub copiers: Vec<Copier>,
    /// CPU nanoseconds in the C library's copying, as far as samples of time met it there.
    pub copy_cpu_ns: u64,
}

impl Site {
    /// Self time on CPU, nanoseconds.
    pub fn self_cpu_ns(&self) -> u64 {
        on_cpu(&self.self_ns)
    }
}

/// Time on CPU among the times of all classes. The weights of a hostile trace can be near 2^64.
pub(super) fn on_cpu(ns: &[u64; Class::ALL.len()]) -> u64 {
    let classes = Class::ALL.iter().filter(|class| class.on_cpu());
    classes.map(|class| ns[class.code() as usize]).fold(0, u64::saturating_add)
}

/// A part of a line's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// What kind of part.
    pub what: WhyKind,
    /// The module or native function, or the function that is called; see [`name`](Self::name).
    pub function: Option<StringId>,
    /// CPU nanoseconds.
    pub cpu_ns: u64,
}

impl Why {
    /// Its name, as far as it is shown: a module or native function, a called function, `gc`, `kernel`; else empty.
    pub fn name<'a>(&self, tables: &'a Tables) -> Cow<'a, str> {
        match (self.what, self.function) {
            (_, Some(function)) => text(tables.string(function)),
            (WhyKind::Gc, None) => "gc".into(),
            (WhyKind::Kernel, None) => "kernel".into(),
            (_, None) => "".into(),
        }
    }
}

/// Kinds of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WhyKind {
    /// Python work of the line itself.
    Itself,
    /// Garbage collection set off here.
    Gc,
    /// Native code called here.
    Native,
    /// System calls made here.
    Kernel,
    /// A Python function called here, with everything below it.
    Callee,
}

impl WhyKind {
    const ALL: [Self; 5] = [Self::Itself, Self::Gc, Self::Native, Self::Kernel, Self::Callee];
}

/// What one function did, all its lines together; a recursive call counts once in the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSum {
    /// Source file.
    pub file: StringId,
    /// Qualified name.
    pub function: StringId,
    /// Line of its definition.
    pub first_line: u32,
    /// Self time in nanoseconds by [`Class::code`].
    pub self_ns: [u64; Class::ALL.len()],
    /// Number of on-CPU samples in `self_ns`.
    pub samples: u64,
    /// Sum of squared weights of those samples.
    pub self_squares: u128,
    /// CPU time of every sample that has the function on its stack, each once.
    pub total_cpu_ns: u64,
}

impl FunctionSum {
    /// Self time on CPU, nanoseconds.
    pub fn self_cpu_ns(&self) -> u64 {
        on_cpu(&self.self_ns)
    }
}

/// The figures of every line that did anything: self time, total time, memory or copies. Sorted by self
/// CPU time, then total, largest first. What has no stack stands under the function `[no stack]` of no
/// file, if the profile's tables have that name, else of no name.
pub fn sites(profile: &Profile) -> Vec<Site> {
    let mut places = Places::of_lines(&profile.tables);
    let mut sites: Vec<Site> = Vec::new();
    let mut parts = Parts::default();
    for time in by_stack(&profile.time) {
        let route = places.route(time.stack);
        // Beside the bytes that it copied.
        let copying = route.copies.then(|| places.of_memory(time.stack));
        fit(&mut sites, &places, site);
        let cpu_ns = on_cpu(&time.ns);
        let own = &mut sites[route.leaf];
        add_up(&mut own.self_ns, &time.ns);
        own.samples = own.samples.saturating_add(time.samples);
        own.self_squares = own.self_squares.saturating_add(time.squares);
        if let Some(at) = copying {
            sites[at].copy_cpu_ns = sites[at].copy_cpu_ns.saturating_add(cpu_ns);
        }
        for step in &route.steps {
            let site = &mut sites[step.place];
            site.total_cpu_ns = site.total_cpu_ns.saturating_add(cpu_ns);
            site.total_samples = site.total_samples.saturating_add(time.samples);
            site.total_squares = site.total_squares.saturating_add(time.squares);
            parts.add(&route, step, &time.ns);
        }
    }
    for sum in &profile.memory {
        let leaf = places.of_memory(sum.stack);
        fit(&mut sites, &places, site);
        let site = &mut sites[leaf];
        site.alloc_bytes = site.alloc_bytes.saturating_add(sum.alloc_bytes);
        site.alloc_python_bytes = site.alloc_python_bytes.saturating_add(sum.alloc_python_bytes);
        site.alloc_count = site.alloc_count.saturating_add(sum.alloc_count);
        site.alloc_samples = site.alloc_samples.saturating_add(sum.samples);
        site.live_at_peak_bytes = site.live_at_peak_bytes.saturating_add(sum.live_at_peak_bytes);
        site.live_at_peak_blocks = site.live_at_peak_blocks.saturating_add(sum.live_at_peak_blocks);
        site.live_at_end_bytes = site.live_at_end_bytes.saturating_add(sum.live_at_end_bytes);
        site.live_at_end_blocks = site.live_at_end_blocks.saturating_add(sum.live_at_end_blocks);
        site.churn_bytes = site.churn_bytes.saturating_add(sum.churn_bytes);
    }
    judge_leaks(profile, &mut places, &mut sites);
    for sum in &profile.copies {
        let leaf = places.of_memory(sum.stack);
        fit(&mut sites, &places, site);
        let site = &mut sites[leaf];
        site.copy_bytes = site.copy_bytes.saturating_add(sum.copy_bytes);
        site.copy_count = site.copy_count.saturating_add(sum.copy_count);
        site.copy_samples = site.copy_samples.saturating_add(sum.samples);
        copies::add_sizes(&mut site.copy_sizes, &sum.copy_sizes);
        if !profile.tables.string(sum.copier).is_empty() {
            site.copiers.push(Copier { module: sum.copier, bytes: sum.copy_bytes });
        }
    }
    for site in &mut sites {
        site.copiers = copiers::added_up(std::mem::take(&mut site.copiers));
    }
    parts.finish(&profile.tables, &mut sites);
    // Native frames below a Python line were met, but are not sites.
    sites.retain(|site| *site != self::site(Place::of(site)));
    sites.sort_unstable_by(|a, b| {
        let size = |s: &Site| (s.self_cpu_ns(), s.total_cpu_ns);
        let place = |s: &Site| (s.file, s.line, s.function);
        size(b).cmp(&size(a)).then_with(|| place(a).cmp(&place(b)))
    });
    sites
}

/// Finds the lines that leak. What the import system loads stays on purpose.
fn judge_leaks(profile: &Profile, places: &mut Places<'_>, sites: &mut [Site]) {
    let leaves = profile.births.iter().map(|births| places.of_memory(births.stack));
    let mut by_site: Vec<(usize, u32)> = leaves.zip(0..).collect();
    by_site.sort_unstable();
    for births in by_site.chunk_by(|a, b| a.0 == b.0) {
        // Every place of memory is a site by now.
        let Some(site) = sites.get_mut(births[0].0) else { continue };
        let imports = profile.tables.string(site.file).starts_with(b"<frozen importlib");
        if site.line != 0 && !imports {
            let spread = Spread::of(births.iter().map(|(_, at)| &profile.births[*at as usize]));
            site.leak = leaks::judge(&spread, site.live_at_end_bytes, site.alloc_bytes);
        }
    }
}

/// The figures of every function that used any time, sorted by self CPU time, then total, largest first.
pub fn functions(profile: &Profile) -> Vec<FunctionSum> {
    let mut places = Places::of_functions(&profile.tables);
    let mut functions: Vec<FunctionSum> = Vec::new();
    for time in by_stack(&profile.time) {
        let route = places.route(time.stack);
        fit(&mut functions, &places, function);
        let cpu_ns = on_cpu(&time.ns);
        let own = &mut functions[route.leaf];
        add_up(&mut own.self_ns, &time.ns);
        own.samples = own.samples.saturating_add(time.samples);
        own.self_squares = own.self_squares.saturating_add(time.squares);
        for step in &route.steps {
            let total = &mut functions[step.place].total_cpu_ns;
            *total = total.saturating_add(cpu_ns);
        }
    }
    functions.retain(|f| f.total_cpu_ns > 0 || f.self_ns.iter().any(|ns| *ns > 0));
    functions.sort_unstable_by(|a, b| {
        let size = |f: &FunctionSum| (f.self_cpu_ns(), f.total_cpu_ns);
        let place = |f: &FunctionSum| (f.file, f.first_line, f.function);
        size(b).cmp(&size(a)).then_with(|| place(a).cmp(&place(b)))
    });
    functions
}

/// Innermost lines of stacks.
pub(super) struct Leaves<'a> {
    places: Places<'a>,
}

impl<'a> Leaves<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        Self { places: Places::of_lines(tables) }
    }

    /// The line with most of the CPU time of these sums; the one met first of several.
    pub(super) fn hottest(&mut self, sums: &[TimeSum]) -> Option<Hottest> {
        let mut by_line: HashMap<usize, u64> = HashMap::new();
        for sum in sums.iter().filter(|sum| sum.class.on_cpu()) {
            let ns = by_line.entry(self.places.route(sum.stack).leaf).or_default();
            *ns = ns.saturating_add(sum.weight_ns);
        }
        let (leaf, cpu_ns) = by_line.into_iter().max_by_key(|&(leaf, ns)| (ns, Reverse(leaf)))?;
        let Place { file, line, function } = self.places.met()[leaf];
        Some(Hottest { file, line, function, cpu_ns })
    }
}

fn add_up(into: &mut [u64; Class::ALL.len()], ns: &[u64; Class::ALL.len()]) {
    for (into, ns) in into.iter_mut().zip(ns) {
        *into = into.saturating_add(*ns);
    }
}

/// Makes an entry for every place that has been met.
fn fit<T>(entries: &mut Vec<T>, places: &Places<'_>, make: fn(Place) -> T) {
    let new = places.met().iter().skip(entries.len()).map(|place| make(*place));
    entries.extend(new);
}

fn site(place: Place) -> Site {
    Site {
        file: place.file,
        line: place.line,
        function: place.function,
        self_ns: [0; Class::ALL.len()],
        samples: 0,
        self_squares: 0,
        total_cpu_ns: 0,
        total_samples: 0,
        total_squares: 0,
        why: Vec::new(),
        callers: Vec::new(),
        alloc_bytes: 0,
        alloc_python_bytes: 0,
        alloc_count: 0,
        alloc_samples: 0,
        live_at_peak_bytes: 0,
        live_at_peak_blocks: 0,
        live_at_end_bytes: 0,
        live_at_end_blocks: 0,
        churn_bytes: 0,
        leak: None,
        copy_bytes: 0,
        copy_count: 0,
        copy_samples: 0,
        copy_sizes: [0; COPY_SIZES.len() + 1],
        copiers: Vec::new(),
        copy_cpu_ns: 0,
    }
}

fn function(place: Place) -> FunctionSum {
    FunctionSum {
        file: place.file,
        function: place.function,
        first_line: place.line,
        self_ns: [0; Class::ALL.len()],
        samples: 0,
        self_squares: 0,
        total_cpu_ns: 0,
    }
}
