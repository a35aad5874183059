//! The parts of a profile, written as they come up: protobuf lets repeated fields follow each other in any order, so
//! only numbers of what was written are held, and the strings.

use std::collections::HashMap;
use std::io::{self, Write};

use super::super::remarks::TOOL;
use super::super::symbols::{Frame, Symbols};
use super::super::{Snapshot, modules};
use super::message::Message;
use super::{Labels, Value};

/// Bytes that are written at once.
const BATCH: usize = 64 * 1024;
/// How far before a return address the location of a caller is: in the call, for pprof looks up what it is told, and what
/// follows a call may be another line, or another function.
const BACK: u64 = 1;
/// The function of a sample whose stack could not be read.
const NO_STACK: &str = "[no stack]";

/// Fields of `Profile`.
mod field {
    pub(super) const SAMPLE_TYPE: u64 = 1;
    pub(super) const SAMPLE: u64 = 2;
    pub(super) const MAPPING: u64 = 3;
    pub(super) const LOCATION: u64 = 4;
    pub(super) const FUNCTION: u64 = 5;
    pub(super) const STRING: u64 = 6;
    pub(super) const TIME: u64 = 9;
    pub(super) const DURATION: u64 = 10;
    pub(super) const PERIOD_TYPE: u64 = 11;
    pub(super) const PERIOD: u64 = 12;
    pub(super) const COMMENT: u64 = 13;
    pub(super) const DEFAULT_SAMPLE_TYPE: u64 = 14;
}

/// What a profile begins with.
#[derive(Debug)]
pub(super) struct Head<'h> {
    /// Names and units of every sample's values.
    pub(super) types: &'h [[&'h str; 2]],
    pub(super) shown_first: &'h str,
    pub(super) period_type: [&'h str; 2],
    pub(super) period: u64,
    pub(super) comments: Vec<String>,
}

/// A profile that is being written.
#[derive(Debug)]
pub(super) struct File<'s, W: Write> {
    out: W,
    /// Not written yet.
    buffer: Message,
    snapshot: &'s Snapshot,
    symbols: Symbols<'s>,
    strings: HashMap<String, u64>,
    /// By name and source file.
    functions: HashMap<(u64, u64), u64>,
    /// By address, and whether it is the instruction itself; `None`: there is no stack.
    locations: HashMap<Option<(u64, bool)>, u64>,
    /// Of modules that a location is in, by index.
    mappings: HashMap<usize, u64>,
}

impl<'s, W: Write> File<'s, W> {
    pub(super) fn begin(snapshot: &'s Snapshot, out: W, head: &Head<'_>) -> io::Result<Self> {
        let mut file = Self {
            out,
            buffer: Message::default(),
            snapshot,
            symbols: snapshot.symbols(),
            strings: HashMap::new(),
            functions: HashMap::new(),
            locations: HashMap::new(),
            mappings: HashMap::new(),
        };
        file.string("");
        for kind in head.types {
            let kind = file.value_type(*kind);
            file.buffer.message(field::SAMPLE_TYPE, &kind);
        }
        let period_type = file.value_type(head.period_type);
        let shown_first = file.string(head.shown_first);
        let nanos = |time: std::time::Duration| signed(time.as_nanos());
        file.buffer
            .number(field::TIME, nanos(snapshot.began))
            .number(field::DURATION, nanos(snapshot.length))
            .message(field::PERIOD_TYPE, &period_type)
            .number(field::PERIOD, signed(head.period.into()))
            .number(field::DEFAULT_SAMPLE_TYPE, shown_first);
        let tool = std::iter::once(TOOL);
        for comment in tool.chain(head.comments.iter().map(String::as_str)) {
            let comment = file.string(comment);
            file.buffer.number(field::COMMENT, comment);
        }
        file.write_full()?;
        Ok(file)
    }

    /// Adds a sample, innermost address first; one that says nothing is left out.
    pub(super) fn sample(
        &mut self,
        stack: &[u64],
        labels: &Labels<'_>,
        values: &[u128],
    ) -> io::Result<()> {
        if values.iter().all(|value| *value == 0) {
            return Ok(());
        }
        let mut sample = Message::default();
        if stack.is_empty() {
            sample.numbers(1, [self.location(None)]);
        } else {
            let addresses = stack.iter().enumerate().map(|(depth, &at)| (at, depth == 0));
            sample.numbers(1, addresses.map(|place| self.location(Some(place))));
        }
        sample.numbers(2, values.iter().map(|value| signed(*value)));
        for (key, value) in labels {
            let mut label = Message::default();
            label.number(1, self.string(key));
            match value {
                Value::Text(text) => label.number(2, self.string(text)),
                Value::Number(number) => label.number(3, signed((*number).into())),
            };
            sample.message(3, &label);
        }
        self.buffer.message(field::SAMPLE, &sample);
        self.write_full()
    }

    /// Writes what is known only now: which modules are needed, and what of them has names.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let mut mappings: Vec<(usize, u64)> = self.mappings.drain().collect();
        // Readers take the first one for the program.
        let path = |index: usize| self.snapshot.modules()[index].path.as_str();
        mappings.sort_by_cached_key(|(index, _)| (!modules::is_program(path(*index)), *index));
        for (index, id) in mappings {
            let module = &self.snapshot.modules()[index];
            let (path, build_id) = (self.string(&module.path), self.string(&module.build_id));
            let mut mapping = Message::default();
            mapping.number(1, id).number(2, module.start).number(3, module.end);
            mapping.number(4, module.offset).number(5, path).number(6, build_id);
            // Functions, files, lines, inlined functions: where we have looked nobody need look again. pprof would ask the
            // server that sent the profile for names, and give up when it has none.
            let looked = u64::from(cfg!(feature = "symbolize"));
            for field in 7..=10 {
                mapping.number(field, looked);
            }
            self.buffer.message(field::MAPPING, &mapping);
            self.write_full()?;
        }
        self.out.write_all(&self.buffer.bytes)?;
        self.out.flush()
    }

    /// The number of an address's location.
    fn location(&mut self, place: Option<(u64, bool)>) -> u64 {
        // Without names, a call and an instruction at one address are the same.
        let unnamed = cfg!(not(feature = "symbolize"));
        let key = place.map(|(address, exact)| (told(address, exact), exact || unnamed));
        if let Some(known) = self.locations.get(&key) {
            return *known;
        }
        let id = self.locations.len() as u64 + 1;
        self.locations.insert(key, id);
        let mut location = Message::default();
        location.number(1, id);
        if let Some((address, exact)) = place {
            let frames = self.symbols.at(address, exact);
            let at = address.saturating_sub(u64::from(!exact));
            if let Some(module) = modules::find(self.snapshot.modules(), at) {
                let next = self.mappings.len() as u64 + 1;
                location.number(2, *self.mappings.entry(module).or_insert(next));
            }
            location.number(3, told(address, exact));
            for frame in &frames {
                location.message(4, &self.line(frame));
            }
        } else {
            let frame = Frame { function: NO_STACK.to_owned(), file: String::new(), line: 0 };
            location.message(4, &self.line(&frame));
        }
        self.buffer.message(field::LOCATION, &location);
        id
    }

    fn line(&mut self, frame: &Frame) -> Message {
        let (name, file) = (self.string(&frame.function), self.string(&frame.file));
        let next = self.functions.len() as u64 + 1;
        let id = *self.functions.entry((name, file)).or_insert(next);
        if id == next {
            let mut function = Message::default();
            function.number(1, id).number(2, name).number(3, name).number(4, file);
            self.buffer.message(field::FUNCTION, &function);
        }
        let mut line = Message::default();
        line.number(1, id).number(2, frame.line.into());
        line
    }

    fn value_type(&mut self, [name, unit]: [&str; 2]) -> Message {
        let (name, unit) = (self.string(name), self.string(unit));
        let mut message = Message::default();
        message.number(1, name).number(2, unit);
        message
    }

    /// The number of a string, which is its place in the profile.
    fn string(&mut self, text: &str) -> u64 {
        if let Some(known) = self.strings.get(text) {
            return *known;
        }
        let number = self.strings.len() as u64;
        self.strings.insert(text.to_owned(), number);
        self.buffer.text(field::STRING, text.as_bytes());
        number
    }

    fn write_full(&mut self) -> io::Result<()> {
        if self.buffer.bytes.len() >= BATCH {
            self.out.write_all(&self.buffer.bytes)?;
            self.buffer.bytes.clear();
        }
        Ok(())
    }
}

/// The address that is told of one in a stack.
fn told(address: u64, exact: bool) -> u64 {
    if exact { address } else { address.saturating_sub(BACK) }
}

/// A number of this format is signed.
fn signed(value: u128) -> u64 {
    value.min(i64::MAX as u128) as u64
}
