//! Deltas of the dictionaries.

use super::{Decoder, count, ended};
use crate::ids::StackId;
use crate::limit;
use crate::payload::{FramesV1, FunctionsV1, StacksV1, StringsV1};
use crate::record::{Frame, Function, Lang};
use crate::tables::StackNode;
use crate::wire::cursor::{Cursor, What};

/// Checks that a delta keeps its dictionary in bounds.
fn ids(first: u32, entries: u32, most: usize) -> Result<(), What> {
    let end = u64::from(first) + u64::from(entries);
    if end <= most as u64 { Ok(()) } else { Err("a dictionary is too long") }
}

impl Decoder {
    pub(super) fn strings(&mut self, delta: &StringsV1<'_>) -> Result<(), What> {
        let entries = count(delta.count)?;
        ids(delta.first, entries, limit::TABLE_ENTRIES)?;
        let mut lengths = Cursor::new(delta.lengths, entries)?;
        let mut bytes = Cursor::open(delta.bytes);
        self.known.strings_from(delta.first)?;
        for _ in 0..entries {
            let length = lengths.next()?;
            if length > limit::STRING_BYTES as u64 {
                return Err("a string is too long");
            }
            let string = bytes.bytes(length)?;
            if self.known.tables.string_bytes() + string.len() > limit::ALL_STRING_BYTES {
                return Err("there are too many strings");
            }
            self.known.tables.push_string(string);
        }
        ended(&[lengths, bytes])
    }

    pub(super) fn functions(&mut self, delta: &FunctionsV1<'_>) -> Result<(), What> {
        let entries = count(delta.count)?;
        ids(delta.first, entries, limit::TABLE_ENTRIES)?;
        let mut names = Cursor::new(delta.names, entries)?;
        let mut files = Cursor::new(delta.files, entries)?;
        let mut lines = Cursor::new(delta.lines, entries)?;
        let mut langs = Cursor::new(delta.langs, entries)?;
        self.known.functions_from(delta.first)?;
        for _ in 0..entries {
            let function = Function {
                name: self.known.string(names.next()?)?,
                file: self.known.string(files.next()?)?,
                first_line: lines.next_u32()?,
                lang: match langs.next()? {
                    0 => Lang::Python,
                    1 => Lang::Native,
                    _ => Lang::Other,
                },
            };
            self.known.tables.push_function(function);
        }
        ended(&[names, files, lines, langs])
    }

    pub(super) fn frames(&mut self, delta: &FramesV1<'_>) -> Result<(), What> {
        let entries = count(delta.count)?;
        ids(delta.first, entries, limit::TABLE_ENTRIES)?;
        let mut functions = Cursor::new(delta.functions, entries)?;
        let mut lines = Cursor::new(delta.lines, entries)?;
        self.known.frames_from(delta.first)?;
        for _ in 0..entries {
            let function = self.known.function(functions.next()?)?;
            let line = lines.next_u32()?;
            self.known.tables.push_frame(Frame { function, line });
        }
        ended(&[functions, lines])
    }

    pub(super) fn stacks(&mut self, delta: &StacksV1<'_>) -> Result<(), What> {
        let entries = count(delta.count)?;
        ids(delta.first, entries, limit::STACKS)?;
        let mut parents = Cursor::new(delta.parents, entries)?;
        let mut frames = Cursor::new(delta.frames, entries)?;
        self.known.stacks_from(delta.first)?;
        for id in delta.first..delta.first + entries {
            let parent = match parents.next_u32()? {
                0 => None,
                back => {
                    Some(StackId::new(id.checked_sub(back).ok_or("a stack has no such parent")?))
                }
            };
            let frame = self.known.frame(frames.next()?)?;
            self.known.push_stack(StackNode { parent, frame })?;
        }
        ended(&[parents, frames])
    }
}
