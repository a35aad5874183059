//! Records that are few: processes, threads, their ends, footprints, counters, notes, the end.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Decoder, count, ended};
use crate::codec;
use crate::limit;
use crate::payload::{
    AboutV1, CountersV1, EndV1, FootprintsV1, InheritancesV1, NotesV1, ProcessEndsV1, ProcessesV1,
    ThreadEndsV1, ThreadsV1,
};
use crate::record::{
    Counter, Footprint, Header, Inherited, Outcome, Process, ProcessEnd, Record, Thread, ThreadEnd,
};
use crate::wire::cursor::{Cursor, What};
use crate::wire::zigzag;

const NAMES: What = "the names are too long, all together";

/// Adds to a header what does not stand in the file header.
pub(crate) fn about(payload: &[u8], header: &mut Header) -> Result<(), What> {
    let about: AboutV1<'_> = codec::decode(payload)?;
    let command = command(&about.command)?;
    header.tool = text(about.tool)?;
    header.command = command;
    Ok(())
}

fn command(arguments: &[&[u8]]) -> Result<Vec<Vec<u8>>, What> {
    let bytes: usize = arguments.iter().map(|argument| argument.len() + 8).sum();
    if bytes > limit::COMMAND_BYTES {
        return Err("a command is too long");
    }
    arguments.iter().map(|argument| Ok(string(argument)?.to_vec())).collect()
}

fn text(bytes: &[u8]) -> Result<String, What> {
    string(bytes).map(limit::text)
}

fn string(bytes: &[u8]) -> Result<&[u8], What> {
    if bytes.len() <= limit::STRING_BYTES { Ok(bytes) } else { Err("a string is too long") }
}

impl Decoder {
    pub(super) fn processes(&mut self, delta: &ProcessesV1<'_>) -> Result<(), What> {
        self.known.processes_from(delta.first)?;
        for entry in &delta.entries {
            let parent = match entry.parent.checked_sub(1) {
                None => None,
                Some(id) => Some(self.known.process(id)?),
            };
            // Those that were made up for the parent stand between the one before and this one.
            self.records.append(&mut self.known.made_up);
            // An id is only given to what is good.
            let (command, python) = (command(&entry.command)?, text(entry.python)?);
            let names = &mut self.known.names;
            if !names.take_known(entry.python) || !entry.command.iter().all(|word| names.take(word))
            {
                return Err(NAMES);
            }
            let process = Process {
                id: self.known.next_process()?,
                parent,
                pid: entry.pid,
                time: self.unit.time(entry.time),
                command,
                python,
                profiled: entry.profiled != 0,
            };
            self.records.push(Record::Process(process));
        }
        Ok(())
    }

    pub(super) fn threads(&mut self, delta: &ThreadsV1<'_>) -> Result<(), What> {
        let entries = count(delta.count)?;
        let mut processes = Cursor::new(delta.processes, entries)?;
        let mut tids = Cursor::new(delta.tids, entries)?;
        let mut times = Cursor::new(delta.times, entries)?;
        let mut names = Cursor::new(delta.names, entries)?;
        let mut bytes = Cursor::open(delta.bytes);
        self.known.threads_from(delta.first)?;
        let mut last = 0;
        for _ in 0..entries {
            let process = self.known.process(processes.next()?)?;
            let (tid, time) = (tids.next_u32()?, self.unit.time(times.delta(&mut last)?));
            let name = string(bytes.bytes(names.next()?)?)?;
            if !self.known.names.take_known(name) {
                return Err(NAMES);
            }
            let id = self.known.next_thread(process)?;
            let thread = Thread { id, process, tid, time, name: name.to_vec() };
            self.records.push(Record::Thread(thread));
        }
        ended(&[processes, tids, times, names, bytes])
    }

    pub(super) fn footprints(&mut self, block: &FootprintsV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        let mut rows = Cursor::new(block.rows, entries)?;
        let mut times = Cursor::new(block.times, entries)?;
        let mut native = Cursor::new(block.native, entries)?;
        let mut python = Cursor::new(block.python, entries)?;
        let (mut time, mut last_native, mut last_python) = (0, 0, 0);
        for _ in 0..entries {
            let code = rows.next()?;
            let point = Footprint {
                time: self.unit.time(times.delta(&mut time)?),
                process: self.known.process(code / 2)?,
                native_bytes: native.delta(&mut last_native)?,
                python_bytes: python.delta(&mut last_python)?,
                peak: code % 2 == 1,
            };
            self.records.push(Record::Footprint(point));
        }
        ended(&[rows, times, native, python])
    }

    pub(super) fn inheritances(&mut self, block: &InheritancesV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        let mut processes = Cursor::new(block.processes, entries)?;
        let mut times = Cursor::new(block.times, entries)?;
        let mut bytes = Cursor::new(block.bytes, entries)?;
        let mut time = 0;
        for _ in 0..entries {
            let inherited = Inherited {
                time: self.unit.time(times.delta(&mut time)?),
                process: self.known.process(processes.next()?)?,
                bytes: bytes.next()?,
            };
            self.records.push(Record::Inherited(inherited));
        }
        ended(&[processes, times, bytes])
    }

    pub(super) fn counters(&mut self, block: &CountersV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        let mut processes = Cursor::new(block.processes, entries)?;
        let mut times = Cursor::new(block.times, entries)?;
        let mut names = Cursor::new(block.names, entries)?;
        let mut values = Cursor::new(block.values, entries)?;
        let mut time = 0;
        for _ in 0..entries {
            let counter = Counter {
                time: self.unit.time(times.delta(&mut time)?),
                process: self.known.process(processes.next()?)?,
                name: self.known.string(names.next()?)?,
                value: values.next()?,
            };
            self.records.push(Record::Counter(counter));
        }
        ended(&[processes, times, names, values])
    }

    pub(super) fn thread_ends(&mut self, block: &ThreadEndsV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        let mut threads = Cursor::new(block.threads, entries)?;
        let mut times = Cursor::new(block.times, entries)?;
        let mut cpu = Cursor::new(block.cpu, entries)?;
        let mut time = 0;
        for _ in 0..entries {
            let end = ThreadEnd {
                id: self.known.thread(threads.next()?)?,
                time: self.unit.time(times.delta(&mut time)?),
                cpu_ns: cpu.next()?,
            };
            self.records.push(Record::ThreadEnd(end));
        }
        ended(&[threads, times, cpu])
    }

    pub(super) fn process_ends(&mut self, block: &ProcessEndsV1<'_>) -> Result<(), What> {
        let entries = count(block.count)?;
        let mut processes = Cursor::new(block.processes, entries)?;
        let mut times = Cursor::new(block.times, entries)?;
        let mut outcomes = Cursor::new(block.outcomes, entries)?;
        let mut cpu = Cursor::new(block.cpu, entries)?;
        let mut time = 0;
        for _ in 0..entries {
            let code = outcomes.next()?;
            let status = i32::try_from(zigzag::decode(outcomes.next()?))
                .map_err(|_| "an exit status is too large")?;
            let end = ProcessEnd {
                id: self.known.process(processes.next()?)?,
                time: self.unit.time(times.delta(&mut time)?),
                outcome: match code {
                    0 => Outcome::Exited(status),
                    1 => Outcome::Killed(status),
                    2 => Outcome::Exec,
                    4 => Outcome::Running,
                    _ => Outcome::Gone,
                },
                cpu_ns: cpu.next()?,
            };
            self.records.push(Record::ProcessEnd(end));
        }
        ended(&[processes, times, outcomes, cpu])
    }

    pub(super) fn notes(&mut self, notes: &NotesV1<'_>) -> Result<(), What> {
        let entries = count(notes.count)?;
        let mut lengths = Cursor::new(notes.lengths, entries)?;
        let mut bytes = Cursor::open(notes.bytes);
        for _ in 0..entries {
            let note = string(bytes.bytes(lengths.next()?)?)?.to_vec();
            self.records.push(Record::Note(note));
        }
        ended(&[lengths, bytes])
    }

    pub(super) fn end(&mut self, end: &EndV1) -> Result<(), What> {
        if self.ended {
            return Err("the trace ends twice");
        }
        self.ended = true;
        self.records.push(Record::End(self.unit.time(end.time)));
        Ok(())
    }
}
