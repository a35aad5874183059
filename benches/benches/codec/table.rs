//! The table that is printed.

use crate::format::{Clock, Column, Exported};

/// What was measured of a format with a load.
pub(crate) struct Row {
    pub(crate) load: String,
    pub(crate) format: &'static str,
    pub(crate) events: f64,
    /// Bytes of an event.
    pub(crate) size: f64,
    pub(crate) clock: Clock,
}

/// Prints all rows in markdown.
pub(crate) fn print(rows: &[Row]) {
    let exports = Exported::all().map(|exported| exported.output().name().to_string());
    let heads = [
        "events",
        "format",
        "B/event",
        "write",
        "write blocks",
        "read",
        "read blocks",
        "check",
        "check GB/s",
        "merge",
    ];
    let heads: Vec<_> = heads.map(String::from).into_iter().chain(exports).collect();
    println!("| {} |", heads.join(" | "));
    println!("|---|---|{}", "--:|".repeat(heads.len() - 2));
    for row in rows {
        println!("| {} |", row.cells().join(" | "));
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.load.clone(), self.format.into(), format!("{:.2}", self.size)];
        let columns =
            [Column::Write, Column::WriteBlocks, Column::Read, Column::ReadBlocks, Column::Check];
        cells.extend(columns.map(|column| self.rate(column, self.events / 1e6)));
        cells.push(self.rate(Column::Check, self.events * self.size / 1e9));
        cells.push(self.rate(Column::Merge, self.events / 1e6));
        let exports = Exported::all().map(Column::Export);
        cells.extend(exports.map(|column| self.rate(column, self.events / 1e6)));
        cells
    }

    /// An amount by the seconds of a column.
    fn rate(&self, column: Column, amount: f64) -> String {
        match self.clock.median(column) {
            Some(seconds) if amount / seconds < 9.95 => format!("{:.1}", amount / seconds),
            Some(seconds) => format!("{:.0}", amount / seconds),
            None => String::new(),
        }
    }
}
