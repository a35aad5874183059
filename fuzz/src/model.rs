//! What must come out of a trace that was written by a plan.

use profformat::ids::{FrameId, FunctionId, ProcessId, StackId, StringId, ThreadId};
use profformat::record::*;
use profformat::tables::StackNode;
use profformat::units::Timestamp;
use profformat::{Options, TraceReader, TraceWriter, limit};

use crate::plan::{Action, Id, Place, Plan, Unit, class, domain};

/// A trace that is written, and what its reader must say.
pub struct Model {
    writer: TraceWriter<Vec<u8>>,
    unit: u64,
    /// Of each family of records, those that were taken, as a reader gives them.
    expected: [Vec<Record>; FAMILIES],
    strings: Vec<(StringId, Vec<u8>)>,
    functions: Vec<(FunctionId, Function)>,
    frames: Vec<(FrameId, Frame)>,
    stacks: Vec<(StackId, StackNode)>,
    processes: usize,
    threads: usize,
    /// By thread: what rounding has left, on and off CPU.
    carries: Vec<[u64; 2]>,
    last: Option<Record>,
    room: usize,
}

const FAMILIES: usize = 11;
/// Bytes of records that a plan may make by repeating.
const REPEATED: usize = 4 << 20;

/// Records whose order among each other is kept.
fn family(record: &Record) -> usize {
    match record {
        Record::Process(_) => 0,
        Record::Thread(_) => 1,
        Record::Sample(_) => 2,
        Record::Alloc(_) | Record::Free(_) | Record::Resize(_) => 3,
        Record::Copied(_) => 4,
        Record::Footprint(_) => 5,
        Record::Counter(_) => 6,
        Record::ThreadEnd(_) => 7,
        Record::ProcessEnd(_) => 8,
        Record::Note(_) => 9,
        _ => 10,
    }
}

/// About how much memory a record takes.
fn size(record: &Record) -> usize {
    let more = match record {
        Record::Process(process) => {
            process.python.len() + process.command.iter().map(|word| word.len() + 24).sum::<usize>()
        }
        Record::Thread(thread) => thread.name.len(),
        Record::Note(note) => note.len(),
        _ => 0,
    };
    size_of::<Record>() + more
}

fn cut(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(limit::STRING_BYTES)].to_vec()
}

impl Model {
    /// Writes a whole plan and reads it back.
    pub fn run(plan: &Plan) {
        let time_unit_ns = match plan.unit {
            Unit::Nanosecond => 1,
            Unit::Microsecond => 1_000,
            Unit::Any(unit) => unit,
        };
        let options = Options { compress: plan.compress, time_unit_ns };
        let writer = TraceWriter::new(Vec::new(), &Header::default(), options)
            .expect("a vector takes everything");
        let mut model = Self {
            writer,
            unit: u64::from(time_unit_ns.max(1)),
            expected: Default::default(),
            strings: Vec::new(),
            functions: Vec::new(),
            frames: Vec::new(),
            stacks: Vec::new(),
            processes: 0,
            threads: 0,
            carries: Vec::new(),
            last: None,
            room: REPEATED,
        };
        plan.actions.iter().for_each(|action| model.act(action));
        model.finish(plan.end);
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::String(text) => {
                let bytes = text.bytes();
                self.strings.push((self.writer.string(&bytes), cut(&bytes)));
            }
            Action::Function(name, file, first_line, lang) => {
                let count = self.writer.tables().counts()[0];
                let [name, file] = [name, file].map(|id| StringId::new(id.number(count)));
                let function =
                    Function { name, file, first_line: *first_line, lang: (*lang).into() };
                let id = self.writer.function(function);
                if name.index() < count && file.index() < count {
                    self.functions.push((id, function));
                } else {
                    assert_eq!(id, FunctionId::new(0));
                }
            }
            Action::Frame(function, line) => {
                let count = self.writer.tables().counts()[1];
                let function = FunctionId::new(function.number(count));
                let frame = Frame { function, line: *line };
                let id = self.writer.frame(frame);
                if function.index() < count {
                    self.frames.push((id, frame));
                } else {
                    assert_eq!(id, FrameId::new(0));
                }
            }
            Action::Stack(parent, frame) => {
                let [.., frames, stacks] = self.writer.tables().counts();
                let parent = parent.map(|id| StackId::new(id.number(stacks)));
                let frame = FrameId::new(frame.number(frames));
                let id = self.writer.stack(parent, frame);
                // What is not there is left out, or lost.
                let parent = parent.filter(|parent| parent.index() < stacks);
                let frame = if frame.index() < frames { frame } else { FrameId::new(0) };
                self.stacks.push((id, StackNode { parent, frame }));
            }
            Action::Flush => self.writer.flush().expect("a vector takes everything"),
            Action::Again(times) => {
                let Some(last) = self.last.clone() else { return };
                let size = size(&last);
                for _ in 0..usize::from(*times).min(self.room / size) {
                    self.room -= size;
                    self.write(last.clone());
                }
            }
            Action::End => {
                let error = self.writer.write(&Record::End(Timestamp::ZERO));
                error.expect_err("only finish writes the end");
            }
            _ => {
                if let Some(record) = self.record(action) {
                    self.write(record);
                }
            }
        }
    }

    /// The record of an action.
    fn record(&self, action: &Action) -> Option<Record> {
        let process = |id: &Id| ProcessId::new(id.number(self.processes));
        let thread = |id: &Id| ThreadId::new(id.number(self.threads));
        let string = |id: &Id| StringId::new(id.number(self.writer.tables().counts()[0]));
        let at = |nanos: &u64| Timestamp::from_nanos(*nanos);
        let place = |place: &Place| {
            let [.., stacks] = self.writer.tables().counts();
            let stack = place.stack.map(|id| StackId::new(id.number(stacks)));
            (at(&place.time), thread(&place.thread), stack)
        };
        Some(match action {
            Action::Process(id, parent, time, command, python) => Record::Process(Process {
                id: process(id),
                parent: parent.as_ref().map(process),
                pid: command.len() as u32,
                time: at(time),
                command: command.clone(),
                python: python.clone(),
                profiled: command.is_empty(),
            }),
            Action::Thread(id, of, time, name) => Record::Thread(Thread {
                id: thread(id),
                process: process(of),
                tid: *time as u32,
                time: at(time),
                name: name.bytes(),
            }),
            Action::Sample(where_, weight_ns, code) => {
                let (time, thread, stack) = place(where_);
                let (weight_ns, class) = (*weight_ns, class(*code));
                Record::Sample(Sample { time, thread, stack, weight_ns, class })
            }
            Action::Alloc(where_, size, weight, python, block) => {
                let (time, thread, stack) = place(where_);
                let (size, weight, block) = (*size, *weight, *block);
                let domain = domain(*python);
                Record::Alloc(Alloc { time, thread, stack, size, weight, domain, block })
            }
            Action::Free(where_, block) => {
                let (time, thread, _) = place(where_);
                Record::Free(Free { time, thread, block: *block })
            }
            Action::Resize(where_, block, old_size, new_size) => {
                let (time, thread, _) = place(where_);
                let (block, old_size, new_size) = (*block, *old_size, *new_size);
                Record::Resize(Resize { time, thread, block, old_size, new_size })
            }
            Action::Copied(where_, size, weight, copier) => {
                let (time, thread, stack) = place(where_);
                let (size, weight, copier) = (*size, *weight, string(copier));
                Record::Copied(Copied { time, thread, stack, size, weight, copier })
            }
            Action::Footprint(time, id, native, python, peak) => Record::Footprint(Footprint {
                time: at(time),
                process: process(id),
                native_bytes: *native,
                python_bytes: *python,
                peak: *peak,
            }),
            Action::Inherited(time, id, bytes) => Record::Inherited(Inherited {
                time: at(time),
                process: process(id),
                bytes: *bytes,
            }),
            Action::Counter(time, id, name, value) => Record::Counter(Counter {
                time: at(time),
                process: process(id),
                name: string(name),
                value: *value,
            }),
            Action::ThreadEnd(id, time, cpu_ns) => {
                Record::ThreadEnd(ThreadEnd { id: thread(id), time: at(time), cpu_ns: *cpu_ns })
            }
            Action::ProcessEnd(id, time, end, cpu_ns) => Record::ProcessEnd(ProcessEnd {
                id: process(id),
                time: at(time),
                outcome: (*end).into(),
                cpu_ns: *cpu_ns,
            }),
            Action::Note(text) => Record::Note(text.bytes()),
            _ => return None,
        })
    }

    /// Is everything there that the record refers to?
    fn is_good(&self, record: &Record) -> bool {
        let process = |id: ProcessId| id.index() < self.processes;
        let thread = |id: ThreadId| id.index() < self.threads;
        let [strings, .., stacks] = self.writer.tables().counts();
        let string = |id: StringId| id.index() < strings;
        let stack = |id: Option<StackId>| id.is_none_or(|id| id.index() < stacks);
        match record {
            Record::Process(new) => {
                new.id.index() == self.processes && new.parent.is_none_or(process)
            }
            Record::Thread(new) => new.id.index() == self.threads && process(new.process),
            Record::ProcessEnd(end) => process(end.id),
            Record::ThreadEnd(end) => thread(end.id),
            Record::Sample(sample) => thread(sample.thread) && stack(sample.stack),
            Record::Alloc(alloc) => thread(alloc.thread) && stack(alloc.stack),
            Record::Free(free) => thread(free.thread),
            Record::Resize(resize) => thread(resize.thread),
            Record::Copied(copied) => {
                thread(copied.thread) && stack(copied.stack) && string(copied.copier)
            }
            Record::Footprint(point) => process(point.process),
            Record::Inherited(inherited) => process(inherited.process),
            Record::Counter(counter) => process(counter.process) && string(counter.name),
            _ => true,
        }
    }

    fn write(&mut self, record: Record) {
        let written = self.writer.write(&record);
        assert_eq!(written.is_ok(), self.is_good(&record), "{record:?}: {written:?}");
        if written.is_ok() {
            let expected = self.rounded(record.clone());
            self.expected[family(&expected)].push(expected);
        }
        self.last = Some(record);
    }

    fn rounded_time(&self, time: Timestamp) -> Timestamp {
        Timestamp::from_nanos(time.as_nanos() / self.unit * self.unit)
    }

    /// A record as it comes back.
    fn rounded(&mut self, mut record: Record) -> Record {
        let unit = self.unit;
        let round = |time: &mut Timestamp| {
            *time = Timestamp::from_nanos(time.as_nanos() / unit * unit);
        };
        match &mut record {
            Record::Process(process) => {
                self.processes += 1;
                round(&mut process.time);
            }
            Record::Thread(thread) => {
                self.threads += 1;
                self.carries.push([0; 2]);
                round(&mut thread.time);
                thread.name = cut(&thread.name);
            }
            Record::ProcessEnd(end) => round(&mut end.time),
            Record::ThreadEnd(end) => round(&mut end.time),
            Record::Sample(sample) => {
                round(&mut sample.time);
                let carries = &mut self.carries[sample.thread.index()];
                let carry = &mut carries[usize::from(sample.class.on_cpu())];
                let weight = sample.weight_ns.saturating_add(*carry);
                *carry = weight % unit;
                sample.weight_ns = weight - *carry;
            }
            Record::Alloc(alloc) => round(&mut alloc.time),
            Record::Free(free) => round(&mut free.time),
            Record::Resize(resize) => round(&mut resize.time),
            Record::Copied(copied) => round(&mut copied.time),
            Record::Footprint(point) => round(&mut point.time),
            Record::Inherited(inherited) => round(&mut inherited.time),
            Record::Counter(counter) => round(&mut counter.time),
            Record::Note(note) => *note = cut(note),
            _ => {}
        }
        record
    }

    fn finish(mut self, end: u64) {
        let end = Timestamp::from_nanos(end);
        let rounded = self.rounded_time(end);
        self.expected[FAMILIES - 1].push(Record::End(rounded));
        let bytes = self.writer.finish(end).expect("a vector takes everything");
        let mut reader = TraceReader::new(&bytes).expect("a trace").strict();
        let mut found: [Vec<Record>; FAMILIES] = Default::default();
        while let Some(record) = reader.next_record() {
            let record = record.expect("a sound trace");
            found[family(&record)].push(record);
        }
        assert!(reader.damage().is_sound(), "{:?}", reader.damage());
        assert!(reader.index().is_some());
        assert_eq!(found, self.expected);
        let tables = reader.tables();
        for (id, bytes) in self.strings {
            assert_eq!(tables.string(id), bytes);
        }
        for (id, function) in self.functions {
            assert_eq!(tables.function(id), Some(function));
        }
        for (id, frame) in self.frames {
            assert_eq!(tables.frame(id), Some(frame));
        }
        for (id, node) in self.stacks {
            // A stack beyond the deepest is its parent.
            assert!(tables.stack(id) == Some(node) || Some(id) == node.parent);
        }
    }
}
