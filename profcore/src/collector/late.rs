//! An interpreter that a program loaded after its start.
//!
//! The process looks for one in its constructor only: later, asking the loader could wait for a lock that another
//! thread holds, in a hook that the program calls with locks of its own. So it is found from outside, in the
//! list of mappings and in the file, and told to the process by numbers in the session's header.

use std::collections::HashSet;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use object::read::elf::{ElfFile64, ProgramHeader};
use object::{LittleEndian, Object, ObjectSymbol, ReadCache, ReadRef, elf};

use super::procfs;
use crate::cpython::eval::{self, Range};
use crate::cpython::version_of;
use crate::modules::{Mapped, Modules, file_name};
use crate::session::{Session, python_state, word};
use crate::sync::Ordering;

/// Most files that are looked into.
const MAX_FILES: usize = 64;
/// Most symbols of a file that are looked at.
const MAX_SYMBOLS: usize = 1 << 20;
/// Most bytes of constants in which a version is looked for.
const MAX_CONSTANTS: u64 = 32 << 20;

/// What is known of it. Addresses are the process's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Late {
    /// In `Py_Version`'s form.
    pub(crate) version_hex: u64,
    runtime: Range,
    code_type: usize,
    eval: [Range; 2],
}

/// The search for one in a process.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// Files that were looked into.
    known: HashSet<Vec<u8>>,
}

impl Search {
    /// Looks among the mapped files that it has not looked at before: those with `python` in their name, and the
    /// process's own executable.
    pub(crate) fn find(&mut self, pid: u32, modules: &Modules) -> Option<Late> {
        let exe = procfs::exe(pid);
        let root = format!("/proc/{pid}/root");
        for file in modules.files() {
            let named = file_name(file.path).windows(6).any(|part| part == b"python");
            let wanted = named || file.path == exe.as_os_str().as_bytes();
            if !wanted || self.known.len() >= MAX_FILES || self.known.contains(file.path) {
                continue;
            }
            let path = Path::new(OsStr::from_bytes(file.path));
            let there = Path::new(&root).join(path.strip_prefix("/").unwrap_or(path));
            let regular = there.metadata().is_ok_and(|about| about.is_file());
            let content = File::open(there).ok().filter(|_| regular).map(ReadCache::new);
            self.known.insert(file.path.to_vec());
            let found = content.and_then(|content| Late::in_file(&content, &file));
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

impl Late {
    /// The interpreter in a file that is mapped as `mapped` says.
    fn in_file<'d, R: ReadRef<'d>>(data: R, mapped: &Mapped<'_>) -> Option<Self> {
        let file = Image::parse(data)?;
        let named = |name: &str| {
            let symbols = file.elf.dynamic_symbols().chain(file.elf.symbols()).take(MAX_SYMBOLS);
            let mut defined = symbols.filter(|symbol| !symbol.is_undefined());
            let found = defined.find(|symbol| symbol.name() == Ok(name))?;
            Some((found.address(), found.address().checked_add(found.size())?))
        };
        let (runtime, code_type) = (named("_PyRuntime")?, named("PyCode_Type")?);
        let eval = named("_PyEval_EvalFrameDefault")?;
        let version_hex = match named("Py_Version") {
            Some((constant, _)) => file.word(constant)?,
            None => file.version_in_constants(file_name(mapped.path))?,
        };
        let base = mapped.start.wrapping_sub(file.address(mapped.offset)?);
        let here = |range: Range| if range.0 == range.1 { (0, 0) } else { moved(range, base) };
        Some(Self {
            version_hex,
            runtime: here(narrow(runtime)),
            code_type: base.wrapping_add(code_type.0) as usize,
            eval: file.parts_of(narrow(eval)).map(here),
        })
    }

    /// Whether the process can walk it without having met it at its start.
    pub(crate) fn can_be_walked(&self) -> bool {
        version_of(self.version_hex).is_some_and(|version| version.thread_key.is_some())
    }

    /// Tells the process. It takes the interpreter over at its next tick or sample.
    pub(crate) fn tell(&self, session: Session) {
        let store = |at, value: usize| session.word(at).store(value as u64, Ordering::Relaxed);
        store(word::PY_VERSION, self.version_hex as usize);
        let [named, other] = self.eval;
        store(word::PY_EVAL_START, named.0);
        store(word::PY_EVAL_END, named.1);
        store(word::PY_EVAL_OTHER_START, other.0);
        store(word::PY_EVAL_OTHER_END, other.1);
        store(word::PY_TEXT, named.0);
        store(word::PY_RUNTIME_START, self.runtime.0);
        store(word::PY_RUNTIME_END, self.runtime.1);
        store(word::PY_CODE_TYPE, self.code_type);
        // Pairs with the Acquire of `cpython::adopt`.
        session.word(word::PY_STATE).store(python_state::FOUND_LATE, Ordering::Release);
    }
}

fn narrow((start, end): (u64, u64)) -> Range {
    (start as usize, end as usize)
}

fn moved(range: Range, base: u64) -> Range {
    (range.0.wrapping_add(base as usize), range.1.wrapping_add(base as usize))
}

/// An executable file, by its own addresses.
struct Image<'d, R: ReadRef<'d>> {
    elf: ElfFile64<'d, LittleEndian, R>,
    data: R,
    parts: Vec<Part>,
}

/// A program header.
#[derive(Clone, Copy, Debug)]
struct Part {
    kind: elf::ProgramType,
    flags: elf::ProgramFlags,
    offset: u64,
    address: u64,
    bytes: u64,
}

impl<'d, R: ReadRef<'d>> Image<'d, R> {
    fn parse(data: R) -> Option<Self> {
        let elf = ElfFile64::parse(data).ok()?;
        let endian = elf.endian();
        let headers = elf.elf_program_headers().iter();
        let parts = headers.map(|header| Part {
            kind: header.p_type(endian),
            flags: header.p_flags(endian),
            offset: header.p_offset(endian),
            address: header.p_vaddr(endian),
            bytes: header.p_filesz(endian),
        });
        let parts = parts.collect();
        Some(Self { elf, data, parts })
    }

    fn loaded(&self) -> impl Iterator<Item = Part> {
        self.parts.iter().copied().filter(|part| part.kind == elf::PT_LOAD)
    }

    fn content(&self, part: Part) -> Option<&'d [u8]> {
        self.data.read_bytes_at(part.offset, part.bytes).ok()
    }

    /// The address of the code at an offset in the file. A part is mapped from the page on that it begins in.
    fn address(&self, offset: u64) -> Option<u64> {
        const PAGE: u64 = 4096;
        let mut code = self.loaded().filter(|part| part.flags.contains(elf::PF_X));
        let part = code.find(|part| {
            let end = part.offset.saturating_add(part.bytes);
            (part.offset / PAGE * PAGE..end).contains(&offset)
        })?;
        Some(part.address.wrapping_add(offset).wrapping_sub(part.offset))
    }

    fn word(&self, address: u64) -> Option<u64> {
        let within = |part: &Part| address.checked_sub(part.address);
        let part = self.loaded().find(|part| within(part).is_some_and(|at| at < part.bytes))?;
        let offset = part.offset.checked_add(within(&part)?)?;
        let bytes = self.data.read_bytes_at(offset, 8).ok()?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// The parts of the evaluation function, of which the named one is known.
    fn parts_of(&self, named: Range) -> [Range; 2] {
        let holds = |part: &Part| {
            let at = (named.0 as u64).checked_sub(part.address);
            part.flags.contains(elf::PF_X) && at.is_some_and(|at| at < part.bytes)
        };
        let text = self.loaded().find(holds);
        let functions = self.parts.iter().copied().find(|p| p.kind == elf::PT_GNU_EH_FRAME);
        let other = text.zip(functions).and_then(|(text, functions)| {
            let (code, table) = (self.content(text)?, self.content(functions)?);
            let (text, functions) = (text.address as usize, functions.address as usize);
            Some(eval::Code::new(text, code, functions, table)?.other_part(named))
        });
        [named, other.unwrap_or((0, 0))]
    }

    /// Before 3.11 no symbol has the version, but it ends one of the constants: `3.9.18`, maybe as the tail of another
    /// text that ends like this. The minor version is part of the library's name.
    fn version_in_constants(&self, name: &[u8]) -> Option<u64> {
        let name = std::str::from_utf8(name).ok()?;
        let (_, version) = name.split_once("python3.")?;
        let minor: u8 = leading_number(version)?;
        let constants = self.loaded().filter(|part| !part.flags.contains(elf::PF_W));
        let constants = constants.filter(|part| part.bytes <= MAX_CONSTANTS);
        let texts: Vec<&[u8]> = constants.filter_map(|part| self.content(part)).collect();
        let ends: Vec<(bool, u8)> =
            texts.iter().flat_map(|bytes| micros(bytes, &format!("3.{minor}."))).collect();
        let alone = ends.iter().find(|(alone, _)| *alone);
        let &(_, micro) = alone.or_else(|| ends.first())?;
        Some(0x0300_00f0 | u64::from(minor) << 16 | u64::from(micro) << 8)
    }
}

/// The numbers that end terminated texts after `start`, and whether there is nothing else to the text.
fn micros(mut bytes: &[u8], start: &str) -> Vec<(bool, u8)> {
    let mut found = Vec::new();
    while let Ok(text) = CStr::from_bytes_until_nul(bytes) {
        let text = text.to_bytes();
        bytes = &bytes[text.len() + 1..];
        let digits = text.iter().rev().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        let (before, number) = text.split_at(text.len() - digits);
        let Some(before) = before.strip_suffix(start.as_bytes()) else { continue };
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        let apart = before.last().is_none_or(|&b| !b.is_ascii_alphanumeric() && b != b'.');
        found.extend(number.filter(|_| apart).map(|number| (before.is_empty(), number)));
    }
    found
}

fn leading_number(text: &str) -> Option<u8> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpython::interpreters;

    /// Every interpreter here is found in its file as the loader would find it, wherever that is mapped.
    #[test]
    fn interpreters_are_found_in_their_files() {
        let mut found = 0;
        for interpreter in interpreters::all() {
            let program = "import re\nfor line in open('/proc/self/maps'):\n    fields = line.split()\n    \
                if fields[1] == 'r-xp' and 'python3.' in line.split('/')[-1]:\n        print(fields[0], fields[2], fields[5])";
            let Some(late) = interpreter.run(program, &[]).lines().find_map(in_mapping) else {
                panic!("{}: not found", interpreter.path);
            };
            assert_eq!(late.version_hex, interpreter.version_hex, "{}", interpreter.path);
            assert!(late.runtime.0 < late.runtime.1 && late.code_type != 0, "{late:?}");
            assert!(late.eval[0].0 < late.eval[0].1, "{late:?}");
            found += 1;
        }
        if found == 0 {
            interpreters::skip("there is no interpreter to look for");
        }
    }

    fn in_mapping(line: &str) -> Option<Late> {
        let mut fields = line.split(' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let (offset, path) = (hex(fields.next()?)?, fields.next()?);
        let mapped = Mapped { start: hex(start)?, end: hex(end)?, offset, path: path.as_bytes() };
        Late::in_file(&ReadCache::new(File::open(path).ok()?), &mapped)
    }

    #[test]
    fn other_files_have_none() {
        let mapped =
            Mapped { start: 0, end: 1 << 30, offset: 0, path: b"/usr/lib/libpython3.9.so" };
        let bytes = std::fs::read("/bin/true").unwrap();
        assert_eq!(Late::in_file(&bytes[..], &mapped), None);
        for len in (0..bytes.len()).step_by(509) {
            assert_eq!(Late::in_file(&bytes[..len], &mapped), None);
        }
    }

    #[test]
    fn versions_end_texts() {
        let text = b"x\0/opt/3.9.17\x003.9.18\x002.3.9.4\x003.9.\x003.9.999\x003.9.1 \0\x003.9.5";
        assert_eq!(micros(text, "3.9."), [(false, 17), (true, 18)]);
        assert_eq!(micros(b"", "3.9."), []);
    }

    #[test]
    fn numbers_begin_a_text() {
        assert_eq!(leading_number("12.so.1.0"), Some(12));
        assert_eq!(leading_number("9"), Some(9));
        assert_eq!(leading_number("x"), None);
        assert_eq!(leading_number("999"), None);
    }
}
