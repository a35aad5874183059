//! What is written and read: events, and everything that they refer to.

use profformat::record::{Header, Process, Record, Thread};
use profformat::tables::Tables;
use profformat::{Options, TraceReader, TraceWriter};

use crate::events::Event;

/// Events of one kind and what they refer to.
pub(crate) struct Load<E> {
    /// Where they come from.
    pub(crate) source: &'static str,
    pub(crate) definitions: Definitions,
    pub(crate) events: Vec<E>,
    /// All weights together.
    pub(crate) sum: u64,
    /// How many events are one run, when it is repeated.
    pub(crate) run: Option<usize>,
}

/// Processes, threads and dictionaries: once in every format that has them.
#[derive(Clone, Default)]
pub(crate) struct Definitions {
    header: Header,
    pub(crate) processes: Vec<Process>,
    pub(crate) threads: Vec<Thread>,
    pub(crate) tables: Tables,
}

impl<E: Event> Load<E> {
    pub(crate) fn new(source: &'static str, definitions: Definitions, events: Vec<E>) -> Self {
        let sum = events.iter().map(E::weight).sum();
        Self { source, definitions, events, sum, run: None }
    }

    /// Its first events alone.
    pub(crate) fn first(&self, count: usize) -> Self {
        Self::new(self.source, self.definitions.clone(), self.events[..count].to_vec())
    }
}

impl Definitions {
    /// The definitions of a trace; `event` is given everything else that is in it.
    pub(crate) fn read(trace: &[u8], mut event: impl FnMut(&Record)) -> Self {
        let mut reader = TraceReader::new(trace).expect("a trace").strict();
        let (mut processes, mut threads) = (Vec::new(), Vec::new());
        while let Some(record) = reader.next_record() {
            match record.expect("a sound trace") {
                Record::Process(process) => processes.push(process),
                Record::Thread(thread) => threads.push(thread),
                other => event(&other),
            }
        }
        // Without an id a trace can be merged with itself.
        let header = Header { trace_id: [0; 16], ..reader.header().clone() };
        Self { header, processes, threads, tables: reader.into_tables() }
    }

    /// A trace that begins with these definitions.
    pub(crate) fn begin<'a>(
        &self,
        out: &'a mut Vec<u8>,
        compress: bool,
    ) -> TraceWriter<&'a mut Vec<u8>> {
        let options = Options { compress, ..Options::default() };
        let mut writer = TraceWriter::new(out, &self.header, options).expect("memory");
        for process in &self.processes {
            writer.write(&Record::Process(process.clone())).expect("memory");
        }
        for thread in &self.threads {
            writer.write(&Record::Thread(thread.clone())).expect("memory");
        }
        for string in self.strings() {
            writer.string(string);
        }
        for &function in self.tables.functions() {
            writer.function(function);
        }
        for &frame in self.tables.frames() {
            writer.frame(frame);
        }
        for node in self.tables.stacks() {
            writer.stack(node.parent, node.frame);
        }
        // The same values in the same order have the same ids.
        assert_eq!(writer.tables().counts(), self.tables.counts());
        writer
    }

    /// All strings in order of id.
    pub(crate) fn strings(&self) -> impl Iterator<Item = &[u8]> {
        let ids = 0..self.tables.counts()[0] as u32;
        ids.map(|id| self.tables.string(profformat::ids::StringId::new(id)))
    }
}
