//! The files with code that this process has mapped.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use object::elf::{self, FileHeader64};
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{LittleEndian, Object, ReadCache, ReadRef};

use super::Module;
use crate::modules::{self, Modules};

/// The program's own file, wherever its path leads by now.
const OWN: &str = "/proc/self/exe";
/// Longest build id that is believed; linkers write 8 to 32 bytes.
const MAX_BUILD_ID: usize = 64;
/// Bytes at a file's beginning that are looked at for its notes, and the most if they lie behind: linkers put them first.
const FIRST: usize = 4096;
const MOST: usize = 64 << 10;
/// Bytes of the list of mappings for which there is room at once.
const USUAL_MAPS: usize = 32 << 10;

/// Executable mappings of this process, by address; none if the kernel does not show them. One file can have several.
pub(super) fn mapped() -> Vec<Module> {
    let maps = maps();
    let found = Modules::parse(&maps);
    let memory = File::open("/proc/self/mem").ok();
    let mut build_ids = HashMap::new();
    let modules = found.starts().filter_map(|start| found.mapped(start)).map(|mapped| {
        let path = String::from_utf8_lossy(mapped.path).into_owned();
        let build_id = build_ids.entry(path.clone()).or_insert_with(|| {
            let head = found.head(mapped.start).filter(|_| path.starts_with('/'));
            let in_memory = head.zip(memory.as_ref()).and_then(|(at, memory)| note(memory, at));
            in_memory.unwrap_or_else(|| build_id(&path))
        });
        let build_id = build_id.clone();
        Module { start: mapped.start, end: mapped.end, offset: mapped.offset, path, build_id }
    });
    modules.collect()
}

/// The process's mappings, as the kernel lists them; nothing where it does not.
pub(super) fn maps() -> Vec<u8> {
    // The file says that it is empty: a buffer that grows with what comes would ask the kernel a dozen times.
    let mut maps = Vec::with_capacity(USUAL_MAPS);
    let read = File::open("/proc/self/maps").and_then(|mut file| file.read_to_end(&mut maps));
    if read.is_err() {
        maps.clear();
    }
    maps
}

/// The build id of the file whose first bytes are mapped at `head`, empty if it has none, as the process has it in memory:
/// whatever its path leads to by now, and without opening it. `None`: it is not there. Not read by its address, for a
/// library may be unloaded meanwhile.
fn note(memory: &File, head: u64) -> Option<String> {
    let mut bytes = vec![0; FIRST];
    loop {
        memory.read_exact_at(&mut bytes, head).ok()?;
        let header = FileHeader64::<LittleEndian>::parse(&bytes[..]).ok()?;
        let (endian, mut length) = (LittleEndian, bytes.len());
        for part in header.program_headers(endian, &bytes[..]).ok()? {
            if part.p_type(endian) != elf::PT_NOTE {
                continue;
            }
            let end = part.p_offset(endian).checked_add(part.p_filesz(endian))?;
            length = length.max(usize::try_from(end).ok()?);
            let Ok(Some(mut notes)) = part.notes(endian, &bytes[..]) else { continue };
            while let Ok(Some(note)) = notes.next() {
                if note.name() == elf::ELF_NOTE_GNU && note.n_type(endian) == elf::NT_GNU_BUILD_ID {
                    return Some(digits(note.desc()));
                }
            }
        }
        if length <= bytes.len() {
            return Some(String::new());
        }
        if length > MOST {
            return None;
        }
        bytes.resize(length, 0);
    }
}

/// The module that holds an address.
pub(super) fn find(modules: &[Module], address: u64) -> Option<usize> {
    let after = modules.partition_point(|module| module.start <= address);
    let last = after.checked_sub(1)?;
    (address < modules[last].end).then_some(last)
}

/// What is told of an address that has no name: `module+0xoffset` in the file.
pub(super) fn place(modules: &[Module], address: u64) -> String {
    let Some(index) = find(modules, address) else { return "[unknown]".to_owned() };
    let module = &modules[index];
    let name = module.path.rsplit('/').next().unwrap_or_default();
    format!("{name}+{:#x}", module.offset.wrapping_add(address - module.start))
}

/// The build id of a mapped file, in hexadecimal digits; empty if it has none or cannot be read.
pub(super) fn build_id(path: &str) -> String {
    let read = || {
        let data = ReadCache::new(modules::open(&file(path)?)?);
        Some(build_id_of(&ElfFile64::parse(&data).ok()?))
    };
    read().unwrap_or_default()
}

/// The same of a file that is read already.
pub(super) fn build_id_of<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, LittleEndian, R>) -> String {
    digits(elf.build_id().ok().flatten().unwrap_or_default())
}

/// A build id in hexadecimal digits; empty if it is none.
fn digits(build_id: &[u8]) -> String {
    let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or_default();
    let bytes = if build_id.len() > MAX_BUILD_ID { &[] } else { build_id };
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Where the file of a module can be opened; `None` when it is a name in brackets. The program's own file can be, too,
/// after it was replaced or deleted: a service outlives its next version's installation.
pub(super) fn file(path: impl AsRef<Path>) -> Option<PathBuf> {
    let path = path.as_ref();
    if !path.has_root() {
        return None;
    }
    Some(if is_program(path) { OWN.into() } else { path.into() })
}

/// Whether it is the program's file, not a library.
pub(super) fn is_program(path: impl AsRef<Path>) -> bool {
    std::fs::read_link(OWN).is_ok_and(|own| own == path.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_code_is_mapped() {
        let modules = mapped();
        let here = own_code_is_mapped as *const () as u64;
        let holds = |module: &&Module| (module.start..module.end).contains(&here);
        let own = modules.iter().find(holds).unwrap();
        assert_eq!(Path::new(&own.path), std::env::current_exe().unwrap());
        assert!(is_program(&own.path) && !is_program("/bin/true"), "{own:?}");
        assert!(modules.is_sorted_by_key(|module| module.start));
        assert!(modules.iter().any(|module| module.path == "[vdso]"), "{modules:?}");

        // The bytes in memory are those of the file at that offset: what pprof's arithmetic stands on.
        let file = std::fs::read(&own.path).unwrap();
        let at = (own.offset + (here - own.start)) as usize;
        let mut memory = [0; 16];
        crate::sys::probe::tests::guard();
        assert!(crate::sys::probe::copy(here as usize, &mut memory));
        assert_eq!(file[at..at + 16], memory);
    }

    #[test]
    fn addresses_find_their_module() {
        let module = |start, end, offset, path: &str| Module {
            start,
            end,
            offset,
            path: path.to_owned(),
            build_id: String::new(),
        };
        let modules = [
            module(0, 0x10, 0, "[low]"),
            module(0x1000, 0x2000, 0x400, "/bin/app"),
            module(0x3000, u64::MAX, u64::MAX, "/lib/"),
        ];
        let at = |address| place(&modules, address);
        assert_eq!([at(0), at(0xf)], ["[low]+0x0", "[low]+0xf"]);
        assert_eq!([at(0x1000), at(0x1fff)], ["app+0x400", "app+0x13ff"]);
        assert_eq!(at(0x3001), "+0x0", "an offset that wraps");
        for nowhere in [0x10, 0xfff, 0x2000, u64::MAX] {
            assert_eq!(at(nowhere), "[unknown]");
        }
        assert_eq!(place(&[], 0), "[unknown]");
    }

    /// Against the notes as `readelf` tells them, and a file that has none.
    #[test]
    fn build_ids_are_those_of_the_notes() {
        let libc = mapped().into_iter().find(|module| module.path.contains("libc.so")).unwrap();
        assert_eq!(build_id(&libc.path), libc.build_id);
        assert_eq!(libc.build_id.len(), 40, "{libc:?}");
        let Ok(output) = std::process::Command::new("readelf").args(["-n", &libc.path]).output()
        else {
            return crate::cpython::interpreters::skip("no readelf");
        };
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains(&format!("Build ID: {}", libc.build_id)), "{told}");
    }

    #[test]
    fn notes_that_lie_behind_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let note = |at: u64| {
            // Header of a file with one part, which is notes: one that is not a build id, and one that is.
            let mut bytes = vec![0; 64 + 56];
            bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
            (bytes[32], bytes[54], bytes[56]) = (64, 56, 1);
            bytes[64] = 4;
            bytes[64 + 8..64 + 16].copy_from_slice(&at.to_le_bytes());
            bytes[64 + 32] = 40;
            bytes[64 + 48] = 4;
            bytes.resize(at as usize, 0);
            for (kind, content) in [(5, [1; 4]), (3, [0xab, 0xcd, 0, 9])] {
                bytes.extend([4_u32, 4, kind].map(u32::to_le_bytes).concat());
                bytes.extend(b"GNU\0");
                bytes.extend(content);
            }
            bytes.resize(bytes.len().max(FIRST), 0);
            let path = folder.path().join("file");
            std::fs::write(&path, &bytes).unwrap();
            super::note(&File::open(&path).unwrap(), 0)
        };
        for at in [128, 4080, 8192] {
            assert_eq!(note(at).as_deref(), Some("abcd0009"), "{at}");
        }
        assert_eq!(note(MOST as u64), None, "too far");
        std::fs::write(folder.path().join("text"), vec![b'x'; FIRST]).unwrap();
        assert_eq!(super::note(&File::open(folder.path().join("text")).unwrap(), 0), None);
    }

    #[test]
    fn what_is_no_file_has_no_build_id() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text");
        std::fs::write(&text, "\x7fELF").unwrap();
        for path in ["", "[vdso]", "/dev/zero", "/", "/nowhere", "relative", "/nul\0/x"] {
            assert_eq!(build_id(path), "", "{path}");
        }
        assert_eq!(build_id(text.to_str().unwrap()), "");
    }
}
