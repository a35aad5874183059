//! Can the shim be loaded into a program? Read from its file before it is started.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use object::LittleEndian;
use object::elf::{DT_NEEDED, EM_X86_64, ET_DYN, FileHeader64, PT_INTERP};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::{ReadCache, ReadRef};

/// Longest `#!` line that the kernel reads.
const SCRIPT_LINE: u64 = 256;
const SETUID: u32 = 0o4000;
/// Without group execution, the bit means something else.
const SETGID: u32 = 0o2010;

/// How the files of sanitizers' runtimes are called.
const SANITIZERS: [&str; 5] =
    ["libasan.so", "liblsan.so", "libtsan.so", "libhwasan.so", "libclang_rt."];
/// Whether a file of this name is the runtime of a sanitizer.
pub(super) fn is_sanitizer(file: &[u8]) -> bool {
    SANITIZERS.iter().any(|name| file.starts_with(name.as_bytes()))
}

/// What a file is to the loader.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A dynamic x86-64 program.
    Dynamic,
    /// A program without a loader: nothing can be preloaded.
    Static,
    /// Another machine's, another libc's, or a damaged program.
    Foreign,
    /// It gets rights that we do not have, so the loader ignores what we ask for.
    Privileged,
    /// Built with a sanitizer, whose runtime ends the program if anything is loaded before it.
    Sanitized,
    /// A script with this interpreter.
    Script(PathBuf),
    /// It may be executed but not read.
    Unreadable,
}

/// Looks at an executable file.
pub(super) fn inspect(path: &Path) -> Kind {
    let Ok(mut file) = File::open(path) else { return Kind::Unreadable };
    if is_privileged(&file) {
        return Kind::Privileged;
    }
    let mut start = Vec::new();
    if file.by_ref().take(SCRIPT_LINE).read_to_end(&mut start).is_err() {
        return Kind::Unreadable;
    }
    if start.starts_with(b"\x7fELF") {
        return program(file).unwrap_or(Kind::Foreign);
    }
    match start.strip_prefix(b"#!") {
        Some(line) => {
            let line = line.split(|&b| b == b'\n').next().unwrap_or(line).trim_ascii_start();
            let end = line.iter().position(|b| matches!(b, b' ' | b'\t' | b'\r' | 0));
            let name = &line[..end.unwrap_or(line.len())];
            Kind::Script(OsString::from_vec(name.to_vec()).into())
        }
        // What the kernel does not know, `execvp` gives to the shell.
        None => Kind::Script("/bin/sh".into()),
    }
}

/// Whether a file may be preloaded: it is a library of this machine.
pub(super) fn is_library(path: &Path) -> bool {
    let kind = |file| {
        let data = ReadCache::new(file);
        let header = FileHeader64::<LittleEndian>::parse(&data).ok()?;
        let endian = header.endian().ok()?;
        Some((header.e_machine(endian), header.e_type(endian)))
    };
    File::open(path).ok().and_then(kind) == Some((EM_X86_64, ET_DYN))
}

fn program(file: File) -> Option<Kind> {
    let data = ReadCache::new(file);
    let header = FileHeader64::<LittleEndian>::parse(&data).ok()?;
    let endian = header.endian().ok()?;
    if header.e_machine(endian) != EM_X86_64 {
        return None;
    }
    let programs = header.program_headers(endian, &data).ok()?;
    let Some(loader) = programs.iter().find(|program| program.p_type(endian) == PT_INTERP) else {
        return Some(Kind::Static);
    };
    let loader = loader.data(endian, &data).ok()?;
    let name = loader.split(|&b| b == 0).next().unwrap_or(loader);
    let glibc =
        name.rsplit(|&b| b == b'/').next().is_some_and(|file| !file.starts_with(b"ld-musl"));
    if !glibc {
        return None;
    }
    let is_sanitized = is_sanitized(header, endian, &data).unwrap_or(false);
    Some(if is_sanitized { Kind::Sanitized } else { Kind::Dynamic })
}

/// Whether a program needs the runtime of a sanitizer. `None`: its sections do not say.
fn is_sanitized<'d>(
    header: &FileHeader64<LittleEndian>,
    endian: LittleEndian,
    data: impl ReadRef<'d>,
) -> Option<bool> {
    let sections = header.sections(endian, data).ok()?;
    let (entries, index) = sections.dynamic(endian, data).ok()??;
    let strings = sections.strings(endian, data, index).ok()?;
    let needed = entries.iter().filter(|entry| entry.tag(endian) == DT_NEEDED);
    let mut names = needed.filter_map(|entry| strings.get(entry.val32(endian)?).ok());
    Some(names.any(is_sanitizer))
}

/// True if running the file changes who we are: the loader is in secure mode then.
fn is_privileged(file: &File) -> bool {
    let Ok(found) = file.metadata() else { return false };
    let user = rustix::process::geteuid();
    let mode = found.mode();
    if mode & SETUID != 0 && found.uid() != user.as_raw() {
        return true;
    }
    if mode & SETGID == SETGID && found.gid() != rustix::process::getegid().as_raw() {
        return true;
    }
    let mut capabilities = [0_u8; 64];
    !user.is_root()
        && rustix::fs::fgetxattr(file, c"security.capability", &mut capabilities).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Kind {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        inspect(file.path())
    }

    #[test]
    fn scripts_and_programs_are_told_apart() {
        assert_eq!(kind(b"#! /usr/bin/env python3\nx"), Kind::Script("/usr/bin/env".into()));
        assert_eq!(kind(b"#!/bin/sh"), Kind::Script("/bin/sh".into()));
        assert_eq!(kind(b"echo hello\n"), Kind::Script("/bin/sh".into()));
        assert_eq!(kind(b""), Kind::Script("/bin/sh".into()));
        assert_eq!(inspect(Path::new("/bin/sh")), Kind::Dynamic);
        assert_eq!(inspect(Path::new("/no/such/file")), Kind::Unreadable);
    }

    /// A header with one program header of the given type, pointing at `loader`.
    fn elf(machine: u16, kind_of_header: u32, loader: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend(3_u16.to_le_bytes());
        bytes.extend(machine.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(64_u64.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        for half in [64_u16, 56, 1, 64, 0, 0] {
            bytes.extend(half.to_le_bytes());
        }
        bytes.extend(kind_of_header.to_le_bytes());
        bytes.extend(4_u32.to_le_bytes());
        for word in [120, 0, 0, loader.len() as u64, loader.len() as u64, 1] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(loader);
        bytes
    }

    #[test]
    fn programs_without_a_glibc_loader_are_known() {
        let glibc = b"/lib64/ld-linux-x86-64.so.2\0";
        assert_eq!(kind(&elf(62, 3, glibc)), Kind::Dynamic);
        assert_eq!(kind(&elf(62, 1, glibc)), Kind::Static);
        assert_eq!(kind(&elf(62, 3, b"/lib/ld-musl-x86_64.so.1\0")), Kind::Foreign);
        assert_eq!(kind(&elf(183, 3, glibc)), Kind::Foreign);
        assert_eq!(kind(b"\x7fELF\x01\x01"), Kind::Foreign);
        let cut = elf(62, 3, glibc);
        assert_eq!(kind(&cut[..100]), Kind::Foreign);
    }
}
