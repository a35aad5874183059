//! What the merged trace is to be, as the headers of the inputs tell.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::MergeError;
use crate::reader::TraceReader;
use crate::record::Header;
use crate::units::Timestamp;

/// Difference of the clocks' difference up to which traces are taken to come from one boot, nanoseconds.
const ONE_BOOT: i128 = 1_000_000_000;
/// Characters of a command in a note.
const COMMAND: usize = 60;
/// What wrote the merged trace.
const TOOL: &str = concat!("prof ", env!("CARGO_PKG_VERSION"));

/// The inputs, opened, and how they become one.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) readers: Vec<TraceReader<'a>>,
    pub(super) header: Header,
    pub(super) time_unit_ns: u32,
    /// What is added to the times of each input, nanoseconds.
    pub(super) shifts: Vec<u64>,
    pub(super) notes: Vec<String>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(inputs: &[&'a [u8]]) -> Result<Self, MergeError> {
        let mut readers = Vec::with_capacity(inputs.len());
        for (input, bytes) in inputs.iter().enumerate() {
            let reader = TraceReader::new(bytes);
            readers.push(reader.map_err(|error| MergeError::Trace { input, error })?);
        }
        let headers: Vec<&Header> = readers.iter().map(TraceReader::header).collect();
        let starts = starts(&headers);
        let earliest = starts.iter().copied().min().ok_or(MergeError::Nothing)?;
        // The units are above zero: so a reader has found them.
        let unit = readers.iter().map(TraceReader::time_unit_ns).fold(0, divisor).max(1);
        let shifts: Vec<u64> =
            starts.iter().map(|start| (start - earliest) / unit * unit).collect();
        let header = header(&headers, starts.iter().position(|start| *start == earliest));
        let notes = if headers.len() > 1 { notes(&headers, &shifts) } else { Vec::new() };
        // A divisor of numbers of 32 bits has no more.
        Ok(Self { time_unit_ns: unit as u32, header, shifts, notes, readers })
    }
}

/// The greatest common divisor; that of a number and 0 is the number.
fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// When each input starts, on one clock for all.
fn starts(headers: &[&Header]) -> Vec<u64> {
    let boots =
        headers.iter().map(|h| i128::from(h.start_unix_ns) - i128::from(h.start_monotonic_ns));
    let apart = boots.clone().max().unwrap_or(0) - boots.min().unwrap_or(0);
    let clock = |header: &&Header| match apart <= ONE_BOOT {
        true => header.start_monotonic_ns,
        false => header.start_unix_ns,
    };
    headers.iter().map(clock).collect()
}

fn header(headers: &[&Header], earliest: Option<usize>) -> Header {
    let earliest = earliest.map_or_else(Header::default, |number| headers[number].clone());
    let largest = |interval: Interval| headers.iter().map(|h| interval(h)).max();
    let id = headers
        .iter()
        .fold(0_u128, |id, header| id.wrapping_add(u128::from_le_bytes(header.trace_id)));
    Header {
        trace_id: id.to_le_bytes(),
        start_unix_ns: earliest.start_unix_ns,
        start_monotonic_ns: earliest.start_monotonic_ns,
        cpu_interval_ns: largest(|header| header.cpu_interval_ns).unwrap_or(0),
        memory_interval: largest(|header| header.memory_interval).unwrap_or(0),
        copy_interval: largest(|header| header.copy_interval).unwrap_or(0),
        command: headers.first().map(|first| first.command.clone()).unwrap_or_default(),
        tool: TOOL.to_string(),
    }
}

/// One of the sampling intervals of a header.
type Interval = fn(&Header) -> u64;

fn notes(headers: &[&Header], shifts: &[u64]) -> Vec<String> {
    let inputs = headers.iter().zip(shifts).enumerate().map(|(number, (header, shift))| {
        let start = Timestamp::from_nanos(*shift).as_secs_f64();
        format!("{} {} from {start:.3} s", number + 1, command(header))
    });
    let inputs: Vec<String> = inputs.collect();
    let mut notes = Vec::from([format!("merged from {}: {}", headers.len(), inputs.join(", "))]);
    let intervals: [(&str, &str, Interval); 3] = [
        ("CPU samples", "ns", |header| header.cpu_interval_ns),
        ("memory samples", "bytes", |header| header.memory_interval),
        ("copy samples", "bytes", |header| header.copy_interval),
    ];
    for (what, unit, interval) in intervals {
        let values: Vec<u64> = headers.iter().map(|header| interval(header)).collect();
        if values.iter().any(|value| *value != values[0]) {
            notes.push(difference(what, unit, &values));
        }
    }
    notes
}

fn difference(what: &str, unit: &str, values: &[u64]) -> String {
    let values = values.iter().enumerate().map(|(number, value)| match value {
        0 => format!("input {} none", number + 1),
        value => format!("input {} one for {value} {unit}", number + 1),
    });
    format!("the inputs had different {what}: {}", values.collect::<Vec<_>>().join(", "))
}

/// The command as text, its end cut off when it is long.
fn command(header: &Header) -> String {
    let words: Vec<_> = header.command.iter().map(|word| String::from_utf8_lossy(word)).collect();
    let text = words.join(" ");
    match text.char_indices().nth(COMMAND) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
