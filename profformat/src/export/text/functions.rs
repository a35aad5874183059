//! Functions by self time.

use std::cmp::Reverse;
use std::io;

use super::bar::{FILLS, bar, four};
use super::imports;
use super::number;
use super::page::{Line, Page, Style};
use super::view::View;
use crate::analysis::sites::{FunctionSum, WhyKind};
use crate::record::Class;

/// Rows by default, and with `--functions`.
const SHOWN: usize = 3;
const SHOWN_IN_FULL: usize = 40;
const MOSTLY: usize = 19;

pub(super) fn write(view: &View, page: &mut Page) -> io::Result<()> {
    let mut functions: Vec<&FunctionSum> =
        view.functions.iter().filter(|f| own(f) > 0 && view.passes(f.file)).collect();
    functions.sort_by_key(|f| (Reverse(own(f)), Reverse(f.total_cpu_ns), f.file, f.first_line));
    let mut line = Line::new(view.look);
    line.push(Style::Strong, "FUNCTIONS");
    if functions.is_empty() {
        line.push(
            Style::Plain,
            match (view.measures_time(), &view.options.file) {
                (true, None) => "  none with time of its own.",
                (true, Some(_)) => "  none with time of its own in what passes --file.",
                (false, _) => "  not measured: CPU time was not recorded (`--no-cpu`).",
            },
        );
        return page.line(line);
    }
    let count = view.options.top.unwrap_or(match view.options.functions {
        true => SHOWN_IN_FULL,
        false => SHOWN,
    });
    let (shown, rest) = functions.split_at(count.min(functions.len()));
    line.push(
        Style::Plain,
        &format!("  {} of {}, by self", shown.len(), number::count(functions.len() as u64)),
    );
    if line.left() > 50 {
        line.push(Style::Dim, " (a recursive call is counted once in total)");
    }
    page.line(line)?;
    let full = shown.first().map_or(0, |f| own(f));
    if view.look.width >= 60 {
        page.line(heading(view))?;
    }
    for function in shown {
        page.line(row(view, function, full))?;
    }
    if !rest.is_empty() {
        let sum = number::sum(rest.iter().map(|f| own(f)));
        let more = number::of(rest.len() as u64, "more function");
        let text = format!("… {more}: {} self (`--functions`)", view.time_text(sum));
        page.paragraph(2, &[(Style::Dim, text)])?;
    }
    Ok(())
}

fn own(function: &FunctionSum) -> u64 {
    number::on_cpu(&function.self_ns)
}

fn has_split(view: &View) -> bool {
    view.look.width >= 80
}

fn has_mostly(view: &View) -> bool {
    view.look.width >= 100
}

fn heading(view: &View) -> Line {
    let mut line = Line::new(view.look);
    line.right_in(Style::Dim, &format!("self {}", view.time.unit), 8);
    line.right_in(Style::Dim, &format!("total {}", view.time.unit), view.total_width());
    line.right_in(Style::Dim, "%", 6);
    line.gap(2);
    if has_split(view) {
        line.left_in(Style::Dim, "split", 12);
    }
    if has_mostly(view) {
        line.left_in(Style::Dim, "mostly", MOSTLY + 2);
    }
    line.push(Style::Dim, "function");
    line
}

fn row(view: &View, function: &FunctionSum, full: u64) -> Line {
    let mut line = Line::new(view.look);
    let own = own(function);
    let own_text = view.time.cell(own, function.samples, function.self_squares);
    if view.look.width < 60 {
        line.right_in(Style::Strong, &format!("{} {}", own_text.trim_end(), view.time.unit), 9);
        line.gap(1);
    } else {
        line.right_in(Style::Plain, &own_text, 8);
        // A function is on the stack of at least the samples that are its own.
        let total = match function.total_cpu_ns == own {
            true => own_text,
            false => view.time.column(function.total_cpu_ns),
        };
        line.right_in(Style::Plain, &total, view.total_width());
        line.right_in(Style::Plain, &number::percent(own, view.totals.cpu_ns), 6);
        line.gap(2);
        if has_split(view) {
            for (text, style) in bar(own, full, &four(&function.self_ns), &FILLS, 10) {
                line.push(style, &text);
            }
            line.gap(2);
        }
        if has_mostly(view) {
            line.left_in(Style::Dim, &mostly(view, function, own), MOSTLY + 2);
        }
    }
    if view.imports.file == Some(function.file) {
        line.push(Style::Plain, imports::NAME);
        return line;
    }
    let place = view.place(function.file);
    let spot = match (function.first_line, place.base().as_str()) {
        (_, "") => String::new(),
        (0, base) => base.into(),
        (first, base) => format!("{base}:{first}"),
    };
    let room = line.left();
    let spot = view.look.cut_start(&spot, room / 2);
    let name_room = room.saturating_sub(spot.chars().count() + 2);
    line.push(Style::Plain, &view.look.cut_middle(&view.name(function.function), name_room));
    line.gap(2);
    line.push(Style::Dim, &spot);
    line
}

/// What most of a function's own time is, when that is not plain Python.
fn mostly(view: &View, function: &FunctionSum, own: u64) -> String {
    let largest = [Class::Native, Class::Gc, Class::Kernel]
        .into_iter()
        .max_by_key(|class| function.self_ns[class.code() as usize]);
    let Some(class) = largest else { return String::new() };
    let ns = function.self_ns[class.code() as usize];
    if ns.saturating_mul(2) < own || !view.place(function.file).python {
        return String::new();
    }
    let name = match class {
        Class::Gc => "GC".to_owned(),
        Class::Kernel => "system calls".to_owned(),
        _ => native_name(view, function).unwrap_or_else(|| "native".to_owned()),
    };
    let figure = view.time.figure(ns);
    let room = MOSTLY.saturating_sub(figure.len() + 1);
    format!("{} {figure}", view.look.cut_middle(&name, room))
}

/// The native code that the function's lines call most.
fn native_name(view: &View, function: &FunctionSum) -> Option<String> {
    view.rows
        .iter()
        .filter(|row| row.site.file == function.file && row.site.function == function.function)
        .flat_map(|row| &row.site.why)
        .filter(|part| part.what == WhyKind::Native && part.function.is_some())
        .max_by_key(|part| part.cpu_ns)
        .map(|part| super::page::foreign(part.name(&view.profile.tables).as_bytes()))
}
