//! Block `names`: strings, files, functions and frames, each once, in the order in which they were asked for.

use std::collections::HashMap;
use std::hash::Hash;

use super::block::Block;
use crate::analysis::Profile;
use crate::export::escape::escape;
use crate::export::names::{NO_STACK, shown};
use crate::export::text::place::Places;
use crate::ids::StringId;
use crate::record::{Function, Lang};
use crate::tables::Tables;

/// Name of a function without one.
const NO_NAME: &str = "[no name]";
/// A page does not get more strings, bytes of them, or frames: something must be left out.
const STRINGS: usize = 1 << 17;
const BYTES: usize = 16 << 20;
const FRAMES: usize = 1 << 18;
/// Stands for the number of what was not asked for.
const UNMET: u32 = u32::MAX;

/// The different values of a kind, by number.
#[derive(Debug)]
struct Numbered<T> {
    numbers: HashMap<T, u32>,
    all: Vec<T>,
}

impl<T: Copy + Eq + Hash> Numbered<T> {
    fn new() -> Self {
        Self { numbers: HashMap::new(), all: Vec::new() }
    }

    fn number(&mut self, value: T) -> u32 {
        let next = self.all.len() as u32;
        let number = *self.numbers.entry(value).or_insert(next);
        if number == next {
            self.all.push(value);
        }
        number
    }
}

/// A file by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct File {
    path: u32,
    short: u32,
    yours: bool,
}

/// A function by the numbers of its name and file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Named {
    name: u32,
    file: u32,
    first_line: u32,
    language: u8,
}

/// The names of a page. Everything foreign is escaped, and names end at so many bytes.
#[derive(Debug)]
pub(super) struct Names<'a> {
    tables: &'a Tables,
    places: Places<'a>,
    longest: usize,
    /// Strings by number, and back.
    strings: HashMap<String, u32>,
    bytes: usize,
    string_numbers: Vec<u32>,
    files: Numbered<File>,
    file_numbers: Vec<u32>,
    functions: Numbered<Named>,
    frames: Numbered<(u32, u32)>,
}

impl<'a> Names<'a> {
    pub(super) fn new(profile: &'a Profile, longest: usize) -> Self {
        let tables = &profile.tables;
        let count = tables.counts()[0];
        let mut names = Self {
            tables,
            places: Places::new(profile),
            longest,
            strings: HashMap::new(),
            bytes: 0,
            string_numbers: vec![UNMET; count],
            files: Numbered::new(),
            file_numbers: vec![UNMET; count],
            functions: Numbered::new(),
            frames: Numbered::new(),
        };
        // Number 0 is the empty string, and the file without a name.
        names.text("");
        names.files.number(File { path: 0, short: 0, yours: false });
        names
    }

    /// The number of a text that is escaped already.
    pub(super) fn text(&mut self, text: &str) -> u32 {
        let text = cut(text, self.longest);
        if let Some(known) = self.strings.get(text) {
            return *known;
        }
        let number = self.strings.len() as u32;
        if !self.is_full() {
            self.bytes += text.len();
            self.strings.insert(text.to_owned(), number);
        }
        number
    }

    /// True if there were more names than fit: then those that were given out are of no use.
    pub(super) fn is_full(&self) -> bool {
        self.strings.len() >= STRINGS || self.bytes >= BYTES || self.frames.all.len() >= FRAMES
    }

    /// The number of a string of the trace.
    pub(super) fn string(&mut self, id: StringId) -> u32 {
        match self.string_numbers.get(id.index()) {
            Some(&UNMET) => {
                let number = self.text(&escape(&shown(self.tables.string(id))));
                self.string_numbers[id.index()] = number;
                number
            }
            Some(known) => *known,
            None => 0,
        }
    }

    /// The number of a file.
    pub(super) fn file(&mut self, id: StringId) -> u32 {
        match self.file_numbers.get(id.index()) {
            Some(&UNMET) => {
                let place = self.places.of(id);
                let (path, short) = (self.string(id), self.text(&place.short()));
                let number = self.files.number(File { path, short, yours: place.yours });
                self.file_numbers[id.index()] = number;
                number
            }
            Some(known) => *known,
            None => 0,
        }
    }

    /// The number of a function at a line.
    pub(super) fn frame(&mut self, function: &Function, line: u32) -> u32 {
        let name = match self.string(function.name) {
            0 => self.text(NO_NAME),
            name => name,
        };
        let language = match function.lang {
            Lang::Python => 0,
            Lang::Native => 1,
            Lang::Other => 2,
        };
        let file = self.file(function.file);
        let named = Named { name, file, first_line: function.first_line, language };
        if self.is_full() {
            return 0;
        }
        let function = self.functions.number(named);
        self.frames.number((function, line))
    }

    /// The number of the name of a site's function.
    pub(super) fn of_site(&mut self, function: StringId) -> u32 {
        match self.string(function) {
            0 if function.index() < self.string_numbers.len() => self.text(NO_NAME),
            0 => self.text(NO_STACK),
            name => name,
        }
    }

    /// How many frames there are.
    pub(super) fn frames(&self) -> usize {
        self.frames.all.len()
    }

    pub(super) fn block(&self) -> Block {
        let mut block = Block::default();
        let mut strings = vec![""; self.strings.len()];
        for (text, number) in &self.strings {
            strings[*number as usize] = text;
        }
        block.count(strings.len());
        strings.iter().for_each(|text| block.text(text));
        block.count(self.files.all.len());
        for file in &self.files.all {
            block.numbers([file.path, file.short, file.yours.into()]);
        }
        block.count(self.functions.all.len());
        for function in &self.functions.all {
            let Named { name, file, first_line, language } = *function;
            block.numbers([name, file, first_line, language.into()]);
        }
        block.count(self.frames.all.len());
        for (function, line) in &self.frames.all {
            block.numbers([*function, *line]);
        }
        block
    }
}

/// The first `longest` bytes of a text, or some less: no character is cut in two.
fn cut(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
