//! Where the records of a part go: into a trace, or straight into sums.

use crate::block::Block;
use crate::io::{self, Write};
use crate::record::Record;
use crate::writer::TraceWriter;

/// Takes the records of a part in their order.
pub(crate) trait Sink {
    /// Takes one record.
    fn record(&mut self, record: &Record) -> io::Result<()>;
    /// Takes a block of events.
    fn block(&mut self, block: &Block<'_>) -> io::Result<()>;
}

impl<W: Write> Sink for TraceWriter<W> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        self.write(record)
    }

    fn block(&mut self, block: &Block<'_>) -> io::Result<()> {
        self.write_block(block)
    }
}
