//! Records that are few: processes, threads, their ends, footprints, counters, notes, the end.

use alloc::vec::Vec;

use super::{Scratch, Unit};
use crate::codec;
use crate::limit;
use crate::payload::{
    AboutV1, CountersV1, EndV1, FootprintsV1, InheritancesV1, NotesV1, ProcessEndsV1, ProcessV1,
    ProcessesV1, ThreadEndsV1, ThreadsV1,
};
use crate::record::{
    Counter, Footprint, Header, Inherited, Outcome, Process, ProcessEnd, Thread, ThreadEnd,
};
use crate::units::Timestamp;
use crate::wire::zigzag;

pub(crate) fn about(header: &Header, scratch: &mut Scratch) {
    let tool = limit::string(header.tool.as_bytes());
    let command = limit::command(&header.command);
    codec::encode(&AboutV1 { tool, command }, &mut scratch.payload)
}

/// Takes processes as far as one chunk holds them and says how many it took.
pub(crate) fn processes(processes: &[Process], unit: Unit, scratch: &mut Scratch) -> usize {
    let mut entries = Vec::new();
    let mut total = 0;
    for process in processes {
        if total >= limit::CHUNK_BYTES {
            break;
        }
        let command = limit::command(&process.command);
        total += command.iter().map(|argument| argument.len() + 8).sum::<usize>() + 64;
        entries.push(ProcessV1 {
            parent: process.parent.map_or(0, |parent| u64::from(parent.number()) + 1),
            pid: process.pid,
            time: unit.time(process.time),
            profiled: process.profiled.into(),
            python: limit::string(process.python.as_bytes()),
            command,
        });
    }
    let count = entries.len();
    let first = processes.first().map_or(0, |process| process.id.number());
    codec::encode(&ProcessesV1 { first, entries }, &mut scratch.payload);
    count
}

/// Takes threads as far as one chunk holds them and says how many it took.
pub(crate) fn threads(threads: &[Thread], unit: Unit, scratch: &mut Scratch) -> usize {
    let ([processes, tids, times, names, bytes, ..], _, payload) = scratch.begin();
    let (mut count, mut total) = (0, 0);
    let mut last = 0;
    for thread in threads.iter().take(limit::ENTRIES as usize) {
        if total >= limit::CHUNK_BYTES {
            break;
        }
        let name = limit::string(&thread.name);
        processes.put(thread.process.number().into());
        tids.put(thread.tid.into());
        times.put_delta(&mut last, unit.time(thread.time));
        names.put(name.len() as u64);
        bytes.put_bytes(name);
        count += 1;
        total += name.len();
    }
    let value = ThreadsV1 {
        first: threads.first().map_or(0, |thread| thread.id.number()),
        count: count as u32,
        processes: processes.bytes(),
        tids: tids.bytes(),
        times: times.bytes(),
        names: names.bytes(),
        bytes: bytes.bytes(),
    };
    codec::encode(&value, payload);
    count
}

pub(crate) fn footprints(rows: &[Footprint], unit: Unit, scratch: &mut Scratch) {
    let ([codes, times, native, python, ..], threads, payload) = scratch.begin();
    let (mut time, mut last_native, mut last_python) = (0, 0, 0);
    for point in rows {
        codes.put(u64::from(point.process.number()) * 2 + u64::from(point.peak));
        times.put_delta(&mut time, unit.time(point.time));
        threads.extent.time(time);
        native.put_delta(&mut last_native, point.native_bytes);
        python.put_delta(&mut last_python, point.python_bytes);
    }
    let value = FootprintsV1 {
        count: rows.len() as u32,
        rows: codes.bytes(),
        times: times.bytes(),
        native: native.bytes(),
        python: python.bytes(),
    };
    codec::encode(&value, payload);
}

pub(crate) fn inheritances(rows: &[Inherited], unit: Unit, scratch: &mut Scratch) {
    let ([processes, times, bytes, ..], _, payload) = scratch.begin();
    let mut time = 0;
    for inherited in rows {
        processes.put(inherited.process.number().into());
        times.put_delta(&mut time, unit.time(inherited.time));
        bytes.put(inherited.bytes);
    }
    let value = InheritancesV1 {
        count: rows.len() as u32,
        processes: processes.bytes(),
        times: times.bytes(),
        bytes: bytes.bytes(),
    };
    codec::encode(&value, payload);
}

pub(crate) fn counters(rows: &[Counter], unit: Unit, scratch: &mut Scratch) {
    let ([processes, times, names, values, ..], threads, payload) = scratch.begin();
    let mut time = 0;
    for counter in rows {
        processes.put(counter.process.number().into());
        times.put_delta(&mut time, unit.time(counter.time));
        threads.extent.time(time);
        names.put(counter.name.number().into());
        values.put(counter.value);
    }
    let value = CountersV1 {
        count: rows.len() as u32,
        processes: processes.bytes(),
        times: times.bytes(),
        names: names.bytes(),
        values: values.bytes(),
    };
    codec::encode(&value, payload);
}

pub(crate) fn thread_ends(rows: &[ThreadEnd], unit: Unit, scratch: &mut Scratch) {
    let ([threads, times, cpu, ..], _, payload) = scratch.begin();
    let mut time = 0;
    for end in rows {
        threads.put(end.id.number().into());
        times.put_delta(&mut time, unit.time(end.time));
        cpu.put(end.cpu_ns);
    }
    let value = ThreadEndsV1 {
        count: rows.len() as u32,
        threads: threads.bytes(),
        times: times.bytes(),
        cpu: cpu.bytes(),
    };
    codec::encode(&value, payload);
}

pub(crate) fn process_ends(rows: &[ProcessEnd], unit: Unit, scratch: &mut Scratch) {
    let ([processes, times, outcomes, cpu, ..], _, payload) = scratch.begin();
    let mut time = 0;
    for end in rows {
        processes.put(end.id.number().into());
        times.put_delta(&mut time, unit.time(end.time));
        let (code, status) = match end.outcome {
            Outcome::Exited(status) => (0, status),
            Outcome::Killed(signal) => (1, signal),
            Outcome::Exec => (2, 0),
            Outcome::Gone => (3, 0),
            Outcome::Running => (4, 0),
        };
        outcomes.put(code);
        outcomes.put(zigzag::encode(status.into()));
        cpu.put(end.cpu_ns);
    }
    let value = ProcessEndsV1 {
        count: rows.len() as u32,
        processes: processes.bytes(),
        times: times.bytes(),
        outcomes: outcomes.bytes(),
        cpu: cpu.bytes(),
    };
    codec::encode(&value, payload);
}

/// Takes notes as far as one chunk holds them and says how many it took.
pub(crate) fn notes(notes: &[Vec<u8>], scratch: &mut Scratch) -> usize {
    let ([lengths, bytes, ..], _, payload) = scratch.begin();
    let (mut count, mut total) = (0, 0);
    for note in notes.iter().take(limit::ENTRIES as usize) {
        if total >= limit::CHUNK_BYTES {
            break;
        }
        let note = limit::string(note);
        lengths.put(note.len() as u64);
        bytes.put_bytes(note);
        count += 1;
        total += note.len();
    }
    let value = NotesV1 { count: count as u32, lengths: lengths.bytes(), bytes: bytes.bytes() };
    codec::encode(&value, payload);
    count
}

pub(crate) fn end(time: Timestamp, unit: Unit, scratch: &mut Scratch) {
    codec::encode(&EndV1 { time: unit.time(time) }, &mut scratch.payload)
}
