//! Tables of lines: their cells.

use std::collections::HashMap;

use super::Sort;
use super::bar::{FILLS, bar, four};
use super::columns::{Column, WIDE, columns};
use super::number::{ByteScale, UNKNOWN, UNMEASURED, ZERO, count, percent};
use super::page::{Line, Style, foreign};
use super::route::{ByClass, Spot};
use super::select::{Metric, Row};
use super::spark::Sparks;
use super::view::View;
use super::why;
use crate::record::Class;

/// The metric that the table is sorted by.
pub(super) fn metric(sort: Sort, by_total: bool) -> Metric {
    match sort {
        Sort::Cpu if by_total => Metric::Total,
        Sort::Cpu => Metric::Own,
        Sort::Memory => Metric::Peak,
        Sort::Copies => Metric::Copied,
        Sort::Leaks => Metric::Kept,
        Sort::Churn => Metric::Churn,
    }
}

/// A table of lines.
pub(super) struct Table<'a> {
    view: &'a View<'a>,
    metric: Metric,
    columns: Vec<(Column, usize)>,
    scales: HashMap<&'static str, ByteScale>,
    bar: usize,
    /// What a full bar stands for.
    pub(super) full: u64,
    splits: HashMap<Spot, ByClass>,
    sparks: Option<&'a Sparks>,
}

impl<'a> Table<'a> {
    /// A table of `rows`; `splits` are their total times by class, where bars show totals.
    pub(super) fn new(
        view: &'a View<'a>,
        metric: Metric,
        rows: &[&Row],
        splits: HashMap<Spot, ByClass>,
        sparks: Option<&'a Sparks>,
    ) -> Self {
        let largest = |metric| rows.iter().map(|row| row.value(metric)).max().unwrap_or(0);
        let scales: HashMap<_, _> =
            [Column::Alloc, Column::Peak, Column::Kept, Column::Copied, Column::Churn]
                .into_iter()
                .filter_map(|column| {
                    Some((column.name(), ByteScale::for_largest(largest(column.metric()?))))
                })
                .collect();
        let bar = if view.look.width >= WIDE { 14 } else { 10 };
        let columns = columns(view, metric, bar, sparks.is_some());
        Self { view, metric, columns, scales, bar, full: largest(metric), splits, sparks }
    }

    /// Do rows say why they cost what they do?
    pub(super) fn has_why(&self) -> bool {
        self.columns.iter().any(|(column, _)| *column == Column::Why)
    }

    /// One line per entry, for pages that are too narrow for columns.
    pub(super) fn is_compact(&self) -> bool {
        self.view.look.width < 60
    }

    pub(super) fn heading(&self) -> Line {
        let mut line = Line::new(self.view.look);
        for &(column, width) in &self.columns {
            match column {
                Column::Split => {
                    line.gap(2);
                    let name = match self.metric {
                        Metric::Own | Metric::Total => column.name(),
                        _ => "size",
                    };
                    line.left_in(Style::Dim, name, width - 2);
                }
                Column::Own | Column::Total => {
                    let name = format!("{} {}", column.name(), self.view.time.unit);
                    line.right_in(Style::Dim, &name, width);
                }
                Column::Why => {
                    line.gap(2);
                    line.left_in(Style::Dim, column.name(), width - 2);
                }
                Column::Timeline => {
                    line.gap(1);
                    let name = if width > column.name().len() { column.name() } else { "time" };
                    line.left_in(Style::Dim, name, width - 1);
                }
                _ => match self.scales.get(column.name()) {
                    Some(scale) => {
                        let asked = self.view.profile.footprint.is_asked;
                        let name =
                            if asked && column == Column::Peak { "held" } else { column.name() };
                        let name = format!("{name} {}", scale.unit);
                        line.right_in(Style::Dim, &name, width);
                    }
                    None => line.right_in(Style::Dim, column.name(), width),
                },
            }
        }
        line.push(Style::Dim, "  source");
        line
    }

    /// A row; `first` makes its figures stand out.
    pub(super) fn row(&self, row: &Row, first: bool) -> Line {
        if self.is_compact() {
            return self.compact(row);
        }
        let mut line = Line::new(self.view.look);
        for &(column, width) in &self.columns {
            match column {
                Column::Split => {
                    line.gap(2);
                    self.push_bar(&mut line, row);
                    continue;
                }
                Column::Why => {
                    line.gap(2);
                    line.left_in(Style::Dim, &why::cell(self.view, row, width - 2), width - 2);
                    continue;
                }
                Column::Timeline => {
                    line.gap(1);
                    let cells = |sparks: &Sparks| sparks.cells(self.view, row, width - 1);
                    let spark = self.sparks.map_or_else(String::new, cells);
                    line.left_in(Style::Memory, &spark, width - 1);
                    continue;
                }
                _ => {}
            }
            let text = self.cell(column, row);
            let style = match column {
                _ if text == ZERO || text == UNMEASURED => Style::Dim,
                Column::Own | Column::Total if first => Style::Strong,
                Column::Kept if row.site.leak.is_some() => Style::Loss,
                Column::Alloc | Column::Peak | Column::Kept | Column::Churn => Style::Memory,
                Column::Copied => Style::Copies,
                _ => Style::Plain,
            };
            line.right_in(style, &text, width);
        }
        line.gap(2);
        let (style, source) = self.source(row, line.left());
        line.push(style, &source);
        line
    }

    fn cell(&self, column: Column, row: &Row) -> String {
        let (view, site) = (self.view, &row.site);
        let header = &view.profile.header;
        match column {
            Column::Line if row.imports => String::new(),
            Column::Line if site.line == 0 => UNKNOWN.into(),
            Column::Line => site.line.to_string(),
            Column::Split | Column::Why | Column::Timeline => String::new(),
            Column::Own | Column::Total | Column::Percent | Column::Class(_)
                if !view.measures_time() =>
            {
                UNMEASURED.into()
            }
            Column::Spread => {
                view.time.spread(row.value(Metric::Own), site.samples, site.self_squares)
            }
            Column::Count => match site.samples {
                0 => ZERO.into(),
                samples => count(samples),
            },
            Column::Own => view.time.cell(row.value(Metric::Own), site.samples, site.self_squares),
            Column::Total => {
                view.time.cell(site.total_cpu_ns, site.total_samples, site.total_squares)
            }
            Column::Percent => match row.value(Metric::Own) {
                0 => ZERO.into(),
                own => percent(own, view.totals.cpu_ns),
            },
            Column::Class(class) => match site.self_ns[class.code() as usize] {
                0 => ZERO.into(),
                ns => view.time.column(ns),
            },
            Column::ChurnShare => match row.value(Metric::Churn) {
                0 => ZERO.into(),
                churn => format!("{} %", percent(churn, site.alloc_bytes)),
            },
            _ => {
                let value = column.metric().map_or(0, |metric| row.value(metric));
                let (mean, interval) = match column {
                    Column::Copied => (row.mean_copy(), header.copy_interval),
                    _ => (row.mean_block(), header.memory_interval),
                };
                match self.scales.get(column.name()) {
                    Some(scale) => scale.cell(value, mean, interval),
                    None => UNKNOWN.into(),
                }
            }
        }
    }

    fn push_bar(&self, line: &mut Line, row: &Row) {
        let site = &row.site;
        let own = match self.metric {
            Metric::Own => site.self_ns,
            Metric::Total => self
                .splits
                .get(&(site.file, site.line))
                .filter(|split| split.iter().any(|&ns| ns > 0))
                .copied()
                .unwrap_or(site.self_ns),
            _ => [0; Class::ALL.len()],
        };
        let split = match self.metric {
            Metric::Own | Metric::Total => four(&own),
            _ => [0; 4],
        };
        let fills = match self.metric {
            Metric::Copied => [("█", Style::Copies); 4],
            Metric::Own | Metric::Total => FILLS,
            _ => [("█", Style::Memory); 4],
        };
        let split = if split == [0; 4] { [1, 0, 0, 0] } else { split };
        for (text, style) in bar(row.value(self.metric), self.full, &split, &fills, self.bar) {
            line.push(style, &text);
        }
    }

    /// The line's source, or why there is none.
    fn source(&self, row: &Row, room: usize) -> (Style, String) {
        let (view, site) = (self.view, &row.site);
        let place = view.place(site.file);
        if row.imports {
            return (Style::Plain, view.look.cut_end("imports and what they ran", room));
        }
        if site.line == 0 || !place.python {
            return (Style::Plain, view.look.cut_middle(&view.spot(row), room));
        }
        match view.source.line(view.profile.tables.string(site.file), site.line) {
            Some(text) => {
                let text = foreign(text.trim().replace('\t', "    ").as_bytes());
                (Style::Plain, view.look.cut_end(&text, room.min(200)))
            }
            None => {
                let room = room.saturating_sub("(no source: )".len());
                let path = view.look.cut_start(&place.short(), room);
                (Style::Dim, format!("(no source: {path})"))
            }
        }
    }

    fn compact(&self, row: &Row) -> Line {
        let mut line = Line::new(self.view.look);
        let header = &self.view.profile.header;
        let value = row.value(self.metric);
        let (mut text, unit) = match self.metric {
            Metric::Own | Metric::Total => {
                let column = if self.metric == Metric::Own { Column::Own } else { Column::Total };
                (self.cell(column, row), self.view.time.unit)
            }
            _ => {
                let scale = ByteScale::for_largest(self.full);
                let (mean, interval) = match self.metric {
                    Metric::Copied => (row.mean_copy(), header.copy_interval),
                    _ => (row.mean_block(), header.memory_interval),
                };
                (scale.cell(value, mean, interval), scale.unit)
            }
        };
        if text != ZERO && text != UNMEASURED {
            text = format!("{} {unit}", text.trim_end());
        }
        line.right_in(Style::Strong, &text, 9);
        line.gap(1);
        let spot = self.view.look.cut_start(&self.view.spot(row), line.left().saturating_sub(1));
        line.push(Style::Plain, &spot);
        if row.site.line > 0 && line.left() > 8 {
            line.gap(2);
            let (_, source) = self.source(row, line.left());
            line.push(Style::Dim, &source);
        }
        line
    }
}
