//! Names of rows and lines of source, made harmless.

use profformat::analysis::live::{By, Key, Live};
use profformat::export::escape::escape;
use profformat::ids::{StringId, ThreadId};
use profformat::record::Process;
use profformat::tables::Tables;

use super::Facts;

/// Longest name that is looked at, in bytes.
const LONGEST: usize = 1_024;

/// Bytes from strangers as text that cannot act on a terminal.
pub(super) fn foreign(bytes: &[u8]) -> String {
    match bytes.get(..LONGEST) {
        Some(start) if bytes.len() > LONGEST => escape(start) + "…",
        _ => escape(bytes),
    }
}

/// A string of the trace.
pub(super) fn text(facts: &Facts<'_>, id: StringId) -> String {
    foreign(facts.tables.string(id))
}

/// The last part of a path.
pub(super) fn base(facts: &Facts<'_>, file: StringId) -> String {
    let path = facts.tables.string(file);
    foreign(path.rsplit(|byte| *byte == b'/').next().unwrap_or(path))
}

/// A place in a source: `nodes.py:220`.
pub(super) fn place(facts: &Facts<'_>, file: StringId, line: u32) -> String {
    match line {
        0 => base(facts, file),
        _ => format!("{}:{line}", base(facts, file)),
    }
}

/// A row's name: a line's place, a function's name, a thread's.
pub(super) fn label(facts: &Facts<'_>, by: By, row: u32) -> String {
    match (facts.live.group(by).key(row), by) {
        (Key::Spot(spot), By::Line) if spot.line > 0 => place(facts, spot.file, spot.line),
        (Key::Spot(spot), _) => text(facts, spot.function),
        (Key::Thread(id), _) => thread(facts, id),
        (Key::NoStack, _) => "[no stack]".into(),
        (Key::Other, _) => "[other]".into(),
    }
}

/// All of a row's name, for whoever wants to find it.
pub(super) fn full(facts: &Facts<'_>, by: By, row: u32) -> String {
    match facts.live.group(by).key(row) {
        Key::Spot(spot) => format!("{}:{}", text(facts, spot.file), spot.line),
        _ => label(facts, by, row),
    }
}

/// What a filter is looked for in: all that is known of a row, in small letters.
pub(in crate::live) fn searched(live: &Live, tables: &Tables, by: By, row: u32) -> String {
    let all = match live.group(by).key(row) {
        Key::Spot(spot) => {
            let [file, function] = [spot.file, spot.function].map(|id| foreign(tables.string(id)));
            format!("{file}:{} {function}", spot.line)
        }
        Key::Thread(id) => match live.threads().get(id.index()) {
            Some((thread, _)) => format!("{} {}", foreign(&thread.name), thread.tid),
            None => String::new(),
        },
        Key::NoStack => "[no stack]".into(),
        Key::Other => "[other]".into(),
    };
    all.to_lowercase()
}

/// What stands behind a row's name: a line's source, a function's place, a thread's process.
pub(super) fn detail(facts: &Facts<'_>, by: By, row: u32) -> Option<String> {
    match (facts.live.group(by).key(row), by) {
        (Key::Spot(spot), By::Line) => {
            source(facts, spot.file, spot.line).map(|line| line.trim_start().to_owned())
        }
        (Key::Spot(spot), _) => Some(place(facts, spot.file, spot.line)),
        (Key::Thread(id), _) => process_of(facts, id).map(process),
        _ => None,
    }
}

/// A line of source, its tabs as spaces.
pub(super) fn source(facts: &Facts<'_>, file: StringId, line: u32) -> Option<String> {
    if line == 0 {
        return None;
    }
    let line = facts.source.line(facts.tables.string(file), line)?;
    Some(foreign(line.replace('\t', "    ").trim_end().as_bytes()))
}

fn thread(facts: &Facts<'_>, id: ThreadId) -> String {
    let known = facts.live.threads().get(id.index()).filter(|(thread, _)| thread.id == id);
    match known {
        Some((thread, end)) => {
            let ended = if end.is_some() { ", ended" } else { "" };
            format!("{} {}{ended}", foreign(&thread.name), thread.tid)
        }
        None => format!("thread {}", id.number()),
    }
}

fn process_of<'a>(facts: &Facts<'a>, id: ThreadId) -> Option<&'a Process> {
    let (thread, _) = facts.live.threads().get(id.index())?;
    let (process, _) = facts.live.processes().get(thread.process.index())?;
    Some(process)
}

fn process(process: &Process) -> String {
    format!("pid {} {}", process.pid, command(&process.command))
}

/// A command line.
pub(super) fn command(words: &[Vec<u8>]) -> String {
    let words: Vec<String> = words.iter().take(32).map(|word| foreign(word)).collect();
    words.join(" ")
}
