//! Our format: write, read, check, and every export.

use profformat::analysis::Profile;
use profformat::export::export;
use profformat::limit::BLOCK_EVENTS;
use profformat::merge::merge;
use profformat::units::Timestamp;
use profformat::{Block, TraceReader, recover};

use crate::events::{Event, Weighed};
use crate::format::{Clock, Column, Exported, Format, timed};
use crate::load::Load;

/// A trace.
pub(crate) struct Trace {
    compress: bool,
    rounds: usize,
    merged: Vec<u8>,
}

impl Trace {
    pub(crate) const PLAIN: Self = Self { compress: false, rounds: 0, merged: Vec::new() };
    pub(crate) const ZSTD: Self = Self { compress: true, rounds: 0, merged: Vec::new() };
}

impl<E: Event> Format<E> for Trace {
    fn name(&self) -> &'static str {
        if self.compress { "**proftrace, zstd**" } else { "**proftrace, plain**" }
    }

    fn write(&mut self, load: &Load<E>, out: &mut Vec<u8>, clock: &mut Clock) {
        clock.time(Column::WriteBlocks, || write_blocks(load, self.compress, out));
        out.clear();
        clock.time(Column::Write, || write(load, self.compress, out));
    }

    fn read(&mut self, bytes: &[u8], load: &Load<E>, clock: &mut Clock) {
        assert_eq!(clock.time(Column::Read, || by_record(bytes)), load.sum);
        assert_eq!(clock.time(Column::ReadBlocks, || by_block(bytes)), load.sum);
        let report = clock.time(Column::Check, || recover::check(bytes)).expect("a trace");
        assert!(report.damage.is_sound());
        self.rounds += 1;
        if self.rounds.is_multiple_of(2) {
            // They take most of the time, and every other round is enough for them.
            return;
        }
        self.merged.clear();
        let (report, seconds) = timed(|| merge(&[bytes, bytes], &mut self.merged, self.compress));
        let records = report.expect("a merged trace").inputs.into_iter().map(|input| input.records);
        assert!(records.sum::<u64>() > 2 * load.events.len() as u64);
        clock.add(Column::Merge, seconds / 2.0);
        // Every export begins with the same analysis.
        let (profile, analysis) = timed(|| Profile::from_bytes(bytes).expect("a trace"));
        for exported in Exported::all() {
            let mut out = Vec::new();
            let output = exported.output();
            let (result, seconds) = timed(|| export(&profile, output, E::METRIC, &mut out));
            result.expect("an export");
            clock.add(Column::Export(exported), analysis + seconds);
        }
    }
}

/// Writes a whole trace.
pub(crate) fn write<E: Event>(load: &Load<E>, compress: bool, out: &mut Vec<u8>) {
    let mut writer = load.definitions.begin(out, compress);
    for event in &load.events {
        writer.write(&event.record()).expect("memory");
    }
    writer.finish(Timestamp::ZERO).expect("memory");
}

/// The same, a block's worth of events at a time.
fn write_blocks<E: Event>(load: &Load<E>, compress: bool, out: &mut Vec<u8>) {
    let mut writer = load.definitions.begin(out, compress);
    for events in load.events.chunks(BLOCK_EVENTS) {
        writer.write_block(&E::block(events)).expect("memory");
    }
    writer.finish(Timestamp::ZERO).expect("memory");
}

fn by_block(bytes: &[u8]) -> u64 {
    let mut reader = TraceReader::new(bytes).expect("a trace");
    let mut sum = 0;
    while let Some(block) = reader.next_block() {
        sum += match block.expect("not strict") {
            Block::Samples(samples) => samples.iter().map(Weighed::weight).sum(),
            Block::Memory(events) => events.iter().map(Weighed::weight).sum::<u64>(),
            _ => 0,
        };
    }
    assert!(reader.damage().is_sound());
    sum
}

fn by_record(bytes: &[u8]) -> u64 {
    let mut reader = TraceReader::new(bytes).expect("a trace");
    let mut sum = 0;
    while let Some(record) = reader.next_record() {
        sum += record.expect("not strict").weight();
    }
    assert!(reader.damage().is_sound());
    sum
}

/// Bytes a second at which a reader looks for the next chunk behind damage.
pub(crate) fn behind_damage(bytes: usize) -> f64 {
    let mut trace = Vec::new();
    write(&crate::synthetic::samples(1), false, &mut trace);
    // The first byte of a chunk everywhere: the least lucky damage.
    trace.resize(trace.len() + bytes, b'P');
    let (last, seconds) = timed(|| recover::check(&trace).expect("a trace"));
    assert!(last.damage.bytes >= bytes as u64);
    bytes as f64 / seconds
}
