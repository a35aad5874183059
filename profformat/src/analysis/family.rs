//! Figures by thread and by process.

use super::sites::on_cpu;
use super::{Profile, sites};
use crate::ids::{StringId, ThreadId};
use crate::record::Class;

/// What a thread or a process did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Time in nanoseconds by [`Class::code`].
    pub ns: [u64; Class::ALL.len()],
    /// Number of on-CPU samples.
    pub samples: u64,
    /// Sum of their squared weights (ns squared).
    pub squares: u128,
    /// Bytes allocated.
    pub alloc_bytes: u64,
    /// Bytes copied.
    pub copy_bytes: u64,
}

impl Share {
    /// Time on CPU, nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        on_cpu(&self.ns)
    }

    fn add(&mut self, other: &Self) {
        for (own, other) in self.ns.iter_mut().zip(other.ns) {
            *own = own.saturating_add(other);
        }
        self.samples = self.samples.saturating_add(other.samples);
        self.squares = self.squares.saturating_add(other.squares);
        self.alloc_bytes = self.alloc_bytes.saturating_add(other.alloc_bytes);
        self.copy_bytes = self.copy_bytes.saturating_add(other.copy_bytes);
    }
}

/// What each thread did, in the order of [`Profile::threads`].
pub fn threads(profile: &Profile) -> Vec<Share> {
    let mut shares = vec![Share::default(); profile.threads.len()];
    let position = |id: ThreadId| profile.threads.binary_search_by_key(&id, |(t, _)| t.id).ok();
    for sums in profile.time.chunk_by(|a, b| a.thread == b.thread) {
        let Some(at) = position(sums[0].thread) else { continue };
        let share = &mut shares[at];
        for sum in sums {
            let class = &mut share.ns[sum.class.code() as usize];
            *class = class.saturating_add(sum.weight_ns);
            if sum.class.on_cpu() {
                share.samples = share.samples.saturating_add(sum.samples);
                share.squares = share.squares.saturating_add(sum.weight_squares);
            }
        }
    }
    for sum in &profile.memory {
        if let Some(at) = position(sum.thread) {
            shares[at].alloc_bytes = shares[at].alloc_bytes.saturating_add(sum.alloc_bytes);
        }
    }
    for sum in &profile.copies {
        if let Some(at) = position(sum.thread) {
            shares[at].copy_bytes = shares[at].copy_bytes.saturating_add(sum.copy_bytes);
        }
    }
    shares
}

/// What each process did by `threads`, the shares of its threads, in the order of [`Profile::processes`].
pub fn processes(profile: &Profile, threads: &[Share]) -> Vec<Share> {
    let mut shares = vec![Share::default(); profile.processes.len()];
    for ((thread, _), share) in profile.threads.iter().zip(threads) {
        let found = profile.processes.binary_search_by_key(&thread.process, |(p, _)| p.id);
        if let Ok(at) = found {
            shares[at].add(share);
        }
    }
    shares
}

/// The line that a thread spent most of its own CPU time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hottest {
    /// Source file.
    pub file: StringId,
    /// Line, 0 when unknown.
    pub line: u32,
    /// The function that the line belongs to.
    pub function: StringId,
    /// CPU nanoseconds of the thread there.
    pub cpu_ns: u64,
}

/// The hottest line of each thread, in the order of [`Profile::threads`]; `None` of one without CPU time.
pub fn hottest(profile: &Profile) -> Vec<Option<Hottest>> {
    let mut found = vec![None; profile.threads.len()];
    let mut lines = sites::Leaves::new(&profile.tables);
    for sums in profile.time.chunk_by(|a, b| a.thread == b.thread) {
        let id = sums[0].thread;
        let Ok(at) = profile.threads.binary_search_by_key(&id, |(t, _)| t.id) else { continue };
        found[at] = lines.hottest(sums);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{CopySum, MemorySum, TimeSum};
    use crate::ids::{ProcessId, StackId};
    use crate::record::{Frame, Function, Lang, Process, Thread};
    use crate::tables::StackNode;
    use crate::units::Timestamp;

    fn time(thread: u32, stack: u32, class: Class, weight_ns: u64) -> TimeSum {
        TimeSum {
            thread: ThreadId::new(thread),
            stack: Some(StackId::new(stack)),
            class,
            weight_ns,
            samples: 2,
            weight_squares: 8,
        }
    }

    /// Two processes, the first with two threads; three lines.
    fn profile() -> Profile {
        let mut profile = Profile::default();
        for id in [3, 5] {
            let process = Process {
                id: ProcessId::new(id),
                parent: None,
                pid: id,
                time: Timestamp::ZERO,
                command: Vec::new(),
                python: String::new(),
                profiled: true,
            };
            profile.processes.push((process, None));
        }
        for (id, process) in [(1, 3), (4, 5), (6, 3)] {
            let process = ProcessId::new(process);
            let thread = Thread {
                id: ThreadId::new(id),
                process,
                tid: id,
                time: Timestamp::ZERO,
                name: Vec::new(),
            };
            profile.threads.push((thread, None));
        }
        let tables = &mut profile.tables;
        let (file, name) = (tables.push_string(b"a.py"), tables.push_string(b"f"));
        let lang = Lang::Python;
        let function = tables.push_function(Function { name, file, first_line: 1, lang });
        for line in [10, 20, 30] {
            let frame = tables.push_frame(Frame { function, line });
            tables.push_stack(StackNode { parent: None, frame });
        }
        profile.time = vec![
            time(1, 0, Class::Python, 40),
            time(1, 1, Class::Python, 30),
            time(1, 1, Class::Native, 25),
            time(1, 2, Class::Wait, 900),
            time(4, 2, Class::Kernel, 7),
            time(6, 0, Class::Gil, 11),
            // Of a thread that the trace has lost.
            time(9, 0, Class::Python, 1),
        ];
        let (thread, stack) = (ThreadId::new(6), None);
        profile.copies.push(CopySum {
            thread,
            stack,
            copier: StringId::new(0),
            samples: 1,
            copy_bytes: 64,
            copy_count: 1,
            copy_sizes: [64, 0, 0, 0, 0, 0],
        });
        let memory = |thread| MemorySum {
            thread: ThreadId::new(thread),
            stack: None,
            samples: 1,
            alloc_bytes: 100,
            alloc_count: 1,
            alloc_python_bytes: 0,
            live_at_peak_bytes: 0,
            live_at_peak_blocks: 0,
            live_at_end_bytes: 0,
            live_at_end_blocks: 0,
            churn_bytes: 0,
        };
        profile.memory.extend([memory(1), memory(6)]);
        profile
    }

    #[test]
    fn threads_and_processes_add_up() {
        let profile = profile();
        let threads = threads(&profile);
        assert_eq!(threads.iter().map(Share::cpu_ns).collect::<Vec<_>>(), [95, 7, 0]);
        assert_eq!(threads[0].ns[Class::Wait.code() as usize], 900);
        assert_eq!((threads[0].samples, threads[0].squares), (6, 24));
        let processes = processes(&profile, &threads);
        assert_eq!(processes.iter().map(Share::cpu_ns).collect::<Vec<_>>(), [95, 7]);
        assert_eq!(processes[0].ns[Class::Gil.code() as usize], 11);
        assert_eq!((processes[0].alloc_bytes, processes[0].copy_bytes), (200, 64));
        assert_eq!((processes[1].alloc_bytes, processes[1].copy_bytes), (0, 0));
    }

    #[test]
    fn the_hottest_line_is_the_one_with_most_cpu_time_of_its_thread() {
        let hottest = hottest(&profile());
        let lines: Vec<_> = hottest.iter().map(|h| h.map(|h| (h.line, h.cpu_ns))).collect();
        assert_eq!(lines, [Some((20, 55)), Some((30, 7)), None]);
    }
}
