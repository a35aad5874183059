//! Records and what they refer to.

use profformat::TraceReader;
use profformat::ids::{ProcessId, StackId, StringId, ThreadId};
use profformat::record::Record;

/// Follows the definitions of processes and threads.
#[derive(Debug, Default)]
pub struct Defined {
    processes: u32,
    threads: u32,
}

impl Defined {
    /// Takes the next record, asserting that everything it refers to is defined.
    pub fn next(&mut self, record: &Record, reader: &TraceReader<'_>) {
        let tables = reader.tables();
        let process = |id: ProcessId| assert!(id.number() < self.processes);
        let thread = |id: ThreadId| assert!(id.number() < self.threads);
        let string = |id: StringId| assert!(id.index() < tables.counts()[0]);
        let stack = |id: Option<StackId>| {
            let Some(id) = id else { return };
            let node = tables.stack(id).expect("a stack");
            assert!(node.parent.is_none_or(|parent| parent < id));
            let frame = tables.frame(node.frame).expect("a frame");
            let function = tables.function(frame.function).expect("a function");
            string(function.name);
            string(function.file);
        };
        match record {
            Record::Process(new) => {
                assert_eq!(new.id.number(), self.processes);
                new.parent.into_iter().for_each(process);
                self.processes += 1;
            }
            Record::Thread(new) => {
                assert_eq!(new.id.number(), self.threads);
                process(new.process);
                self.threads += 1;
            }
            Record::ProcessEnd(end) => process(end.id),
            Record::ThreadEnd(end) => thread(end.id),
            Record::Sample(sample) => {
                thread(sample.thread);
                stack(sample.stack);
            }
            Record::Alloc(alloc) => {
                thread(alloc.thread);
                stack(alloc.stack);
            }
            Record::Free(free) => thread(free.thread),
            Record::Resize(resize) => thread(resize.thread),
            Record::Copied(copied) => {
                thread(copied.thread);
                stack(copied.stack);
                string(copied.copier);
            }
            Record::Footprint(point) => process(point.process),
            Record::Inherited(inherited) => process(inherited.process),
            Record::Counter(counter) => {
                process(counter.process);
                string(counter.name);
            }
            _ => {}
        }
    }
}
