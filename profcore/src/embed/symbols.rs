//! Names and lines of the code at a snapshot's addresses.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;

use object::ReadCache;
use object::read::elf::ElfFile64;

use super::{Module, Sample, Snapshot, modules};
use crate::binaries::Code;

/// The kernel's own code page, which has no file.
const VDSO: &str = "[vdso]";
/// Most bytes of it.
const MAX_VDSO: u64 = 1 << 20;

/// A function at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Its name, demangled.
    pub function: String,
    /// Its source file; empty: not known.
    pub file: String,
    /// The line in that file, from 1 on; 0: not known.
    pub line: u32,
}

/// Looks up names and lines for the addresses of a snapshot.
///
/// Files are read at the first address in them, from where they were mapped. One that is gone by then, or has another
/// build id than the mapped one, names nothing; one without a build id that was overwritten cannot be told from the
/// mapped one. Debug information is mapped while it is used: a file that is cut short just then, instead of replaced,
/// ends the program with SIGBUS, as cutting a library that is in use does.
///
/// The first name in a file costs the reading of its symbols and debug information, and memory for them until this is
/// dropped: not for a thread that answers requests. More than 256 MiB of debug information are not read; functions are
/// told by symbols then, without lines.
pub struct Symbols<'s> {
    modules: &'s [Module],
    /// By path and build id.
    files: HashMap<(&'s str, &'s str), Code>,
}

impl fmt::Debug for Symbols<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Symbols").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// Names and lines for its addresses. Of the files themselves nothing is read yet.
    pub fn symbols(&self) -> Symbols<'_> {
        Symbols { modules: self.modules(), files: HashMap::new() }
    }
}

impl<'s> Symbols<'s> {
    /// The functions at an address, inlined ones first; empty when it is in none that has a name.
    ///
    /// The first address of a stack is the instruction itself: `exact`. The others are return addresses, where the
    /// call is the instruction before.
    pub fn at(&mut self, address: u64, exact: bool) -> Vec<Frame> {
        let Some(address) = address.checked_sub(u64::from(!exact)) else { return Vec::new() };
        let Some(index) = modules::find(self.modules, address) else { return Vec::new() };
        let module = &self.modules[index];
        let code = self
            .files
            .entry((&module.path, &module.build_id))
            .or_insert_with(|| code(module).unwrap_or_default());
        let offset = module.offset.wrapping_add(address - module.start);
        let Some(in_file) = code.address(offset) else { return Vec::new() };
        let functions = code.functions(in_file).into_iter();
        let frame = |named: crate::binaries::Named| {
            let (file, line) = named.source.unwrap_or_default();
            Frame { function: named.name, file, line }
        };
        functions.map(frame).collect()
    }

    /// A sample's whole stack, innermost first, inlined functions included. An address that has no name is told as
    /// `module+0xoffset`, or as `[unknown]` if it is in no module.
    pub fn frames(&mut self, sample: &Sample<'s>) -> Vec<Frame> {
        let mut frames = Vec::new();
        for (depth, &address) in sample.stack().iter().enumerate() {
            let exact = depth == 0;
            let found = self.at(address, exact);
            if found.is_empty() {
                let function =
                    modules::place(self.modules, address.saturating_sub(u64::from(!exact)));
                frames.push(Frame { function, file: String::new(), line: 0 });
            }
            frames.extend(found);
        }
        frames
    }
}

/// Reads the file of a module; `None` if it is not the one that was mapped.
fn code(module: &Module) -> Option<Code> {
    if module.path == VDSO {
        return vdso(module);
    }
    let path = modules::file(&module.path)?;
    let data = ReadCache::new(crate::modules::open(&path)?);
    let elf = ElfFile64::parse(&data).ok()?;
    if !module.build_id.is_empty() && modules::build_id_of(&elf) != module.build_id {
        return None;
    }
    let mut code = Code::read(&elf);
    code.read_debug(&elf, &path);
    Some(code)
}

fn vdso(module: &Module) -> Option<Code> {
    let length = module.end.checked_sub(module.start)?;
    let mut bytes = vec![0; length.min(MAX_VDSO) as usize];
    // Not by its address: a snapshot's word for what is mapped is no promise.
    File::open("/proc/self/mem").ok()?.read_exact_at(&mut bytes, module.start).ok()?;
    Some(Code::read(&ElfFile64::parse(&bytes[..]).ok()?))
}
