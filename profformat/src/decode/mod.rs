//! From payloads to records. [`crate::encode`] has the same files and functions in the same order.

pub(crate) mod dictionary;
pub(crate) mod events;
pub(crate) mod facts;

use alloc::vec::Vec;

use crate::block::Block;
use crate::codec;
use crate::filter::Filter;
use crate::ids::ThreadId;
use crate::kind::Kind;
use crate::known::Known;
use crate::limit;
use crate::payload::{CopiesV2, FramesV2, FunctionsV2};
use crate::record::{Copied, MemoryEvent, Record, Sample};
use crate::units::Timestamp;
use crate::wire::cursor::{Cursor, What};
use crate::wire::values::Values;

/// What decoding needs and makes.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) known: Known,
    pub(crate) unit: Unit,
    // The records of the chunk decoded last, in the one that fits.
    samples: Vec<Sample>,
    memory: Vec<MemoryEvent>,
    copies: Vec<Copied>,
    records: Vec<Record>,
    threads: Vec<Last>,
    columns: [Values; 6],
    ended: bool,
}

/// Nanoseconds in a unit of time in the trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit(pub(crate) u64);

impl Unit {
    #[inline]
    fn nanos(self, units: u64) -> u64 {
        units.saturating_mul(self.0)
    }

    #[inline]
    fn time(self, units: u64) -> Timestamp {
        Timestamp::from_nanos(self.nanos(units))
    }
}

/// Previous values of a thread in a block.
#[derive(Clone, Copy, Debug)]
struct Last {
    time: u64,
    stack: u64,
    weight: u64,
    id: ThreadId,
}

impl Decoder {
    pub(crate) fn new(unit: u32) -> Self {
        Self {
            known: Known::new(),
            unit: Unit(unit.into()),
            samples: Vec::new(),
            memory: Vec::new(),
            copies: Vec::new(),
            records: Vec::new(),
            threads: Vec::new(),
            columns: Default::default(),
            ended: false,
        }
    }

    /// The records of the chunk decoded last.
    #[inline]
    pub(crate) fn block(&self) -> Block<'_> {
        if !self.samples.is_empty() {
            Block::Samples(&self.samples)
        } else if !self.memory.is_empty() {
            Block::Memory(&self.memory)
        } else if !self.copies.is_empty() {
            Block::Copies(&self.copies)
        } else {
            Block::Records(&self.records)
        }
    }

    /// Forgets the records of the chunk decoded last.
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.memory.clear();
        self.copies.clear();
        self.records.clear();
    }

    /// Leaves the records that are wanted.
    pub(crate) fn keep(&mut self, filter: &Filter) {
        let processes = self.known.thread_processes();
        filter.samples(&mut self.samples, processes);
        filter.memory(&mut self.memory, processes);
        filter.copies(&mut self.copies, processes);
        filter.records(&mut self.records);
    }

    /// Decodes a payload; what was decoded before must be cleared. A version that is newer than ours begins as ours.
    pub(crate) fn payload(&mut self, kind: Kind, version: u8, payload: &[u8]) -> Result<(), What> {
        match kind {
            Kind::Strings => self.strings(&codec::decode(payload)?),
            Kind::Binaries => self.binaries(&codec::decode(payload)?),
            Kind::Functions if version == 1 => self.functions(&codec::decode(payload)?, None),
            Kind::Functions => {
                let FunctionsV2 { functions, binaries } = codec::decode(payload)?;
                self.functions(&functions, Some(binaries))
            }
            Kind::Frames if version == 1 => self.frames(&codec::decode(payload)?, None),
            Kind::Frames => {
                let FramesV2 { frames, inlined } = codec::decode(payload)?;
                self.frames(&frames, Some(inlined))
            }
            Kind::Stacks => self.stacks(&codec::decode(payload)?),
            Kind::Processes => self.processes(&codec::decode(payload)?),
            Kind::Threads => self.threads(&codec::decode(payload)?),
            Kind::Samples => self.samples(&codec::decode(payload)?),
            Kind::Memory => self.memory(&codec::decode(payload)?),
            Kind::Copies if version == 1 => self.copies(&codec::decode(payload)?, None),
            Kind::Copies => {
                let CopiesV2 { copies, copiers } = codec::decode(payload)?;
                self.copies(&copies, Some(copiers))
            }
            Kind::Footprints => self.footprints(&codec::decode(payload)?),
            Kind::Inheritances => self.inheritances(&codec::decode(payload)?),
            Kind::Counters => self.counters(&codec::decode(payload)?),
            Kind::ThreadEnds => self.thread_ends(&codec::decode(payload)?),
            Kind::ProcessEnds => self.process_ends(&codec::decode(payload)?),
            Kind::Notes => self.notes(&codec::decode(payload)?),
            Kind::End => self.end(&codec::decode(payload)?),
            Kind::About | Kind::Index => Ok(()),
        }
    }

    /// Reads the threads of a block.
    fn local_threads(&mut self, ids: &[u8], base_time: u64) -> Result<(), What> {
        self.threads.clear();
        let mut ids = Cursor::open(ids);
        while !ids.is_empty() {
            let id = self.known.thread(ids.next()?)?;
            self.threads.push(Last { id, time: base_time, stack: 0, weight: 0 });
        }
        Ok(())
    }
}

/// A number of entries that a chunk may have.
fn count(count: u32) -> Result<u32, What> {
    if count <= limit::ENTRIES { Ok(count) } else { Err("it has too many entries") }
}

/// Succeeds when every column was read to its end.
fn ended(columns: &[Cursor<'_>]) -> Result<(), What> {
    columns.iter().try_for_each(Cursor::end)
}
