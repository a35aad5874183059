//! A struct of serde for each event: as bincode records, one behind the other, and as lines of JSON.

use std::io::Write;

use bincode::Options;
use profformat::ids::StackId;
use profformat::record::{MemoryEvent, Sample};
use serde::{Deserialize, Serialize};

use crate::events::{Event, Weighed, micros};
use crate::format::{Clock, Column, Format};
use crate::load::{Definitions, Load};

/// Stands before the events.
#[derive(Serialize, Deserialize)]
struct Dictionary {
    strings: Vec<Vec<u8>>,
    /// Name, file, first line, language.
    functions: Vec<(u32, u32, u32, u8)>,
    /// Function, line.
    frames: Vec<(u32, u32)>,
    /// Parent and one, frame.
    stacks: Vec<(u32, u32)>,
    /// System's id and command.
    processes: Vec<(u32, Vec<Vec<u8>>)>,
    /// Process, system's id, name.
    threads: Vec<(u32, u32, Vec<u8>)>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SampleRow {
    time: u64,
    thread: u32,
    stack: u32,
    weight: u64,
    class: u8,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum MemoryRow {
    Alloc { time: u64, thread: u32, stack: u32, size: u64, weight: u64, domain: u8, block: u64 },
    Free { time: u64, thread: u32, block: u64 },
    Resize { time: u64, thread: u32, block: u64, old_size: u64, new_size: u64 },
}

/// 0 for none, as in our own columns.
pub(crate) fn stack(stack: Option<StackId>) -> u32 {
    stack.map_or(0, |stack| stack.number() + 1)
}

impl From<&Definitions> for Dictionary {
    fn from(definitions: &Definitions) -> Self {
        let tables = &definitions.tables;
        Self {
            strings: definitions.strings().map(<[u8]>::to_vec).collect(),
            functions: tables
                .functions()
                .iter()
                .map(|f| (f.name.number(), f.file.number(), f.first_line, f.lang as u8))
                .collect(),
            frames: tables.frames().iter().map(|f| (f.function.number(), f.line)).collect(),
            stacks: tables.stacks().iter().map(|n| (stack(n.parent), n.frame.number())).collect(),
            processes: definitions.processes.iter().map(|p| (p.pid, p.command.clone())).collect(),
            threads: definitions
                .threads
                .iter()
                .map(|t| (t.process.number(), t.tid, t.name.clone()))
                .collect(),
        }
    }
}

impl From<&Sample> for SampleRow {
    fn from(sample: &Sample) -> Self {
        Self {
            time: micros(sample.time),
            thread: sample.thread.number(),
            stack: stack(sample.stack),
            weight: sample.weight(),
            class: sample.class.code(),
        }
    }
}

impl Weighed for SampleRow {
    fn weight(&self) -> u64 {
        self.weight
    }
}

impl From<&MemoryEvent> for MemoryRow {
    fn from(event: &MemoryEvent) -> Self {
        match event {
            MemoryEvent::Alloc(alloc) => Self::Alloc {
                time: micros(alloc.time),
                thread: alloc.thread.number(),
                stack: stack(alloc.stack),
                size: alloc.size,
                weight: alloc.weight,
                domain: alloc.domain as u8,
                block: alloc.block,
            },
            MemoryEvent::Free(free) => Self::Free {
                time: micros(free.time),
                thread: free.thread.number(),
                block: free.block,
            },
            MemoryEvent::Resize(resize) => Self::Resize {
                time: micros(resize.time),
                thread: resize.thread.number(),
                block: resize.block,
                old_size: resize.old_size,
                new_size: resize.new_size,
            },
        }
    }
}

impl Weighed for MemoryRow {
    fn weight(&self) -> u64 {
        if let Self::Alloc { weight, .. } = self { *weight } else { 0 }
    }
}

/// bincode with numbers as wide as their types.
pub(crate) struct Fixed;
/// bincode with numbers as long as they need.
pub(crate) struct Varint;
/// JSON, a line each.
pub(crate) struct JsonLines;

impl<E: Event> Format<E> for Fixed {
    fn name(&self) -> &'static str {
        "bincode, fixed"
    }

    fn write(&mut self, load: &Load<E>, out: &mut Vec<u8>, clock: &mut Clock) {
        clock.time(Column::Write, || write_binary(fixed(), load, out));
    }

    fn read(&mut self, bytes: &[u8], load: &Load<E>, clock: &mut Clock) {
        assert_eq!(clock.time(Column::Read, || read_binary::<E>(fixed(), bytes)), load.sum);
    }
}

impl<E: Event> Format<E> for Varint {
    fn name(&self) -> &'static str {
        "bincode, varint"
    }

    fn write(&mut self, load: &Load<E>, out: &mut Vec<u8>, clock: &mut Clock) {
        clock.time(Column::Write, || write_binary(varint(), load, out));
    }

    fn read(&mut self, bytes: &[u8], load: &Load<E>, clock: &mut Clock) {
        assert_eq!(clock.time(Column::Read, || read_binary::<E>(varint(), bytes)), load.sum);
    }
}

fn fixed() -> impl Options + Copy {
    bincode::DefaultOptions::new().with_fixint_encoding().allow_trailing_bytes()
}

fn varint() -> impl Options + Copy {
    bincode::DefaultOptions::new().allow_trailing_bytes()
}

fn write_binary<E: Event>(options: impl Options + Copy, load: &Load<E>, out: &mut Vec<u8>) {
    options.serialize_into(&mut *out, &Dictionary::from(&load.definitions)).expect("memory");
    for event in &load.events {
        options.serialize_into(&mut *out, &E::Row::from(event)).expect("memory");
    }
}

fn read_binary<E: Event>(options: impl Options + Copy, mut bytes: &[u8]) -> u64 {
    // From a reader, which here is a slice that shortens: bincode's way to read one value after another.
    let _: Dictionary = options.deserialize_from(&mut bytes).expect("a dictionary");
    let mut sum = 0;
    while !bytes.is_empty() {
        let row: E::Row = options.deserialize_from(&mut bytes).expect("a row");
        sum += row.weight();
    }
    sum
}

impl<E: Event> Format<E> for JsonLines {
    fn name(&self) -> &'static str {
        "JSON lines"
    }

    fn write(&mut self, load: &Load<E>, out: &mut Vec<u8>, clock: &mut Clock) {
        clock.time(Column::Write, || {
            serde_json::to_writer(&mut *out, &Dictionary::from(&load.definitions)).expect("memory");
            for event in &load.events {
                out.write_all(b"\n").expect("memory");
                serde_json::to_writer(&mut *out, &E::Row::from(event)).expect("memory");
            }
        });
    }

    fn read(&mut self, bytes: &[u8], load: &Load<E>, clock: &mut Clock) {
        assert_eq!(clock.time(Column::Read, || read_lines::<E>(bytes)), load.sum);
    }
}

fn read_lines<E: Event>(bytes: &[u8]) -> u64 {
    let end = bytes.iter().position(|&byte| byte == b'\n').expect("a first line");
    let _: Dictionary = serde_json::from_slice(&bytes[..end]).expect("a dictionary");
    let rows = serde_json::Deserializer::from_slice(&bytes[end..]).into_iter::<E::Row>();
    rows.map(|row| row.expect("a row").weight()).sum()
}
