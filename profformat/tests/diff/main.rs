//! Comparisons of profiles that are made by hand, or drawn by chance as sampling draws them.

mod matching;
mod noise;
mod outputs;

use profformat::analysis::diff::{Run, Side};
use profformat::analysis::{CopySum, MemorySum, Profile, TimeSum};
use profformat::ids::{ProcessId, StackId, StringId, ThreadId};
use profformat::record::{Class, Frame, Function, Lang, Process};
use profformat::tables::StackNode;
use profformat::units::Timestamp;

/// Nanoseconds between two samples.
pub(crate) const TICK: u64 = 10_000_000;
pub(crate) const KIB: u64 = 1 << 10;
pub(crate) const MIB: u64 = 1 << 20;

/// A profile in the making; every stack is one frame.
pub(crate) struct Made {
    pub(crate) profile: Profile,
}

impl Made {
    pub(crate) fn new() -> Self {
        let mut profile = Profile { complete: true, ..Profile::default() };
        profile.damage.complete = true;
        profile.header.cpu_interval_ns = TICK;
        profile.header.memory_interval = 128 * KIB;
        profile.header.copy_interval = MIB;
        profile.header.command = vec![b"app.py".to_vec()];
        profile.elapsed = Timestamp::from_nanos(10_000_000_000);
        profile.processes.push((
            Process {
                id: ProcessId::new(0),
                parent: None,
                pid: 1,
                time: Timestamp::ZERO,
                command: vec![b"python3".to_vec(), b"app.py".to_vec()],
                python: "3.11.7".into(),
                profiled: true,
            },
            None,
        ));
        Self { profile }
    }

    /// A function of a file: its name and first line. It need not have figures.
    pub(crate) fn function(&mut self, file: &str, name: &str, first_line: u32) -> Place {
        let (file, name) = (self.name(file), self.name(name));
        let function = Function { name, file, first_line, lang: Lang::Python };
        let known = self.profile.tables.functions().iter().position(|known| *known == function);
        let id = known.map_or_else(
            || self.profile.tables.push_function(function),
            |at| profformat::ids::FunctionId::new(at as u32),
        );
        Place { function: id }
    }

    fn name(&mut self, text: &str) -> StringId {
        let tables = &mut self.profile.tables;
        let known = (0..tables.counts()[0] as u32).map(StringId::new);
        let found = known.into_iter().find(|id| tables.string(*id) == text.as_bytes());
        found.unwrap_or_else(|| tables.push_string(text.as_bytes()))
    }

    fn stack(&mut self, place: Place, line: u32) -> Option<StackId> {
        let tables = &mut self.profile.tables;
        let frame = tables.push_frame(Frame { function: place.function, line });
        Some(tables.push_stack(StackNode { parent: None, frame }))
    }

    /// Samples on a line: their weights.
    pub(crate) fn weights(&mut self, place: Place, line: u32, weights: &[u64]) -> &mut Self {
        let stack = self.stack(place, line);
        self.profile.time.push(TimeSum {
            thread: ThreadId::new(0),
            stack,
            class: Class::Python,
            weight_ns: weights.iter().sum(),
            samples: weights.len() as u64,
            weight_squares: weights.iter().map(|weight| u128::from(*weight).pow(2)).sum(),
        });
        self
    }

    /// So many samples of one tick each.
    pub(crate) fn ticks(&mut self, place: Place, line: u32, count: usize) -> &mut Self {
        self.weights(place, line, &vec![TICK; count])
    }

    /// Bytes allocated on a line in blocks of `size`, and held at the peak.
    pub(crate) fn bytes(&mut self, place: Place, line: u32, size: u64, alloc: u64, peak: u64) {
        let stack = self.stack(place, line);
        let sample = size.max(128 * KIB);
        self.profile.memory.push(MemorySum {
            thread: ThreadId::new(0),
            stack,
            samples: alloc / sample,
            alloc_bytes: alloc,
            alloc_count: alloc / size,
            alloc_python_bytes: 0,
            live_at_peak_bytes: peak,
            live_at_peak_blocks: peak / sample,
            live_at_end_bytes: 0,
            live_at_end_blocks: 0,
            churn_bytes: 0,
        });
        self.profile.footprint.peak_bytes += peak;
    }

    /// Bytes copied on a line, a MiB at a time.
    pub(crate) fn copies(&mut self, place: Place, line: u32, bytes: u64) {
        let stack = self.stack(place, line);
        let copier = self.name("");
        self.profile.copies.push(CopySum {
            thread: ThreadId::new(0),
            stack,
            copier,
            samples: bytes / MIB,
            copy_bytes: bytes,
            copy_count: bytes / MIB,
            copy_sizes: [0, 0, 0, bytes, 0, 0],
        });
    }

    pub(crate) fn run(&self) -> Run {
        Run::of(&self.profile)
    }

    pub(crate) fn side(&self) -> Side {
        Side::new(vec![self.run()], 1.0)
    }
}

/// A function of a profile in the making.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    function: profformat::ids::FunctionId,
}
