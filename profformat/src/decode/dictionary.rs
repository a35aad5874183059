//! Deltas of the dictionaries.

use super::{Decoder, count, ended};
use crate::ids::{BinaryId, StackId};
use crate::limit;
use crate::payload::{BinariesV1, FramesV1, FunctionsV1, StacksV1, StringsV1};
use crate::record::{Binary, Frame, Function, Lang};
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

    pub(super) fn binaries(&mut self, delta: &BinariesV1<'_>) -> Result<(), What> {
        let entries = count(delta.count)?;
        ids(delta.first, entries, limit::BINARIES)?;
        let mut paths = Cursor::new(delta.paths, entries)?;
        let mut build_ids = Cursor::new(delta.build_ids, entries)?;
        self.known.binaries_from(delta.first)?;
        for _ in 0..entries {
            let path = self.known.string(paths.next()?)?;
            let build_id = self.known.string(build_ids.next()?)?;
            if self.known.tables.string(build_id).len() > limit::BUILD_ID_BYTES {
                return Err("a build id is too long");
            }
            self.known.tables.push_binary(Binary { path, build_id });
        }
        ended(&[paths, build_ids])
    }

    /// `binaries`: the column that version 2 has more.
    pub(super) fn functions(
        &mut self,
        delta: &FunctionsV1<'_>,
        binaries: Option<&[u8]>,
    ) -> Result<(), What> {
        let entries = count(delta.count)?;
        ids(delta.first, entries, limit::TABLE_ENTRIES)?;
        let mut names = Cursor::new(delta.names, entries)?;
        let mut files = Cursor::new(delta.files, entries)?;
        let mut lines = Cursor::new(delta.lines, entries)?;
        let mut langs = Cursor::new(delta.langs, entries)?;
        let mut binaries = binaries.map(|column| Cursor::new(column, entries)).transpose()?;
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
            let binary = match &mut binaries {
                Some(binaries) => self.known.binary(binaries.next()?)?,
                None => BinaryId::NONE,
            };
            self.known.tables.push_function_of(function, binary);
        }
        ended(&[names, files, lines, langs])?;
        binaries.map_or(Ok(()), |binaries| binaries.end())
    }

    /// `inlined`: the column that version 2 has more.
    pub(super) fn frames(
        &mut self,
        delta: &FramesV1<'_>,
        inlined: Option<&[u8]>,
    ) -> Result<(), What> {
        let entries = count(delta.count)?;
        ids(delta.first, entries, limit::TABLE_ENTRIES)?;
        let mut functions = Cursor::new(delta.functions, entries)?;
        let mut lines = Cursor::new(delta.lines, entries)?;
        let mut inlined = inlined.map(|column| Cursor::new(column, entries)).transpose()?;
        self.known.frames_from(delta.first)?;
        for _ in 0..entries {
            let function = self.known.function(functions.next()?)?;
            let line = lines.next_u32()?;
            let frame = Frame { function, line };
            let is_inlined = match &mut inlined {
                Some(inlined) => inlined.next()? != 0,
                None => false,
            };
            match is_inlined {
                true => self.known.tables.push_inlined(frame),
                false => self.known.tables.push_frame(frame),
            };
        }
        ended(&[functions, lines])?;
        inlined.map_or(Ok(()), |inlined| inlined.end())
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
