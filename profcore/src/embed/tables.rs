//! Unwind tables for the process's own handlers: made when a stack has first passed a file's code.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use object::read::elf::{ElfFile64, ProgramHeader};
use object::{LittleEndian, ReadCache, ReadRef, elf};

use super::modules::{file, maps};
use crate::call_frames;
use crate::modules::{Mapped, Modules, open};
use crate::published::Published;
use crate::session::Session;
use crate::sys::syscall;
use crate::unwind::Tables;

/// The kernel's own code page has no file.
const VDSO: &[u8] = b"[vdso]";
/// Most bytes of it.
const MAX_VDSO: u64 = 1 << 20;
/// Nanoseconds between two looks at the mappings, and so many times what the last one took, where there are thousands: a
/// library may be unloaded, and another take its place.
const LOOK: u64 = 1_000_000_000;
const LOOK_TIMES: u64 = 5_000;
const PAGE: u64 = 4096;
/// Nanoseconds for which nobody asks again after something was asked for that is no code, and so many times what the look
/// took: where walks lead astray at each tick, that costs little.
const HUSH: u64 = 200_000_000;
const HUSH_TIMES: u64 = 100;

/// The tables of the process's code.
#[derive(Debug, Default)]
pub(super) struct Code {
    published: Published,
    has_looked: bool,
    look_at: u64,
    hushed_until: u64,
}

impl Code {
    /// Publishes the tables that handlers asked for, and withdraws those of code that is gone. The first time also those that
    /// every stack passes: asked for one by one, each would cost a sample its outer frames.
    pub(super) fn tend(&mut self, session: Session, now: u64) {
        let tables = Tables::of(session);
        if self.hushed_until > 0 && now >= self.hushed_until {
            self.hushed_until = 0;
            tables.hush(false);
        }
        let is_first = !std::mem::replace(&mut self.has_looked, true);
        let usual = usual().into_iter().filter(|_| is_first);
        let wanted: Vec<u64> = usual.chain(tables.take_wanted()).collect();
        let is_due = now >= self.look_at && !self.published.is_empty();
        if wanted.is_empty() && !is_due {
            return;
        }
        let began = syscall::monotonic();
        let modules = Modules::parse(&maps());
        let took = syscall::monotonic().saturating_sub(began);
        self.look_at = now.saturating_add(LOOK.max(took.saturating_mul(LOOK_TIMES)));
        if !modules.is_empty() {
            self.published.withdraw(tables, &modules);
        }
        for pc in wanted {
            let Some(mapped) = modules.mapped(pc) else {
                let took = syscall::monotonic().saturating_sub(now);
                self.hushed_until = now.saturating_add(HUSH.max(took.saturating_mul(HUSH_TIMES)));
                tables.hush(true);
                continue;
            };
            if self.published.count(tables, &mapped).is_none() {
                let (base, rows) = rows(&mapped, pc).unwrap_or((mapped.start, Vec::new()));
                self.published.add(tables, &mapped, base, &rows);
            }
        }
    }
}

/// An address in the program's own code, or that of the library that we are part of, and one in libc, where threads begin.
fn usual() -> [u64; 2] {
    [usual as *const () as u64, libc::getpid as *const () as u64]
}

/// Where address 0 of the file lies that is mapped at `pc`, and its unwind rows.
fn rows(mapped: &Mapped<'_>, pc: u64) -> Option<(u64, Vec<(u32, u32)>)> {
    let offset = mapped.offset.checked_add(pc - mapped.start)?;
    let (address, rows) = if mapped.path == VDSO {
        let mut bytes = vec![0; (mapped.end - mapped.start).min(MAX_VDSO) as usize];
        File::open("/proc/self/mem").ok()?.read_exact_at(&mut bytes, mapped.start).ok()?;
        rows_of(&bytes[..], offset)?
    } else {
        let path = file(OsStr::from_bytes(mapped.path))?;
        rows_of(&ReadCache::new(open(&path)?), offset)?
    };
    Some((pc.wrapping_sub(address), rows))
}

/// The file's own address of the code at an offset in it, and its unwind rows.
fn rows_of<'d, R: ReadRef<'d>>(data: R, offset: u64) -> Option<(u64, Vec<(u32, u32)>)> {
    let file = ElfFile64::<LittleEndian, R>::parse(data).ok()?;
    let endian = LittleEndian;
    let header = file.elf_program_headers().iter().find(|header| {
        let start = header.p_offset(endian);
        header.p_type(endian) == elf::PT_LOAD
            && header.p_flags(endian).contains(elf::PF_X)
            && (start / PAGE * PAGE..start.saturating_add(header.p_filesz(endian)))
                .contains(&offset)
    })?;
    let address = header.p_vaddr(endian).wrapping_add(offset).wrapping_sub(header.p_offset(endian));
    Some((address, call_frames::rows(&file).0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::image;
    use crate::unwind::Rule;

    #[test]
    fn code_that_is_asked_for_gets_its_table_and_what_is_none_is_asked_for_seldom() {
        let session = image::session();
        let tables = Tables::of(session);
        let mut code = Code::default();
        let rule = |pc: usize| {
            let mut lookup = tables.lookup(&[]);
            (lookup.rule(pc as u64), lookup.has_asked())
        };
        code.tend(session, LOOK);
        for begins in [rows as *const () as usize, libc::getpid as *const () as usize] {
            let (found, has_asked) = rule(begins);
            assert!(matches!(found, Rule::Sp { cfa: 8, .. }) && !has_asked, "{found:?}");
        }

        let maps = maps();
        let modules = Modules::parse(&maps);
        let mapped = modules.starts().filter_map(|start| modules.mapped(start));
        let vdso = mapped.into_iter().find(|mapped| mapped.path == VDSO).unwrap().start as usize;
        assert_eq!(rule(vdso), (Rule::Unknown, true));
        code.tend(session, 2 * LOOK);
        assert!(!rule(vdso).1);

        let nowhere = 0x1000;
        assert_eq!(rule(nowhere), (Rule::Unknown, true));
        let now = syscall::monotonic();
        code.tend(session, now);
        assert_eq!(rule(nowhere), (Rule::Unknown, false), "for a while");
        code.tend(session, now + HUSH - 1);
        assert_eq!(rule(nowhere), (Rule::Unknown, false));
        code.tend(session, code.hushed_until);
        assert_eq!(rule(nowhere), (Rule::Unknown, true));
        assert_eq!(tables.published(), 3);
    }
}
