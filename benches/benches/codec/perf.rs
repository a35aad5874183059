//! CPU samples as Linux `perf record -g` keeps them, read by the crate linux-perf-data.
//!
//! The file is written here, after the layout that the kernel (`perf_event_open(2)`) and perf
//! (`tools/perf/Documentation/perf.data-file-format.txt`) publish. It has no dictionaries: every sample carries its
//! whole call chain as addresses, and names are found elsewhere. `perf script` reads it.

use std::io::Cursor;

use linux_perf_data::linux_perf_event_reader::EventRecord;
use linux_perf_data::{PerfFileReader, PerfFileRecord};
use profformat::ids::StackId;
use profformat::record::Sample;
use profformat::tables::Tables;

use crate::events::{Weighed, micros};
use crate::format::{Clock, Column, Format};
use crate::load::{Definitions, Load};

/// A file of `perf record`.
pub(crate) struct PerfData;

const HEADER_BYTES: u64 = 104;
/// The first published version of the struct, which has all that is used here.
const ATTR_BYTES: u32 = 64;
/// An attribute and the place of its ids.
const ATTR_ENTRY_BYTES: u64 = ATTR_BYTES as u64 + 16;
const DATA_OFFSET: u64 = HEADER_BYTES + ATTR_ENTRY_BYTES;
/// Where the header says how long the data are.
const DATA_SIZE_AT: usize = 48;

const SOFTWARE: u32 = 1;
const RECORD_SAMPLE: u32 = 9;
const RECORD_FINISHED_ROUND: u32 = 68;
/// Fields of a sample: address, thread, time, call chain, period.
const SAMPLE_FIELDS: u64 = 1 | 1 << 1 | 1 << 2 | 1 << 5 | 1 << 8;
/// Samples between two marks that let a reader sort what is before: the collector's drains rise in time.
const ROUND: usize = 4_096;

impl Format<Sample> for PerfData {
    fn name(&self) -> &'static str {
        "perf.data (linux-perf-data)"
    }

    fn write(&mut self, load: &Load<Sample>, out: &mut Vec<u8>, clock: &mut Clock) {
        clock.time(Column::Write, || write(load, out));
    }

    fn read(&mut self, bytes: &[u8], load: &Load<Sample>, clock: &mut Clock) {
        assert_eq!(clock.time(Column::Read, || read(bytes)), load.sum);
    }
}

fn write(load: &Load<Sample>, out: &mut Vec<u8>) {
    header(out);
    for round in load.events.chunks(ROUND) {
        for sample in round {
            record(sample, &load.definitions, out);
        }
        out.extend(RECORD_FINISHED_ROUND.to_le_bytes());
        out.extend([0, 0, 8, 0]);
    }
    let data = out.len() as u64 - DATA_OFFSET;
    out[DATA_SIZE_AT..DATA_SIZE_AT + 8].copy_from_slice(&data.to_le_bytes());
}

/// Frames of a sample on average: what makes these files as long as they are.
pub(crate) fn depth(load: &Load<Sample>) -> f64 {
    let frames = |sample: &Sample| load.definitions.tables.walk(sample.stack).count();
    load.events.iter().map(frames).sum::<usize>() as f64 / load.events.len() as f64
}

fn header(out: &mut Vec<u8>) {
    out.extend(b"PERFILE2");
    // Places of attributes, data and event types, each with its length; feature bits.
    let places = [HEADER_BYTES, ATTR_ENTRY_BYTES, DATA_OFFSET, 0, 0, 0];
    for word in [HEADER_BYTES, ATTR_ENTRY_BYTES].into_iter().chain(places).chain([0; 4]) {
        out.extend(word.to_le_bytes());
    }
    out.extend(SOFTWARE.to_le_bytes());
    out.extend(ATTR_BYTES.to_le_bytes());
    // What is counted (the CPU clock), how often, fields; read format, flags, wake-up, break points.
    for word in [0, 10_000_000, SAMPLE_FIELDS, 0, 0, 0, 0] {
        out.extend(word.to_le_bytes());
    }
    // No ids.
    out.extend([0; 16]);
}

fn record(sample: &Sample, definitions: &Definitions, out: &mut Vec<u8>) {
    let (thread, tables) = (&definitions.threads[sample.thread.index()], &definitions.tables);
    let start = out.len();
    out.extend(RECORD_SAMPLE.to_le_bytes());
    // The six modes of a CPU that perf tells apart, for the six classes; the length is known at the end.
    out.extend(u16::from(sample.class.code()).to_le_bytes());
    out.extend([0; 2]);
    let ip = tables.walk(sample.stack).next().map_or(0, address);
    out.extend(ip.to_le_bytes());
    out.extend(definitions.processes[thread.process.index()].pid.to_le_bytes());
    out.extend(thread.tid.to_le_bytes());
    out.extend(micros(sample.time).to_le_bytes());
    out.extend(sample.weight().to_le_bytes());
    chain(sample.stack, tables, out);
    let length = (out.len() - start) as u16;
    out[start + 6..start + 8].copy_from_slice(&length.to_le_bytes());
}

/// The number of frames and their addresses, innermost first.
fn chain(stack: Option<StackId>, tables: &Tables, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0; 8]);
    for frame in tables.walk(stack) {
        out.extend(address(frame).to_le_bytes());
    }
    let frames = (out.len() - start) as u64 / 8 - 1;
    out[start..start + 8].copy_from_slice(&frames.to_le_bytes());
}

/// An address that stands for a frame.
fn address(frame: profformat::ids::FrameId) -> u64 {
    0x5555_0000_0000 + u64::from(frame.number()) * 16
}

fn read(bytes: &[u8]) -> u64 {
    let PerfFileReader { mut perf_file, mut record_iter } =
        PerfFileReader::parse_file(Cursor::new(bytes)).expect("a file of perf");
    let mut sum = 0;
    while let Some(record) = record_iter.next_record(&mut perf_file).expect("a record") {
        let PerfFileRecord::EventRecord { record, .. } = record else { continue };
        if let EventRecord::Sample(sample) = record.parse().expect("a record of the kernel") {
            sum += sample.period.unwrap_or(0);
        }
    }
    sum
}
