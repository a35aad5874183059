//! The events of a load, and what every format must carry of each.

use profformat::Block;
use profformat::export::Metric;
use profformat::record::{Alloc, Free, MemoryEvent, Record, Resize, Sample};
use profformat::units::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::messages::{MemoryMessage, SampleMessage};
use crate::rows::{MemoryRow, SampleRow};

/// Something with a weight: every reader adds them up, and the sum must be right.
pub(crate) trait Weighed {
    /// Microseconds of a sample, bytes of an allocation, 0 of anything else.
    fn weight(&self) -> u64;
}

/// An event of one kind.
pub(crate) trait Event: Copy + Weighed + 'static {
    /// What a reader of the table calls it.
    const KIND: &'static str;
    /// What exports weigh its stacks by.
    const METRIC: Metric;
    /// It as a struct of serde.
    type Row: for<'a> From<&'a Self> + Weighed + Serialize + DeserializeOwned;
    /// It as a message of protobuf.
    type Message: for<'a> From<&'a Self> + Weighed + prost::Message + Default;

    /// The event in a record, if it is of this kind.
    fn of(record: &Record) -> Option<Self>;
    /// It as a record of our format.
    fn record(&self) -> Record;
    /// Some of them as a block of our format.
    fn block(events: &[Self]) -> Block<'_>;
    /// The same event later, on a block with a higher number.
    fn shifted(self, nanos: u64, blocks: u64) -> Self;
    /// When it was.
    fn time(&self) -> Timestamp;
    /// Number of its memory block, 0 for none.
    fn number(&self) -> u64;
}

impl Weighed for Sample {
    fn weight(&self) -> u64 {
        self.weight_ns / 1_000
    }
}

impl Event for Sample {
    const KIND: &'static str = "CPU samples";
    const METRIC: Metric = Metric::Wall;
    type Row = SampleRow;
    type Message = SampleMessage;

    fn of(record: &Record) -> Option<Self> {
        if let Record::Sample(sample) = record { Some(*sample) } else { None }
    }

    fn record(&self) -> Record {
        Record::Sample(*self)
    }

    fn block(events: &[Self]) -> Block<'_> {
        Block::Samples(events)
    }

    fn shifted(self, nanos: u64, _: u64) -> Self {
        Self { time: later(self.time, nanos), ..self }
    }

    fn time(&self) -> Timestamp {
        self.time
    }

    fn number(&self) -> u64 {
        0
    }
}

impl Weighed for MemoryEvent {
    fn weight(&self) -> u64 {
        if let Self::Alloc(alloc) = self { alloc.weight } else { 0 }
    }
}

impl Event for MemoryEvent {
    const KIND: &'static str = "memory events";
    const METRIC: Metric = Metric::Alloc;
    type Row = MemoryRow;
    type Message = MemoryMessage;

    fn of(record: &Record) -> Option<Self> {
        match record {
            Record::Alloc(alloc) => Some(Self::Alloc(*alloc)),
            Record::Free(free) => Some(Self::Free(*free)),
            Record::Resize(resize) => Some(Self::Resize(*resize)),
            _ => None,
        }
    }

    fn record(&self) -> Record {
        Record::from(*self)
    }

    fn block(events: &[Self]) -> Block<'_> {
        Block::Memory(events)
    }

    fn shifted(mut self, nanos: u64, blocks: u64) -> Self {
        let (Self::Alloc(Alloc { time, block, .. })
        | Self::Free(Free { time, block, .. })
        | Self::Resize(Resize { time, block, .. })) = &mut self;
        *time = later(*time, nanos);
        if *block != 0 {
            *block += blocks;
        }
        self
    }

    fn time(&self) -> Timestamp {
        MemoryEvent::time(self)
    }

    fn number(&self) -> u64 {
        let (Self::Alloc(Alloc { block, .. })
        | Self::Free(Free { block, .. })
        | Self::Resize(Resize { block, .. })) = self;
        *block
    }
}

impl Weighed for Record {
    fn weight(&self) -> u64 {
        match self {
            Record::Sample(sample) => sample.weight(),
            Record::Alloc(alloc) => alloc.weight,
            _ => 0,
        }
    }
}

/// Microseconds, the unit in which every format keeps times here: our own writer rounds to them.
pub(crate) fn micros(time: Timestamp) -> u64 {
    time.as_nanos() / 1_000
}

fn later(time: Timestamp, nanos: u64) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos() + nanos)
}
