//! The profile of a part of a trace: what `split` would write, added up without being written.
//!
//! So a part means the same everywhere: times count from its start, counters from what they were then, and footprints
//! begin with what was held. Figures of stacks and lines are of events in the part: memory held or kept is memory that
//! was allocated in it, though the footprint has the older blocks, too.

use super::{Builder, Profile, Survey};
use crate::block::Block;
use crate::filter::Filter;
use crate::io;
use crate::kind::Kind;
use crate::reader::TraceReader;
use crate::record::Record;
use crate::recover::newest;
use crate::split::before::Before;
use crate::split::part::{Part, Range};
use crate::split::sink::Sink;
use crate::split::{self, SplitError};
use crate::units::Timestamp;

impl Sink for Survey {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        Survey::record(self, record);
        Ok(())
    }

    fn block(&mut self, _: &Block<'_>) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Builder {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        Builder::record(self, record);
        Ok(())
    }

    fn block(&mut self, block: &Block<'_>) -> io::Result<()> {
        Builder::block(self, block);
        Ok(())
    }
}

impl Profile {
    /// The profile of the events that `filter` wants, as a part of their trace: between the moments it names, in the
    /// part's own time. Live bytes are those of the moment `at` of the whole trace, without it those of the part's peak. [`activity`](Self::activity) is there if it is asked for.
    /// `behind` is as for [`from_bytes_with`](Self::from_bytes_with).
    ///
    /// # Errors
    /// Those of [`split`](crate::split::split), but for outputs.
    pub fn part_of(
        bytes: &[u8],
        filter: &Filter,
        at: Option<Timestamp>,
        with_activity: bool,
        mut behind: impl FnMut(usize),
    ) -> Result<Self, SplitError> {
        let reader = TraceReader::new(bytes)?;
        let (from, until) = filter.times();
        let range = Range::new(from, until, reader.time_unit_ns())?;
        let before = Before::read(bytes, range.from, &mut behind)?;
        let mut survey = at.map_or_else(Survey::default, |at| Survey::at(range.within(at)));
        let mut part = Part::new(range, before.clone());
        let mut reader = reader.filter(filter.clone().kinds([Kind::Footprints]));
        while let Some(block) = reader.next_block() {
            part.pass(block?, &mut survey)?;
            behind(reader.offset());
        }
        let mut builder = Builder::new(split::header(reader.header(), range), survey.finish());
        if with_activity {
            builder = builder.with_activity();
        }
        let mut part = Part::new(range, before);
        let mut reader = TraceReader::new(bytes)?.filter(filter.clone());
        let (mut last, mut end) = (Timestamp::ZERO, None);
        while let Some(block) = reader.next_block() {
            let block = block?;
            last = last.max(newest(&block));
            match block {
                Block::Records([Record::End(time)]) => end = Some(*time),
                block => part.pass(block, &mut builder)?,
            }
            behind(reader.offset());
        }
        let finish = end.unwrap_or(last);
        if range.from > Timestamp::ZERO && finish <= range.from {
            return Err(SplitError::Behind { end: finish });
        }
        for note in split::notes(&reader, range, finish, end.is_some()) {
            part.note(note, &mut builder)?;
        }
        builder.record(&Record::End(range.within(finish)));
        let damage = *reader.damage();
        Ok(Profile { damage, ..builder.finish(reader.into_tables()) })
    }
}
