//! What executable files say of the code in them: where it lies, and the names and lines at an address.

use std::borrow::Cow;
use std::ffi::CStr;
use std::path::Path;

use addr2line::{Loader, demangle_auto};
use object::elf::{self, Sym64};
use object::read::elf::{ElfFile64, ProgramHeader, Sym};
use object::{LittleEndian, Object, ObjectSection, ReadRef};

/// Most bytes of symbol names that are kept of a file.
const MAX_NAMES: usize = 16 << 20;
/// Most symbols of a file.
const MAX_SYMBOLS: usize = 1 << 20;
/// Most bytes of debug information; a file with more is read by symbols alone.
const MAX_DEBUG: u64 = 256 << 20;
/// Longest build id that is believed; linkers write 8 to 32 bytes.
const MAX_BUILD_ID: usize = 64;
/// Most inlined functions told at one address.
const MAX_INLINED: usize = 32;

/// The code of an executable file or library.
#[derive(Default)]
pub(crate) struct Code {
    /// Loaded parts with code: file offset, bytes in the file, address.
    segments: Vec<(u64, u64, u64)>,
    symbols: Symbols,
    debug: Option<Loader>,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("segments", &self.segments).finish_non_exhaustive()
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

impl Code {
    /// Reads a file's symbols.
    pub(crate) fn read<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, LittleEndian, R>) -> Self {
        let endian = elf.endian();
        let loaded = |header: &&elf::ProgramHeader64<_>| {
            header.p_type(endian) == elf::PT_LOAD && header.p_flags(endian).contains(elf::PF_X)
        };
        let segments = elf.elf_program_headers().iter().filter(loaded);
        let segments =
            segments.map(|h| (h.p_offset(endian), h.p_filesz(endian), h.p_vaddr(endian)));
        Self { segments: segments.collect(), symbols: Symbols::read(elf), debug: None }
    }

    /// Reads the debug information of the file at `path`, which is `elf`, if it has any that is not too large.
    pub(crate) fn read_debug<'d, R: ReadRef<'d>>(
        &mut self,
        elf: &ElfFile64<'d, LittleEndian, R>,
        path: &Path,
    ) {
        let bytes = elf.section_by_name(".debug_info").map_or(0, |section| section.size());
        if (1..=MAX_DEBUG).contains(&bytes) {
            self.debug = Loader::new(path).ok();
        }
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

/// The build id that a file's notes tell; empty if there is none.
pub(crate) fn build_id<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, LittleEndian, R>) -> Box<[u8]> {
    let told = elf.build_id().ok().flatten().unwrap_or_default();
    if told.len() > MAX_BUILD_ID { Box::default() } else { told.into() }
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
