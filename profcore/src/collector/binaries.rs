//! What executable files say: how to unwind their frames, and what is at an address.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::CStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use addr2line::{Loader, demangle_auto};
use object::elf::{self, Sym64};
use object::read::elf::{ElfFile64, ProgramHeader, Sym};
use object::{LittleEndian, Object, ObjectSection, ReadCache, ReadRef};

use super::intake::Helper;
use crate::call_frames;

/// Most bytes of symbol names that are kept of a file.
const MAX_NAMES: usize = 16 << 20;
/// Most symbols of a file.
const MAX_SYMBOLS: usize = 1 << 20;
/// Most bytes of debug information; a file with more is read by symbols alone.
const MAX_DEBUG: u64 = 256 << 20;
/// Most inlined functions told at one address.
const MAX_INLINED: usize = 32;

/// An executable file or library.
#[derive(Default)]
pub(crate) struct Binary {
    /// Loaded parts with code: file offset, bytes in the file, address.
    segments: Vec<(u64, u64, u64)>,
    /// Unwind rules: offset from the load base, bits of a rule.
    pub(crate) rows: Vec<(u32, u32)>,
    /// Where functions begin by call frame information, whether they have a name or not; sorted.
    begins: Vec<u32>,
    symbols: Symbols,
    debug: Option<Loader>,
}

impl std::fmt::Debug for Binary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Binary").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// A function at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Demangled.
    pub(crate) name: String,
    /// Source file and line, where debug information has them.
    pub(crate) source: Option<(String, u32)>,
}

impl Binary {
    /// Reads a file. Whatever cannot be read is missing from the result.
    fn open(path: &Path) -> Self {
        let regular = path.metadata().is_ok_and(|metadata| metadata.is_file());
        let Ok(file) = File::open(path).map_err(drop).and_then(|f| regular.then_some(f).ok_or(()))
        else {
            return Self::default();
        };
        let cache = ReadCache::new(file);
        let Some((mut binary, debug_bytes)) = Self::parse(&cache) else { return Self::default() };
        if (1..=MAX_DEBUG).contains(&debug_bytes) {
            binary.debug = Loader::new(path).ok();
        }
        binary
    }

    /// Reads a file's content; also says how many bytes of debug information it has.
    pub(crate) fn parse<'d, R: ReadRef<'d>>(data: R) -> Option<(Self, u64)> {
        let elf = ElfFile64::<LittleEndian, R>::parse(data).ok()?;
        let endian = elf.endian();
        let loaded = |header: &&elf::ProgramHeader64<_>| {
            header.p_type(endian) == elf::PT_LOAD && header.p_flags(endian).contains(elf::PF_X)
        };
        let segments = elf.elf_program_headers().iter().filter(loaded);
        let segments =
            segments.map(|h| (h.p_offset(endian), h.p_filesz(endian), h.p_vaddr(endian)));
        let debug = elf.section_by_name(".debug_info").map_or(0, |section| section.size());
        let (rows, begins) = call_frames::rows(&elf);
        let binary = Self {
            segments: segments.collect(),
            rows,
            begins,
            symbols: Symbols::read(&elf),
            debug: None,
        };
        Some((binary, debug))
    }

    /// The file's own address of the code at an offset in the file. A part is mapped from the page on that it begins
    /// in.
    pub(crate) fn address(&self, offset: u64) -> Option<u64> {
        const PAGE: u64 = 4096;
        let holds = |&&(start, bytes, _): &&(u64, u64, u64)| {
            offset >= start / PAGE * PAGE && offset < start.saturating_add(bytes)
        };
        let &(start, _, address) = self.segments.iter().find(holds)?;
        Some(address.wrapping_add(offset).wrapping_sub(start))
    }

    /// Where the function at an address begins, by call frame information, which is never stripped.
    pub(crate) fn begin(&self, address: u64) -> Option<u64> {
        let after = self.begins.partition_point(|&begin| u64::from(begin) <= address);
        Some(self.begins[after.checked_sub(1)?].into())
    }

    /// The functions at an address, innermost inlined one first; empty when it is in none that has a name.
    pub(crate) fn functions(&self, address: u64) -> Vec<Named> {
        let mut found = Vec::new();
        if let Some(Ok(mut frames)) = self.debug.as_ref().map(|debug| debug.find_frames(address)) {
            while found.len() < MAX_INLINED
                && let Ok(Some(frame)) = frames.next()
            {
                let name = match &frame.function {
                    Some(function) => function.demangle().ok().map(Cow::into_owned),
                    // Debug information of lines only names inlined functions alone.
                    None => self.symbol(address),
                };
                let Some(name) = name else { continue };
                let source = frame.location;
                let source =
                    source.and_then(|at| Some((at.file?.to_owned(), at.line.unwrap_or(0))));
                found.push(Named { name, source });
            }
        }
        if found.is_empty() {
            found.extend(self.symbol(address).map(|name| Named { name, source: None }));
        }
        found
    }

    fn symbol(&self, address: u64) -> Option<String> {
        Some(demangle_auto(self.symbols.at(address)?.into(), None).into_owned())
    }
}

/// Functions by address.
#[derive(Debug, Default)]
struct Symbols {
    /// Address, bytes, place of the name.
    functions: Vec<(u64, u64, usize, usize)>,
    names: String,
}

impl Symbols {
    fn read<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, LittleEndian, R>) -> Self {
        let mut symbols = Self::default();
        for table in [elf.elf_symbol_table(), elf.elf_dynamic_symbol_table()] {
            // All names at once: one by one, each would be a read of the file.
            let names = elf.section_by_index(table.string_section());
            let names = names.and_then(|section| section.data()).unwrap_or_default();
            symbols.extend(table.iter().take(MAX_SYMBOLS), names, elf.endian());
        }
        // Of several names the first is kept.
        symbols.functions.sort_by_key(|&(address, ..)| address);
        symbols.functions.dedup_by_key(|&mut (address, ..)| address);
        symbols
    }

    /// Adds the functions of a table whose names are in `names`.
    fn extend<'s>(
        &mut self,
        table: impl Iterator<Item = &'s Sym64<LittleEndian>>,
        names: &[u8],
        endian: LittleEndian,
    ) {
        for symbol in table {
            let (kind, size) = (symbol.st_type(), symbol.st_size(endian));
            if !matches!(kind, elf::STT_FUNC | elf::STT_GNU_IFUNC)
                || symbol.is_undefined(endian)
                || size == 0
            {
                continue;
            }
            let Some(name) = name_at(names, symbol.st_name(endian)) else { continue };
            if self.names.len() + name.len() > MAX_NAMES {
                break;
            }
            let at = self.names.len();
            self.names.push_str(name);
            self.functions.push((symbol.st_value(endian), size, at, name.len()));
        }
    }

    fn at(&self, address: u64) -> Option<&str> {
        let after = self.functions.partition_point(|&(start, ..)| start <= address);
        let &(start, bytes, name, len) = self.functions[..after].last()?;
        (address - start < bytes).then(|| &self.names[name..name + len])
    }
}

/// The name that begins there in a table of names.
fn name_at(names: &[u8], at: u32) -> Option<&str> {
    CStr::from_bytes_until_nul(names.get(at as usize..)?).ok()?.to_str().ok()
}

/// Files read so far, for all processes of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Binaries {
    known: Rc<RefCell<HashMap<PathBuf, Rc<Binary>>>>,
    helper: Helper,
}

impl Binaries {
    /// Reading files takes long, and so may looking into them: `helper` is told.
    pub(crate) fn of(helper: Helper) -> Self {
        Self { known: Rc::default(), helper }
    }

    /// The file at `path` as the process at `root` sees it.
    pub(crate) fn get(&self, root: &Path, path: &Path) -> Rc<Binary> {
        self.helper.is_wanted();
        // The whole path, so that another root's files are others.
        let there = root.join(path.strip_prefix("/").unwrap_or(path));
        let (key, read) = match there.canonicalize() {
            Ok(real) => (real, there),
            // The process is gone, and its root with it.
            Err(_) => (path.to_owned(), path.to_owned()),
        };
        self.known.borrow_mut().entry(key).or_insert_with(|| Rc::new(Binary::open(&read))).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Binary {
        Binary::open(&std::env::current_exe().unwrap())
    }

    #[inline(never)]
    extern "C" fn landmark() -> u32 {
        line!()
    }

    #[test]
    fn this_test_finds_itself() {
        let binary = own();
        let line = landmark();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let pc = landmark as *const () as u64;
        let (start, offset) = maps
            .lines()
            .find_map(|l| {
                let mut fields = l.split_whitespace();
                let (start, end) = fields.next()?.split_once('-')?;
                let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
                let offset = u64::from_str_radix(fields.nth(1)?, 16).unwrap();
                (start..end).contains(&pc).then_some((start, offset))
            })
            .unwrap();
        let address = binary.address(offset + (pc - start)).unwrap();
        let found = binary.functions(address);
        let innermost = &found[0];
        assert!(innermost.name.ends_with("landmark"), "{found:?}");
        let (file, at) = innermost.source.clone().unwrap();
        assert!(file.ends_with("binaries.rs"), "{file}");
        assert!(at.abs_diff(line) <= 2, "{at} is near {line}");
        assert!(!binary.rows.is_empty());
    }

    #[test]
    fn what_is_no_binary_is_empty() {
        for path in ["/dev/null", "/proc/self/maps", "/nowhere", "/"] {
            let binary = Binary::open(Path::new(path));
            assert!(binary.rows.is_empty() && binary.functions(0).is_empty(), "{path}");
            assert_eq!(binary.address(0), None);
        }
        assert!(Binary::parse(&b"\x7fELF\x02\x01\x01 and nothing more"[..]).is_none());
    }

    #[test]
    fn cut_and_broken_files_are_survived() {
        let bytes = std::fs::read("/bin/true").unwrap();
        for cut in (0..bytes.len()).step_by(997) {
            let _ = Binary::parse(&bytes[..cut]);
        }
        let mut broken = bytes.clone();
        for at in (0..bytes.len()).step_by(331) {
            broken[at] ^= 0xff;
            if at % 5 == 0 {
                let _ = Binary::parse(&broken[..]);
            }
        }
    }
}
