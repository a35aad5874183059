//! Runs made by hand: records with their tables.

use profformat::analysis::{Builder, Profile, Survey};
use profformat::ids::{BinaryId, FrameId, ProcessId, StackId, ThreadId};
use profformat::record::*;
use profformat::tables::Interner;
use profformat::units::Timestamp;

/// Two processes; threads 0 and 1 of the first, 2 of the second.
pub(crate) const THREADS: u32 = 3;

/// Build id of a library in it.
pub(crate) const LIBZ: &[u8] =
    b"\x12\x34\x56\x78\x9a\xbc\xde\xf0\x01\x02\x03\x04\x05\x06\x07\x08\xff\xfe\x00\x0a";

pub(crate) struct Run {
    pub(crate) interner: Interner,
    stacks: Vec<StackId>,
    pub(crate) records: Vec<Record>,
}

impl Run {
    pub(crate) fn new() -> Self {
        let mut run =
            Self { interner: Interner::default(), stacks: Vec::new(), records: Vec::new() };
        for id in 0..2 {
            run.records.push(Record::Process(Process {
                id: ProcessId::new(id),
                parent: (id > 0).then_some(ProcessId::new(0)),
                pid: 4000 + id,
                time: Timestamp::ZERO,
                command: vec![b"python3".to_vec(), b"app;\x1b[31m.py".to_vec()],
                python: "3.11.7".to_owned(),
                profiled: true,
            }));
        }
        for id in 0..THREADS {
            run.records.push(Record::Thread(Thread {
                id: ThreadId::new(id),
                process: ProcessId::new(id / 2),
                tid: 5000 + id,
                time: Timestamp::ZERO,
                name: if id == 1 { Vec::new() } else { b"Main;\nThread".to_vec() },
            }));
        }
        run.with_stacks();
        run
    }

    pub(crate) fn frame(&mut self, name: &str, file: &str, line: u32, lang: Lang) -> FrameId {
        let name = self.interner.string(name.as_bytes());
        let file = self.interner.string(file.as_bytes());
        let first_line = line / 10 * 10;
        let function = self.interner.function(Function { name, file, first_line, lang });
        self.interner.frame(Frame { function, line })
    }

    pub(crate) fn binary(&mut self, path: &str, build_id: &[u8]) -> BinaryId {
        // As a writer does, before all others.
        let none = self.interner.string(b"");
        self.interner.binary(Binary { path: none, build_id: none });
        let path = self.interner.string(path.as_bytes());
        let build_id = self.interner.string(build_id);
        self.interner.binary(Binary { path, build_id })
    }

    pub(crate) fn native(
        &mut self,
        name: &str,
        (file, line): (&str, u32),
        binary: BinaryId,
        inlined: bool,
    ) -> FrameId {
        let [name, file] = [name, file].map(|text| self.interner.string(text.as_bytes()));
        let function = Function { name, file, first_line: 0, lang: Lang::Native };
        let function = self.interner.function_of(function, binary);
        let frame = Frame { function, line };
        if inlined { self.interner.inlined(frame) } else { self.interner.frame(frame) }
    }

    pub(crate) fn with_stacks(&mut self) {
        let main = self.frame("main", "app.py", 12, Lang::Python);
        let deep = self.frame("f;g\nh", "app.py", 25, Lang::Python);
        let other = self.frame("f;g\nh", "app.py", 26, Lang::Python);
        let [libz, spin] = [("/usr/lib/libz.so.1", LIBZ), ("/usr/bin/spin", &[])]
            .map(|(path, build_id)| self.binary(path, build_id));
        let zlib = self.native("libz.so.1", ("/usr/lib/libz.so.1", 0), libz, false);
        let rust = self.native("spin", ("/usr/bin/spin", 0), spin, false);
        let outer = self.native("outer", ("/src/spin.rs", 50), spin, false);
        let middle = self.native("middle", ("/src/spin.rs", 41), spin, true);
        let inner = self.native("inner", ("/src/inner.rs", 7), spin, true);
        let root = self.interner.stack(None, main);
        let mut stacks = vec![root];
        // A recursion: 25 under 26 under 25.
        let mut stack = root;
        for frame in [deep, other, deep, zlib] {
            stack = self.interner.stack(Some(stack), frame);
            stacks.push(stack);
        }
        stacks.push(self.interner.stack(Some(root), zlib));
        let rust = self.interner.stack(None, rust);
        stacks.push(rust);
        let inlined = [outer, middle, inner];
        stacks.push(
            inlined.into_iter().fold(rust, |stack, frame| self.interner.stack(Some(stack), frame)),
        );
        self.stacks = stacks;
    }

    pub(crate) fn stack(&self, choice: usize) -> Option<StackId> {
        self.stacks.get(choice).copied()
    }

    /// One stack more, as a choice.
    pub(crate) fn keep(&mut self, stack: Option<StackId>) -> usize {
        self.stacks.extend(stack);
        self.stacks.len() - 1
    }

    /// The time of the next record. Longer apart than a peak's own allocation can be late.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.records.len() as u64 * 2_000_000)
    }

    pub(crate) fn sample(&mut self, thread: u32, stack: usize, class: Class, weight_ns: u64) {
        let stack = self.stack(stack);
        let thread = ThreadId::new(thread);
        let time = self.now();
        self.records.push(Record::Sample(Sample { time, thread, stack, weight_ns, class }));
    }

    pub(crate) fn alloc(&mut self, thread: u32, stack: usize, weight: u64, block: u64) {
        self.records.push(Record::Alloc(Alloc {
            time: self.now(),
            thread: ThreadId::new(thread),
            stack: self.stack(stack),
            size: weight / 3 + 1,
            weight,
            domain: if weight.is_multiple_of(2) { Domain::Python } else { Domain::Native },
            block,
        }));
    }

    pub(crate) fn copy(&mut self, thread: u32, stack: usize, copier: &str, bytes: u64) {
        self.records.push(Record::Copied(Copied {
            time: self.now(),
            thread: ThreadId::new(thread),
            stack: self.stack(stack),
            size: bytes,
            weight: bytes,
            copier: self.interner.string(copier.as_bytes()),
        }));
    }

    pub(crate) fn profile(&self) -> Profile {
        let tables = self.interner.tables().clone();
        Profile::from_records(header(), tables, || self.records.iter())
    }

    /// As [`profile`](Self::profile), and when time was spent.
    pub(crate) fn profile_with_activity(&self) -> Profile {
        let mut survey = Survey::default();
        self.records.iter().for_each(|record| survey.record(record));
        let mut builder = Builder::new(header(), survey.finish()).with_activity();
        self.records.iter().for_each(|record| builder.record(record));
        builder.finish(self.interner.tables().clone())
    }
}

fn header() -> Header {
    Header {
        cpu_interval_ns: 10_000_000,
        memory_interval: 131_072,
        copy_interval: 1 << 20,
        command: vec![b"app;\x1b[31m.py".to_vec()],
        ..Header::default()
    }
}
