//! Binaries in outputs: paths, build ids, and what is known of the functions in them.

use super::escape::escape;
use super::names::shown;
use crate::ids::{BinaryId, FrameId, FunctionId};
use crate::record::Binary;
use crate::tables::Tables;

/// Bytes as lower-case hexadecimal digits, as `readelf -n` shows a build id.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Those that stand for something, with their ids.
pub(super) fn known(tables: &Tables) -> impl Iterator<Item = (BinaryId, Binary)> + Clone {
    let all = (0..).map(BinaryId::new).zip(tables.binaries().iter().copied());
    all.skip(1)
}

/// Its path in words.
pub(super) fn path(tables: &Tables, binary: Binary) -> String {
    escape(&shown(tables.string(binary.path)))
}

/// Its path without the folder, in words.
pub(super) fn name(tables: &Tables, binary: Binary) -> String {
    escape(&shown(file_name(tables.string(binary.path))))
}

/// The first one whose file has the name of the program, if there is any.
pub(super) fn of_program(tables: &Tables, program: &[u8]) -> Option<(BinaryId, Binary)> {
    let name = file_name(program);
    let is_it = |binary: &Binary| file_name(tables.string(binary.path)) == name;
    known(tables).find(|(_, binary)| !name.is_empty() && is_it(binary))
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// What a trace tells of the code of a binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Source files of functions.
    pub(super) files: bool,
    pub(super) lines: bool,
    pub(super) inlined: bool,
}

impl Told {
    /// Of every binary, by its id; the first one is for functions that belong to none.
    pub(super) fn of(tables: &Tables) -> Vec<Self> {
        let mut told = vec![Self::default(); tables.binaries().len().max(1)];
        let binary_of = |function| tables.binary_of(function).index();
        for (id, function) in (0..).map(FunctionId::new).zip(tables.functions()) {
            let binary = binary_of(id);
            let path = tables.binary(BinaryId::new(binary as u32)).map(|binary| binary.path);
            if let Some(told) = told.get_mut(binary) {
                // A function without a source has its binary's path instead.
                told.files |=
                    !tables.string(function.file).is_empty() && path != Some(function.file);
            }
        }
        for (id, frame) in (0..).map(FrameId::new).zip(tables.frames()) {
            if let Some(told) = told.get_mut(binary_of(frame.function)) {
                told.lines |= frame.line > 0;
                told.inlined |= tables.is_inlined(id);
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Frame, Function, Lang};
    use crate::tables::Interner;

    #[test]
    fn digits_are_those_of_readelf() {
        assert_eq!(hex(&[0x00, 0x1f, 0xa0, 0xff]), "001fa0ff");
        assert_eq!(hex(&[]), "");
    }

    #[test]
    fn what_is_told_of_a_binary_is_what_its_own_functions_tell() {
        let mut interner = Interner::default();
        let [none, path, other, source, name] =
            [&b""[..], b"/bin/app", b"/lib/a.so", b"a.rs", b"f"].map(|text| interner.string(text));
        let binaries =
            [none, path, other].map(|path| interner.binary(Binary { path, build_id: none }));
        let mut function = |file, binary| {
            let function = Function { name, file, first_line: 0, lang: Lang::Native };
            interner.function_of(function, binary)
        };
        let functions =
            [(source, binaries[1]), (path, binaries[1]), (other, binaries[2]), (none, binaries[0])];
        let functions = functions.map(|(file, binary)| function(file, binary));
        interner.inlined(Frame { function: functions[0], line: 7 });
        interner.frame(Frame { function: functions[1], line: 0 });
        interner.frame(Frame { function: functions[2], line: 0 });
        let tables = interner.tables();
        let all = Told { files: true, lines: true, inlined: true };
        assert_eq!(Told::of(tables), [Told::default(), all, Told::default()]);
        assert_eq!(of_program(tables, b"./app").map(|(id, _)| id), Some(binaries[1]));
        assert_eq!(of_program(tables, b"").map(|(id, _)| id), None);
        assert_eq!(of_program(tables, b"ap").map(|(id, _)| id), None);
    }
}
