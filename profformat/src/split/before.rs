//! What was before the part: the state that it begins with.

use hashbrown::{HashMap, HashSet};

use crate::block::Block;
use crate::error::Error;
use crate::filter::Filter;
use crate::ids::{ProcessId, StringId};
use crate::kind::Kind;
use crate::limit;
use crate::reader::TraceReader;
use crate::record::{Counter, Footprint, Record, counter};
use crate::units::Timestamp;

/// The last footprints and counters before a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    points: HashMap<ProcessId, Footprint>,
    counters: HashMap<(ProcessId, StringId), Counter>,
}

impl Before {
    /// Reads what is needed and nothing else.
    pub(crate) fn read(
        bytes: &[u8],
        from: Timestamp,
        mut behind: impl FnMut(usize),
    ) -> Result<Self, Error> {
        let mut before = Self::default();
        if from == Timestamp::ZERO {
            return Ok(before);
        }
        let wanted = Filter::new().until(from).kinds([Kind::Footprints, Kind::Counters]);
        let mut reader = TraceReader::new(bytes)?.filter(wanted);
        let mut ended = HashSet::new();
        while let Some(block) = reader.next_block() {
            let Block::Records(records) = block? else { continue };
            for record in records {
                match record {
                    Record::Footprint(point) => before.point(point),
                    Record::Counter(counter) => before.counter(counter),
                    Record::ProcessEnd(end) if end.time <= from => {
                        ended.insert(end.id);
                    }
                    _ => {}
                }
            }
            behind(reader.offset());
        }
        before.points.retain(|process, _| !ended.contains(process));
        let tables = reader.tables();
        before.counters.retain(|(_, name), _| !counter::is_level(tables.string(*name)));
        Ok(before)
    }

    /// Points come only roughly in order of time.
    fn point(&mut self, point: &Footprint) {
        let last = self.points.entry(point.process).or_insert(*point);
        if point.time >= last.time {
            *last = *point;
        }
    }

    /// A counter that is not remembered counts from the start of the trace.
    fn counter(&mut self, counter: &Counter) {
        let key = (counter.process, counter.name);
        if self.counters.len() >= limit::COUNTERS && !self.counters.contains_key(&key) {
            return;
        }
        let last = self.counters.entry(key).or_insert(*counter);
        if counter.time >= last.time {
            *last = *counter;
        }
    }

    /// The footprint of a process that is alive when the part begins.
    pub(super) fn footprint(&self, process: ProcessId) -> Option<Footprint> {
        self.points.get(&process).copied()
    }

    /// What a counter had counted when the part begins.
    pub(super) fn counted(&self, process: ProcessId, name: StringId) -> u64 {
        self.counters.get(&(process, name)).map_or(0, |counter| counter.value)
    }
}
