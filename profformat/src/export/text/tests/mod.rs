//! Reports of profiles built by hand.

mod clauses;
mod family;
mod golden;
mod states;
mod width;

use std::collections::BTreeMap;

use super::{Figures, Options, Source, write_figures};
use crate::analysis::leaks::Leak;
use crate::analysis::sites::{Copier, FunctionSum, Site, Why, WhyKind};
use crate::analysis::{
    Change, CopySum, FootprintCurve, FootprintPoint, MemorySum, Profile, TimeSum,
};
use crate::ids::{FrameId, ProcessId, StackId, ThreadId};
use crate::record::{Class, Frame, Function, Header, Lang, Outcome, Process, ProcessEnd, Thread};
use crate::tables::Interner;
use crate::units::Timestamp;

/// A frame of a test stack.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) file: &'static str,
    pub(super) function: &'static str,
    pub(super) line: u32,
    pub(super) lang: Lang,
}

pub(super) const fn py(file: &'static str, function: &'static str, line: u32) -> At {
    At { file, function, line, lang: Lang::Python }
}

pub(super) const fn native(file: &'static str, function: &'static str) -> At {
    At { file, function, line: 0, lang: Lang::Native }
}

pub(super) const TICK: u64 = 10_000_000;
pub(super) const MIB: u64 = 1 << 20;

/// Builds a profile and the figures that the analysis would compute from it.
pub(super) struct Fixture {
    names: Interner,
    pub(super) profile: Profile,
    pub(super) figures: Figures,
}

impl Fixture {
    pub(super) fn new(command: &[&str], elapsed_ms: u64) -> Self {
        let command: Vec<Vec<u8>> = command.iter().map(|a| a.as_bytes().to_vec()).collect();
        let process = Process {
            id: ProcessId::new(0),
            parent: None,
            pid: 100,
            time: Timestamp::ZERO,
            command: command.clone(),
            python: "3.11.7".into(),
            profiled: true,
        };
        let end = ProcessEnd {
            id: ProcessId::new(0),
            time: Timestamp::from_nanos(elapsed_ms * 1_000_000),
            outcome: Outcome::Exited(0),
            cpu_ns: 0,
        };
        let thread = Thread {
            id: ThreadId::new(0),
            process: ProcessId::new(0),
            tid: 100,
            time: Timestamp::ZERO,
            name: b"MainThread".to_vec(),
        };
        let header = Header {
            start_unix_ns: 1_795_382_098_000_000_000,
            cpu_interval_ns: TICK,
            memory_interval: 131_072,
            copy_interval: MIB,
            command,
            ..Header::default()
        };
        let profile = Profile {
            header,
            processes: vec![(process, Some(end))],
            threads: vec![(thread, None)],
            elapsed: Timestamp::from_nanos(elapsed_ms * 1_000_000),
            complete: true,
            ..Profile::default()
        };
        Self { names: Interner::default(), profile, figures: Figures::default() }
    }

    pub(super) fn count(&mut self, name: &str, value: u64) -> &mut Self {
        self.profile.counters.insert(name.into(), value);
        self
    }

    pub(super) fn charge(&mut self, ms: u64) -> &mut Self {
        if let Some(end) = &mut self.profile.processes[0].1 {
            end.cpu_ns = ms * 1_000_000;
        }
        self
    }

    pub(super) fn end(&mut self, outcome: Outcome) -> &mut Self {
        if let Some(end) = &mut self.profile.processes[0].1 {
            end.outcome = outcome;
        }
        self
    }

    pub(super) fn peak(&mut self, bytes: u64, after_ms: u64) -> &mut Self {
        let peak_time = Timestamp::from_nanos(after_ms * 1_000_000);
        self.profile.footprint =
            FootprintCurve { peak_bytes: bytes, peak_time, ..FootprintCurve::default() };
        self
    }

    /// Memory held from these milliseconds on.
    pub(super) fn held(&mut self, points: &[(u64, u64)]) -> &mut Self {
        let point = |&(ms, bytes): &(u64, u64)| FootprintPoint {
            time: Timestamp::from_nanos(ms * 1_000_000),
            bytes,
            python_bytes: bytes / 4,
        };
        self.profile.footprint.timeline = points.iter().map(point).collect();
        self.profile.footprint.end_bytes = points.last().map_or(0, |point| point.1);
        self
    }

    /// What a stack's allocations held from these parts of the run on, each of half a second.
    pub(super) fn curve(&mut self, stack: &[At], points: &[(u32, i64)]) -> &mut Self {
        let stack = self.stack(stack);
        let mut held = 0;
        self.profile.curves.part_ns = 500_000_000;
        self.profile.curves.changes.extend(points.iter().map(|&(part, bytes)| {
            let change = bytes - std::mem::replace(&mut held, bytes);
            Change { thread: ThreadId::new(0), stack, part, bytes: change }
        }));
        self
    }

    fn frame(&mut self, at: At) -> FrameId {
        let name = self.names.string(at.function.as_bytes());
        let file = self.names.string(at.file.as_bytes());
        let function = self.names.function(Function { name, file, first_line: 0, lang: at.lang });
        self.names.frame(Frame { function, line: at.line })
    }

    fn stack(&mut self, stack: &[At]) -> Option<StackId> {
        let mut id = None;
        for &at in stack {
            let frame = self.frame(at);
            id = Some(self.names.stack(id, frame));
        }
        id
    }

    fn site(&mut self, at: At) -> &mut Site {
        let file = self.names.string(at.file.as_bytes());
        let function = self.names.string(at.function.as_bytes());
        let sites = &mut self.figures.sites;
        let found =
            sites.iter().position(|s| (s.file, s.line, s.function) == (file, at.line, function));
        let index = found.unwrap_or_else(|| {
            sites.push(Site {
                file,
                line: at.line,
                function,
                self_ns: [0; 6],
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
                copy_sizes: [0; 6],
                copiers: Vec::new(),
                copy_cpu_ns: 0,
            });
            sites.len() - 1
        });
        &mut self.figures.sites[index]
    }

    /// Index of the frame that self figures belong to.
    fn leaf(stack: &[At]) -> usize {
        stack.iter().rposition(|at| at.lang == Lang::Python).unwrap_or(stack.len() - 1)
    }

    /// `ticks` samples of one tick each.
    pub(super) fn time(&mut self, stack: &[At], class: Class, ticks: u64) -> &mut Self {
        let (ns, squares) = (ticks * TICK, u128::from(ticks) * u128::from(TICK).pow(2));
        let id = self.stack(stack);
        self.profile.time.push(TimeSum {
            thread: ThreadId::new(0),
            stack: id,
            class,
            weight_ns: ns,
            samples: ticks,
            weight_squares: squares,
        });
        let leaf = Self::leaf(stack);
        for (index, &at) in stack.iter().enumerate().take(leaf + 1) {
            let caller = index.checked_sub(1).map(|i| stack[i]);
            let caller = caller.map(|c| (self.names.string(c.file.as_bytes()), c.line));
            let (what, name) = match class {
                _ if index < leaf => (WhyKind::Callee, Some(stack[index + 1].function)),
                Class::Native => (WhyKind::Native, Some(stack[stack.len() - 1].function)),
                Class::Gc => (WhyKind::Gc, None),
                Class::Kernel => (WhyKind::Kernel, None),
                _ => (WhyKind::Itself, None),
            };
            let function = name.map(|name| self.names.string(name.as_bytes()));
            let site = self.site(at);
            if class.on_cpu() {
                site.total_cpu_ns += ns;
                site.total_samples += ticks;
                site.total_squares += squares;
                match site.why.iter_mut().find(|w| w.what == what && w.function == function) {
                    Some(why) => why.cpu_ns += ns,
                    None => site.why.push(Why { what, function, cpu_ns: ns }),
                }
                site.why.sort_by_key(|why| std::cmp::Reverse(why.cpu_ns));
                if let Some((file, line)) = caller {
                    match site.callers.iter_mut().find(|c| (c.0, c.1) == (file, line)) {
                        Some(known) => known.2 += ns,
                        None => site.callers.push((file, line, ns)),
                    }
                }
            }
            if index == leaf {
                site.self_ns[class.code() as usize] += ns;
                if class.on_cpu() {
                    site.samples += ticks;
                    site.self_squares += squares;
                }
            }
        }
        self
    }

    /// Bytes allocated in blocks of `size`, live at the peak, and live at the end.
    pub(super) fn alloc(
        &mut self,
        stack: &[At],
        size: u64,
        alloc: u64,
        peak: u64,
        kept: u64,
    ) -> &mut Self {
        let id = self.stack(stack);
        let sample = 131_072.max(size);
        self.profile.memory.push(MemorySum {
            thread: ThreadId::new(0),
            stack: id,
            samples: alloc / sample,
            alloc_bytes: alloc,
            alloc_count: alloc / size,
            alloc_python_bytes: alloc,
            live_at_peak_bytes: peak,
            live_at_peak_blocks: peak / sample,
            live_at_end_bytes: kept,
            live_at_end_blocks: kept / sample,
            churn_bytes: 0,
        });
        let site = self.site(stack[Self::leaf(stack)]);
        site.alloc_bytes += alloc;
        site.alloc_python_bytes += alloc;
        site.alloc_count += alloc / size;
        site.live_at_peak_bytes += peak;
        site.live_at_end_bytes += kept;
        site.live_at_end_blocks += kept / sample;
        self
    }

    /// Bytes of what the line allocated were freed at once.
    pub(super) fn churn(&mut self, stack: &[At], bytes: u64) -> &mut Self {
        self.site(stack[Self::leaf(stack)]).churn_bytes += bytes;
        self
    }

    /// What was kept of it was allocated all along.
    pub(super) fn leaks(&mut self, stack: &[At], bytes_per_s: u64) -> &mut Self {
        let id = self.stack(stack);
        let site = self.site(stack[Self::leaf(stack)]);
        site.leak = Some(Leak {
            bytes_per_s,
            low: bytes_per_s - bytes_per_s / 4,
            high: bytes_per_s + bytes_per_s / 4,
            blocks: site.live_at_end_blocks,
            oldest: Timestamp::from_nanos(310_000_000),
            stack: id,
        });
        self
    }

    pub(super) fn copy(&mut self, stack: &[At], by: &str, size: u64, bytes: u64) -> &mut Self {
        let (id, copier) = (self.stack(stack), self.names.string(by.as_bytes()));
        self.profile.copies.push(CopySum {
            thread: ThreadId::new(0),
            stack: id,
            copier,
            samples: bytes / MIB,
            copy_bytes: bytes,
            copy_count: bytes / size,
            copy_sizes: [0, 0, 0, 0, bytes, 0],
        });
        let site = self.site(stack[Self::leaf(stack)]);
        site.copy_bytes += bytes;
        site.copy_count += bytes / size;
        site.copy_sizes[4] += bytes;
        site.copiers.push(Copier { module: copier, bytes });
        self
    }

    /// `ticks` of the time of a stack's line were seen in copying.
    pub(super) fn copying(&mut self, stack: &[At], ticks: u64) -> &mut Self {
        self.site(stack[Self::leaf(stack)]).copy_cpu_ns += ticks * TICK;
        self
    }

    /// Functions from sites: good enough where no function is recursive.
    fn functions(&self) -> Vec<FunctionSum> {
        let mut sums: BTreeMap<_, FunctionSum> = BTreeMap::new();
        for site in &self.figures.sites {
            let sum = sums.entry((site.file, site.function)).or_insert_with(|| FunctionSum {
                file: site.file,
                function: site.function,
                first_line: site.line.saturating_sub(1),
                self_ns: [0; 6],
                samples: 0,
                self_squares: 0,
                total_cpu_ns: 0,
            });
            for (into, from) in sum.self_ns.iter_mut().zip(site.self_ns) {
                *into += from;
            }
            sum.samples += site.samples;
            sum.self_squares += site.self_squares;
            sum.total_cpu_ns += site.total_cpu_ns;
        }
        sums.into_values().collect()
    }

    pub(super) fn finish(&mut self) -> (Profile, Figures) {
        self.profile.tables = self.names.tables().clone();
        let figures = Figures { sites: self.figures.sites.clone(), functions: self.functions() };
        (self.profile.clone(), figures)
    }

    pub(super) fn report(&mut self, options: &Options) -> String {
        let (profile, figures) = self.finish();
        let mut out = Vec::new();
        write_figures(&profile, figures.clone(), options, &Lines, &mut out)
            .expect("a vector takes all");
        String::from_utf8(out).expect("reports are text")
    }
}

/// Source of the test files.
pub(super) struct Lines;

impl Source for Lines {
    fn line(&self, file: &[u8], line: u32) -> Option<String> {
        let text = match (file, line) {
            (b"/w/docs_html.py", 17) => {
                "        return core.publish_string(source, writer_name='html')"
            }
            (b"/w/docs_html.py", 34) => "words.setdefault(w, []).append(name)",
            (b"/w/docs_html.py", 43) => "\tkeep.append(bytes(bytearray(blob) * 8))\t# grow",
            (b"/w/docs_html.py", 42) => "blob = \"\".join(v or \"\" for v in pages.values())",
            (b"/w/docs_html.py", 60) => "main()",
            (b"/v/lib/python3.11/site-packages/docutils/statemachine.py", 714) => {
                "            method = getattr(self, name)"
            }
            (b"/v/lib/python3.11/site-packages/docutils/statemachine.py", 733) => {
                "transitions[namestate] = self.make_transition(*namestate)"
            }
            (b"/v/lib/python3.11/site-packages/docutils/nodes.py", 220) => {
                "for subnode in child._fast_findall(cls):"
            }
            _ => return None,
        };
        Some(text.into())
    }
}

/// The golden text of this name; with `PROF_WRITE_GOLDEN` set it is written instead of compared.
pub(super) fn assert_golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/export/text/tests/golden")
        .join(format!("{name}.txt"));
    if std::env::var_os("PROF_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("golden file is written");
    }
    let golden = std::fs::read_to_string(&path).expect("golden file is there");
    assert_eq!(text, golden, "report differs from {}", path.display());
}
