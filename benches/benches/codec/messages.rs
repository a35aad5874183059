//! A message of protobuf for each event, each with its length before it.

use profformat::record::{MemoryEvent, Sample};
use prost::Message;

use crate::events::{Event, Weighed, micros};
use crate::format::{Clock, Column, Format};
use crate::load::{Definitions, Load};
use crate::rows::stack;

/// Stands before the events; tables as columns, which protobuf packs.
#[derive(Clone, PartialEq, Message)]
struct Dictionary {
    #[prost(bytes = "vec", repeated, tag = "1")]
    strings: Vec<Vec<u8>>,
    #[prost(uint32, repeated, tag = "2")]
    function_names: Vec<u32>,
    #[prost(uint32, repeated, tag = "3")]
    function_files: Vec<u32>,
    #[prost(uint32, repeated, tag = "4")]
    function_lines: Vec<u32>,
    #[prost(uint32, repeated, tag = "5")]
    function_langs: Vec<u32>,
    #[prost(uint32, repeated, tag = "6")]
    frame_functions: Vec<u32>,
    #[prost(uint32, repeated, tag = "7")]
    frame_lines: Vec<u32>,
    #[prost(uint32, repeated, tag = "8")]
    stack_parents: Vec<u32>,
    #[prost(uint32, repeated, tag = "9")]
    stack_frames: Vec<u32>,
    #[prost(uint32, repeated, tag = "10")]
    pids: Vec<u32>,
    #[prost(bytes = "vec", repeated, tag = "11")]
    commands: Vec<Vec<u8>>,
    #[prost(uint32, repeated, tag = "12")]
    thread_processes: Vec<u32>,
    #[prost(uint32, repeated, tag = "13")]
    tids: Vec<u32>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    thread_names: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SampleMessage {
    #[prost(uint64, tag = "1")]
    time: u64,
    #[prost(uint32, tag = "2")]
    thread: u32,
    #[prost(uint32, tag = "3")]
    stack: u32,
    #[prost(uint64, tag = "4")]
    weight: u64,
    #[prost(uint32, tag = "5")]
    class: u32,
}

/// Fields that an event does not have stay 0, which takes no bytes.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MemoryMessage {
    /// 0 allocation, 1 free, 2 resize.
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint64, tag = "2")]
    time: u64,
    #[prost(uint32, tag = "3")]
    thread: u32,
    #[prost(uint64, tag = "4")]
    block: u64,
    #[prost(uint32, tag = "5")]
    stack: u32,
    /// Of a resize, bytes after.
    #[prost(uint64, tag = "6")]
    size: u64,
    #[prost(uint64, tag = "7")]
    weight: u64,
    #[prost(uint32, tag = "8")]
    domain: u32,
    #[prost(uint64, tag = "9")]
    old_size: u64,
}

impl From<&Definitions> for Dictionary {
    fn from(definitions: &Definitions) -> Self {
        let tables = &definitions.tables;
        let (functions, frames, stacks) = (tables.functions(), tables.frames(), tables.stacks());
        let (processes, threads) = (&definitions.processes, &definitions.threads);
        Self {
            strings: definitions.strings().map(<[u8]>::to_vec).collect(),
            function_names: functions.iter().map(|f| f.name.number()).collect(),
            function_files: functions.iter().map(|f| f.file.number()).collect(),
            function_lines: functions.iter().map(|f| f.first_line).collect(),
            function_langs: functions.iter().map(|f| f.lang as u32).collect(),
            frame_functions: frames.iter().map(|f| f.function.number()).collect(),
            frame_lines: frames.iter().map(|f| f.line).collect(),
            stack_parents: stacks.iter().map(|n| stack(n.parent)).collect(),
            stack_frames: stacks.iter().map(|n| n.frame.number()).collect(),
            pids: processes.iter().map(|p| p.pid).collect(),
            commands: processes.iter().map(|p| p.command.join(&0)).collect(),
            thread_processes: threads.iter().map(|t| t.process.number()).collect(),
            tids: threads.iter().map(|t| t.tid).collect(),
            thread_names: threads.iter().map(|t| t.name.clone()).collect(),
        }
    }
}

impl From<&Sample> for SampleMessage {
    fn from(sample: &Sample) -> Self {
        Self {
            time: micros(sample.time),
            thread: sample.thread.number(),
            stack: stack(sample.stack),
            weight: sample.weight(),
            class: sample.class.code().into(),
        }
    }
}

impl Weighed for SampleMessage {
    fn weight(&self) -> u64 {
        self.weight
    }
}

impl From<&MemoryEvent> for MemoryMessage {
    fn from(event: &MemoryEvent) -> Self {
        match event {
            MemoryEvent::Alloc(alloc) => Self {
                time: micros(alloc.time),
                thread: alloc.thread.number(),
                block: alloc.block,
                stack: stack(alloc.stack),
                size: alloc.size,
                weight: alloc.weight,
                domain: alloc.domain as u32,
                ..Self::default()
            },
            MemoryEvent::Free(free) => Self {
                kind: 1,
                time: micros(free.time),
                thread: free.thread.number(),
                block: free.block,
                ..Self::default()
            },
            MemoryEvent::Resize(resize) => Self {
                kind: 2,
                time: micros(resize.time),
                thread: resize.thread.number(),
                block: resize.block,
                size: resize.new_size,
                old_size: resize.old_size,
                ..Self::default()
            },
        }
    }
}

impl Weighed for MemoryMessage {
    fn weight(&self) -> u64 {
        self.weight
    }
}

/// Messages with their lengths.
pub(crate) struct Messages;

impl<E: Event> Format<E> for Messages {
    fn name(&self) -> &'static str {
        "prost messages"
    }

    fn write(&mut self, load: &Load<E>, out: &mut Vec<u8>, clock: &mut Clock) {
        clock.time(Column::Write, || {
            Dictionary::from(&load.definitions).encode_length_delimited(out).expect("memory");
            for event in &load.events {
                E::Message::from(event).encode_length_delimited(out).expect("memory");
            }
        });
    }

    fn read(&mut self, bytes: &[u8], load: &Load<E>, clock: &mut Clock) {
        assert_eq!(clock.time(Column::Read, || read::<E>(bytes)), load.sum);
    }
}

fn read<E: Event>(mut bytes: &[u8]) -> u64 {
    Dictionary::decode_length_delimited(&mut bytes).expect("a dictionary");
    let mut sum = 0;
    while !bytes.is_empty() {
        sum += E::Message::decode_length_delimited(&mut bytes).expect("a message").weight();
    }
    sum
}
