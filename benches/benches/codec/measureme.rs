//! CPU samples as intervals of measureme, the format of rustc's own profiler, read by the crate decodeme.
//!
//! An event says kind, id, thread, begin and end in 32 bytes: class, stack, thread, and the time that the
//! weight ends at fit. Its profiler reads the clock itself, so events go in one floor below, through the sink and
//! the table of strings that it is made of. A stack is a string that names the frame and refers to the caller's.

use std::fs::File;
use std::io::{Read, Seek};
use std::sync::Arc;

use decodeme::EventDecoder;
use measureme::file_header::{FILE_MAGIC_EVENT_STREAM, FILE_MAGIC_TOP_LEVEL, write_file_header};
use measureme::{
    EventId, PageTag, RawEvent, SerializationSink, SerializationSinkBuilder, StringComponent,
    StringId, StringTableBuilder,
};
use profformat::record::{Class, Sample};

use crate::events::{Weighed, micros};
use crate::format::{Clock, Column, Format};
use crate::load::{Definitions, Load};

/// A file of rustc's profiler.
pub(crate) struct Measureme;

impl Format<Sample> for Measureme {
    fn name(&self) -> &'static str {
        "measureme (decodeme)"
    }

    fn write(&mut self, load: &Load<Sample>, out: &mut Vec<u8>, clock: &mut Clock) {
        // Only a file takes all its streams.
        let mut file = tempfile::tempfile().expect("a scratch file");
        let handle = file.try_clone().expect("a handle");
        clock.time(Column::Write, || write(load, handle));
        file.rewind().expect("a file");
        file.read_to_end(out).expect("a file");
    }

    fn read(&mut self, bytes: &[u8], load: &Load<Sample>, clock: &mut Clock) {
        assert_eq!(clock.time(Column::Read, || read(bytes)), load.sum);
    }
}

fn write(load: &Load<Sample>, mut file: File) {
    write_file_header(&mut file, FILE_MAGIC_TOP_LEVEL).expect("room");
    let pages = SerializationSinkBuilder::new_from_file(file).expect("a file");
    let events = pages.new_sink(PageTag::Events);
    write_file_header(&mut events.as_std_write(), FILE_MAGIC_EVENT_STREAM).expect("room");
    let sink = |tag| Arc::new(pages.new_sink(tag));
    let strings = StringTableBuilder::new(sink(PageTag::StringData), sink(PageTag::StringIndex))
        .expect("room");
    strings.alloc_metadata(r#"{ "start_time": 0, "process_id": 4000, "cmd": "", "counter": {} }"#);
    let classes = Class::ALL.map(|class| strings.alloc(class.name()));
    let stacks = stacks(&load.definitions, &strings);
    let nothing = EventId::from_label(strings.alloc("[unknown]"));
    for sample in &load.events {
        let stack = sample.stack.map_or(nothing, |stack| stacks[stack.index()]);
        event(sample, classes[usize::from(sample.class.code())], stack, &events);
    }
}

fn event(sample: &Sample, class: StringId, stack: EventId, events: &SerializationSink) {
    let end = micros(sample.time);
    let begin = end.saturating_sub(sample.weight());
    let raw = RawEvent::new_interval(class, stack, sample.thread.number(), begin, end);
    events.write_atomic(size_of::<RawEvent>(), |bytes| raw.serialize(bytes));
}

/// A string for each stack.
fn stacks(definitions: &Definitions, strings: &StringTableBuilder) -> Vec<EventId> {
    let tables = &definitions.tables;
    let names: Vec<_> = tables
        .frames()
        .iter()
        .map(|frame| {
            let function = tables.function(frame.function).expect("a function");
            let (name, file) = (tables.text(function.name), tables.text(function.file));
            strings.alloc(&*format!("{name} ({file}:{})", frame.line))
        })
        .collect();
    let mut ids: Vec<StringId> = Vec::with_capacity(tables.stacks().len());
    for node in tables.stacks() {
        let name = StringComponent::Ref(names[node.frame.index()]);
        ids.push(match node.parent {
            None => strings.alloc(&[name]),
            Some(parent) => {
                let caller = StringComponent::Ref(ids[parent.index()]);
                strings.alloc(&[caller, StringComponent::Value(";"), name])
            }
        });
    }
    ids.into_iter().map(EventId::from_label).collect()
}

fn read(bytes: &[u8]) -> u64 {
    // The reader wants a vector of its own: what reading the file would make.
    let decoder = EventDecoder::new(bytes.to_vec(), None).expect("a file of measureme");
    let events = (0..decoder.num_events()).map(|n| decoder.decode_lightweight_event(n));
    // It takes the numbers for nanoseconds.
    events.map(|event| event.duration().map_or(0, |time| time.as_nanos() as u64)).sum()
}
